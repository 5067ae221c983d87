"""Smooth top-k loss and the elementary symmetric polynomials under it, in JAX.

Three computations, each vectorised over the batch and over the classes (loops run over orders and tree levels only):

- one order k (the loss, inclusion probabilities): light and heavy. The H largest entries of each row enter as factors
  (a tree of truncated products, positive terms only), all others by a few power sums and Newton's identities. The
  gradient of a light entry is one polynomial for its row. H depends on the shape only; where no split is cheaper than
  products, all entries are heavy.
- Hessian-vector products: the same tree, over all entries.
- all orders 0..k (log_esp): the tree in pairs of floats, with an exponent per coefficient.

float64 (with jax_enable_x64) and float32 are computed in themselves, with u = 2^-53 and 2^-24; bfloat16 and float16 in
float32. k, tau and alpha are Python numbers; the functions are compiled once per k, shape and type. Under jit, grad and
vmap the values of arrays cannot be seen: what would be refused outside makes its row NaN there. The steps are derived
in docs/porting.md.

    loss, grad = jax.value_and_grad(lambda s: smooth_topk_loss(s, labels).mean())(scores)

L. Berrada, A. Zisserman, M. P. Kumar, Smooth Loss Functions for Deep Top-k Classification, ICLR 2018.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.typing import ArrayLike

# ---------------------------------------------------------------------------------------------------------------------
# Public functions
# ---------------------------------------------------------------------------------------------------------------------


def smooth_topk_loss(scores: ArrayLike, labels: ArrayLike, k: int = 5, tau: float = 1.0, alpha: float = 1.0) -> Array:
    """Smooth top-k loss of each row, [batch]; differentiable in scores, any number of times, in either mode.

        L = tau log(1 + exp z),  z = alpha/tau + log sigma_k(e) - log sigma_{k-1}(e) - s_y/(k tau),
        e_i = exp(s_i/(k tau)) over the classes i != y;
        dL/ds_y = -w/k,  dL/ds_i = (w/k) e_i (d_{k-1}^2 - d_{k-2} d_k)/(sigma_k sigma_{k-1}),
        w = 1/(1 + exp(-z)),  d_j = sigma_j(e without i).

    scores  [batch, n], a floating type; -inf masks a class.
    labels  [batch] integers in [0, n - 1], not masked.
    k       integer, 1 <= k <= n - 1.
    tau     temperature, > 0: towards 0, L becomes topk_loss.
    alpha   margin, finite.

    The loss has the precision of the scores, and float32 for narrower ones. Where masking leaves fewer than k other
    classes, loss and gradient are 0.
    Raises ValueError naming the argument, the index, the value and what was expected.

    Mind the scale: scores enter divided by k, as in the authors' code; k = 1, tau = 1, alpha = 0 is the cross-entropy.
    Relative error of the loss at most (8 + |z|) u, of gradient entries above 1e-280 at most 64 k u; in float32 1e-5 of
    the loss, 1e-3 of entries above 1e-30. About n M + H k multiplications per row: M = min(k, 60) power sums and
    H = 3 k heavy entries, or fewer sums and more heavy entries where that is less work.
    """
    scores, labels, k, numbers = _check_loss("smooth_topk_loss", scores, labels, k, tau, alpha)
    return _smooth_loss(scores, labels, k, numbers)


def smooth_topk_loss_value_and_grad(
    scores: ArrayLike, labels: ArrayLike, k: int = 5, tau: float = 1.0, alpha: float = 1.0
) -> tuple[Array, Array]:
    """(loss [batch], grad [batch, n]) of smooth_topk_loss; grad[b] is the gradient of loss[b], of the scores' type.

    Arguments, errors and bounds as there. The gradient is differentiable.
    """
    name = "smooth_topk_loss_value_and_grad"
    scores, labels, k, numbers = _check_loss(name, scores, labels, k, tau, alpha)
    loss, grad = _loss_and_grad(_wide(scores), labels, k, numbers)
    return loss, grad.astype(scores.dtype)


def topk_loss(scores: ArrayLike, labels: ArrayLike, k: int = 5, alpha: float = 1.0) -> Array:
    """Hard top-k loss of each row, [batch], with a subgradient.

        l = max(0, alpha + (s_[k] - s_y)/k),  s_[k] the k-th largest score of the classes besides y;
        where l > 0: -1/k at y, 1/k shared equally by the classes tied at s_[k]; elsewhere 0, the kink included.

    This is the limit of smooth_topk_loss as tau -> 0. Arguments, masking, types and errors as there.
    Relative error of the loss at most 2 u.
    """
    scores, labels, k, numbers = _check_loss("topk_loss", scores, labels, k, 1.0, alpha)
    return _hard_loss(scores, labels, k, numbers)


def topk_loss_value_and_grad(
    scores: ArrayLike, labels: ArrayLike, k: int = 5, alpha: float = 1.0
) -> tuple[Array, Array]:
    """(loss [batch], grad [batch, n]) of topk_loss; grad[b] is the subgradient of loss[b], of the scores' type."""
    scores, labels, k, numbers = _check_loss("topk_loss_value_and_grad", scores, labels, k, 1.0, alpha)
    loss, grad = _hard_loss_and_grad(_wide(scores), labels, k, numbers)
    return loss, grad.astype(scores.dtype)


def class_parallel_smooth_topk_loss(
    scores: Array,
    labels: Array,
    first_class: ArrayLike,
    k: int = 5,
    tau: float = 1.0,
    alpha: float = 1.0,
    *,
    axis_name: str,
) -> Array:
    """smooth_topk_loss [batch] of scores whose classes are split over the devices of a mesh axis, inside shard_map.

    scores       [batch, m]: this device's columns, classes first_class to first_class + m - 1. m is the same on all
                 devices and may be smaller than k; a last shard is filled up with -inf.
    labels       [batch], the same on all devices: numbers among all classes.
    first_class  jax.lax.axis_index(axis_name) * m for shards in order.
    axis_name    the mesh axis.

        def shard(scores, labels):
            first = jax.lax.axis_index("classes") * scores.shape[1]
            return class_parallel_smooth_topk_loss(scores, labels, first, axis_name="classes")

        loss = jax.shard_map(shard, mesh=mesh, in_specs=(P(None, "classes"), P()), out_specs=P())(scores, labels)

    The loss is the same on every device and the gradient of scores stays where they are. Each device contributes at
    most H + M + 3 numbers per row, H and M as for all n classes on one device, whatever n; the first derivative
    exchanges nothing more. Other arguments, results, bounds and masking as smooth_topk_loss; values are not checked, a
    row with a label out of range, a masked label, NaN or +inf is NaN.
    """
    name = "class_parallel_smooth_topk_loss"
    if scores.ndim != 2 or 0 in scores.shape:
        raise ValueError(f"{name}: scores has shape {list(scores.shape)}, expected [batch, classes of this device]")
    if labels.shape != scores.shape[:1]:
        raise ValueError(f"{name}: labels has shape {list(labels.shape)}, expected [{scores.shape[0]}]")
    devices = int(_across(1, axis_name))
    k = _check_order(name, k, scores.shape[1] * devices, 1, "n - 1")
    numbers = _numbers(name, k, tau, alpha, _wide(scores).dtype)
    local = labels.astype(jnp.int32) - jnp.asarray(first_class, jnp.int32)
    return _sharded_loss(scores, local, k, axis_name, devices, numbers)


