"""Smooth top-k SVM loss and the elementary symmetric polynomials under it, in PyTorch.

Two computations, each vectorised over the batch and over the classes (loops run over orders and tree levels only):

- one order k (loss, inclusion probabilities, Hessian-vector products): the scaled linear form. Each factor 1 + e_i X is
  written with two numbers of at most 1, a tree of truncated products gives the polynomial, and the tree walked down
  gives each entry the product of all other factors. Positive terms only: nothing cancels, nothing branches on data.
- all orders 0..k (log_esp): the same tree in pairs of floats, with an exponent per coefficient.

Runs where its tensors are. float64 and float32 are computed in themselves, with u = 2^-53 and 2^-24; bfloat16 and
float16 in float32. The steps are derived in docs/porting.md.

    criterion = SmoothTopkSVM(k=5, tau=1.0)
    criterion(model(images), labels).backward()

L. Berrada, A. Zisserman, M. P. Kumar, Smooth Loss Functions for Deep Top-k Classification, ICLR 2018.
"""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import torch

# ---------------------------------------------------------------------------------------------------------------------
# Public functions
# ---------------------------------------------------------------------------------------------------------------------


class SmoothTopkSVM(torch.nn.Module):
    """smooth_topk_loss as a module. reduction: 'mean', 'sum' or 'none'; the other arguments are the function's."""

    def __init__(self, k=5, tau=1.0, alpha=1.0, reduction="mean", check=True):
        super().__init__()
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"SmoothTopkSVM: reduction is {reduction!r}, expected 'none', 'mean' or 'sum'")
        self.k, self.tau, self.alpha, self.reduction, self.check = k, tau, alpha, reduction, check

    def forward(self, scores, labels):
        loss = smooth_topk_loss(scores, labels, self.k, self.tau, self.alpha, self.check)
        return loss if self.reduction == "none" else getattr(loss, self.reduction)()

    def extra_repr(self):
        return f"k={self.k}, tau={self.tau}, alpha={self.alpha}, reduction={self.reduction!r}"


def smooth_topk_loss(scores, labels, k=5, tau=1.0, alpha=1.0, check=True):
    """Smooth top-k SVM loss of each row, [batch]; differentiable in scores, any number of times.

        L = tau log(1 + exp z),  z = alpha/tau + log sigma_k(e) - log sigma_{k-1}(e) - s_y/(k tau),
        e_i = exp(s_i/(k tau)) over the classes i != y;
        dL/ds_y = -w/k,  dL/ds_i = (w/k) e_i (d_{k-1}^2 - d_{k-2} d_k)/(sigma_k sigma_{k-1}),
        w = 1/(1 + exp(-z)),  d_j = sigma_j(e without i).

    scores  [batch, n], a floating type; -inf masks a class.
    labels  [batch] integers in [0, n - 1], not masked.
    k       integer, 1 <= k <= n - 1.
    tau     temperature, > 0: towards 0, L becomes topk_loss.
    alpha   margin, finite.
    check   False leaves the values of scores and labels unchecked: no passes over them, no waiting for the device.

    Where masking leaves fewer than k other classes, loss and gradient are 0.
    Raises ValueError naming the argument, the index, the value and what was expected.

    Mind the scale: scores enter divided by k, as in the authors' code; k = 1, tau = 1, alpha = 0 is the cross-entropy.
    Relative error of the loss at most (8 + |z|) u, of gradient entries above 1e-280 (float32: 1e-30) at most 64 k u.
    O(n k) multiplications. The first derivative is computed with the loss; each further one by autograd through it.
    """
    name = "smooth_topk_loss"
    _check_matrix(name, "scores", scores, check)
    k = _check_order(name, k, scores.shape[1], 1, "n - 1")
    tau = _check_temperature(name, tau, k, scores.dtype)
    alpha = _check_margin(name, alpha)
    labels = _check_labels(name, labels, scores, check)
    return _SmoothTopkLoss.apply(_wide(scores), labels, k, tau, alpha).to(scores.dtype)


