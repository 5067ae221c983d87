"""Smooth top-k SVM loss and the elementary symmetric polynomials under it, in JAX.

Two computations, each vectorised over the batch and over the classes (loops run over tree levels and orders only):

- one order k (loss, inclusion probabilities, Hessian-vector products): the scaled linear form. Each factor 1 + e_i X is
  written with two numbers of at most 1, a tree of truncated products gives the polynomial, and the tree walked down
  gives each entry the product of all other factors. Positive terms only: nothing cancels, nothing branches on data.
- all orders 0..k (log_esp): the same tree in pairs of floats, with an exponent per coefficient.

float64 (with jax_enable_x64) and float32 are computed in themselves, with u = 2^-53 and 2^-24; bfloat16 and float16 in
float32. k, tau and alpha are Python numbers; the functions are compiled once per k, shape and type. Under jit, grad and
vmap the values of arrays cannot be seen and are not checked. The steps are derived in docs/porting.md.

    loss, grad = jax.value_and_grad(lambda s: smooth_topk_loss(s, labels).mean())(scores)

L. Berrada, A. Zisserman, M. P. Kumar, Smooth Loss Functions for Deep Top-k Classification, ICLR 2018.
"""

import functools
import math
from decimal import Decimal, localcontext
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

# ---------------------------------------------------------------------------------------------------------------------
# Public functions
# ---------------------------------------------------------------------------------------------------------------------


def smooth_topk_loss(scores, labels, k=5, tau=1.0, alpha=1.0):
    """Smooth top-k SVM loss of each row, [batch]; differentiable in scores, any number of times (reverse mode first).

        L = tau log(1 + exp z),  z = alpha/tau + log sigma_k(e) - log sigma_{k-1}(e) - s_y/(k tau),
        e_i = exp(s_i/(k tau)) over the classes i != y;
        dL/ds_y = -w/k,  dL/ds_i = (w/k) e_i (d_{k-1}^2 - d_{k-2} d_k)/(sigma_k sigma_{k-1}),
        w = 1/(1 + exp(-z)),  d_j = sigma_j(e without i).

    scores  [batch, n], a floating type; -inf masks a class.
    labels  [batch] integers in [0, n - 1], not masked.
    k       integer, 1 <= k <= n - 1.
    tau     temperature, > 0: towards 0, L becomes topk_loss.
    alpha   margin, finite.

    Where masking leaves fewer than k other classes, loss and gradient are 0.
    Raises ValueError naming the argument, the index, the value and what was expected.

    Mind the scale: scores enter divided by k, as in the authors' code; k = 1, tau = 1, alpha = 0 is the cross-entropy.
    Relative error of the loss at most (8 + |z|) u, of gradient entries above 1e-280 (float32: 1e-30) at most 64 k u.
    O(n k) multiplications. The first derivative is computed with the loss.
    """
    name = "smooth_topk_loss"
    scores = _check_matrix(name, "scores", scores)
    k = _check_order(name, k, scores.shape[1], 1, "n - 1")
    tau = _check_temperature(name, tau, k, scores.dtype)
    alpha = _check_margin(name, alpha)
    labels = _check_labels(name, labels, scores)
    wide = _wide(scores)
    temperature, margin = (_words(Fraction(k) * Fraction(value), wide.dtype) for value in (tau, alpha))
    return _smooth_loss(_pad(wide, -jnp.inf), labels, k, (temperature, margin, tau)).astype(scores.dtype)


def topk_loss(scores, labels, k=5, alpha=1.0):
    """Hard top-k SVM loss of each row, [batch], with a subgradient.

        l = max(0, alpha + (s_[k] - s_y)/k),  s_[k] the k-th largest score of the classes besides y;
        where l > 0: -1/k at y, 1/k shared equally by the classes tied at s_[k]; elsewhere 0, the kink included.

    This is the limit of smooth_topk_loss as tau -> 0. Arguments, masking and errors as there.
    Relative error of the loss at most 2 u.
    """
    name = "topk_loss"
    scores = _check_matrix(name, "scores", scores)
    k = _check_order(name, k, scores.shape[1], 1, "n - 1")
    alpha = _check_margin(name, alpha)
    labels = _check_labels(name, labels, scores)
    wide = _wide(scores)
    return _hard_loss(_pad(wide, -jnp.inf), labels, k, _words(Fraction(k) * Fraction(alpha), wide.dtype)).astype(
        scores.dtype
    )


