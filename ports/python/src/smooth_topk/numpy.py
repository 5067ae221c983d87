"""Smooth top-k SVM loss and the elementary symmetric polynomials under it, in NumPy.

Two computations, each vectorised over the batch and over the classes (loops run over orders and tree levels only):

- one order k (loss, inclusion probabilities, Hessian-vector products): the scaled linear form. Each factor 1 + e_i X is
  written with two numbers of at most 1, a tree of truncated products gives the polynomial, and the tree walked down
  gives each entry the product of all other factors. Positive terms only: nothing cancels, nothing branches on data.
- all orders 0..k (log_esp): the same tree in pairs of floats, with an exponent per coefficient.

u is the unit roundoff: 2^-53 in float64, 2^-24 in float32. Results have the precision of the input, and everything is
computed in it. The steps are derived in docs/porting.md.

L. Berrada, A. Zisserman, M. P. Kumar, Smooth Loss Functions for Deep Top-k Classification, ICLR 2018.
"""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np

_quiet = np.errstate(all="ignore")
"""What underflows is negligible; what divides by it is overwritten."""

# ---------------------------------------------------------------------------------------------------------------------
# Public functions
# ---------------------------------------------------------------------------------------------------------------------


@_quiet
def smooth_topk_loss(scores, labels, k=5, tau=1.0, alpha=1.0):
    """Smooth top-k SVM loss of each row, and its gradient.

        L = tau log(1 + exp z),  z = alpha/tau + log sigma_k(e) - log sigma_{k-1}(e) - s_y/(k tau),
        e_i = exp(s_i/(k tau)) over the classes i != y;
        dL/ds_y = -w/k,  dL/ds_i = (w/k) e_i (d_{k-1}^2 - d_{k-2} d_k)/(sigma_k sigma_{k-1}),
        w = 1/(1 + exp(-z)),  d_j = sigma_j(e without i).

    scores  [batch, n] float64 or float32 (other types become float64); -inf masks a class. Not mutated.
    labels  [batch] integers in [0, n - 1], not masked.
    k       integer, 1 <= k <= n - 1.
    tau     temperature, > 0: towards 0, L becomes topk_loss.
    alpha   margin, finite.

    Returns (loss [batch], grad [batch, n]); grad[b] is the gradient of loss[b]. Where masking leaves fewer than k other
    classes, both are 0.
    Raises ValueError naming the argument, the index, the value and what was expected.

    Mind the scale: scores enter divided by k, as in the authors' code; k = 1, tau = 1, alpha = 0 is the cross-entropy.
    Relative error of the loss at most (8 + |z|) u, of gradient entries above 1e-280 (float32: 1e-30) at most 64 k u.
    O(n k) multiplications.
    """
    name = "smooth_topk_loss"
    scores = _check_matrix(name, "scores", scores)
    batch, n = scores.shape
    k = _check_order(name, k, n, 1, "n - 1")
    tau = _check_temperature(name, tau, k, scores.dtype)
    alpha = _check_margin(name, alpha)
    labels = _check_labels(name, labels, scores)
    rows = np.arange(batch)
    label_scores = scores[rows, labels]
    others = scores.copy()
    others[rows, labels] = -np.inf
    others, centre, empty = _kth_largest(others, k)
    temperature = _words(Fraction(k) * Fraction(tau), scores.dtype)
    factors = _factors(others, centre, temperature)

    # ratio = sigma_k / sigma_{k-1} in units of exp(centre / (k tau)). Orders above n / 2 count the classes left out.
    constant, linear, unit = _tilt(*factors, k)
    reverse = 2 * k > n + 1
    order = n - k + 1 if reverse else k
    levels = _product_tree(linear, constant, order) if reverse else _product_tree(constant, linear, order)
    below, top = levels[-1][order - 1, :, 0], levels[-1][order, :, 0]
    ratio = (below / top if reverse else top / below) / unit
    d = _leave_one_out(levels, order, order - 2)[..., :n]
    d = np.concatenate((np.zeros_like(d[:1]), d)) if order == 1 else d
    below, top = below[:, None], top[:, None]
    ratio_grad = constant * linear * ((d[1] / top) * (d[1] / below) - (d[0] / below) * (d[2] / top))

    # softplus(z) = log(1 + ratio exp(a)), a = (k alpha + centre - s_y) / (k tau)
    margin, margin_low = _margin(label_scores, centre, k, alpha)
    a, a_low = _divide(margin, margin_low, temperature)
    large = a > (700 if scores.dtype == np.float64 else 80)
    power = np.exp(np.where(large, 0, a))
    odds = ratio * (power + power * a_low)
    loss = np.where(large, margin / k + tau * np.log(ratio), tau * np.log1p(odds))
    weight = np.where(large, 1, odds / (1 + odds)) / k

    weight = np.where(empty, 0, weight)
    grad = weight[:, None] * ratio_grad
    grad[rows, labels] = -weight
    return np.where(empty, 0, loss), grad