def topk_loss(scores, labels, k=5, alpha=1.0, check=True):
    """Hard top-k SVM loss of each row, [batch], with a subgradient.

        l = max(0, alpha + (s_[k] - s_y)/k),  s_[k] the k-th largest score of the classes besides y;
        where l > 0: -1/k at y, 1/k shared equally by the classes tied at s_[k]; elsewhere 0, the kink included.

    This is the limit of smooth_topk_loss as tau -> 0. Arguments, masking and errors as there.
    Relative error of the loss at most 2 u.
    """
    name = "topk_loss"
    _check_matrix(name, "scores", scores, check)
    k = _check_order(name, k, scores.shape[1], 1, "n - 1")
    alpha = _check_margin(name, alpha)
    labels = _check_labels(name, labels, scores, check)
    return _TopkLoss.apply(_wide(scores), labels, k, alpha).to(scores.dtype)


def log_esp(x, k, check=True):
    """Logarithms of the elementary symmetric polynomials of exp(x), orders 0 to k, [batch, k + 1].

        out[j] = log sigma_j(exp(x_1), ..., exp(x_n)),  prod_i (1 + exp(x_i) X) = sum_j sigma_j X^j.

    x      [batch, n], a floating type; -inf removes an entry.
    k      integer, 0 <= k <= n.
    check  False leaves the values of x unchecked.

    -inf where sigma_j = 0; such orders pass no gradient on. Differentiable once, d out[j] / d x_i the inclusion
    probability of i at order j; log_esp_hvp has the second derivative.
    Raises ValueError naming the argument, the index, the value and what was expected.

    Error at most 2 u max(1, |out[j]|) for |x| up to 2^50 (float32: 2^21). O(n k) multiplications of pairs.
    """
    _check_matrix("log_esp", "x", x, check)
    k = _check_order("log_esp", k, x.shape[1], 0, "n")
    return _LogEsp.apply(_wide(x), k).to(x.dtype)


def inclusion_probabilities(x, k, check=True):
    """Probability of each entry to be in a random k-subset A, P(A) proportional to exp(sum over A of x), [batch, n].

        pi_i = exp(x_i) sigma_{k-1}(exp(x) without i) / sigma_k(exp(x)) = d log sigma_k / d x_i;  sum_i pi_i = k.

    Arguments and errors as log_esp. 0 for removed entries, NaN throughout a row with sigma_k = 0. Differentiable once,
    by log_esp_hvp. Relative error of entries above 1e-280 (float32: 1e-30) at most 64 k u. O(n k) multiplications.
    """
    _check_matrix("inclusion_probabilities", "x", x, check)
    k = _check_order("inclusion_probabilities", k, x.shape[1], 0, "n")
    return _InclusionProbabilities.apply(_wide(x), k).to(x.dtype)


@torch.no_grad()
def log_esp_hvp(x, k, v, check=True):
    """Hessian of log sigma_k(exp(x)) times v: the covariance matrix of the k-subset distribution times v, [batch, n].

        out_i = Cov([i in A], v(A)),  v(A) = sum over A of v_l.

    Beside each polynomial runs the one whose coefficient j weighs every j-subset with v(A). With (d, m) this pair
    without entry i, (p, q) with it, and S = q_k / p_k:

        out_i = pi_i (v_i + m_{k-1}/d_{k-1} - S) = (1 - pi_i) (S - m_k/d_k),  whichever factor is the smaller.

    x, k  as log_esp.
    v     [batch, n], finite; values at removed entries do not count.

    0 for removed entries, NaN throughout a row with sigma_k = 0. Not differentiable. Raises ValueError as log_esp.
    Error of out_i at most 64 k u pi_i (1 - pi_i) (max v - min v). O(n k) multiplications.
    """
    name = "log_esp_hvp"
    _check_matrix(name, "x", x, check)
    n = x.shape[1]
    k = _check_order(name, k, n, 0, "n")
    _check_directions(name, v, x, check)
    return _hessian_vector_product(_wide(x), k, v.to(_wide(x).dtype)).to(x.dtype)


# ---------------------------------------------------------------------------------------------------------------------
# Derivatives
# ---------------------------------------------------------------------------------------------------------------------