def log_esp(x: ArrayLike, k: int) -> Array:
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


def inclusion_probabilities(x: ArrayLike, k: int) -> Array:
    """Probability of each entry to be in a random k-subset A, P(A) proportional to exp(sum over A of x), [batch, n].

        pi_i = exp(x_i) sigma_{k-1}(exp(x) without i) / sigma_k(exp(x)) = d log sigma_k / d x_i;  sum_i pi_i = k.

    Arguments and errors as log_esp. 0 for removed entries, NaN throughout a row with sigma_k = 0. Differentiable once,
    by log_esp_hvp. Relative error of entries above 1e-280 (float32: 1e-30) at most 64 k u. The cost of the loss.
    """
    x = _check_matrix("inclusion_probabilities", "x", x)
    k = _check_order("inclusion_probabilities", k, x.shape[1], 0, "n")
    return _inclusion(_wide(x), k).astype(x.dtype)


def log_esp_hvp(x: ArrayLike, k: int, v: ArrayLike) -> Array:
    """Hessian of log sigma_k(exp(x)) times v: the covariance matrix of the k-subset distribution times v, [batch, n].

    Beside each polynomial runs the one whose coefficient j weighs every j-subset with v(A). With (d, m) this pair
    without entry i, (p, q) with it, and S = q_k / p_k:

        out_i = Cov([i in A], v(A)),  v(A) = sum over A of v_l;
        out_i = pi_i (v_i + m_{k-1}/d_{k-1} - S) = (1 - pi_i) (S - m_k/d_k),  whichever factor is the smaller.

    x, k  as log_esp.
    v     [batch, n], finite; values at removed entries do not count.

    0 for removed entries, NaN throughout a row with sigma_k = 0. Raises ValueError as log_esp.
    Error of out_i at most 64 k u pi_i (1 - pi_i) (max v - min v). O(n k) multiplications.
    """
    name = "log_esp_hvp"
    x = _check_matrix(name, "x", x)
    k = _check_order(name, k, x.shape[1], 0, "n")
    directions = _check_directions(name, v, x)
    wide = _wide(x)
    product = _hessian_vector_product(_pad(wide, -jnp.inf), k, _pad(directions.astype(wide.dtype), 0))
    result: Array = product[:, : x.shape[1]].astype(x.dtype)
    return result


# ---------------------------------------------------------------------------------------------------------------------
# Derivatives
# ---------------------------------------------------------------------------------------------------------------------


class _Numbers(NamedTuple):
    """k tau and k alpha as pairs of the working type, k alpha once more times 2^-e (_fraction), and tau."""

    temperature: tuple[float, float]
    margin: tuple[float, float]
    small_margin: tuple[float, float]
    tau: float


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def _smooth_loss(scores: Array, labels: Array, k: int, numbers: _Numbers) -> Array:
    result: Array = _loss_only(_wide(scores), labels, k, numbers)
    return result


@_smooth_loss.defjvp
def _smooth_loss_jvp(k: int, primals: Any, tangents: Any) -> tuple[Array, Array]:
    scores, labels, numbers = primals
    loss, grad = _loss_and_grad(_wide(scores), labels, k, numbers)
    return loss, jnp.sum(grad * tangents[0].astype(grad.dtype), 1)


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def _hard_loss(scores: Array, labels: Array, k: int, numbers: _Numbers) -> Array:
    result: Array = _hard_loss_and_grad(_wide(scores), labels, k, numbers)[0]
    return result


@_hard_loss.defjvp
def _hard_loss_jvp(k: int, primals: Any, tangents: Any) -> tuple[Array, Array]:
    scores, labels, numbers = primals
    loss, grad = _hard_loss_and_grad(_wide(scores), labels, k, numbers)
    return loss, jnp.sum(grad * tangents[0].astype(grad.dtype), 1)


@functools.partial(jax.custom_jvp, nondiff_argnums=(2, 3, 4))
def _sharded_loss(scores: Array, local: Array, k: int, axis: str, devices: int, numbers: _Numbers) -> Array:
    result: Array = _sharded_loss_and_grad(_wide(scores), local, k, axis, devices, numbers)[0]
    return result


@_sharded_loss.defjvp
def _sharded_loss_jvp(k: int, axis: str, devices: int, primals: Any, tangents: Any) -> tuple[Array, Array]:
    scores, local, numbers = primals
    loss, grad = _sharded_loss_and_grad(_wide(scores), local, k, axis, devices, numbers)
    # The transpose of this sum copies the cotangent, which every device has: nothing is exchanged backwards.
    return loss, _across(jnp.sum(grad * tangents[0].astype(grad.dtype), 1), axis)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _log_esp(x: Array, k: int) -> Array:
    result: Array = _log_esp_tree(x, k)[0]
    return result


def _log_esp_forward(x: Array, k: int) -> tuple[Array, list[tuple[Array, Array]]]:
    result: tuple[Array, list[tuple[Array, Array]]] = _log_esp_tree(x, k)
    return result


def _log_esp_backward(k: int, levels: list[tuple[Array, Array]], cotangent: Array) -> tuple[Array]:
    return (_spread_down(levels, cotangent),)


_log_esp.defvjp(_log_esp_forward, _log_esp_backward)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _inclusion(x: Array, k: int) -> Array:
    result: Array = _inclusion_of_row(x, k)
    return result


@_inclusion.defjvp
def _inclusion_jvp(k: int, primals: Any, tangents: Any) -> tuple[Array, Array]:
    n = primals[0].shape[1]
    product = _hessian_vector_product(_pad(primals[0], -jnp.inf), k, _pad(tangents[0], 0))
    return _inclusion_of_row(primals[0], k), product[:, :n]