@_quiet
def topk_loss(scores, labels, k=5, alpha=1.0):
    """Hard top-k SVM loss of each row, and a subgradient.

        l = max(0, alpha + (s_[k] - s_y)/k),  s_[k] the k-th largest score of the classes besides y;
        where l > 0: -1/k at y, 1/k shared equally by the classes tied at s_[k]; elsewhere 0, the kink included.

    This is the limit of smooth_topk_loss as tau -> 0. Arguments, masking and errors as there.

    Returns (loss [batch], grad [batch, n]). Relative error of the loss at most 2 u.
    """
    name = "topk_loss"
    scores = _check_matrix(name, "scores", scores)
    batch, n = scores.shape
    k = _check_order(name, k, n, 1, "n - 1")
    alpha = _check_margin(name, alpha)
    labels = _check_labels(name, labels, scores)
    rows = np.arange(batch)
    others = scores.copy()
    others[rows, labels] = -np.inf
    others, centre, empty = _kth_largest(others, k)
    margin, _ = _margin(scores[rows, labels], centre, k, alpha)
    active = (margin > 0) & ~empty
    tied = (others == centre[:, None]) & active[:, None]
    grad = tied / (k * np.maximum(1, tied.sum(1, keepdims=True, dtype=scores.dtype)))
    grad[rows, labels] = np.where(active, -1 / k, 0)
    return np.where(active, margin / k, 0).astype(scores.dtype), grad.astype(scores.dtype)


@_quiet
def log_esp(x, k):
    """Logarithms of the elementary symmetric polynomials of exp(x), orders 0 to k.

        out[j] = log sigma_j(exp(x_1), ..., exp(x_n)),  prod_i (1 + exp(x_i) X) = sum_j sigma_j X^j.

    x  [batch, n] float64 or float32; -inf removes an entry. Not mutated.
    k  integer, 0 <= k <= n.

    Returns [batch, k + 1]; -inf where sigma_j = 0.
    Raises ValueError naming the argument, the index, the value and what was expected.

    Error at most 2 u max(1, |out[j]|) for |x| up to 2^50 (float32: 2^21). O(n k) multiplications of pairs.
    """
    x = _check_matrix("log_esp", "x", x)
    k = _check_order("log_esp", k, x.shape[1], 0, "n")
    node = _exp_leaves(x)
    while node[0].shape[2] > 1:
        half = node[0].shape[2] // 2
        node = _multiply_pairs([part[..., :half] for part in node], [part[..., half:] for part in node], k)
    return _log_of_pairs(*(part[: k + 1, :, 0].T for part in node))


@_quiet
def inclusion_probabilities(x, k):
    """Probability of each entry to be in a random k-subset A, P(A) proportional to exp(sum over A of x).

        pi_i = exp(x_i) sigma_{k-1}(exp(x) without i) / sigma_k(exp(x)) = d log sigma_k / d x_i;  sum_i pi_i = k.

    Arguments and errors as log_esp. Returns [batch, n]; 0 for removed entries, NaN throughout a row with sigma_k = 0.
    Relative error of entries above 1e-280 (float32: 1e-30) at most 64 k u. O(n k) multiplications.
    """
    x = _check_matrix("inclusion_probabilities", "x", x)
    n = x.shape[1]
    k = _check_order("inclusion_probabilities", k, n, 0, "n")
    if k == 0:
        return np.zeros_like(x)
    x, centre, empty = _kth_largest(x, k)
    constant, linear, _ = _tilt(*_factors(x, centre, (1.0, 0.0)), k)
    reverse = 2 * k > n
    order = n - k if reverse else k
    levels = _product_tree(linear, constant, order) if reverse else _product_tree(constant, linear, order)
    # In a subset of k = in none of n - k: linear_i times coefficient k - 1 (of the others), or order n - k reversed.
    d = _leave_one_out(levels, order, order if reverse else order - 1)[0, :, :n]
    pi = linear * (d / levels[-1][order])
    return np.where(empty[:, None], np.nan, pi)