class _SmoothTopkLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, scores, labels, k, tau, alpha):
        loss, grad = _loss_and_grad(scores, labels, k, tau, alpha)
        ctx.save_for_backward(scores, labels, grad)
        ctx.parameters = (k, tau, alpha)
        return loss

    @staticmethod
    def backward(ctx, cotangent):
        scores, labels, grad = ctx.saved_tensors
        if torch.is_grad_enabled():
            # A higher derivative is wanted: the same gradient again, on the tape.
            _, grad = _loss_and_grad(scores, labels, *ctx.parameters)
        return cotangent[:, None] * grad, None, None, None, None


class _TopkLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, scores, labels, k, alpha):
        label = labels[:, None]
        others, centre, empty = _kth_largest(scores.scatter(1, label, -math.inf), k)
        margin, _ = _margin(scores.gather(1, label).squeeze(1), centre, k, alpha)
        active = (margin > 0) & ~empty
        tied = ((others == centre[:, None]) & active[:, None]).to(scores.dtype)
        grad = tied / (k * tied.sum(1, keepdim=True).clamp(min=1))
        ctx.save_for_backward(grad.scatter(1, label, -active[:, None].to(scores.dtype) / k))
        return torch.where(active, margin / k, torch.zeros_like(margin))

    @staticmethod
    def backward(ctx, cotangent):
        (grad,) = ctx.saved_tensors
        return cotangent[:, None] * grad, None, None, None


class _LogEsp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        levels = [_exp_leaves(x)]
        while levels[-1][0].shape[2] > 1:
            levels.append(_multiply_pairs(*zip(*map(_halves, levels[-1])), k))
        ctx.n = x.shape[1]
        ctx.save_for_backward(*(part for high, _, exponent in levels for part in (high, exponent)))
        return _log_of_pairs(*(part[: k + 1, :, 0].t() for part in levels[-1]))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, cotangent):
        saved = ctx.saved_tensors
        levels = list(zip(saved[::2], saved[1::2]))
        return _spread_down(levels, cotangent)[:, : ctx.n], None


class _InclusionProbabilities(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        ctx.save_for_backward(x)
        ctx.k = k
        return _inclusion(x, k)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, cotangent):
        # The Hessian is symmetric.
        return _hessian_vector_product(*ctx.saved_tensors, ctx.k, cotangent), None


# ---------------------------------------------------------------------------------------------------------------------
# One order, in the scaled linear form
# ---------------------------------------------------------------------------------------------------------------------


def _loss_and_grad(scores, labels, k, tau, alpha):
    """Loss [batch] and gradient [batch, n]; the gradient is made of differentiable operations."""
    n = scores.shape[1]
    label = labels[:, None]
    others, centre, empty = _kth_largest(scores.scatter(1, label, -math.inf), k)
    temperature = _words(Fraction(k) * Fraction(tau), scores.dtype)
    constant, linear, unit = _tilt(*_factors(others, centre, temperature), k)

    # ratio = sigma_k / sigma_{k-1} in units of exp(centre / (k tau)). Orders above n / 2 count the classes left out.
    reverse = 2 * k > n + 1
    order = n - k + 1 if reverse else k
    levels = _product_tree(linear, constant, order) if reverse else _product_tree(constant, linear, order)
    below, top = levels[-1][order - 1], levels[-1][order]
    ratio = ((below / top if reverse else top / below) / unit).squeeze(1)
    d = _leave_one_out(levels, order, order - 2)[..., :n]
    ratio_grad = (d[-2] / top) * (d[-2] / below)
    if order > 1:
        ratio_grad = ratio_grad - (d[0] / below) * (d[2] / top)
    ratio_grad = constant * linear * ratio_grad

    # softplus(z) = log(1 + ratio exp(a)), a = (k alpha + centre - s_y) / (k tau)
    margin, margin_low = _margin(scores.gather(1, label).squeeze(1), centre, k, alpha)
    a, a_low = _divide(margin, margin_low, temperature)
    large = a > (700 if scores.dtype == torch.float64 else 80)
    power = torch.exp(a.masked_fill(large, 0))
    odds = ratio * (power + power * a_low)
    loss = torch.where(large, margin / k + tau * torch.log(ratio), tau * torch.log1p(odds))
    weight = (odds / (1 + odds)).masked_fill(large, 1).masked_fill(empty, 0) / k
    grad = (weight[:, None] * ratio_grad).scatter(1, label, -weight[:, None])
    return loss.masked_fill(empty, 0), grad