def log_esp(x, k):
    """Logarithms of the elementary symmetric polynomials of exp(x), orders 0 to k, [batch, k + 1].

        out[j] = log sigma_j(exp(x_1), ..., exp(x_n)),  prod_i (1 + exp(x_i) X) = sum_j sigma_j X^j.

    x  [batch, n], a floating type; -inf removes an entry.
    k  integer, 0 <= k <= n.

    -inf where sigma_j = 0; such orders pass no gradient on. Differentiable once, d out[j] / d x_i the inclusion
    probability of i at order j; log_esp_hvp has the second derivative.
    Raises ValueError naming the argument, the index, the value and what was expected.

    Error at most 2 u max(1, |out[j]|) for |x| up to 2^50 (float32: 2^21) with k max |x| below 7e8.
    O(n k) multiplications of pairs.
    """
    x = _check_matrix("log_esp", "x", x)
    k = _check_order("log_esp", k, x.shape[1], 0, "n")
    return _log_esp(_pad(_wide(x), -jnp.inf), k).astype(x.dtype)


def inclusion_probabilities(x, k):
    """Probability of each entry to be in a random k-subset A, P(A) proportional to exp(sum over A of x), [batch, n].

        pi_i = exp(x_i) sigma_{k-1}(exp(x) without i) / sigma_k(exp(x)) = d log sigma_k / d x_i;  sum_i pi_i = k.

    Arguments and errors as log_esp. 0 for removed entries, NaN throughout a row with sigma_k = 0. Differentiable once,
    by log_esp_hvp. Relative error of entries above 1e-280 (float32: 1e-30) at most 64 k u. O(n k) multiplications.
    """
    x = _check_matrix("inclusion_probabilities", "x", x)
    k = _check_order("inclusion_probabilities", k, x.shape[1], 0, "n")
    return _inclusion(_pad(_wide(x), -jnp.inf), k)[:, : x.shape[1]].astype(x.dtype)


def log_esp_hvp(x, k, v):
    """Hessian of log sigma_k(exp(x)) times v: the covariance matrix of the k-subset distribution times v, [batch, n].

        out_i = Cov([i in A], v(A)),  v(A) = sum over A of v_l.

    Beside each polynomial runs the one whose coefficient j weighs every j-subset with v(A). With (d, m) this pair
    without entry i, (p, q) with it, and S = q_k / p_k:

        out_i = pi_i (v_i + m_{k-1}/d_{k-1} - S) = (1 - pi_i) (S - m_k/d_k),  whichever factor is the smaller.

    x, k  as log_esp.
    v     [batch, n], finite; values at removed entries do not count.

    0 for removed entries, NaN throughout a row with sigma_k = 0. Raises ValueError as log_esp.
    Error of out_i at most 64 k u pi_i (1 - pi_i) (max v - min v). O(n k) multiplications.
    """
    name = "log_esp_hvp"
    x = _check_matrix(name, "x", x)
    k = _check_order(name, k, x.shape[1], 0, "n")
    v = _check_directions(name, v, x)
    wide = _wide(x)
    product = _hessian_vector_product(_pad(wide, -jnp.inf), k, _pad(v.astype(wide.dtype), 0))
    return product[:, : x.shape[1]].astype(x.dtype)


# ---------------------------------------------------------------------------------------------------------------------
# Derivatives. From here on n is a power of two: rows are padded with -inf.
# ---------------------------------------------------------------------------------------------------------------------


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _smooth_loss(scores, labels, k, numbers):
    return _loss_and_grad(scores, labels, k, numbers)[0]


def _smooth_loss_forward(scores, labels, k, numbers):
    loss, grad = _loss_and_grad(scores, labels, k, numbers)
    return loss, (grad, numbers)


def _smooth_loss_backward(k, residuals, cotangent):
    grad, numbers = residuals
    return cotangent[:, None] * grad, None, jax.tree_util.tree_map(jnp.zeros_like, numbers)