@_quiet
def log_esp_hvp(x, k, v):
    """Hessian of log sigma_k(exp(x)) times v: the covariance matrix of the k-subset distribution times v.

        out_i = Cov([i in A], v(A)),  v(A) = sum over A of v_l.

    Beside each polynomial runs the one whose coefficient j weighs every j-subset with v(A). With (d, m) this pair
    without entry i, (p, q) with it, and S = q_k / p_k:

        out_i = pi_i (v_i + m_{k-1}/d_{k-1} - S) = (1 - pi_i) (S - m_k/d_k),  whichever factor is the smaller.

    x, k  as log_esp.
    v     [batch, n], finite; values at removed entries do not count.

    Returns [batch, n]; 0 for removed entries, NaN throughout a row with sigma_k = 0. Raises ValueError as log_esp.
    Error of out_i at most 64 k u pi_i (1 - pi_i) (max v - min v). O(n k) multiplications.
    """
    name = "log_esp_hvp"
    x = _check_matrix(name, "x", x)
    n = x.shape[1]
    k = _check_order(name, k, n, 0, "n")
    v = _check_directions(name, v, x)
    if k == 0:
        return np.zeros_like(x)
    # The rows of the Hessian sum to 0: v may be shifted to [0, 1], where all sums are of positive terms. It is also the
    # Hessian of order n - k in -x: the entries left out.
    present = x > -np.inf
    x, centre, empty = _kth_largest(x, k)
    constant, linear, _ = _tilt(*_factors(x, centre, (1.0, 0.0)), k)
    low = np.min(np.where(present, v, np.inf), 1, keepdims=True)
    spread = np.max(np.where(present, v, -np.inf), 1, keepdims=True) - low
    usable = (spread > 0) & (spread < np.inf)
    v = np.where(present & usable, (v - np.where(usable, low, 0)) / np.where(usable, spread, 1), 0)
    order, constant, linear = (n - k, linear, constant) if 2 * k > n else (k, constant, linear)
    if order == 0:
        return np.where(empty[:, None], np.nan, np.zeros_like(x))

    levels = _product_tree(constant, linear, order)
    zero = np.zeros_like(levels[0][:1])
    weighted = [np.concatenate((zero, levels[0][1:] * _pad(v, 0)))]
    for level in range(len(levels) - 1):
        last = levels[level + 1].shape[0] - 1
        (p, q), (r, s) = _halves(levels[level]), _halves(weighted[level])
        weighted.append(_window_product(p, s, 0, last) + _window_product(q, r, 0, last))
    mean = (weighted[-1][order] / levels[-1][order]).reshape(-1, 1)
    d, m = _leave_one_out_weighted(levels, weighted, order)
    d, m = d[..., :n], m[..., :n]
    inside = linear * (d[0] / levels[-1][order])
    outside = constant * (d[1] / levels[-1][order])
    product = np.where(inside <= outside, inside * (v + m[0] / d[0] - mean), outside * (mean - m[1] / d[1]))
    product = np.where(present & (inside > 0) & (outside > 0), spread * product, 0)
    return np.where(empty[:, None], np.nan, product)


# ---------------------------------------------------------------------------------------------------------------------
# The scaled linear form of one order
# ---------------------------------------------------------------------------------------------------------------------


def _kth_largest(x, k):
    """(x, the k-th largest of each row, rows with fewer than k entries); such rows become zeros, to be overwritten."""
    n = x.shape[1]
    kth = np.partition(x, n - k, axis=1)[:, n - k]
    empty = kth == -np.inf
    return np.where(empty[:, None], 0, x), np.where(empty, 0, kth), empty