def _inclusion(x, k):
    n = x.shape[1]
    if k == 0:
        return torch.zeros_like(x)
    x, centre, empty = _kth_largest(x, k)
    constant, linear, _ = _tilt(*_factors(x, centre, (1.0, 0.0)), k)
    reverse = 2 * k > n
    order = n - k if reverse else k
    levels = _product_tree(linear, constant, order) if reverse else _product_tree(constant, linear, order)
    # In a subset of k = in none of n - k: linear_i times coefficient k - 1 (of the others), or order n - k reversed.
    d = _leave_one_out(levels, order, order if reverse else order - 1)[0, :, :n]
    return (linear * (d / levels[-1][order])).masked_fill(empty[:, None], math.nan)


@torch.no_grad()
def _hessian_vector_product(x, k, v):
    n = x.shape[1]
    if k == 0:
        return torch.zeros_like(x)
    # The rows of the Hessian sum to 0: v may be shifted to [0, 1], where all sums are of positive terms. It is also the
    # Hessian of order n - k in -x: the entries left out.
    present = x > -math.inf
    x, centre, empty = _kth_largest(x, k)
    low = v.masked_fill(~present, math.inf).amin(1, keepdim=True)
    spread = v.masked_fill(~present, -math.inf).amax(1, keepdim=True) - low
    usable = (spread > 0) & (spread < math.inf)
    v = ((v - low) / spread).masked_fill(~(present & usable), 0)
    constant, linear, _ = _tilt(*_factors(x, centre, (1.0, 0.0)), k)
    order, constant, linear = (n - k, linear, constant) if 2 * k > n else (k, constant, linear)
    if order == 0:
        return torch.zeros_like(x).masked_fill(empty[:, None], math.nan)

    levels = _product_tree(constant, linear, order)
    weighted = [torch.cat((torch.zeros_like(levels[0][:1]), levels[0][1:] * _pad(v, 0)))]
    for level in range(len(levels) - 1):
        last = levels[level + 1].shape[0] - 1
        (p, q), (r, s) = _halves(levels[level]), _halves(weighted[level])
        weighted.append(_window_product(p, s, 0, last) + _window_product(q, r, 0, last))
    mean = weighted[-1][order] / levels[-1][order]
    d, m = (part[..., :n] for part in _leave_one_out_weighted(levels, weighted, order))
    inside = linear * (d[0] / levels[-1][order])
    outside = constant * (d[1] / levels[-1][order])
    product = torch.where(inside <= outside, inside * (v + m[0] / d[0] - mean), outside * (mean - m[1] / d[1]))
    product = (spread * product).masked_fill(~(present & (inside > 0) & (outside > 0)), 0)
    return product.masked_fill(empty[:, None], math.nan)


def _kth_largest(x, k):
    """(x, the k-th largest of each row, rows with fewer than k entries); such rows become zeros, to be overwritten."""
    kth = x.detach().topk(k, 1, sorted=False)[0].amin(1)
    empty = kth == -math.inf
    return x.masked_fill(empty[:, None], 0), kth.masked_fill(empty, 0), empty


def _factors(x, centre, temperature):
    """(constant, linear), each [batch, n]: the factors of prod_i (1 + exp((x_i - c)/T) X), up to a scale of each.

    (r, 1) with r = exp((c - x_i)/T) above the centre, (1, exp((x_i - c)/T)) below: no number is above 1, the k largest
    entries contribute at least 1 to coefficients k and k - 1, and what underflows is negligible beside that.
    """
    absent = x == -math.inf
    centre = centre[:, None]
    distance, low = _two_sum(torch.where(absent, centre, x), -centre)
    distance, low = _divide(distance, low, temperature)
    above = distance > 0
    power = torch.exp(torch.where(above, -distance, distance))
    power = power + power * torch.where(above, -low, low)
    return power.masked_fill(~above, 1), power.masked_fill(above, 1).masked_fill(absent, 0)