_smooth_loss.defvjp(_smooth_loss_forward, _smooth_loss_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _hard_loss(scores, labels, k, margin):
    return _hard_loss_and_grad(scores, labels, k, margin)[0]


def _hard_loss_forward(scores, labels, k, margin):
    loss, grad = _hard_loss_and_grad(scores, labels, k, margin)
    return loss, (grad, margin)


def _hard_loss_backward(k, residuals, cotangent):
    grad, margin = residuals
    return cotangent[:, None] * grad, None, jax.tree_util.tree_map(jnp.zeros_like, margin)


_hard_loss.defvjp(_hard_loss_forward, _hard_loss_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _log_esp(x, k):
    return _log_esp_tree(x, k)[0]


_log_esp.defvjp(
    lambda x, k: _log_esp_tree(x, k),
    lambda k, levels, cotangent: (_spread_down(levels, cotangent),),
)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _inclusion(x, k):
    return _inclusion_of_row(x, k)


_inclusion.defvjp(
    lambda x, k: (_inclusion_of_row(x, k), x),
    # The Hessian is symmetric.
    lambda k, x, cotangent: (_hessian_vector_product(x, k, cotangent),),
)

# ---------------------------------------------------------------------------------------------------------------------
# One order, in the scaled linear form
# ---------------------------------------------------------------------------------------------------------------------


@functools.partial(jax.jit, static_argnums=2)
def _loss_and_grad(scores, labels, k, numbers):
    """Loss [batch] and gradient [batch, n]; the gradient is made of differentiable operations."""
    temperature, alpha_words, tau = numbers
    n = scores.shape[1]
    is_label = jnp.arange(n) == labels[:, None]
    label_scores = jnp.sum(jnp.where(is_label, scores, 0), 1)
    others, centre, empty = _kth_largest(jnp.where(is_label, -jnp.inf, scores), k)
    constant, linear, unit = _tilt(*_factors(others, centre, temperature), k)

    # ratio = sigma_k / sigma_{k-1} in units of exp(centre / (k tau)). Orders above n / 2 count the classes left out.
    reverse = 2 * k > n + 1
    order = n - k + 1 if reverse else k
    levels = _product_tree(linear, constant, order) if reverse else _product_tree(constant, linear, order)
    below, top = levels[-1][order - 1], levels[-1][order]
    ratio = ((below / top if reverse else top / below) / unit)[:, 0]
    d = _leave_one_out(levels, order, order - 2)
    ratio_grad = (d[-2] / top) * (d[-2] / below)
    if order > 1:
        ratio_grad = ratio_grad - (d[0] / below) * (d[2] / top)
    ratio_grad = constant * linear * ratio_grad

    # softplus(z) = log(1 + ratio exp(a)), a = (k alpha + centre - s_y) / (k tau)
    margin, margin_low = _margin(label_scores, centre, alpha_words)
    a, a_low = _divide(margin, margin_low, temperature)
    large = a > (700 if scores.dtype == jnp.float64 else 80)
    power = jnp.exp(jnp.where(large, 0, a))
    odds = ratio * (power + power * a_low)
    loss = jnp.where(large, margin / k + tau * jnp.log(ratio), tau * jnp.log1p(odds))
    weight = jnp.where(empty, 0, jnp.where(large, 1, odds / (1 + odds))) / k
    grad = jnp.where(is_label, -weight[:, None], weight[:, None] * ratio_grad)
    return jnp.where(empty, 0, loss), grad


@functools.partial(jax.jit, static_argnums=2)
def _hard_loss_and_grad(scores, labels, k, alpha_words):
    is_label = jnp.arange(scores.shape[1]) == labels[:, None]
    label_scores = jnp.sum(jnp.where(is_label, scores, 0), 1)
    others, centre, empty = _kth_largest(jnp.where(is_label, -jnp.inf, scores), k)
    margin, _ = _margin(label_scores, centre, alpha_words)
    active = (margin > 0) & ~empty
    tied = (others == centre[:, None]) & active[:, None] & ~is_label
    grad = tied / (k * jnp.maximum(1, jnp.sum(tied, 1, keepdims=True, dtype=scores.dtype)))
    return jnp.where(active, margin / k, 0), jnp.where(is_label & active[:, None], -1 / k, grad).astype(scores.dtype)


@functools.partial(jax.jit, static_argnums=1)
def _inclusion_of_row(x, k):
    n = x.shape[1]
    if k == 0:
        return jnp.zeros_like(x)
    x, centre, empty = _kth_largest(x, k)
    constant, linear, _ = _tilt(*_factors(x, centre, (1.0, 0.0)), k)
    reverse = 2 * k > n
    order = n - k if reverse else k
    levels = _product_tree(linear, constant, order) if reverse else _product_tree(constant, linear, order)
    # In a subset of k = in none of n - k: linear_i times coefficient k - 1 (of the others), or order n - k reversed.
    d = _leave_one_out(levels, order, order if reverse else order - 1)[0]
    return jnp.where(empty[:, None], jnp.nan, linear * (d / levels[-1][order]))


@functools.partial(jax.jit, static_argnums=1)
def _hessian_vector_product(x, k, v):
    n = x.shape[1]
    if k == 0:
        return jnp.zeros_like(x)
    # The rows of the Hessian sum to 0: v may be shifted to [0, 1], where all sums are of positive terms. It is also the
    # Hessian of order n - k in -x: the entries left out.
    present = x > -jnp.inf
    x, centre, empty = _kth_largest(x, k)
    low = jnp.min(jnp.where(present, v, jnp.inf), 1, keepdims=True)
    spread = jnp.max(jnp.where(present, v, -jnp.inf), 1, keepdims=True) - low
    v = jnp.where(present & (spread > 0) & (spread < jnp.inf), (v - low) / spread, 0)
    constant, linear, _ = _tilt(*_factors(x, centre, (1.0, 0.0)), k)
    order, constant, linear = (n - k, linear, constant) if 2 * k > n else (k, constant, linear)
    if order == 0:
        return jnp.where(empty[:, None], jnp.nan, jnp.zeros_like(x))

    levels = _product_tree(constant, linear, order)
    weighted = [jnp.concatenate((jnp.zeros_like(levels[0][:1]), levels[0][1:] * v))]
    for level in range(len(levels) - 1):
        last = levels[level + 1].shape[0] - 1
        (p, q), (r, s) = _halves(levels[level]), _halves(weighted[level])
        weighted.append(_window_product(p, s, 0, last) + _window_product(q, r, 0, last))
    mean = weighted[-1][order] / levels[-1][order]
    d, m = _leave_one_out_weighted(levels, weighted, order)
    inside = linear * (d[0] / levels[-1][order])
    outside = constant * (d[1] / levels[-1][order])
    product = jnp.where(inside <= outside, inside * (v + m[0] / d[0] - mean), outside * (mean - m[1] / d[1]))
    product = jnp.where(present & (inside > 0) & (outside > 0), spread * product, 0)
    return jnp.where(empty[:, None], jnp.nan, product)


def _kth_largest(x, k):
    """(x, the k-th largest of each row, rows with fewer than k entries); such rows become zeros, to be overwritten."""
    kth = lax.top_k(lax.stop_gradient(x), k)[0][:, k - 1]
    empty = kth == -jnp.inf
    return jnp.where(empty[:, None], 0, x), jnp.where(empty, 0, kth), empty


def _factors(x, centre, temperature):
    """(constant, linear), each [batch, n]: the factors of prod_i (1 + exp((x_i - c)/T) X), up to a scale of each.

    (r, 1) with r = exp((c - x_i)/T) above the centre, (1, exp((x_i - c)/T)) below: no number is above 1, the k largest
    entries contribute at least 1 to coefficients k and k - 1, and what underflows is negligible beside that.
    """
    absent = x == -jnp.inf
    centre = centre[:, None]
    distance, low = _two_sum(jnp.where(absent, centre, x), -centre)
    distance, low = _divide(distance, low, temperature)
    above = distance > 0
    power = jnp.exp(jnp.where(above, -distance, distance))
    power = power + power * jnp.where(above, -low, low)
    return jnp.where(above, power, 1), jnp.where(above, 1, jnp.where(absent, 0, power))


def _tilt(constant, linear, k):
    """Where the coefficients could overflow, the factors in units in which they are a probability distribution.

    With p_i = unit linear_i / (constant_i + unit linear_i) the factors are (1 - p_i) + p_i X and coefficient j is the
    probability that j of n independent events happen. unit is chosen, by bisection, so that k - 1/2 are expected: the
    coefficients k - 1 and k are then at the peak, and nothing that underflows can matter beside them.
    Returns (constant, linear, unit [batch, 1]). Depends on the shape only whether anything is done.
    """
    batch, n = linear.shape
    low = jnp.zeros((batch, 1), linear.dtype)
    log_binomial = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    if log_binomial < (600 if linear.dtype == jnp.float64 else 70):
        return constant, linear, low + 1
    # At least k entries are at or above the centre, at most k - 1 above: that brackets the unit.
    low, high = low - math.log(2 * n), low + math.log(2 * k + 1)
    fixed_constant, fixed_linear = lax.stop_gradient((constant, linear))

    def halve(_, bracket):
        middle = (bracket[0] + bracket[1]) / 2
        share = jnp.exp(middle) * fixed_linear
        few = jnp.sum(share / (fixed_constant + share), 1, keepdims=True) < k - 0.5
        return jnp.where(few, middle, bracket[0]), jnp.where(few, bracket[1], middle)

    low, high = lax.fori_loop(0, 14, halve, (low, high))
    unit = lax.stop_gradient(jnp.exp((low + high) / 2))
    share = unit * linear
    total = constant + share
    return constant / total, share / total, unit


def _product_tree(constant, linear, order):
    """The tree of products of the factors constant_i + linear_i X, truncated beyond X^order.

    Returns the levels, leaves first: level l is [min(2^l, order) + 1, batch, n / 2^l]. Node i of a level is the product
    of the nodes i and i + half of the level below.
    """
    levels = [jnp.stack((constant, linear))[: order + 1]]
    while levels[-1].shape[2] > 1:
        left, right = _halves(levels[-1])
        levels.append(_window_product(left, right, 0, min(order, 2 * (left.shape[0] - 1))))
    return levels


def _leave_one_out(levels, order, lowest):
    """Coefficients max(0, lowest)..order of the product of all factors but one: [.., batch, n], for each left out.

    Down the tree: what is outside a child is what is outside its parent, times its sibling. A node of 2^l leaves needs
    only the 2^l - 1 coefficients below the lowest.
    """
    outside, first = jnp.ones_like(levels[-1][:1]), 0
    for level in range(len(levels) - 2, -1, -1):
        left, right = _halves(levels[level])
        needed = max(0, lowest - (2**level - 1))
        outside = jnp.concatenate([_window_product(outside, p, needed, order, first) for p in (right, left)], 2)
        first = needed
    return outside


def _leave_one_out_weighted(levels, weighted, order):
    """The same for a polynomial and its weighted companion: coefficients order - 1 and order of both."""
    outside, outside_weighted, first = jnp.ones_like(levels[-1][:1]), jnp.zeros_like(levels[-1][:1]), 0
    for level in range(len(levels) - 2, -1, -1):
        needed = max(0, order - 2**level)
        plain, companion = [], []
        for p, q in reversed(list(zip(_halves(levels[level]), _halves(weighted[level])))):
            plain.append(_window_product(outside, p, needed, order, first))
            companion.append(
                _window_product(outside_weighted, p, needed, order, first)
                + _window_product(outside, q, needed, order, first)
            )
        outside, outside_weighted, first = jnp.concatenate(plain, 2), jnp.concatenate(companion, 2), needed
    return outside, outside_weighted


def _window_product(p, q, first, last, p_first=0):
    """Coefficients first..last of p q. p holds the coefficients from p_first on, q those from 0 on."""
    # Coefficient j is the sum over l of q_l p_{j - l}; the compiler fuses the shifted copies into the sum.
    return jnp.sum(q[None] * _shifted(p, q.shape[0], first - p_first, last - p_first, 0), 1)


def _shifted(p, count, first, last, fill):
    """s[j, l] = p[first + j - l] for l < count and first + j <= last; fill where there is no such coefficient."""
    padding = ((max(0, count - 1 - first), max(0, last + 1 - p.shape[0])), *[(0, 0)] * (p.ndim - 1))
    at = np.arange(first, last + 1)[:, None] - np.arange(count)[None] + padding[0][0]
    return jnp.pad(p, padding, constant_values=fill)[at]


def _pad(x, fill):
    """x [batch, n] padded to a power of two of columns."""
    n = x.shape[1]
    return jnp.pad(x, ((0, 0), (0, (1 << (n - 1).bit_length()) - n)), constant_values=fill)


def _halves(level):
    half = level.shape[2] // 2
    return level[..., :half], level[..., half:]


def _margin(label_scores, centre, alpha_words):
    """k alpha + centre - s_y as a pair: its terms may be large and cancel."""
    high, low = alpha_words
    difference, first = _two_sum(centre, -label_scores)
    total, second = _two_sum(difference, jnp.full_like(centre, high))
    return _two_sum(total, first + second + low)


# ---------------------------------------------------------------------------------------------------------------------
# All orders: coefficients (high + low) 2^exponent
# ---------------------------------------------------------------------------------------------------------------------

_NO_TERM = -(1 << 30)
"""The exponent of a coefficient 0, and the least of all."""


@functools.partial(jax.jit, static_argnums=1)
def _log_esp_tree(x, k):
    """(log sigma [batch, k + 1], the levels of the tree as (high, exponent))."""
    node = _exp_leaves(x)
    levels = [(node[0], node[2])]
    while node[0].shape[2] > 1:
        node = _multiply_pairs(*zip(*map(_halves, node)), k)
        levels.append((node[0], node[2]))
    return _log_of_pairs(*(part[: k + 1, :, 0].T for part in node)), levels


def _exp_leaves(x):
    """The factors 1 + exp(x_i) X as (high, low, exponent), each [2, batch, n]; exp(x) to u/1000 and better."""
    dtype = x.dtype
    ln2, ln2_low = _words(_LN2, dtype)
    step, step_low = _words(_LN2 / _STEPS, dtype)
    absent = x == -jnp.inf
    x = jnp.where(absent, 0, x)
    exponent = jnp.round(x / ln2)
    product, error = _two_product(exponent, jnp.array(ln2, dtype))
    rest, rest_low = _two_sum(x - product, -error - exponent * ln2_low)
    # exp(rest) = 2^(index / 256) exp(q), |q| < 0.0014: 1 + q + ... holds q's rounding error below u/500.
    index = jnp.round(rest / step)
    product, error = _two_product(index, jnp.array(step, dtype))
    q = (rest - product) - error + (rest_low - index * step_low)
    series = q + q * q * (1 / 2 + q * (1 / 6 + q * (1 / 24 + q * (1 / 120))))
    table, table_low = (jnp.array(words) for words in _powers(dtype))
    at = index.astype(jnp.int32) + 2 * _STEPS
    high, low = _fast_two_sum(table[at], table_low[at] + table[at] * series)
    return (
        jnp.stack((jnp.ones_like(x), jnp.where(absent, 0, high))),
        jnp.stack((jnp.zeros_like(x), jnp.where(absent, 0, low))),
        jnp.stack((jnp.zeros_like(at), jnp.where(absent, _NO_TERM, exponent.astype(jnp.int32)))),
    )


def _multiply_pairs(a, b, k):
    """Product of two polynomials of pairs, truncated beyond X^k. Relative error of order k u^2."""
    (a_high, a_low, a_exponent), (b_high, b_low, b_exponent) = a, b
    terms = min(a_high.shape[0], k + 1)
    last = min(k, a_high.shape[0] + b_high.shape[0] - 2)
    # The terms l of the coefficients j: a_l b_{j - l}.
    exponents = jnp.maximum(a_exponent[None, :terms] + _shifted(b_exponent, terms, 0, last, _NO_TERM), _NO_TERM)
    exponent = jnp.max(exponents, 1)
    scale = _power_of_two(exponents - exponent[:, None], a_high.dtype)
    b_high, b_low = (_shifted(part, terms, 0, last, 0) for part in (b_high, b_low))
    product, error = _two_product(a_high[None, :terms], b_high)
    error = error + (a_high[None, :terms] * b_low + a_low[None, :terms] * b_high)

    def add(total, term):
        high, rounding = _two_sum(total[0], term[0])
        return (high, total[1] + (rounding + term[1])), None

    zero = jnp.zeros_like(product[:, 0])
    (high, low), _ = lax.scan(add, (zero, zero), tuple(jnp.moveaxis(part * scale, 1, 0) for part in (product, error)))
    high, low = _fast_two_sum(high, low)
    high, shift = jnp.frexp(high)
    return high, jnp.ldexp(low, -shift), jnp.where(high > 0, exponent + shift, _NO_TERM)


def _log_of_pairs(high, low, exponent):
    """log((high + low) 2^exponent), high in [1/2, 2) or 0."""
    # A mantissa in [0.7, 1.41]: its logarithm does not cancel against the exponent's.
    zero = high == 0
    shift = (high > math.sqrt(2)).astype(jnp.int32) - (high < math.sqrt(0.5)).astype(jnp.int32)
    high, low = jnp.where(zero, 1, jnp.ldexp(high, -shift)), jnp.ldexp(low, -shift)
    exponent = (exponent + shift).astype(high.dtype)
    ln2, ln2_low = _words(_LN2, high.dtype)
    product, error = _two_product(exponent, jnp.array(ln2, high.dtype))
    log = product + (jnp.log(high) + (low / high + (exponent * ln2_low + error)))
    return jnp.where(zero, -jnp.inf, log)


@jax.jit
def _spread_down(levels, cotangent):
    """sum_j cotangent_j d log sigma_j / d x_i, [batch, n], from the tree of (high, exponent).

    d log c_j / d log a_l = a_l b_{j-l} / c_j, the share of that term in c = a b: what arrives at coefficient j goes
    on to coefficients l of one child and j - l of the other in these shares, which need no scale of their own.
    """
    top = levels[-1][0][: cotangent.shape[1]]
    arrived = jnp.where(top > 0, cotangent.T[..., None], 0)
    for (high, exponent), (parent, parent_exponent) in zip(levels[-2::-1], levels[:0:-1]):
        (a, b), (a_exponent, b_exponent) = _halves(high), _halves(exponent)
        last = parent.shape[0] - 1
        weight = arrived / jnp.where(parent > 0, parent, 1)
        parts = []
        pair = ((a, a_exponent), (b, b_exponent))
        for (own, own_exponent), (other, other_exponent) in (pair, pair[::-1]):
            terms = min(own.shape[0], last + 1)
            shift = own_exponent[None, :terms] + _shifted(other_exponent, terms, 0, last, _NO_TERM)
            scale = _power_of_two(jnp.maximum(shift, _NO_TERM) - parent_exponent[:, None], high.dtype)
            share = own[None, :terms] * _shifted(other, terms, 0, last, 0) * scale
            parts.append(jnp.pad(jnp.sum(weight[:, None] * share, 0), ((0, own.shape[0] - terms), (0, 0), (0, 0))))
        arrived = jnp.concatenate(parts, 2)
    return arrived[1] if cotangent.shape[1] > 1 else jnp.zeros_like(arrived[0])


# ---------------------------------------------------------------------------------------------------------------------
# Pairs of floats. The low parts carry no derivative.
# ---------------------------------------------------------------------------------------------------------------------


def _two_sum(a, b):
    """(s, e): a + b = s + e exactly, s rounded."""
    s = a + b
    a, b, rounded = lax.stop_gradient((a, b, s))
    t = rounded - a
    return s, (a - (rounded - t)) + (b - t)


def _fast_two_sum(a, b):
    """The same for |a| >= |b|."""
    s = a + b
    return s, b - (s - a)


def _split(a):
    """a = high + low, each with half the digits."""
    # Not Veltkamp's product and differences: a compiler that fuses multiplication and subtraction breaks those.
    high = lax.reduce_precision(a, *((11, 25) if a.dtype == jnp.float64 else (8, 11)))
    return high, a - high


def _two_product(a, b):
    """(p, e): a b = p + e to about u^1.5, p rounded."""
    # Not a b and what it leaves: where p - a_high b_high is fused, p in it is not the rounded one. a_high b_high is exact,
    # fused or not.
    (a_high, a_low), (b_high, b_low) = _split(a), _split(b)
    return _fast_two_sum(a_high * b_high, a_high * b_low + (a_low * b_high + a_low * b_low))


def _divide(a, a_low, divisor):
    """(a + a_low) / divisor as a pair, divisor a pair of numbers. The low part is 0 beyond an exponential's range."""
    high, low = (jnp.asarray(word, a.dtype) for word in divisor)
    quotient = a / high
    a, a_low, rounded = lax.stop_gradient((a, a_low, quotient))
    product, error = _two_product(rounded, high)
    rest = ((a - product) - error + (a_low - rounded * low)) / high
    return quotient, jnp.where(jnp.abs(rounded) < 1e4, rest, 0)


def _power_of_two(exponent, dtype):
    """2^exponent, exactly, for a term beside its sum: below 8, but for terms 0, which must not meet infinity."""
    return jnp.ldexp(jnp.ones((), dtype), jnp.clip(exponent, -1100, 3))


def _words(value, dtype):
    """A Fraction as a pair of numbers of the type."""
    high = float(np.array(float(value), dtype))
    return high, float(np.array(float(value - Fraction(high)), dtype))


_STEPS = 256
_LN2 = sum(Fraction(1, j << j) for j in range(1, 200))


@functools.lru_cache
def _powers(dtype):
    """2^(j/256) as pairs, j = -512..512."""
    with localcontext() as context:
        context.prec = 60
        values = [Fraction(Decimal(2) ** (Decimal(j) / _STEPS)) for j in range(-2 * _STEPS, 2 * _STEPS + 1)]
    return np.array([_words(value, dtype) for value in values], dtype).T.copy()


def _wide(x):
    return x if x.dtype in (jnp.float64, jnp.float32) else x.astype(jnp.float32)


# ---------------------------------------------------------------------------------------------------------------------
# Checks
# ---------------------------------------------------------------------------------------------------------------------


def _is_concrete(x):
    return not isinstance(x, jax.core.Tracer)


def _check_matrix(name, argument, x):
    x = jnp.asarray(x)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        x = x.astype(jnp.result_type(float))
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"{name}: {argument} has shape {list(x.shape)}, expected [batch, n]")
    if _is_concrete(x):
        _refuse(name, argument, np.asarray(x), ~np.asarray(x < jnp.inf), "a finite number or -Infinity")
    return x


def _check_directions(name, v, x):
    v = jnp.asarray(v, x.dtype)
    if v.shape != x.shape:
        raise ValueError(f"{name}: v has shape {list(v.shape)}, expected {list(x.shape)}")
    if _is_concrete(v):
        _refuse(name, "v", np.asarray(v), ~np.asarray(jnp.isfinite(v)), "a finite number")
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
    largest = 1e280 if dtype == jnp.float64 else 1e30
    if not 1 / largest <= k * tau <= largest:
        raise ValueError(f"{name}: k tau must be between {1 / largest} and {largest}: got tau = {tau}")
    return float(tau)


def _check_margin(name, alpha):
    if not math.isfinite(alpha):
        raise ValueError(f"{name}: alpha must be a finite number: got alpha = {_shown(alpha)}")
    return float(alpha)


def _check_labels(name, labels, scores):
    batch, n = scores.shape
    labels = jnp.asarray(labels)
    if labels.shape != (batch,):
        raise ValueError(f"{name}: labels has shape {list(labels.shape)}, expected [{batch}]")
    if _is_concrete(labels):
        known = np.asarray(labels)
        wrong = ~((known == np.floor(known)) & (known >= 0) & (known < n))
        if wrong.any():
            b = int(np.argmax(wrong))
            raise ValueError(f"{name}: labels[{b}] is {known[b]}, expected an integer in [0, {n - 1}]")
        if _is_concrete(scores):
            masked = np.asarray(scores)[np.arange(batch), known.astype(int)] == -np.inf
            if masked.any():
                b = int(np.argmax(masked))
                raise ValueError(
                    f"{name}: labels[{b}] is {known[b]}, a masked class: scores[{b}, {known[b]}] is -Infinity"
                )
    return labels.astype(jnp.int32)