def _factors(x, centre, temperature):
    """(constant, linear), each [batch, n]: the factors of prod_i (1 + exp((x_i - c)/T) X), up to a scale of each.

    (r, 1) with r = exp((c - x_i)/T) above the centre, (1, exp((x_i - c)/T)) below: no number is above 1, the k largest
    entries contribute at least 1 to coefficients k and k - 1, and what underflows is negligible beside that.
    """
    present = x > -np.inf
    distance, low = _two_sum(np.where(present, x, centre[:, None]), -centre[:, None])
    distance, low = _divide(distance, low, temperature)
    above = distance > 0
    power = np.exp(-np.abs(distance))
    power = power + power * np.where(above, -low, low)
    one = np.ones_like(x)
    return np.where(above, power, one), np.where(above, one, np.where(present, power, 0))


def _tilt(constant, linear, k):
    """Where the coefficients could overflow, the factors in units in which they are a probability distribution.

    With p_i = unit linear_i / (constant_i + unit linear_i) the factors are (1 - p_i) + p_i X and coefficient j is the
    probability that j of n independent events happen. unit is chosen, by bisection, so that k - 1/2 are expected: the
    coefficients k - 1 and k are then at the peak, and nothing that underflows can matter beside them.
    Returns (constant, linear, unit [batch]). Depends on the shape only whether anything is done.
    """
    n = linear.shape[1]
    batch = linear.shape[0]
    log_binomial = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    if log_binomial < (600 if linear.dtype == np.float64 else 70):
        return constant, linear, np.ones(batch, linear.dtype)
    # At least k entries are at or above the centre, at most k - 1 above: that brackets the unit.
    low = np.full(batch, -math.log(2 * n), linear.dtype)
    high = np.full(batch, math.log(2 * k + 1), linear.dtype)
    for _ in range(14):
        middle = (low + high) / 2
        share = np.exp(middle)[:, None] * linear
        expected = np.sum(share / (constant + share), 1)
        low, high = np.where(expected < k - 0.5, middle, low), np.where(expected < k - 0.5, high, middle)
    unit = np.exp((low + high) / 2)
    share = unit[:, None] * linear
    total = constant + share
    return constant / total, share / total, unit


def _product_tree(constant, linear, order):
    """The tree of products of the factors constant_i + linear_i X, truncated beyond X^order.

    Returns the levels, leaves first: level l is [min(2^l, order) + 1, batch, N / 2^l], N the power of two that n is
    padded to with factors 1. Node i of a level is the product of the nodes i and i + half of the level below.
    """
    levels = [np.stack((_pad(constant, 1), _pad(linear, 0)))[: order + 1]]
    while levels[-1].shape[2] > 1:
        left, right = _halves(levels[-1])
        levels.append(_window_product(left, right, 0, min(order, 2 * (left.shape[0] - 1))))
    return levels


def _leave_one_out(levels, order, lowest):
    """Coefficients max(0, lowest)..order of the product of all factors but one: [.., batch, N], for each left out.

    Down the tree: what is outside a child is what is outside its parent, times its sibling. A node of 2^l leaves needs
    only the 2^l - 1 coefficients below the lowest.
    """
    outside, first = np.ones_like(levels[-1][:1]), 0
    for level in range(len(levels) - 2, -1, -1):
        left, right = _halves(levels[level])
        needed = max(0, lowest - (2**level - 1))
        outside = np.concatenate([_window_product(outside, p, needed, order, first) for p in (right, left)], 2)
        first = needed
    return outside


def _leave_one_out_weighted(levels, weighted, order):
    """The same for a polynomial and its weighted companion: coefficients order - 1 and order of both."""
    outside, outside_weighted, first = np.ones_like(levels[-1][:1]), np.zeros_like(levels[-1][:1]), 0
    for level in range(len(levels) - 2, -1, -1):
        needed = max(0, order - 2**level)
        plain, companion = [], []
        for p, q in reversed(list(zip(_halves(levels[level]), _halves(weighted[level])))):
            plain.append(_window_product(outside, p, needed, order, first))
            companion.append(
                _window_product(outside_weighted, p, needed, order, first)
                + _window_product(outside, q, needed, order, first)
            )
        outside, outside_weighted, first = np.concatenate(plain, 2), np.concatenate(companion, 2), needed
    return outside, outside_weighted