def _tilt(constant, linear, k):
    """Where the coefficients could overflow, the factors in units in which they are a probability distribution.

    With p_i = unit linear_i / (constant_i + unit linear_i) the factors are (1 - p_i) + p_i X and coefficient j is the
    probability that j of n independent events happen. unit is chosen, by bisection, so that k - 1/2 are expected: the
    coefficients k - 1 and k are then at the peak, and nothing that underflows can matter beside them.
    Returns (constant, linear, unit [batch, 1]). Depends on the shape only whether anything is done.
    """
    batch, n = linear.shape
    low = torch.zeros(batch, 1, dtype=linear.dtype, device=linear.device)
    log_binomial = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    if log_binomial < (600 if linear.dtype == torch.float64 else 70):
        return constant, linear, low + 1
    # At least k entries are at or above the centre, at most k - 1 above: that brackets the unit.
    with torch.no_grad():
        low, high = low - math.log(2 * n), low + math.log(2 * k + 1)
        for _ in range(14):
            middle = (low + high) / 2
            share = torch.exp(middle) * linear
            few = torch.sum(share / (constant + share), 1, keepdim=True) < k - 0.5
            low, high = torch.where(few, middle, low), torch.where(few, high, middle)
        unit = torch.exp((low + high) / 2)
    share = unit * linear
    total = constant + share
    return constant / total, share / total, unit


def _product_tree(constant, linear, order):
    """The tree of products of the factors constant_i + linear_i X, truncated beyond X^order.

    Returns the levels, leaves first: level l is [min(2^l, order) + 1, batch, N / 2^l], N the power of two that n is
    padded to with factors 1. Node i of a level is the product of the nodes i and i + half of the level below.
    """
    levels = [torch.stack((_pad(constant, 1), _pad(linear, 0)))[: order + 1]]
    while levels[-1].shape[2] > 1:
        left, right = _halves(levels[-1])
        levels.append(_window_product(left, right, 0, min(order, 2 * (left.shape[0] - 1))))
    return levels


def _leave_one_out(levels, order, lowest):
    """Coefficients max(0, lowest)..order of the product of all factors but one: [.., batch, N], for each left out.

    Down the tree: what is outside a child is what is outside its parent, times its sibling. A node of 2^l leaves needs
    only the 2^l - 1 coefficients below the lowest.
    """
    outside, first = torch.ones_like(levels[-1][:1]), 0
    for level in range(len(levels) - 2, -1, -1):
        needed = max(0, lowest - (2**level - 1))
        children = outside.new_zeros(order - needed + 1, *levels[level].shape[1:])
        for child, sibling in zip(_halves(children), reversed(_halves(levels[level]))):
            _add_window_product(child, outside, sibling, needed, order, first)
        outside, first = children, needed
    return outside


def _leave_one_out_weighted(levels, weighted, order):
    """The same for a polynomial and its weighted companion: coefficients order - 1 and order of both."""
    outside, outside_weighted, first = torch.ones_like(levels[-1][:1]), torch.zeros_like(levels[-1][:1]), 0
    for level in range(len(levels) - 2, -1, -1):
        needed = max(0, order - 2**level)
        plain, companion = [], []
        for p, q in reversed(list(zip(_halves(levels[level]), _halves(weighted[level])))):
            plain.append(_window_product(outside, p, needed, order, first))
            companion.append(
                _window_product(outside_weighted, p, needed, order, first)
                + _window_product(outside, q, needed, order, first)
            )
        outside, outside_weighted, first = torch.cat(plain, 2), torch.cat(companion, 2), needed
    return outside, outside_weighted


def _window_product(p, q, first, last, p_first=0):
    """Coefficients first..last of p q. p holds the coefficients from p_first on, q those from 0 on."""
    return _add_window_product(p.new_zeros(last - first + 1, *p.shape[1:]), p, q, first, last, p_first)


def _add_window_product(out, p, q, first, last, p_first):
    for j in range(q.shape[0]):
        low = max(first, p_first + j)
        high = min(last, p_first + j + p.shape[0] - 1)
        if low <= high:
            out[low - first : high - first + 1].addcmul_(
                q[j : j + 1], p[low - j - p_first : high - j - p_first + 1]
            )
    return out