# ---------------------------------------------------------------------------------------------------------------------
# The losses
# ---------------------------------------------------------------------------------------------------------------------


@functools.partial(jax.jit, static_argnums=2)
def _loss_and_grad(scores: Array, labels: Array, k: int, numbers: _Numbers) -> tuple[Array, Array]:
    """Loss [batch] and gradient [batch, n], made of differentiable operations."""
    is_label = jnp.arange(scores.shape[1]) == labels[:, None]
    others = jnp.where(is_label, -jnp.inf, scores)
    label_scores = jnp.sum(jnp.where(is_label, scores, 0), 1)
    wrong = jnp.any(~(scores < jnp.inf), 1) | ~jnp.any(is_label & (scores > -jnp.inf), 1)
    plan = _Plan.of(scores.shape[1], k, scores.dtype)
    heavy = _heaviest(others, plan.heavy)
    centre, empty = _kth_largest(heavy.values, k)
    row = _Row.of(heavy.values, centre, empty, numbers.temperature, k, plan)
    light = _light(others, heavy.mask, row)
    row = row.with_sums(_power_sums(light, plan.terms))
    ratio, heavy_grad, light_grad = row.ratio_and_grad()
    loss, weight = _softplus(ratio, centre, label_scores, k, numbers)
    loss, weight = _settled(loss, empty, wrong), _settled(weight, empty, wrong)[:, None]
    grad = weight * _horner(light, light_grad) if plan.terms else jnp.zeros_like(scores)
    grad = heavy.scatter(grad, weight * heavy_grad)
    return loss, jnp.where(is_label, -weight, grad)


@functools.partial(jax.jit, static_argnums=2)
def _loss_only(scores: Array, labels: Array, k: int, numbers: _Numbers) -> Array:
    # Compiled on its own: what only the gradient needs is not computed.
    result: Array = _loss_and_grad(scores, labels, k, numbers)[0]
    return result


@functools.partial(jax.jit, static_argnums=(2, 3, 4))
def _sharded_loss_and_grad(
    scores: Array, labels: Array, k: int, axis: str, devices: int, numbers: _Numbers
) -> tuple[Array, Array]:
    """Loss, and gradient of this device's scores. labels count from this device's first class."""
    batch, m = scores.shape
    is_label = jnp.arange(m) == labels[:, None]
    others = jnp.where(is_label, -jnp.inf, scores)
    wrong = jnp.any(~(scores < jnp.inf), 1)
    here = jnp.any(is_label & (scores > -jnp.inf), 1)
    plan = _Plan.of(m * devices, k, scores.dtype)
    own = _heaviest(others, min(plan.heavy, m))
    # 1. The candidates of all devices for the H largest, the label's score, and what is wrong with a row.
    label_scores = jnp.sum(jnp.where(is_label & here[:, None], scores, 0), 1)
    sent = jnp.stack((label_scores, here.astype(scores.dtype), wrong.astype(scores.dtype)))
    label_scores, owners, wrongs = _across(sent, axis)
    candidates = _gather(own.values, axis, devices)
    heavy = _heaviest(candidates, plan.heavy)
    centre, empty = _kth_largest(heavy.values, k)
    row = _Row.of(heavy.values, centre, empty, numbers.temperature, k, plan)
    # 2. The power sums of what no device has among the H largest.
    at = lax.axis_index(axis) * own.values.shape[1]
    mine = lax.dynamic_slice_in_dim(heavy.mask, at, own.values.shape[1], 1)
    mask = own.scatter(jnp.zeros((batch, m), bool), mine)
    light = _light(others, mask, row)
    if plan.terms:
        sums = jnp.stack(_power_sums(light, plan.terms), 1)
        sums = _gather(sums, axis, devices).reshape(batch, devices, plan.terms).sum(1)
        row = row.with_sums([sums[:, m] for m in range(plan.terms)])
    ratio, heavy_grad, light_grad = row.ratio_and_grad()
    loss, weight = _softplus(ratio, centre, label_scores, k, numbers)
    bad = (wrongs > 0) | (owners != 1)
    loss, weight = _settled(loss, empty, bad), _settled(weight, empty, bad)[:, None]
    grad = weight * _horner(light, light_grad) if plan.terms else jnp.zeros_like(scores)
    spread = heavy.scatter(jnp.zeros_like(candidates), weight * heavy_grad)
    spread = lax.dynamic_slice_in_dim(spread, at, own.values.shape[1], 1)
    grad = own.scatter(grad, jnp.where(mine, spread, own.take(grad)))
    return loss, jnp.where(is_label, -weight, grad)


def _gather(x: Array, axis: str, devices: int) -> Array:
    """The arrays [batch, m] of all devices side by side, [batch, devices m], the same on each of them."""
    # A sum with zeros, and not an all_gather: its result is known to be the same everywhere.
    batch, m = x.shape
    at = lax.axis_index(axis) * m
    result: Array = _across(lax.dynamic_update_slice_in_dim(jnp.zeros((batch, m * devices), x.dtype), x, at, 1), axis)
    return result


def _across(x: Any, axis: str) -> Any:
    """The sum over the devices of the axis."""
    return lax.psum(x, axis)  # type: ignore[no-untyped-call]


def _settled(x: Array, empty: Array, wrong: Array) -> Array:
    return jnp.where(wrong, jnp.nan, jnp.where(empty, 0, x))


def _softplus(ratio: Array, centre: Array, label_scores: Array, k: int, numbers: _Numbers) -> tuple[Array, Array]:
    """(loss, (w/k)) where z = log(ratio) + a, a = (k alpha + centre - s_y) / (k tau)."""
    margin, margin_low, hard = _margin(label_scores, centre, k, numbers)
    a, a_low = _divide(margin, margin_low, numbers.temperature)
    large = a > (700 if centre.dtype == jnp.float64 else 80)
    power = jnp.exp(jnp.where(large, 0, a))
    odds = ratio * (power + power * a_low)
    loss = jnp.where(large, hard + numbers.tau * jnp.log(ratio), numbers.tau * jnp.log1p(odds))
    return loss, jnp.where(large, 1, odds / (1 + odds)) / k


