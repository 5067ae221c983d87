"""The elementary symmetric polynomials under the losses, in PyTorch.

- one order k (inclusion probabilities, Hessian-vector products): the scaled linear form. Each factor 1 + e_i X is
written with two numbers of at most 1, a tree of truncated products gives the polynomial, and the tree walked down
gives each entry the product of all other factors. Positive terms only: nothing cancels, nothing branches on data.
- all orders 0..k (log_esp): the same tree in pairs of floats, with an exponent per coefficient.

Runs where its tensors are. float64 and float32 have u = 2^-53 and 2^-24; bfloat16 and float16 are computed in float32
and rounded. The steps are derived in docs/porting.md. Builds on loss.py beside it.
"""

from __future__ import annotations

import math
import struct
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from smooth_topk.torch.loss import (
    _factors,
    _leave_one_out,
    _product_tree,
    _shown,
    _tilt,
    _two_sum,
    _window_product,
)

# ---------------------------------------------------------------------------------------------------------------------
# Public functions
# ---------------------------------------------------------------------------------------------------------------------


def log_esp(x: Tensor, k: int, check: bool = True) -> Tensor:
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
    out: Tensor = _LogEsp.apply(_wide(x), k)
    return out.to(x.dtype)


def inclusion_probabilities(x: Tensor, k: int, check: bool = True) -> Tensor:
    """Probability of each entry to be in a random k-subset A, P(A) proportional to exp(sum over A of x), [batch, n].

        pi_i = exp(x_i) sigma_{k-1}(exp(x) without i) / sigma_k(exp(x)) = d log sigma_k / d x_i;  sum_i pi_i = k.

    Arguments and errors as log_esp. 0 for removed entries, NaN throughout a row with sigma_k = 0. Differentiable once,
    by log_esp_hvp. Relative error of entries above 1e-280 (float32: 1e-30) at most 64 k u. O(n k) multiplications.
    """
    _check_matrix("inclusion_probabilities", "x", x, check)
    k = _check_order("inclusion_probabilities", k, x.shape[1], 0, "n")
    out: Tensor = _InclusionProbabilities.apply(_wide(x), k)
    return out.to(x.dtype)


@torch.no_grad()
def log_esp_hvp(x: Tensor, k: int, v: Tensor, check: bool = True) -> Tensor:
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


class _LogEsp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, k: int) -> Tensor:
        levels = [_exp_leaves(x)]
        while levels[-1][0].shape[2] > 1:
            (a, b), (c, d), (e, f) = map(_halves, levels[-1])
            levels.append(_multiply_pairs((a, c, e), (b, d, f), k))
        ctx.n = x.shape[1]
        ctx.save_for_backward(*(part for high, _, exponent in levels for part in (high, exponent)))
        high, low, exponent = (part[: k + 1, :, 0].t() for part in levels[-1])
        return _log_of_pairs(high, low, exponent)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, cotangent: Tensor) -> Any:
        saved = ctx.saved_tensors
        levels = list(zip(saved[::2], saved[1::2]))
        return _spread_down(levels, cotangent)[:, : ctx.n], None


class _InclusionProbabilities(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, k: int) -> Tensor:
        ctx.save_for_backward(x)
        ctx.k = k
        return _inclusion(x, k)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, cotangent: Tensor) -> Any:
        # The Hessian is symmetric.
        return _hessian_vector_product(ctx.saved_tensors[0], ctx.k, cotangent), None


# ---------------------------------------------------------------------------------------------------------------------
# One order, in the scaled linear form
# ---------------------------------------------------------------------------------------------------------------------


def _inclusion(x: Tensor, k: int) -> Tensor:
    n = x.shape[1]
    if k == 0:
        return torch.zeros_like(x)
    empty, constant, linear = _scaled_factors(x, k)
    constant, linear, _ = _tilt(constant, linear, k)
    reverse = 2 * k > n
    order = n - k if reverse else k
    levels = _product_tree(linear, constant, order) if reverse else _product_tree(constant, linear, order)
    # In a subset of k = in none of n - k: linear_i times coefficient k - 1 (of the others), or order n - k reversed.
    d = _leave_one_out(levels, torch.ones_like(levels[-1][:1]), order, order if reverse else order - 1)[0, :n]
    return (linear * (d / levels[-1][order])).t().to(x.dtype).masked_fill(empty[:, None], math.nan)