def _pad(x, fill):
    """x [batch, n] padded to a power of two of columns."""
    n = x.shape[1]
    return torch.nn.functional.pad(x, (0, (1 << (n - 1).bit_length()) - n), value=fill)


def _halves(level):
    half = level.shape[2] // 2
    return level[..., :half], level[..., half:]


def _margin(label_scores, centre, k, alpha):
    """k alpha + centre - s_y as a pair: its terms may be large and cancel."""
    high, low = _words(Fraction(k) * Fraction(alpha), centre.dtype)
    difference, first = _two_sum(centre, -label_scores)
    total, second = _two_sum(difference, torch.full_like(centre, high))
    return _two_sum(total, first + second + low)


# ---------------------------------------------------------------------------------------------------------------------
# All orders: coefficients (high + low) 2^exponent
# ---------------------------------------------------------------------------------------------------------------------

_NO_TERM = -(1 << 40)
"""The exponent of a coefficient 0."""


def _exp_leaves(x):
    """The factors 1 + exp(x_i) X as (high, low, exponent), each [2, batch, N]; exp(x) to u/1000 and better."""
    dtype = x.dtype
    ln2, ln2_low = _words(_LN2, dtype)
    step, step_low = _words(_LN2 / _STEPS, dtype)
    absent = x == -math.inf
    x = x.masked_fill(absent, 0)
    exponent = torch.round(x / ln2)
    product, error = _two_product(exponent, x.new_tensor(ln2))
    rest, rest_low = _two_sum(x - product, -error - exponent * ln2_low)
    # exp(rest) = 2^(index / 256) exp(q), |q| < 0.0014: 1 + q + ... holds q's rounding error below u/500.
    index = torch.round(rest / step)
    product, error = _two_product(index, x.new_tensor(step))
    q = (rest - product) - error + (rest_low - index * step_low)
    series = q + q * q * (1 / 2 + q * (1 / 6 + q * (1 / 24 + q * (1 / 120))))
    table, table_low = _powers(dtype, x.device)
    at = index.long() + 2 * _STEPS
    high, low = _fast_two_sum(table[at], table_low[at] + table[at] * series)

    def leaves(constant, linear, fill):
        linear = linear.masked_fill(absent, fill)
        return torch.stack((_pad(torch.full_like(linear, constant), constant), _pad(linear, fill)))

    return leaves(1, high, 0), leaves(0, low, 0), leaves(0, exponent.long(), _NO_TERM)


def _multiply_pairs(a, b, k):
    """Product of two polynomials of pairs, truncated beyond X^k. Relative error of order k u^2."""
    (a_high, a_low, a_exponent), (b_high, b_low, b_exponent) = a, b
    last = min(k, a_high.shape[0] + b_high.shape[0] - 2)
    ranges = [(j, min(last, j + b_high.shape[0] - 1) + 1) for j in range(min(a_high.shape[0], last + 1))]
    high = a_high.new_zeros(last + 1, *a_high.shape[1:])
    low = torch.zeros_like(high)
    exponent = torch.full_like(high, _NO_TERM, dtype=torch.int64)
    for j, end in ranges:
        exponent[j:end] = torch.maximum(exponent[j:end], a_exponent[j] + b_exponent[: end - j])
    a_split, b_split = _split(a_high), _split(b_high)
    for j, end in ranges:
        scale = _power_of_two(a_exponent[j] + b_exponent[: end - j] - exponent[j:end], high.dtype)
        product = a_high[j] * b_high[: end - j]
        error = _product_error(product, a_split[0][j], a_split[1][j], b_split[0][: end - j], b_split[1][: end - j])
        error = error + (a_high[j] * b_low[: end - j] + a_low[j] * b_high[: end - j])
        high[j:end], rounding = _two_sum(high[j:end], product * scale)
        low[j:end] += rounding + error * scale
    high, low = _fast_two_sum(high, low)
    high, shift = torch.frexp(high)
    exponent = torch.where(high > 0, exponent + shift, torch.full_like(exponent, _NO_TERM))
    return high, low * _power_of_two(-shift.long(), high.dtype), exponent