def _window_product(p, q, first, last, p_first=0):
    """Coefficients first..last of p q. p holds the coefficients from p_first on, q those from 0 on."""
    out = np.zeros((last - first + 1, *p.shape[1:]), p.dtype)
    for j in range(q.shape[0]):
        low = max(first, p_first + j)
        high = min(last, p_first + j + p.shape[0] - 1)
        if low <= high:
            out[low - first : high - first + 1] += q[j] * p[low - j - p_first : high - j - p_first + 1]
    return out


def _pad(x, fill):
    """x [batch, n] padded to a power of two of columns."""
    n = x.shape[1]
    return np.pad(x, ((0, 0), (0, (1 << (n - 1).bit_length()) - n)), constant_values=fill)


def _halves(level):
    half = level.shape[2] // 2
    return level[..., :half], level[..., half:]


def _margin(label_scores, centre, k, alpha):
    """k alpha + centre - s_y as a pair: its terms may be large and cancel."""
    high, low = _words(Fraction(k) * Fraction(alpha), centre.dtype)
    difference, first = _two_sum(centre, -label_scores)
    total, second = _two_sum(difference, centre.dtype.type(high))
    return _two_sum(total, first + second + centre.dtype.type(low))


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
    present = x > -np.inf
    x = np.where(present, x, 0)
    exponent = np.rint(x / ln2)
    product, error = _two_product(exponent, dtype.type(ln2))
    rest, rest_low = _two_sum(x - product, -error - exponent * dtype.type(ln2_low))
    # exp(rest) = 2^(index / 256) exp(q), |q| < 0.0014: 1 + q + ... holds q's rounding error below u/500.
    index = np.rint(rest / step)
    product, error = _two_product(index, dtype.type(step))
    q = (rest - product) - error + (rest_low - index * dtype.type(step_low))
    series = q + q * q * (1 / 2 + q * (1 / 6 + q * (1 / 24 + q * (1 / 120))))
    table, table_low = _POWERS[dtype]
    at = index.astype(int) + 2 * _STEPS
    high, low = _fast_two_sum(table[at], table_low[at] + table[at] * series.astype(dtype))

    def leaves(constant, linear, fill):
        linear = np.where(present, linear, fill)
        return np.stack((_pad(np.full_like(linear, constant), constant), _pad(linear, fill)))

    return leaves(1, high, 0), leaves(0, low, 0), leaves(0, exponent.astype(np.int64), _NO_TERM)


def _multiply_pairs(a, b, k):
    """Product of two polynomials of pairs, truncated beyond X^k. Relative error of order k u^2."""
    (a_high, a_low, a_exponent), (b_high, b_low, b_exponent) = a, b
    last = min(k, a_high.shape[0] + b_high.shape[0] - 2)
    shape = (last + 1, *a_high.shape[1:])
    ranges = [(j, min(last, j + b_high.shape[0] - 1) + 1) for j in range(min(a_high.shape[0], last + 1))]
    exponent = np.full(shape, _NO_TERM)
    for j, end in ranges:
        np.maximum(exponent[j:end], a_exponent[j] + b_exponent[: end - j], out=exponent[j:end])
    high, low = np.zeros(shape, a_high.dtype), np.zeros(shape, a_high.dtype)
    a_split, b_split = _split(a_high), _split(b_high)
    for j, end in ranges:
        shift = a_exponent[j] + b_exponent[: end - j] - exponent[j:end]
        scale = np.ldexp(a_high.dtype.type(1), np.maximum(shift, -2000).astype(np.int32))
        product = a_high[j] * b_high[: end - j]
        error = _product_error(product, a_split[0][j], a_split[1][j], b_split[0][: end - j], b_split[1][: end - j])
        error += a_high[j] * b_low[: end - j] + a_low[j] * b_high[: end - j]
        high[j:end], rounding = _two_sum(high[j:end], product * scale)
        low[j:end] += rounding + error * scale
    high, low = _fast_two_sum(high, low)
    high, shift = np.frexp(high)
    return high, np.ldexp(low, -shift), np.where(high > 0, exponent + shift, _NO_TERM)


