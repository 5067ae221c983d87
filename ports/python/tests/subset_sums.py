"""The definitions, summed over all k-subsets in decimals: what the ports are tested against for small n."""

from decimal import Decimal, getcontext
from itertools import combinations

# Differences of close numbers below lose far fewer digits than this has to spare.
getcontext().prec = 120


class Subsets:
    """The k-subsets A of the entries of x, with weights exp(sum over A of x / scale)."""

    def __init__(self, x, k, scale=Decimal(1)):
        factors = {i: (Decimal(v) / scale).exp() for i, v in enumerate(x) if v != float("-inf")}
        self.n = len(x)
        self.weights = {}
        for subset in combinations(factors, k):
            weight = Decimal(1)
            for i in subset:
                weight *= factors[i]
            self.weights[subset] = weight
        self.sigma = sum(self.weights.values(), Decimal(0))

    def mean(self, value):
        return sum((weight * value(subset) for subset, weight in self.weights.items()), Decimal(0)) / self.sigma

    def inclusion(self):
        return [self.mean(lambda subset, i=i: Decimal(i in subset)) for i in range(self.n)]


def log_esp(x, k):
    """log sigma_j, j = 0..k; None where sigma_j = 0."""
    sigmas = [Subsets(x, j).sigma for j in range(k + 1)]
    return [sigma.ln() if sigma else None for sigma in sigmas]


def hessian_vector_product(x, k, v):
    """(Cov([i in A], v(A)), pi_i (1 - pi_i)) for each i."""
    subsets, direction = Subsets(x, k), [Decimal(entry) for entry in v]
    total = subsets.mean(lambda subset: sum((direction[i] for i in subset), Decimal(0)))
    product = [
        subsets.mean(lambda subset, i=i: (i in subset) * (sum((direction[l] for l in subset), Decimal(0)) - total))
        for i in range(subsets.n)
    ]
    return product, [pi * (1 - pi) for pi in subsets.inclusion()]


def smooth_topk_loss(scores, label, k, tau, alpha):
    """(L, z, gradient): L = tau log(1 + exp z). None for z where there are fewer than k other classes."""
    tau, alpha = Decimal(tau), Decimal(alpha)
    others = [score if i != label else float("-inf") for i, score in enumerate(scores)]
    upper, lower = (Subsets(others, order, k * tau) for order in (k, k - 1))
    if not upper.sigma:
        return Decimal(0), None, [Decimal(0)] * len(scores)
    z = alpha / tau + (upper.sigma / lower.sigma).ln() - Decimal(scores[label]) / (k * tau)
    weight = 1 / (1 + (-z).exp()) / k
    grad = [weight * (p - q) for p, q in zip(upper.inclusion(), lower.inclusion())]
    grad[label] = -weight
    odds = z.exp()
    # log(1 + odds), by its series where the sum would lose digits.
    softplus = (1 + odds).ln() if odds > Decimal("1e-40") else odds - odds**2 / 2 + odds**3 / 3
    return tau * softplus, z, grad