def _log_of_pairs(high, low, exponent):
    """log((high + low) 2^exponent), high in [1/2, 2) or 0."""
    # A mantissa in [0.7, 1.41]: its logarithm does not cancel against the exponent's.
    zero = high == 0
    shift = (high > math.sqrt(2)).long() - (high < math.sqrt(0.5)).long()
    factor = _power_of_two(-shift, high.dtype)
    high, low = (high * factor).masked_fill(zero, 1), low * factor
    exponent = (exponent + shift).to(high.dtype)
    ln2, ln2_low = _words(_LN2, high.dtype)
    product, error = _two_product(exponent, high.new_tensor(ln2))
    log = product + (torch.log(high) + (low / high + (exponent * ln2_low + error)))
    return log.masked_fill(zero, -math.inf)


def _spread_down(levels, cotangent):
    """sum_j cotangent_j d log sigma_j / d x_i, [batch, N], from the tree of (high, exponent).

    d log c_j / d log a_l = a_l b_{j-l} / c_j, the share of that term in c = a b: what arrives at coefficient j goes
    on to coefficients l of one child and j - l of the other in these shares, which need no scale of their own.
    """
    top = levels[-1][0][: cotangent.shape[1]]
    arrived = torch.where(top[..., 0] > 0, cotangent.t(), torch.zeros_like(cotangent.t()))[..., None]
    for (high, exponent), (parent, parent_exponent) in zip(levels[-2::-1], levels[:0:-1]):
        (a, b), (a_exponent, b_exponent) = _halves(high), _halves(exponent)
        divisor = parent.masked_fill(parent == 0, 1)
        last = parent.shape[0] - 1
        left, right = torch.zeros_like(a), torch.zeros_like(b)
        for j in range(min(a.shape[0], last + 1)):
            end = min(last, j + b.shape[0] - 1) + 1
            scale = _power_of_two(a_exponent[j] + b_exponent[: end - j] - parent_exponent[j:end], high.dtype)
            part = arrived[j:end] * (a[j] * b[: end - j] * scale / divisor[j:end])
            left[j] = part.sum(0)
            right[: end - j] += part
        arrived = torch.cat((left, right), 2)
    return arrived[1] if arrived.shape[0] > 1 else torch.zeros_like(arrived[0])


# ---------------------------------------------------------------------------------------------------------------------
# Pairs of floats
# ---------------------------------------------------------------------------------------------------------------------


def _two_sum(a, b):
    """(s, e): a + b = s + e exactly, s rounded. e carries no derivative."""
    s = a + b
    with torch.no_grad():
        t = s - a
        return s, (a - (s - t)) + (b - t)


def _fast_two_sum(a, b):
    """The same for |a| >= |b|."""
    s = a + b
    return s, b - (s - a)


def _split(a):
    """a = high + low, each with half the digits."""
    t = a * (2.0**27 + 1 if a.dtype == torch.float64 else 2.0**12 + 1)
    high = t - (t - a)
    return high, a - high


def _product_error(product, a_high, a_low, b_high, b_low):
    return a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _two_product(a, b):
    """(p, e): a b = p + e exactly, p rounded."""
    p = a * b
    return p, _product_error(p, *_split(a), *_split(b))


def _divide(a, a_low, divisor):
    """(a + a_low) / divisor as a pair, divisor a pair of numbers. The low part is 0 beyond an exponential's range."""
    high, low = divisor
    quotient = a / high
    with torch.no_grad():
        product, error = _two_product(quotient, a.new_tensor(high))
        rest = ((a - product) - error + (a_low - quotient * low)) / high
        return quotient, rest.masked_fill(~(quotient.abs() < 1e4), 0)


def _power_of_two(exponent, dtype):
    """2^exponent, exactly, 0 below the normal range; exponent int64."""
    if dtype == torch.float64:
        return ((exponent.clamp(-1023, 1023) + 1023) << 52).view(dtype)
    return ((exponent.clamp(-127, 127) + 127) << 23).int().view(dtype)


def _words(value, dtype):
    """A Fraction as a pair of numbers of the type."""

    def rounded(fraction):
        return torch.tensor(float(fraction), dtype=dtype).item()

    high = rounded(value)
    return high, rounded(value - Fraction(high))