@functools.partial(jax.jit, static_argnums=2)
def _hard_loss_and_grad(scores: Array, labels: Array, k: int, numbers: _Numbers) -> tuple[Array, Array]:
    is_label = jnp.arange(scores.shape[1]) == labels[:, None]
    others = jnp.where(is_label, -jnp.inf, scores)
    label_scores = jnp.sum(jnp.where(is_label, scores, 0), 1)
    wrong = jnp.any(~(scores < jnp.inf), 1) | ~jnp.any(is_label & (scores > -jnp.inf), 1)
    centre, empty = _kth_largest(_heaviest(others, k).values, k)
    _, _, hard = _margin(label_scores, centre, k, numbers)
    active = (hard > 0) & ~empty
    tied = (others == centre[:, None]) & active[:, None] & ~is_label
    grad = tied / (k * jnp.maximum(1, jnp.sum(tied, 1, keepdims=True, dtype=scores.dtype)))
    grad = jnp.where(is_label & active[:, None], -1 / k, grad).astype(scores.dtype)
    return jnp.where(wrong, jnp.nan, jnp.where(active, hard, 0)), jnp.where(wrong[:, None], jnp.nan, grad)


def _margin(label_scores: Array, centre: Array, k: int, numbers: _Numbers) -> tuple[Array, Array, Array]:
    """m = k alpha + centre - s_y as a pair, its terms may be large and cancel; and m / k, which overflows later."""
    fraction = _fraction(k)
    largest = 2.0**1000 if centre.dtype == jnp.float64 else 2.0**100
    huge = (jnp.abs(centre) > largest) | (jnp.abs(label_scores) > largest)
    huge = huge | (jnp.abs(jnp.asarray(numbers.margin[0], centre.dtype)) > largest)
    scale = jnp.where(huge, fraction, 1).astype(centre.dtype)
    high, low = (jnp.where(huge, *words) for words in zip(numbers.small_margin, numbers.margin, strict=True))
    difference, first = _two_sum(centre * scale, -label_scores * scale)
    total, second = _two_sum(difference, high.astype(centre.dtype))
    total, rest = _two_sum(total, first + second + low.astype(centre.dtype))
    # Beyond the range, m is infinite, and so is m / (k tau) for all purposes; m / k need not be.
    return total / scale, jnp.where(huge, 0, rest), total / (k * scale)


def _fraction(k: int) -> float:
    """2^-e, so small that 3 times it times any number, and their sum, is one."""
    return 2.0 ** -(k.bit_length() + 2)


@functools.partial(jax.jit, static_argnums=1)
def _inclusion_of_row(x: Array, k: int) -> Array:
    if k == 0:
        return jnp.zeros_like(x)
    plan = _Plan.of(x.shape[1], k, x.dtype)
    heavy = _heaviest(x, plan.heavy)
    centre, empty = _kth_largest(heavy.values, k)
    row = _Row.of(heavy.values, centre, empty, (1.0, 0.0), k, plan)
    light = _light(x, heavy.mask, row)
    row = row.with_sums(_power_sums(light, plan.terms))
    heavy_inclusion, light_inclusion = row.inclusion()
    result = _horner(light, light_inclusion) if plan.terms else jnp.zeros_like(x)
    result = heavy.scatter(result, heavy_inclusion)
    return jnp.where(empty[:, None], jnp.nan, result)


# ---------------------------------------------------------------------------------------------------------------------
# Which entries are heavy
# ---------------------------------------------------------------------------------------------------------------------


class _Plan(NamedTuple):
    """How a row of n entries is treated at order k."""

    heavy: int
    """H, the number of largest entries that enter as factors."""
    terms: int
    """M, the number of power sums of the others; 0 where there are no others."""
    tilted: bool
    """Whether coefficients could overflow as they are."""

    @staticmethod
    def of(n: int, k: int, dtype: Any) -> _Plan:
        """The cheapest split for which the series have ended, or their rest is below u/8.

        The (H + 1)-th largest e and the H - k + 1 above it besides the k - 1 largest make S >= (H - k + 2) e; from
        k sigma_k >= sigma_{k-1} S the light entries have e sigma_{k-1}/sigma_k <= theta = k/(H - k + 2). What is left
        out after M terms is below 8 k theta^M, for the sums and for the gradient's polynomial.
        """
        double = dtype == jnp.float64
        tilted = _log_binomial(n, k) > _range(dtype)
        best, best_cost = _Plan(n, 0, tilted), 6.0 * n * min(k, n - k + 1)
        for times in (3, 4, 5, 7, 9, 12, 17):
            heavy = max(times * k, 8)
            theta = k / (heavy - k + 2)
            terms = min(k, math.ceil(((53 if double else 24) + 6 + math.log2(k)) / -math.log2(theta)))
            cost = 12.0 * heavy * k + (2.0 * terms + 4) * n
            if heavy < n and cost < best_cost:
                best, best_cost = _Plan(heavy, terms, tilted), cost
        return best