def _log_of_pairs(high, low, exponent):
    """log((high + low) 2^exponent), high in [1/2, 1) or [1, 2) or 0."""
    # A mantissa in [0.7, 1.41]: its logarithm does not cancel against the exponent's.
    up, down = high < math.sqrt(0.5), high > math.sqrt(2)
    factor = np.where(up, 2, np.where(down, 0.5, 1)).astype(high.dtype)
    exponent = (exponent - up + down).astype(high.dtype)
    high, low = np.where(high > 0, high * factor, 1), low * factor
    ln2, ln2_low = _words(_LN2, high.dtype)
    product, error = _two_product(exponent, high.dtype.type(ln2))
    log = product + (np.log(high) + (low / high + (exponent * high.dtype.type(ln2_low) + error)))
    return np.where(exponent < _NO_TERM / 2, -np.inf, log).astype(high.dtype)


# ---------------------------------------------------------------------------------------------------------------------
# Pairs of floats
# ---------------------------------------------------------------------------------------------------------------------


def _two_sum(a, b):
    """(s, e): a + b = s + e exactly, s rounded."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _fast_two_sum(a, b):
    """The same for |a| >= |b|."""
    s = a + b
    return s, b - (s - a)


def _split(a):
    """a = high + low, each with half the digits."""
    t = a * a.dtype.type(2**27 + 1 if a.dtype == np.float64 else 2**12 + 1)
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
    high, low = (a.dtype.type(word) for word in divisor)
    quotient = a / high
    product, error = _two_product(quotient, high)
    rest = ((a - product) - error + (a_low - quotient * low)) / high
    return quotient, np.where(np.abs(quotient) < 1e4, rest, 0)


def _words(value, dtype):
    """A Fraction as a pair of numbers of the type."""
    high = float(dtype.type(float(value)))
    return high, float(dtype.type(float(value - Fraction(high))))


_STEPS = 256
_LN2 = sum(Fraction(1, j << j) for j in range(1, 200))


def _power_table():
    with localcontext() as context:
        context.prec = 60
        values = [Fraction(Decimal(2) ** (Decimal(j) / _STEPS)) for j in range(-2 * _STEPS, 2 * _STEPS + 1)]
    return {t: np.array([_words(value, t) for value in values], t).T.copy() for t in map(np.dtype, ("f8", "f4"))}


_POWERS = _power_table()
"""2^(j/256) as pairs, j = -512..512."""

# ---------------------------------------------------------------------------------------------------------------------
# Checks
# ---------------------------------------------------------------------------------------------------------------------


def _check_matrix(name, argument, x):
    x = np.asarray(x)
    if x.dtype not in (np.float64, np.float32):
        x = x.astype(np.float64)
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"{name}: {argument} has shape {list(x.shape)}, expected [batch, n]")
    _refuse(name, argument, x, ~(x < np.inf), "a finite number or -Infinity")
    return x


def _check_directions(name, v, x):
    v = np.asarray(v).astype(x.dtype)
    if v.shape != x.shape:
        raise ValueError(f"{name}: v has shape {list(v.shape)}, expected {list(x.shape)}")
    _refuse(name, "v", v, ~np.isfinite(v), "a finite number")
    return v


def _refuse(name, argument, x, wrong, expected):
    if wrong.any():
        b, i = np.argwhere(wrong)[0]
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
    largest = 1e280 if dtype == np.float64 else 1e30
    if not 1 / largest <= k * tau <= largest:
        raise ValueError(f"{name}: k tau must be between {1 / largest} and {largest}: got tau = {tau}")
    return float(tau)


def _check_margin(name, alpha):
    if not math.isfinite(alpha):
        raise ValueError(f"{name}: alpha must be a finite number: got alpha = {_shown(alpha)}")
    return float(alpha)


def _check_labels(name, labels, scores):
    batch, n = scores.shape
    labels = np.asarray(labels)
    if labels.shape != (batch,):
        raise ValueError(f"{name}: labels has shape {list(labels.shape)}, expected [{batch}]")
    wrong = ~((labels == np.floor(labels)) & (labels >= 0) & (labels < n))
    if wrong.any():
        b = int(np.argmax(wrong))
        raise ValueError(f"{name}: labels[{b}] is {labels[b]}, expected an integer in [0, {n - 1}]")
    labels = labels.astype(np.int64)
    masked = scores[np.arange(batch), labels] == -np.inf
    if masked.any():
        b = int(np.argmax(masked))
        raise ValueError(
            f"{name}: labels[{b}] is {labels[b]}, a masked class: scores[{b}, {labels[b]}] is -Infinity"
        )
    return labels