_STEPS = 256
_LN2 = sum(Fraction(1, j << j) for j in range(1, 200))
_POWERS = {}


def _powers(dtype, device):
    """2^(j/256) as pairs, j = -512..512."""
    if (dtype, device) not in _POWERS:
        with localcontext() as context:
            context.prec = 60
            values = [Fraction(Decimal(2) ** (Decimal(j) / _STEPS)) for j in range(-2 * _STEPS, 2 * _STEPS + 1)]
        pairs = torch.tensor([_words(value, dtype) for value in values], dtype=dtype, device=device)
        _POWERS[dtype, device] = (pairs[:, 0].contiguous(), pairs[:, 1].contiguous())
    return _POWERS[dtype, device]


def _wide(x):
    return x if x.dtype in (torch.float64, torch.float32) else x.float()


# ---------------------------------------------------------------------------------------------------------------------
# Checks
# ---------------------------------------------------------------------------------------------------------------------


def _check_matrix(name, argument, x, values):
    if not torch.is_tensor(x) or not x.is_floating_point():
        kind = getattr(x, "dtype", type(x).__name__)
        raise ValueError(f"{name}: {argument} is a {kind}, expected a tensor of floats")
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"{name}: {argument} has shape {list(x.shape)}, expected [batch, n]")
    if values:
        _refuse(name, argument, x, ~(x < math.inf), "a finite number or -Infinity")


def _check_directions(name, v, x, values):
    if v.shape != x.shape:
        raise ValueError(f"{name}: v has shape {list(v.shape)}, expected {list(x.shape)}")
    if values:
        _refuse(name, "v", v, ~torch.isfinite(v), "a finite number")


def _refuse(name, argument, x, wrong, expected):
    if wrong.any():
        b, i = wrong.nonzero()[0].tolist()
        raise ValueError(f"{name}: {argument}[{b}, {i}] is {_shown(x[b, i])}, expected {expected}")


def _shown(value):
    value = float(value)
    if math.isfinite(value):
        return repr(value)
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _check_order(name, k, n, lowest, highest):
    if isinstance(k, bool) or k != k or k in (math.inf, -math.inf) or int(k) != k:
        raise ValueError(f"{name}: k must be an integer: got k = {k}")
    if k < lowest:
        raise ValueError(f"{name}: k must be at least {lowest}: got k = {k}")
    if k > (n if highest == "n" else n - 1):
        raise ValueError(f"{name}: k must be at most {highest}: got k = {k}, n = {n}")
    return int(k)


def _check_temperature(name, tau, k, dtype):
    if not 0 < tau < math.inf:
        raise ValueError(f"{name}: tau must be a number > 0: got tau = {_shown(tau)}")
    largest = 1e280 if dtype == torch.float64 else 1e30
    if not 1 / largest <= k * tau <= largest:
        raise ValueError(f"{name}: k tau must be between {1 / largest} and {largest}: got tau = {tau}")
    return float(tau)


def _check_margin(name, alpha):
    if not math.isfinite(alpha):
        raise ValueError(f"{name}: alpha must be a finite number: got alpha = {_shown(alpha)}")
    return float(alpha)


def _check_labels(name, labels, scores, values):
    batch, n = scores.shape
    if labels.shape != (batch,):
        raise ValueError(f"{name}: labels has shape {list(labels.shape)}, expected [{batch}]")
    if not values:
        return labels.long()
    wrong = ~((labels == labels.floor() if labels.is_floating_point() else True) & (labels >= 0) & (labels < n))
    if wrong.any():
        b = wrong.nonzero()[0].item()
        raise ValueError(f"{name}: labels[{b}] is {labels[b].item()}, expected an integer in [0, {n - 1}]")
    labels = labels.long()
    masked = scores.detach().gather(1, labels[:, None]) == -math.inf
    if masked.any():
        b = masked.nonzero()[0, 0].item()
        y = labels[b].item()
        raise ValueError(f"{name}: labels[{b}] is {y}, a masked class: scores[{b}, {y}] is -Infinity")
    return labels