def _log_binomial(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _range(dtype: Any) -> float:
    """Logarithm of the largest sum of coefficients that needs no other units."""
    return 600 if dtype == jnp.float64 else 70


class _Heavy(NamedTuple):
    """The H largest entries of each row: where they are (None: everywhere) and what they are."""

    places: Array | None
    values: Array
    mask: Array

    def scatter(self, x: Array, values: Array) -> Array:
        """x [batch, n] with these values [batch, H] at those places."""
        if self.places is None:
            return values
        rows = jnp.arange(x.shape[0])[:, None]
        return x.at[rows, self.places].set(values, unique_indices=True, mode="promise_in_bounds")

    def take(self, x: Array) -> Array:
        return x if self.places is None else jnp.take_along_axis(x, self.places, 1)


def _heaviest(x: Array, count: int) -> _Heavy:
    """The `count` largest entries of each row, in any order."""
    if count >= x.shape[1]:
        return _Heavy(None, x, jnp.ones(x.shape, bool))
    index = _largest(lax.stop_gradient(x), count)
    heavy = _Heavy(index, jnp.take_along_axis(x, index, 1), jnp.zeros(x.shape, bool))
    return heavy._replace(mask=heavy.scatter(heavy.mask, jnp.ones(index.shape, bool)))


def _largest(x: Array, count: int) -> Array:
    """Indices [batch, count] of the largest entries of each row, in any order."""
    if x.dtype != jnp.float64:
        return lax.top_k(x, count)[1]
    # A selection of doubles sorts whole rows on a CPU, one of singles does not: three of those, by the bits. The order
    # of the bits, read as integers with the magnitude of negative ones reversed, is that of the numbers.
    bits = lax.bitcast_convert_type(x, jnp.int64)
    bits = jnp.where(bits < 0, bits ^ jnp.int64(2**63 - 1), bits)
    above = jnp.float32(2**22)
    pieces = (bits >> 42, (bits >> 21) & (2**21 - 1), bits & (2**21 - 1))
    key = pieces[0].astype(jnp.float32)
    for piece in pieces[1:]:
        least = lax.top_k(key, count)[0][:, -1:]
        # Fewer than count entries are above the least: they stay. The next bits decide among those that equal it.
        key = jnp.where(key > least, above, jnp.where(key == least, piece.astype(jnp.float32), -above))
    return lax.top_k(key, count)[1]


def _kth_largest(x: Array, k: int) -> tuple[Array, Array]:
    """(the k-th largest of each row, rows with fewer than k entries); 0 for such rows, to be overwritten."""
    kth = lax.top_k(lax.stop_gradient(x), k)[0][:, k - 1]
    empty = kth == -jnp.inf
    return jnp.where(empty, 0, kth), empty


# ---------------------------------------------------------------------------------------------------------------------
# One order, in the scaled linear form
# ---------------------------------------------------------------------------------------------------------------------


class _Row(NamedTuple):
    """What O(k) numbers per row say of it: heavy factors, power sums of the light entries, and units.

    e_i = exp((x_i - c)/T). A light entry is counted in e_i first, first a power of two, which makes it at most 1/2
    where first is not 1; coefficient j stands for sigma_j unit^j over a common factor per row.
    """

    constant: Array
    linear: Array
    centre: Array
    temperature: tuple[float, float]
    k: int
    tilted: bool
    first: Array
    unit: Array
    sums: Sequence[Array]

    @staticmethod
    def of(values: Array, centre: Array, empty: Array, temperature: tuple[float, float], k: int, plan: _Plan) -> _Row:
        values = jnp.where(empty[:, None], 0, values)
        constant, linear = _factors(values, centre, temperature)
        first = jnp.ones_like(centre)
        if plan.tilted:
            first = _power_of_two_below(k / _sum_beyond(linear, k))
        return _Row(constant, linear, centre, temperature, k, plan.tilted, first, first, ())

    def with_sums(self, sums: Sequence[Array]) -> _Row:
        """The row with its power sums sum_i (e_i first)^m, m = 1..M, in units that keep coefficients k - 1, k in range.

        With p_i = unit e_i/(1 + unit e_i) the factors are (1 - p_i) + p_i X, and coefficient j is the probability that
        j of n independent events happen. unit is chosen so that about k are expected; that number is between k/2 and
        2 k at unit = k/S, S = the sum of all e but the k - 1 largest.
        """
        if not self.tilted:
            return self._replace(sums=sums)
        constant, linear, fixed = lax.stop_gradient((self.constant, self.linear, list(sums)))
        total = _sum_beyond(linear, self.k) + (fixed[0] / self.first if fixed else 0)
        start = jnp.minimum(_power_of_two_below(self.k / total), self.first)
        tries = start * jnp.asarray([2.0 ** (j / 4) for j in range(-12, 9)], start.dtype)[:, None]
        share = tries[..., None] * linear
        expected = jnp.sum(share / (constant + share), -1)
        step = tries / self.first
        for m, p in reversed(list(enumerate(fixed, 1))):
            expected = expected + (p if m % 2 else -p) * step**m
        off = jnp.abs(expected - (self.k - 0.5))
        if fixed:
            # Beyond the first unit light entries may be above 1/2, where their series is not to be trusted.
            off = jnp.where(step <= 1, off, jnp.inf)
        unit = jnp.take_along_axis(tries, jnp.argmin(off, 0)[None], 0)[0]
        share = unit[:, None] * self.linear
        whole = self.constant + share
        step = unit / self.first
        scaled, power = [], jnp.ones_like(step)
        for p in sums:
            power = power * step
            scaled.append(p * power)
        return self._replace(constant=self.constant / whole, linear=share / whole, unit=unit, sums=scaled)

    def ratio_and_grad(self) -> tuple[Array, Array, list[Array]]:
        """sigma_k/sigma_{k-1} in units of exp(c/T), d log of it/dx_i of heavy entries, polynomial of light ones."""
        k, n = self.k, self.linear.shape[1]
        # Where all are heavy, orders above n / 2 may count the entries left out instead.
        reverse = not self.sums and 2 * k > n + 1
        order = n - k + 1 if reverse else k
        whole, d = self._products(order, order - 2, reverse)
        below, top = whole[order - 1], whole[order]
        bracket = (d[-2] / top[:, None]) * (d[-2] / below[:, None])
        if order > 1:
            bracket = bracket - (d[-3] / below[:, None]) * (d[-1] / top[:, None])
        ratio = (below / top if reverse else top / below) / self.unit
        return ratio, self.constant * self.linear * bracket, self._light_polynomial(whole, second=True)

    def inclusion(self) -> tuple[Array, list[Array]]:
        """Inclusion probabilities of heavy entries, and the polynomial of those of light ones."""
        k, n = self.k, self.linear.shape[1]
        reverse = not self.sums and 2 * k > n
        order = n - k if reverse else k
        # In a subset of k = in none of n - k: linear_i times coefficient k - 1 of the others, or n - k in reverse.
        whole, d = self._products(order, order if reverse else order - 1, reverse)
        return self.linear * (d[0] / whole[order][:, None]), self._light_polynomial(whole, second=False)

    def _products(self, order: int, lowest: int, reverse: bool) -> tuple[Array, Array]:
        """Coefficients 0..order of the whole [.., batch], and lowest..order without each heavy entry [.., batch, H]."""
        heavy = self.linear.shape[1]
        constant, linear = (self.linear, self.constant) if reverse else (self.constant, self.linear)
        constant, linear = _pad(constant, 1), _pad(linear, 0)
        levels = _product_tree(constant, linear, order)
        if not self.sums:
            one = jnp.ones_like(levels[-1][:1])
            return levels[-1][..., 0], _leave_one_out(levels, one, order, lowest)[..., :heavy]
        light = _newton(self.sums, order)[..., None]
        whole = _window_product(light, levels[-1], 0, order)[..., 0]
        return whole, _leave_one_out(levels, light, order, lowest)[..., :heavy]

    def _light_polynomial(self, whole: Array, second: bool) -> list[Array]:
        """Coefficients of the polynomial in a light e that is d log sigma_k / dx_i, less that of sigma_{k-1} if second.

        d_j = P_j - e P_{j-1} + e^2 P_{j-2} - ...; e d_{k-1}/P_k, and e (d_{k-1}/P_k - d_{k-2}/P_{k-1}), in which the
        brackets P_{k-1} P_{k-1-l} - P_{k-2-l} P_k are non-negative. Element l belongs to (e_i first)^(l + 1).
        """
        k, step = self.k, self.unit / self.first
        coefficients, power = [], step
        for m in range(min(k, len(self.sums) + 1) if self.sums else 0):
            value = whole[k - 1 - m] / whole[k]
            if second and k - 2 - m >= 0:
                value = value - whole[k - 2 - m] / whole[k - 1]
            coefficients.append((-value if m % 2 else value) * power)
            power = power * step
        return coefficients


def _factors(x: Array, centre: Array, temperature: tuple[float, float]) -> tuple[Array, Array]:
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


def _sum_beyond(linear: Array, k: int) -> Array:
    """The sum of e over all entries but the k - 1 largest: what is at the centre or above counts 1 each."""
    at_least = linear == 1
    below = jnp.sum(jnp.where(at_least, 0, linear), 1)
    return lax.stop_gradient(below + jnp.sum(at_least, 1, dtype=linear.dtype) - (k - 1))


def _power_of_two_below(x: Array) -> Array:
    return lax.stop_gradient(jnp.ldexp(jnp.ones_like(x), jnp.frexp(x)[1] - 1))


def _light(x: Array, heavy: Array, row: _Row) -> Array:
    """e_i first of the light entries, 0 elsewhere, [batch, n]."""
    out = heavy | (x == -jnp.inf)
    centre = row.centre[:, None]
    if x.dtype == jnp.float64:
        # The pair: rounding the distance would cost a row whose weight lies at e = 1/n log n roundings.
        distance, low = _two_sum(jnp.where(out, centre, x), -centre)
        distance, low = _divide(distance, low, row.temperature)
        power = jnp.exp(distance)
        power = power + power * low
    else:
        power = jnp.exp((jnp.where(out, centre, x) - centre) / row.temperature[0])
    return jnp.where(out, 0, power * row.first[:, None])


def _power_sums(e: Array, terms: int) -> list[Array]:
    """sum_i e_i^m of each row for m = 1..terms, [batch] each."""
    batch, n = e.shape
    width = 8
    e = jnp.pad(e, ((0, 0), (0, -n % width))).reshape(batch, -1, width)
    sums, power = [], e
    for m in range(1, terms + 1):
        blocks = jnp.sum(power, 2)
        sums.append(_exact_sum(blocks) if m <= 2 else _pairwise_sum(blocks))
        power = power * e
    return sums


def _exact_sum(x: Array) -> Array:
    """Sums over the last axis in twice the precision, rounded once."""
    low = jnp.zeros_like(x)
    while x.shape[1] > 1:
        half = (x.shape[1] + 1) // 2
        a, b = (jnp.pad(part[:, half:], ((0, 0), (0, 2 * half - x.shape[1]))) for part in (x, low))
        x, rest = _two_sum(x[:, :half], a)
        low = low[:, :half] + b + rest
    return (x + low)[:, 0]


def _pairwise_sum(x: Array) -> Array:
    while x.shape[1] > 64:
        x = jnp.sum(jnp.pad(x, ((0, 0), (0, -x.shape[1] % 32))).reshape(x.shape[0], -1, 32), 2)
    return jnp.sum(x, 1)


def _horner(e: Array, coefficients: list[Array]) -> Array:
    """sum_l coefficients_l e^(l + 1)."""
    value = jnp.zeros_like(e)
    for coefficient in reversed(coefficients):
        value = (value + coefficient[:, None]) * e
    return value


def _newton(sums: Sequence[Array], order: int) -> Array:
    """Coefficients 0..order of prod_i (1 + e_i X) from the power sums of e, up to a factor per row: [order + 1, batch].

        j c_j = p_1 c_{j-1} - p_2 c_{j-2} + p_3 c_{j-3} - ...

    The terms alternate, but fall like theta^m: a relative error r_j of c_j obeys r_j - r_{j-1} = w_2 (r_{j-1} -
    r_{j-2}) - ... + O(u) with w_2 <= theta, so errors add up along j, are not amplified, and what neighbours share
    cancels in their ratio (docs/algorithm.md).
    """
    signed = [p if m % 2 else -p for m, p in enumerate(sums, 1)]
    if order <= 16:
        c = [jnp.ones_like(sums[0])]
        for j in range(1, order + 1):
            terms = [p * c[j - m] for m, p in enumerate(signed[:j], 1)]
            c.append(jnp.maximum(functools.reduce(jnp.add, reversed(terms)) / j, 0))
        return jnp.stack(c)
    weights = jnp.stack(signed)

    def step(carry: tuple[Array, Array], j: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        window, exponent = carry
        c = jnp.maximum(jnp.sum(weights * window, 0) / j, 0)
        # The coefficients may grow past the range: then all that is left of them is counted in another unit.
        large = c > 2.0**32
        factor = jnp.where(large, 2.0**-32, 1).astype(c.dtype)
        window = jnp.concatenate((c[None], window[:-1])) * factor
        exponent = exponent + 32 * large.astype(exponent.dtype)
        return (window, exponent), (c * factor, exponent)

    window = jnp.zeros_like(weights).at[0].set(1)
    zero = jnp.zeros(weights.shape[1:], jnp.int32) + 0 * weights[0].astype(jnp.int32)
    (_, last), (later, exponents) = lax.scan(step, (window, zero), jnp.arange(1, order + 1, dtype=weights.dtype))
    coefficients = jnp.concatenate((jnp.ones_like(later[:1]), later))
    return coefficients * _power_of_two(jnp.concatenate((zero[None], exponents)) - last, later.dtype)


# ---------------------------------------------------------------------------------------------------------------------
# The tree of products. n is a power of two here: factors are padded with 1.
# ---------------------------------------------------------------------------------------------------------------------


def _product_tree(constant: Array, linear: Array, order: int) -> list[Array]:
    """The tree of products of the factors constant_i + linear_i X, truncated beyond X^order.

    Returns the levels, leaves first: level l is [min(2^l, order) + 1, batch, n / 2^l]. Node i of a level is the product
    of the nodes i and i + half of the level below.
    """
    levels = [jnp.stack((constant, linear))[: order + 1]]
    while levels[-1].shape[2] > 1:
        left, right = _halves(levels[-1])
        levels.append(_window_product(left, right, 0, min(order, 2 * (left.shape[0] - 1))))
    return levels


def _leave_one_out(levels: list[Array], outside: Array, order: int, lowest: int) -> Array:
    """Coefficients max(0, lowest)..order of `outside` times all factors but one: [.., batch, n], for each left out.

    Down the tree: what is outside a child is what is outside its parent, times its sibling. A node of 2^l leaves needs
    only the 2^l - 1 coefficients below the lowest.
    """
    first = 0
    for level in range(len(levels) - 2, -1, -1):
        left, right = _halves(levels[level])
        needed = max(0, lowest - (2**level - 1))
        outside = jnp.concatenate([_window_product(outside, p, needed, order, first) for p in (right, left)], 2)
        first = needed
    return outside[max(0, lowest) - first :]


def _leave_one_out_weighted(levels: list[Array], weighted: list[Array], order: int) -> tuple[Array, Array]:
    """The same for a polynomial and its weighted companion: coefficients order - 1 and order of both."""
    outside, outside_weighted, first = jnp.ones_like(levels[-1][:1]), jnp.zeros_like(levels[-1][:1]), 0
    for level in range(len(levels) - 2, -1, -1):
        needed = max(0, order - 2**level)
        plain, companion = [], []
        for p, q in ((_halves(levels[level])[i], _halves(weighted[level])[i]) for i in (1, 0)):
            plain.append(_window_product(outside, p, needed, order, first))
            companion.append(
                _window_product(outside_weighted, p, needed, order, first)
                + _window_product(outside, q, needed, order, first)
            )
        outside, outside_weighted, first = jnp.concatenate(plain, 2), jnp.concatenate(companion, 2), needed
    return outside, outside_weighted


def _window_product(p: Array, q: Array, first: int, last: int, p_first: int = 0) -> Array:
    """Coefficients first..last of p q. p holds the coefficients from p_first on, q those from 0 on."""
    # Coefficient j is the sum over l of q_l p_{j - l}; the compiler fuses the shifted copies into the sum.
    return jnp.sum(q[None] * _shifted(p, q.shape[0], first - p_first, last - p_first, 0), 1)


def _shifted(p: Array, count: int, first: int, last: int, fill: float) -> Array:
    """s[j, l] = p[first + j - l] for l < count and first + j <= last; fill where there is no such coefficient."""
    padding = ((max(0, count - 1 - first), max(0, last + 1 - p.shape[0])), *[(0, 0)] * (p.ndim - 1))
    at = np.arange(first, last + 1)[:, None] - np.arange(count)[None] + padding[0][0]
    return jnp.pad(p, padding, constant_values=fill)[at]


def _pad(x: Array, fill: float) -> Array:
    """x [batch, n] padded to a power of two of columns."""
    n = x.shape[1]
    return jnp.pad(x, ((0, 0), (0, (1 << (n - 1).bit_length()) - n)), constant_values=fill)


def _halves(level: Array) -> tuple[Array, Array]:
    half = level.shape[2] // 2
    return level[..., :half], level[..., half:]


@functools.partial(jax.jit, static_argnums=1)
def _hessian_vector_product(x: Array, k: int, v: Array) -> Array:
    n = x.shape[1]
    if k == 0:
        return jnp.zeros_like(x)
    # The rows of the Hessian sum to 0: v may be shifted to [0, 1], where all sums are of positive terms. It is also the
    # Hessian of order n - k in -x: the entries left out.
    present = x > -jnp.inf
    centre, empty = _kth_largest(x, k)
    low = jnp.min(jnp.where(present, v, jnp.inf), 1, keepdims=True)
    spread = jnp.max(jnp.where(present, v, -jnp.inf), 1, keepdims=True) - low
    v = jnp.where(present & (spread > 0) & (spread < jnp.inf), (v - low) / spread, 0)
    row = _Row.of(x, centre, empty, (1.0, 0.0), k, _Plan(n, 0, _log_binomial(n, k) > _range(x.dtype))).with_sums(())
    constant, linear = row.constant, row.linear
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


# ---------------------------------------------------------------------------------------------------------------------
# All orders: coefficients (high + low) 2^exponent
# ---------------------------------------------------------------------------------------------------------------------

_Pairs = tuple[Array, Array, Array]
_NO_TERM = -(1 << 30)
"""The exponent of a coefficient 0, and the least of all."""


@functools.partial(jax.jit, static_argnums=1)
def _log_esp_tree(x: Array, k: int) -> tuple[Array, list[tuple[Array, Array]]]:
    """(log sigma [batch, k + 1], the levels of the tree as (high, exponent))."""
    node = _exp_leaves(x)
    levels = [(node[0], node[2])]
    while node[0].shape[2] > 1:
        high, low, exponent = (_halves(part) for part in node)
        node = _multiply_pairs((high[0], low[0], exponent[0]), (high[1], low[1], exponent[1]), k)
        levels.append((node[0], node[2]))
    return _log_of_pairs(*(part[: k + 1, :, 0].T for part in node)), levels


def _exp_leaves(x: Array) -> tuple[Array, Array, Array]:
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


def _multiply_pairs(a: _Pairs, b: _Pairs, k: int) -> _Pairs:
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

    def add(total: tuple[Array, Array], term: tuple[Array, ...]) -> tuple[tuple[Array, Array], None]:
        high, rounding = _two_sum(total[0], term[0])
        return (high, total[1] + (rounding + term[1])), None

    zero = jnp.zeros_like(product[:, 0])
    (high, low), _ = lax.scan(add, (zero, zero), tuple(jnp.moveaxis(part * scale, 1, 0) for part in (product, error)))
    high, low = _fast_two_sum(high, low)
    high, shift = jnp.frexp(high)
    return high, jnp.ldexp(low, -shift), jnp.where(high > 0, exponent + shift, _NO_TERM)


def _log_of_pairs(high: Array, low: Array, exponent: Array) -> Array:
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
def _spread_down(levels: list[tuple[Array, Array]], cotangent: Array) -> Array:
    """sum_j cotangent_j d log sigma_j / d x_i, [batch, n], from the tree of (high, exponent).

    d log c_j / d log a_l = a_l b_{j-l} / c_j, the share of that term in c = a b: what arrives at coefficient j goes
    on to coefficients l of one child and j - l of the other in these shares, which need no scale of their own.
    """
    top = levels[-1][0][: cotangent.shape[1]]
    arrived = jnp.where(top > 0, cotangent.T[..., None], 0)
    for (high, exponent), (parent, parent_exponent) in zip(levels[-2::-1], levels[:0:-1], strict=True):
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


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """(s, e): a + b = s + e exactly, s rounded."""
    s = a + b
    a, b, rounded = lax.stop_gradient((a, b, s))
    t = rounded - a
    return s, (a - (rounded - t)) + (b - t)


def _fast_two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The same for |a| >= |b|."""
    s = a + b
    return s, b - (s - a)


def _split(a: Array) -> tuple[Array, Array]:
    """a = high + low, each with half the digits."""
    # Not Veltkamp's product and differences: a compiler that fuses multiplication and subtraction breaks those.
    high = lax.reduce_precision(a, *((11, 25) if a.dtype == jnp.float64 else (8, 11)))
    return high, a - high


def _two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """(p, e): a b = p + e to about u^1.5, p rounded."""
    # Not a b and what it leaves: where p - a_high b_high is fused, p in it is not the rounded one. a_high b_high is
    # exact, fused or not.
    (a_high, a_low), (b_high, b_low) = _split(a), _split(b)
    return _fast_two_sum(a_high * b_high, a_high * b_low + (a_low * b_high + a_low * b_low))


def _divide(a: Array, a_low: Array, divisor: tuple[float, float]) -> tuple[Array, Array]:
    """(a + a_low) / divisor as a pair, divisor a pair of numbers. The low part is 0 beyond an exponential's range."""
    high, low = (jnp.asarray(word, a.dtype) for word in divisor)
    quotient = a / high
    a, a_low, rounded = lax.stop_gradient((a, a_low, quotient))
    product, error = _two_product(rounded, high)
    rest = ((a - product) - error + (a_low - rounded * low)) / high
    return quotient, jnp.where(jnp.abs(rounded) < 1e4, rest, 0)


def _power_of_two(exponent: Array, dtype: Any) -> Array:
    """2^exponent, exactly, for a term beside its sum: below 8, but for terms 0, which must not meet infinity."""
    return jnp.ldexp(jnp.ones((), dtype), jnp.clip(exponent, -1100, 3))


def _words(value: Fraction, dtype: Any) -> tuple[float, float]:
    """A Fraction as a pair of numbers of the type."""
    try:
        high = float(np.array(float(value), dtype))
    except OverflowError:
        high = math.copysign(math.inf, value)
    if not math.isfinite(high):
        return high, 0.0
    return high, float(np.array(float(value - Fraction(high)), dtype))


_STEPS = 256
_LN2 = sum((Fraction(1, j << j) for j in range(1, 200)), Fraction(0))


@functools.lru_cache
def _powers(dtype: Any) -> Any:
    """2^(j/256) as pairs, j = -512..512."""
    with localcontext() as context:
        context.prec = 60
        values = [Fraction(Decimal(2) ** (Decimal(j) / _STEPS)) for j in range(-2 * _STEPS, 2 * _STEPS + 1)]
    return np.array([_words(value, dtype) for value in values], dtype).T.copy()


def _wide(x: Array) -> Array:
    return x if x.dtype in (jnp.float64, jnp.float32) else x.astype(jnp.float32)


# ---------------------------------------------------------------------------------------------------------------------
# Checks
# ---------------------------------------------------------------------------------------------------------------------


def _check_loss(
    name: str, scores: ArrayLike, labels: ArrayLike, k: int, tau: float, alpha: float
) -> tuple[Array, Array, int, _Numbers]:
    scores = _check_matrix(name, "scores", scores)
    k = _check_order(name, k, scores.shape[1], 1, "n - 1")
    numbers = _numbers(name, k, tau, alpha, _wide(scores).dtype)
    return scores, _check_labels(name, labels, scores), k, numbers


def _numbers(name: str, k: int, tau: float, alpha: float, dtype: Any) -> _Numbers:
    tau, alpha = _check_temperature(name, tau, k, dtype), _check_margin(name, alpha)
    margin = Fraction(k) * Fraction(alpha)
    return _Numbers(
        _words(Fraction(k) * Fraction(tau), dtype),
        _words(margin, dtype),
        _words(margin * Fraction(_fraction(k)), dtype),
        tau,
    )


def _is_concrete(x: Any) -> bool:
    return not isinstance(x, jax.core.Tracer)


def _check_matrix(name: str, argument: str, given: ArrayLike) -> Array:
    x = jnp.asarray(given)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        x = x.astype(jnp.result_type(float))
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"{name}: {argument} has shape {list(x.shape)}, expected [batch, n]")
    if _is_concrete(x):
        _refuse(name, argument, np.asarray(x), ~np.asarray(x < jnp.inf), "a finite number or -Infinity")
    return x


def _check_directions(name: str, given: ArrayLike, x: Array) -> Array:
    v = jnp.asarray(given, x.dtype)
    if v.shape != x.shape:
        raise ValueError(f"{name}: v has shape {list(v.shape)}, expected {list(x.shape)}")
    if _is_concrete(v):
        _refuse(name, "v", np.asarray(v), ~np.asarray(jnp.isfinite(v)), "a finite number")
    return v


def _refuse(name: str, argument: str, x: Any, wrong: Any, expected: str) -> None:
    if wrong.any():
        b, i = np.argwhere(wrong)[0]
        raise ValueError(f"{name}: {argument}[{b}, {i}] is {_shown(x[b, i])}, expected {expected}")


def _shown(value: Any) -> str:
    value = float(value)
    if math.isfinite(value):
        return repr(value)
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _check_order(name: str, k: Any, n: int, lowest: int, highest: str) -> int:
    if isinstance(k, bool) or k != k or k in (math.inf, -math.inf) or int(k) != k:
        raise ValueError(f"{name}: k must be an integer: got k = {k}")
    if k < lowest:
        raise ValueError(f"{name}: k must be at least {lowest}: got k = {k}")
    if k > (n if highest == "n" else n - 1):
        raise ValueError(f"{name}: k must be at most {highest}: got k = {k}, n = {n}")
    return int(k)


def _check_temperature(name: str, tau: Any, k: int, dtype: Any) -> float:
    if not 0 < tau < math.inf:
        raise ValueError(f"{name}: tau must be a number > 0: got tau = {_shown(tau)}")
    largest = 1e280 if dtype == jnp.float64 else 1e30
    if not 1 / largest <= k * tau <= largest:
        raise ValueError(f"{name}: k tau must be between {1 / largest} and {largest}: got tau = {tau}")
    return float(tau)


def _check_margin(name: str, alpha: Any) -> float:
    if not math.isfinite(alpha):
        raise ValueError(f"{name}: alpha must be a finite number: got alpha = {_shown(alpha)}")
    return float(alpha)


def _check_labels(name: str, given: ArrayLike, scores: Array) -> Array:
    batch, n = scores.shape
    labels = jnp.asarray(given)
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