def _scaled_factors(x: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """(rows with fewer than k entries, constant, linear) as _factors has them."""
    kth = x.detach().topk(k, 1)[0][:, k - 1].double()
    empty = kth == -math.inf
    centre = kth.masked_fill(empty, 0)
    return empty, *_factors(x.double().t(), centre, (1.0, 0.0), x.dtype == torch.float64)


@torch.no_grad()
def _hessian_vector_product(x: Tensor, k: int, v: Tensor) -> Tensor:
    n = x.shape[1]
    if k == 0:
        return torch.zeros_like(x)
    # The rows of the Hessian sum to 0: v may be shifted to [0, 1], where all sums are of positive terms. It is also the
    # Hessian of order n - k in -x: the entries left out.
    present = (x > -math.inf).t()
    empty, constant, linear = _scaled_factors(x, k)
    constant, linear, _ = _tilt(constant, linear, k)
    # In eighths: a difference of the largest numbers is in the range.
    v = v.double().t() / 8
    low = v.masked_fill(~present, math.inf).amin(0)
    spread = v.masked_fill(~present, -math.inf).amax(0) - low
    v = ((v - low) / spread).masked_fill(~(present & (spread > 0)), 0)
    order, constant, linear = (n - k, linear, constant) if 2 * k > n else (k, constant, linear)
    if order == 0:
        return torch.zeros_like(x).masked_fill(empty[:, None], math.nan)

    levels = _product_tree(constant, linear, order)
    weighted = _weighted_tree(levels, v)
    mean = weighted[-1][order] / levels[-1][order]
    d, m = (part[:, :n] for part in _leave_one_out_weighted(levels, weighted, order))
    inside = linear * (d[0] / levels[-1][order])
    outside = constant * (d[1] / levels[-1][order])
    product = torch.where(inside <= outside, inside * (v + m[0] / d[0] - mean), outside * (mean - m[1] / d[1]))
    product = (spread * product * 8).masked_fill(~(present & (inside > 0) & (outside > 0)), 0)
    return product.t().to(x.dtype).masked_fill(empty[:, None], math.nan)


def _weighted_tree(levels: list[Tensor], v: Tensor) -> list[Tensor]:
    """Beside each polynomial of the tree the one whose coefficient j weighs every j-subset with v(A)."""
    leaves = torch.nn.functional.pad(v, (0, 0, 0, levels[0].shape[1] - v.shape[0]))
    weighted = [torch.cat((torch.zeros_like(levels[0][:1]), levels[0][1:] * leaves))]
    for level, above in zip(levels[:-1], levels[1:], strict=True):
        half = level.shape[1] // 2
        p, q, r, s = (part for x in (level, weighted[-1]) for part in (x[:, :half], x[:, half:]))
        last = above.shape[0] - 1
        product = _window_product(p, s, 0, last) + _window_product(q, r, 0, last)
        weighted.append(torch.nn.functional.pad(product, (0, 0, 0, above.shape[1] - half)))
    return weighted


def _leave_one_out_weighted(levels: list[Tensor], weighted: list[Tensor], order: int) -> tuple[Tensor, Tensor]:
    """_leave_one_out for a polynomial and its weighted companion: coefficients order - 1 and order of both."""
    outside, companion, first = torch.ones_like(levels[-1][:1]), torch.zeros_like(levels[-1][:1]), 0
    for level in range(len(levels) - 2, -1, -1):
        half = levels[level].shape[1] // 2
        siblings, heavier = (x[level].view(x[level].shape[0], 2, half, -1).flip(1) for x in (levels, weighted))
        needed = max(0, order - 2**level)
        outside, companion = outside[:, None, :half], companion[:, None, :half]
        companion = _window_product(companion, siblings, needed, order, first) + _window_product(
            outside, heavier, needed, order, first
        )
        outside = _window_product(outside, siblings, needed, order, first)
        outside, companion, first = outside.flatten(1, 2), companion.flatten(1, 2), needed
    return outside, companion


# ---------------------------------------------------------------------------------------------------------------------
# All orders: coefficients (high + low) 2^exponent
# ---------------------------------------------------------------------------------------------------------------------

Coefficients = tuple[Tensor, Tensor, Tensor]
"""(high, low, exponent) of each coefficient."""

_NO_TERM = -(1 << 40)
"""The exponent of a coefficient 0."""


def _exp_leaves(x: Tensor) -> Coefficients:
    """The factors 1 + exp(x_i) X as (high, low, exponent), each [2, batch, N]; exp(x) to u/1000 and better."""
    dtype = x.dtype
    ln2, ln2_low = _words(_LN2, dtype)
    step, step_low = _words(_LN2 * Fraction(1, _STEPS), dtype)
    absent = x == -math.inf
    x = x.masked_fill(absent, 0)
    exponent = torch.round(x / ln2)
    product, error = _two_product(exponent, ln2)
    rest, rest_low = _two_sum(x - product, -error - exponent * ln2_low)
    # exp(rest) = 2^(index / 256) exp(q), |q| < 0.0014: 1 + q + ... holds q's rounding error below u/500.
    index = torch.round(rest / step)
    product, error = _two_product(index, step)
    q = (rest - product) - error + (rest_low - index * step_low)
    series = q + q * q * (1 / 2 + q * (1 / 6 + q * (1 / 24 + q * (1 / 120))))
    table, table_low = _powers(dtype, x.device)
    at = index.long() + 2 * _STEPS
    high, low = _fast_two_sum(table[at], table_low[at] + table[at] * series)

    def leaves(constant: int, linear: Tensor, fill: int) -> Tensor:
        linear = linear.masked_fill(absent, fill)
        return torch.stack((_pad(torch.full_like(linear, constant), constant), _pad(linear, fill)))

    return leaves(1, high, 0), leaves(0, low, 0), leaves(0, exponent.long(), _NO_TERM)


def _multiply_pairs(a: Coefficients, b: Coefficients, k: int) -> Coefficients:
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


def _pad(x: Tensor, fill: float) -> Tensor:
    """x [batch, n] padded to a power of two of columns."""
    n = x.shape[1]
    return torch.nn.functional.pad(x, (0, (1 << (n - 1).bit_length()) - n), value=fill)


def _halves(level: Tensor) -> tuple[Tensor, Tensor]:
    half = level.shape[2] // 2
    return level[..., :half], level[..., half:]


def _log_of_pairs(high: Tensor, low: Tensor, exponent: Tensor) -> Tensor:
    """log((high + low) 2^exponent), high in [1/2, 2) or 0."""
    # A mantissa in [0.7, 1.41]: its logarithm does not cancel against the exponent's.
    zero = high == 0
    shift = (high > math.sqrt(2)).long() - (high < math.sqrt(0.5)).long()
    factor = _power_of_two(-shift, high.dtype)
    high, low = (high * factor).masked_fill(zero, 1), low * factor
    exponent = (exponent + shift).to(high.dtype)
    ln2, ln2_low = _words(_LN2, high.dtype)
    product, error = _two_product(exponent, ln2)
    log: Tensor = product + (torch.log(high) + (low / high + (exponent * ln2_low + error)))
    return log.masked_fill(zero, -math.inf)


def _spread_down(levels: list[tuple[Tensor, Tensor]], cotangent: Tensor) -> Tensor:
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


def _fast_two_sum(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The same for |a| >= |b|."""
    s = a + b
    return s, b - (s - a)


def _split(a: Tensor) -> tuple[Tensor, Tensor]:
    """a = high + low, each with half the digits."""
    t = a * (2.0**27 + 1 if a.dtype == torch.float64 else 2.0**12 + 1)
    high = t - (t - a)
    return high, a - high


def _two_product(a: Tensor, b: float) -> tuple[Tensor, Tensor]:
    """(p, e): a b = p + e exactly, p rounded."""
    p = a * b
    mantissa, exponent = math.frexp(b)
    bits = 26 if a.dtype == torch.float64 else 12
    b_high = math.ldexp(round(math.ldexp(mantissa, bits)), exponent - bits)
    return p, _product_error(p, *_split(a), b_high, b - b_high)


def _product_error(
    product: Tensor, a_high: Tensor, a_low: Tensor, b_high: Tensor | float, b_low: Tensor | float
) -> Tensor:
    return a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _power_of_two(exponent: Tensor, dtype: torch.dtype) -> Tensor:
    """2^exponent, exactly, 0 below the normal range; exponent int64."""
    if dtype == torch.float64:
        return ((exponent.clamp(-1023, 1023) + 1023) << 52).view(dtype)
    return ((exponent.clamp(-127, 127) + 127) << 23).int().view(dtype)


_STEPS = 256
_LN2 = sum((Fraction(1, j << j) for j in range(1, 200)), Fraction(0))


def _words(value: Fraction, dtype: torch.dtype) -> tuple[float, float]:
    """A fraction as a pair of numbers of the type."""

    def rounded(fraction: Fraction) -> float:
        value = float(fraction)
        return value if dtype == torch.float64 else float(struct.unpack("f", struct.pack("f", value))[0])

    high = rounded(value)
    return high, rounded(value - Fraction(high))


def _powers(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """2^(j/256) as pairs, j = -512..512."""
    if (dtype, device) not in _POWERS:
        with localcontext() as context:
            context.prec = 60
            values = [Fraction(Decimal(2) ** (Decimal(j) / _STEPS)) for j in range(-2 * _STEPS, 2 * _STEPS + 1)]
        pairs = torch.tensor([_words(value, dtype) for value in values], dtype=dtype, device=device)
        _POWERS[dtype, device] = (pairs[:, 0].contiguous(), pairs[:, 1].contiguous())
    return _POWERS[dtype, device]


_POWERS: dict[tuple[torch.dtype, torch.device], tuple[Tensor, Tensor]] = {}


def _wide(x: Tensor) -> Tensor:
    return x if x.dtype in (torch.float64, torch.float32) else x.float()


# ---------------------------------------------------------------------------------------------------------------------
# Checks
# ---------------------------------------------------------------------------------------------------------------------


def _check_matrix(name: str, argument: str, x: Tensor, values: bool) -> None:
    if not torch.is_tensor(x) or not x.is_floating_point():
        kind = getattr(x, "dtype", type(x).__name__)
        raise ValueError(f"{name}: {argument} is a {kind}, expected a tensor of floats")
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"{name}: {argument} has shape {list(x.shape)}, expected [batch, n]")
    if values:
        _refuse(name, argument, x, ~(x < math.inf), "a finite number or -Infinity")


def _check_directions(name: str, v: Tensor, x: Tensor, values: bool) -> None:
    if v.shape != x.shape:
        raise ValueError(f"{name}: v has shape {list(v.shape)}, expected {list(x.shape)}")
    if values:
        _refuse(name, "v", v, ~torch.isfinite(v), "a finite number")


def _refuse(name: str, argument: str, x: Tensor, wrong: Tensor, expected: str) -> None:
    if wrong.any():
        b, i = wrong.nonzero()[0].tolist()
        raise ValueError(f"{name}: {argument}[{b}, {i}] is {_shown(x[b, i].item())}, expected {expected}")


def _check_order(name: str, k: int, n: int, lowest: int, highest: str) -> int:
    if isinstance(k, bool) or k != k or k in (math.inf, -math.inf) or int(k) != k:
        raise ValueError(f"{name}: k must be an integer: got k = {k}")
    if k < lowest:
        raise ValueError(f"{name}: k must be at least {lowest}: got k = {k}")
    if k > (n if highest == "n" else n - 1):
        raise ValueError(f"{name}: k must be at most {highest}: got k = {k}, n = {n}")
    return int(k)
