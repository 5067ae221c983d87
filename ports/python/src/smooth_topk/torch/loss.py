"""Smooth top-k losses in PyTorch: one file, which can be copied and needs nothing but torch.

    criterion = SmoothTopkLoss(k=5, tau=1.0)
    criterion(model(images), labels).backward()

The k-th largest other score c is the unit: with e_i = exp((s_i - c)/(k tau)), the loss needs sigma_k / sigma_{k-1} of
the others, and its gradient the same without each entry. The few largest entries (heavy) are multiplied out by a tree
of products. All others (light) enter by power sums, from which Newton's identities give their polynomial, and get their
gradients by one polynomial in e_i per row: a dozen passes over the scores, whatever k. docs/algorithm.md proves the
bounds. There is no loop over classes, no branch on data, and nothing waits for the device.

float64 and float32 are computed in themselves (u = 2^-53 and 2^-24), with what is small in float64; float16 and
bfloat16 in float32, in which their losses are returned.

L. Berrada, A. Zisserman, M. P. Kumar, Smooth Loss Functions for Deep Top-k Classification, ICLR 2018.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

# ---------------------------------------------------------------------------------------------------------------------
# Functions
# ---------------------------------------------------------------------------------------------------------------------


def smooth_topk_loss(
    scores: Tensor,
    labels: Tensor,
    k: int = 5,
    tau: float = 1.0,
    alpha: float = 1.0,
    *,
    weight: Tensor | None = None,
    sample_weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "none",
    check: bool | None = None,
) -> Tensor:
    """Smooth top-k loss of each sample; differentiable in scores, any number of times.

        L = tau log(1 + exp z),  z = alpha/tau + log sigma_k(e) - log sigma_{k-1}(e) - s_y/(k tau),
        e_i = exp(s_i/(k tau)) over the classes i != y;
        dL/ds_y = -w/k,  dL/ds_i = (w/k) e_i (d_{k-1}^2 - d_{k-2} d_k)/(sigma_k sigma_{k-1}),
        w = 1/(1 + exp(-z)),  d_j = sigma_j(e without i).

    scores         [n], [batch, n] or [batch, n, d1, ...], a floating type; -inf masks a class.
    labels         [], [batch] or [batch, d1, ...] integers in [0, n - 1], not masked, or ignore_index.
    k              integer, 1 <= k <= n - 1.
    tau            temperature, > 0: towards 0, L becomes topk_loss.
    alpha          margin, finite.
    weight         [n], a factor for each class, of the losses with that label.
    sample_weight  of the labels' shape, a factor for each loss.
    ignore_index   label of samples whose loss and gradient are 0, and which the mean does not count.
    reduction      'none': the labels' shape; 'sum'; 'mean', divided by the sum of the factors of the samples that
    count. As in torch's cross_entropy, the mean of no samples is NaN.
    check          True refuses values that are not admissible, False does not look at them. None, the default, looks
                   where that costs no waiting: on the processor, outside of torch.compile and torch.func.

    Where masking leaves fewer than k other classes, loss and gradient are 0.
    Raises ValueError naming the argument, the index, the value and what was expected.

    Mind the scale: scores enter divided by k, as in the authors' code; k = 1, tau = 1, alpha = 0 is the cross-entropy.
    float64: relative error of the loss at most (8 + |z|) u, of gradient entries above 1e-280 at most 64 k u. float32:
    1e-5 of the loss; 1e-3 of each entry above 1e-30, and 1e-5 of the row's largest.
    O(n + k^2) operations per row for k <= 8, O(n J + k^2 log k) for larger k, J terms of a series that shrinks with
    n / k. The gradient is computed with the loss if there is one to compute; each further derivative by autograd.

    >>> scores = torch.tensor([[2.0, 1.0, 0.5, 0.0, -1.0, 0.25]])
    >>> print(f"{smooth_topk_loss(scores, torch.tensor([4]), k=2).item():.4f}")
    2.6673
    """
    name = "smooth_topk_loss"
    rows, targets, shape = _rows(name, scores, labels)
    k = _check_order(name, k, rows.shape[1])
    tau = _check_temperature(name, tau, k, rows.dtype)
    alpha = _check_margin(name, alpha)
    targets, counted = _check_values(name, scores, labels, rows, targets, ignore_index, check)
    function = _SmoothTopkLoss if _compiling() else _TransformableLoss
    loss = function.apply(rows, targets, k, tau, alpha, torch.is_grad_enabled())[0]
    return _reduce(name, loss, targets, counted, shape, rows.shape[1], weight, sample_weight, reduction)


def topk_loss(
    scores: Tensor,
    labels: Tensor,
    k: int = 5,
    alpha: float = 1.0,
    *,
    weight: Tensor | None = None,
    sample_weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "none",
    check: bool | None = None,
) -> Tensor:
    """Hard top-k loss of each sample, with a subgradient.

        l = max(0, alpha + (s_[k] - s_y)/k),  s_[k] the k-th largest score of the classes besides y;
        where l > 0: -1/k at y, 1/k shared equally by the classes tied at s_[k]; elsewhere 0, the kink included.

    This is the limit of smooth_topk_loss as tau -> 0. Arguments, masking and errors as there.
    Relative error of the loss at most 2 u. Its second derivative is 0.
    """
    name = "topk_loss"
    rows, targets, shape = _rows(name, scores, labels)
    k = _check_order(name, k, rows.shape[1])
    alpha = _check_margin(name, alpha)
    targets, counted = _check_values(name, scores, labels, rows, targets, ignore_index, check)
    label = targets[:, None]
    with torch.no_grad():
        top, index = rows.topk(k + 1, 1)
        kth = torch.where((index[:, :k] == label).any(1), top[:, k], top[:, k - 1])
        active, margin, _ = _hard_margin(rows.gather(1, label).squeeze(1), kth, k, alpha)
        value = torch.where(active, margin, torch.zeros_like(margin)).to(rows.dtype)
        tied = ((rows == kth[:, None]) & active[:, None]).scatter(1, label, False).to(rows.dtype)
        grad = tied / (k * tied.sum(1, keepdim=True).clamp(min=1))
        grad = grad.scatter(1, label, -active[:, None].to(rows.dtype) / k)
    if torch.is_grad_enabled():
        # 0, with the derivative.
        finite = rows.clamp(min=torch.finfo(rows.dtype).min)
        value = value + ((finite - finite.detach()) * grad).sum(1)
    return _reduce(name, value, targets, counted, shape, rows.shape[1], weight, sample_weight, reduction)


# ---------------------------------------------------------------------------------------------------------------------
# Modules
# ---------------------------------------------------------------------------------------------------------------------


class SmoothTopkLoss(torch.nn.Module):
    """smooth_topk_loss as a module, with the mean as the default reduction.

    >>> criterion = SmoothTopkLoss(k=2, tau=0.5)
    >>> criterion
    SmoothTopkLoss(k=2, tau=0.5, alpha=1.0, reduction='mean')
    """

    weight: Tensor | None

    def __init__(
        self,
        k: int = 5,
        tau: float = 1.0,
        alpha: float = 1.0,
        *,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        check: bool | None = None,
    ) -> None:
        super().__init__()
        _check_reduction(type(self).__name__, reduction)
        self.register_buffer("weight", weight)
        self.k, self.tau, self.alpha = k, tau, alpha
        self.ignore_index, self.reduction, self.check = ignore_index, reduction, check

    def forward(self, scores: Tensor, labels: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        return smooth_topk_loss(
            scores,
            labels,
            self.k,
            self.tau,
            self.alpha,
            weight=self.weight,
            sample_weight=sample_weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            check=self.check,
        )

    def extra_repr(self) -> str:
        return f"k={self.k}, tau={self.tau}, alpha={self.alpha}, reduction={self.reduction!r}"


class SmoothTopkSVM(SmoothTopkLoss):
    """The loss under the name and with the arguments of the authors' code: topk.svm.SmoothTopkSVM.

    n_classes  the number of classes of the scores that it will be given.
    alpha      margin, at least 0; None is 1.
    tau        temperature; may be set later, as there.
    k          integer.

    The mean over the batch. Their checkpoints hold a buffer `labels` of the class numbers, which is dropped.
    Raises ValueError or TypeError where the arguments mean something else there than they would here.
    """

    def __init__(self, n_classes: int, alpha: float | None = None, tau: float = 1.0, k: int = 5) -> None:
        ours = "; SmoothTopkLoss(k, tau, alpha) takes no number of classes"
        if not isinstance(n_classes, int) or isinstance(n_classes, bool) or n_classes < 1:
            raise ValueError(f"SmoothTopkSVM: n_classes is {n_classes!r}, expected an integer > 0{ours}")
        if alpha is not None and not alpha >= 0:
            raise ValueError(f"SmoothTopkSVM: alpha is {alpha!r}, expected None or a number >= 0{ours}")
        if k > n_classes - 1:
            raise ValueError(
                f"SmoothTopkSVM: k must be at most n_classes - 1: got k = {k}, n_classes = {n_classes}{ours}"
            )
        super().__init__(k, tau, 1.0 if alpha is None else alpha)
        self.n_classes = n_classes

    def forward(self, scores: Tensor, labels: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        if scores.ndim != 2 or scores.shape[1] != self.n_classes:
            raise ValueError(
                f"SmoothTopkSVM: scores has shape {list(scores.shape)}, expected [batch, {self.n_classes}]"
                f" of SmoothTopkSVM(n_classes={self.n_classes})"
            )
        return super().forward(scores, labels, sample_weight)

    def extra_repr(self) -> str:
        return f"n_classes={self.n_classes}, alpha={self.alpha}, tau={self.tau}, k={self.k}"

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        state_dict.pop(prefix + "labels", None)
        super()._load_from_state_dict(state_dict, prefix, *rest)


# ---------------------------------------------------------------------------------------------------------------------
# Derivatives
# ---------------------------------------------------------------------------------------------------------------------


class _SmoothTopkLoss(torch.autograd.Function):
    """(loss [batch], its gradient [batch, n], or [batch, 0] where none is wanted)."""

    if hasattr(torch.autograd.Function, "setup_context"):

        @staticmethod
        def forward(scores: Tensor, labels: Tensor, k: int, tau: float, alpha: float, with_grad: bool) -> Any:
            return _loss_and_grad(scores, labels, k, tau, alpha, with_grad, tape=False)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            _SmoothTopkLoss._save(ctx, inputs, output)

    else:

        @staticmethod
        def forward(  # type: ignore[misc]
            ctx: Any, scores: Tensor, labels: Tensor, k: int, tau: float, alpha: float, with_grad: bool
        ) -> Any:
            output = _loss_and_grad(scores, labels, k, tau, alpha, with_grad and ctx.needs_input_grad[0], tape=False)
            _SmoothTopkLoss._save(ctx, (scores, labels, k, tau, alpha, with_grad), output)
            return output

    @staticmethod
    def _save(ctx: Any, inputs: Any, output: Any) -> None:
        scores, labels, k, tau, alpha, _ = inputs
        ctx.parameters = (k, tau, alpha)
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(scores, labels, output[1])
        ctx.save_for_forward(scores, labels)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor | None, _: Any) -> Any:
        scores, labels, grad = ctx.saved_tensors
        if cotangent is None:
            return None, None, None, None, None, None
        if torch.is_grad_enabled():
            # A higher derivative is wanted: the same gradient again, on the tape.
            k, tau, alpha = ctx.parameters
            grad = _loss_and_grad(scores, labels, k, tau, alpha, with_grad=True, tape=True)[1]
        return cotangent[:, None] * grad, None, None, None, None, None


class _TransformableLoss(_SmoothTopkLoss):
    """The same with the rules of forward mode and vmap, which torch.compile does not take."""

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: Any) -> Any:
        scores, labels = ctx.saved_tensors
        k, tau, alpha = ctx.parameters
        grad = _loss_and_grad(scores, labels, k, tau, alpha, with_grad=True, tape=True)[1]
        return (tangent * grad).sum(1), None

    @staticmethod
    def vmap(info: Any, in_dims: Any, scores: Tensor, labels: Tensor, *parameters: Any) -> Any:
        # The mapped axis becomes rows.
        both = [
            x.expand(info.batch_size, *x.shape) if dim is None else x.movedim(dim, 0)
            for x, dim in zip((scores, labels), in_dims[:2], strict=True)
        ]
        loss, grad = _TransformableLoss.apply(both[0].flatten(0, 1), both[1].flatten(0, 1), *parameters)
        size = both[0].shape[:2]
        return (loss.unflatten(0, size), grad.unflatten(0, size)), (0, 0)


# ---------------------------------------------------------------------------------------------------------------------
# Loss and gradient of a matrix of scores
# ---------------------------------------------------------------------------------------------------------------------

_BLOCK = 1 << 17
"""Bytes of scores that are worked on at a time on a processor: what three arrays of leave in a second-level cache."""


def _loss_and_grad(
    scores: Tensor, labels: Tensor, k: int, tau: float, alpha: float, with_grad: bool, tape: bool
) -> tuple[Tensor, Tensor]:
    """Loss [batch] and gradient [batch, n] ([batch, 0] without with_grad) of float64 or float32.

    tape: from operations that autograd can record; otherwise arrays are written to more than once.
    """
    batch, n = scores.shape
    if batch == 0:
        return scores.sum(1), scores * 0
    tape = tape or _compiling()
    tiers = _tiers(n, k, scores.dtype)
    if tiers is not None:
        return _by_light_and_heavy(scores, labels, k, tau, alpha, with_grad, tape, tiers)
    # All are heavy. The levels of the tree are log n times as large as the rows.
    step = max(1, (1 << 22) // (n * min(k, n - k + 1)))
    parts = [
        _by_products(scores[b : b + step], labels[b : b + step], k, tau, alpha, with_grad)
        for b in range(0, batch, step)
    ]
    if len(parts) == 1:
        return parts[0]
    loss, grad = zip(*parts, strict=True)
    return torch.cat(loss), torch.cat(grad)


class _Tiers(NamedTuple):
    heavy: int
    """How many of the largest entries are multiplied out."""
    medium: int
    """How many of the next have a longer series than the rest."""
    medium_terms: int
    light_terms: int


def _tiers(n: int, k: int, dtype: torch.dtype) -> _Tiers | None:
    """Which entries are heavy, by their rank, and the orders of the series of the others; None if all have to be heavy.

    With P the polynomial of the row, an entry e behind r others has

        e P_{j-1}/P_j <= j/(r - j + 2):  j P_j >= P_{j-1} (sum of all but the j - 1 largest), r - j + 2 of which are >=
        e.

    So the terms e^l P_{k-l}/P_k of both series fall at least like the product of these bounds, from 1 on where r is 2k
    or more, and those left out are below the precision of the result. Both series end by themselves, at k and k - 1.
    """
    heavy = 2 * k + 2
    if heavy * 3 > n * 2 or k > _LARGEST_ORDER:
        return None
    terms, further = _terms(k, heavy - 1, dtype), _terms(k, 8 * k - 1, dtype)
    if n < 32 * k or further * 2 > terms:
        return _Tiers(heavy, 0, 0, terms)
    return _Tiers(heavy, 8 * k - heavy, terms, further)


def _terms(k: int, rank: int, dtype: torch.dtype) -> int:
    """After how many terms the rest, k/(terms + 1) times the product of the bounds, is below the precision."""
    precision = 2.0**-56 if dtype == torch.float64 else 2.0**-22
    rest, terms = float(k), 0
    while terms < k and rest > precision * (terms + 1):
        terms += 1
        rest *= (k - terms) / (rank - k + terms + 2)
    return terms


_LARGEST_ORDER = 290
"""Up to here products of heavy and light polynomials, at most 2^(2k) e^k, are in the range of a float64."""


def _by_light_and_heavy(
    scores: Tensor,
    labels: Tensor,
    k: int,
    tau: float,
    alpha: float,
    with_grad: bool,
    tape: bool,
    tiers: _Tiers,
) -> tuple[Tensor, Tensor]:
    batch, n = scores.shape
    dtype, exact = scores.dtype, scores.dtype == torch.float64
    label = labels[:, None]
    factor = _reciprocal_of_product(k, tau)

    # The largest entries, the label made absent among them: one of the heavy at the most, so that 2k + 1 are left.
    index = _largest(scores.detach(), tiers.heavy + tiers.medium)
    is_label = index == label
    top = scores.gather(1, index).double()
    centre = torch.where(is_label[:, :k].any(1), top[:, k], top[:, k - 1]).detach()
    empty = centre == -math.inf
    centre, top = centre.masked_fill(empty, 0), top.masked_fill(is_label, -math.inf).masked_fill(empty[:, None], 0)
    constant, linear = _factors(top[:, : tiers.heavy].t(), centre, factor, exact)

    # The light ones: e with 0 for the heavy ones and the label, and the power sums of e.
    narrow = centre.to(dtype)[:, None]
    removed = torch.cat((index, label), 1)
    size = batch if tape or scores.device.type != "cpu" else max(1, _BLOCK // (n * scores.element_size()))
    blocks = [slice(b, min(b + size, batch)) for b in range(0, batch, size)]
    kept = with_grad and not tape
    grad = scores.new_empty(batch, n if kept else 0)
    light, sums = [], []
    for rows in blocks:
        e = _exponentials(scores[rows], narrow[rows], factor, exact, grad[rows] if kept else None)
        e = e.scatter(1, removed[rows], 0) if tape else e.scatter_(1, removed[rows], 0)
        if with_grad:
            light.append(e)
        sums.append(_power_sums(e, tiers.light_terms, tape))
    power_sums = torch.cat(sums, 1).double() if len(sums) > 1 else sums[0].double()
    terms = max(tiers.light_terms, tiers.medium_terms)
    if tiers.medium > 0:
        medium = _exponentials(top[:, tiers.heavy :], centre[:, None], factor, exact, None)
        sums_of_medium = _power_sums(medium, terms, tape)
        rest = power_sums.new_zeros(terms - tiers.light_terms, batch)
        power_sums = sums_of_medium + torch.cat((power_sums, rest))

    # Where coefficients could leave the range, e is multiplied by the unit k / S, which keeps those near order k moderate.
    unit = None
    if _log_binomial(n, k) > 600:
        rest = linear.detach().sort(0)[0][: tiers.heavy - k + 1].sum(0) + power_sums[0].detach()
        unit = (k / rest).clamp(max=1)
        linear = linear * unit
        power_sums = power_sums * unit ** torch.arange(1, terms + 1, dtype=unit.dtype, device=unit.device)[:, None]

    # The polynomial of all but each half of the heavy ones, and of all: the orders that the series need.
    light_polynomial = _newton(power_sums, k)[:, None]
    levels = _product_tree(constant, linear, k)[:-1]
    half = levels[-1][:, :1]
    others = _window_product(light_polynomial, levels[-1].flip(1), 0, k)
    degree = min(k - 1, terms) if with_grad else 0
    lowest = max(0, k - 2 - degree)
    polynomial = _window_product(others[:, :1], half, lowest, k)[:, 0]
    below, above = polynomial[-2], polynomial[-1]
    ratio = above / below if unit is None else above / below / unit
    label_scores = scores.gather(1, label).squeeze(1).double()
    loss, slope = _softplus(ratio, centre, label_scores, k, tau, alpha, factor, empty, exact)
    if not with_grad:
        return loss.to(dtype), grad

    # Heavy: products of the others. Light: w e sum_l (-e)^l (P_{k-1-l}/P_k - P_{k-2-l}/P_{k-1}).
    one_out = _leave_one_out(levels, others, k, k - 2)[:, : tiers.heavy]
    heavy_grad = slope * _log_ratio_grad(constant, linear, one_out, below, above, k)
    series = polynomial[k - 1 - degree - lowest : -1] / above
    shifted = polynomial[:-2] / below
    if series.shape[0] > shifted.shape[0]:
        shifted = torch.cat((torch.zeros_like(above)[None], shifted))
    series = slope * (series - shifted)
    if unit is not None:
        series = series * unit ** torch.arange(degree + 1, 0, -1, dtype=unit.dtype, device=unit.device)[:, None]
    series = series[:, :, None]
    if tiers.medium > 0:
        medium_grad = _horner(medium, series, None if tape else medium)
        heavy_grad = torch.cat((heavy_grad, medium_grad.t()))
    heavy_grad, label_grad = heavy_grad.t().to(dtype), -slope.to(dtype)[:, None]
    series = series[max(0, degree - tiers.light_terms) :].to(dtype)
    if tape:
        grad = _horner(light[0], series, None)
        return loss.to(dtype), grad.scatter(1, index, heavy_grad).scatter(1, label, label_grad)
    for rows, e in zip(blocks, light, strict=True):
        _horner(e, series[:, rows], e)
    return loss.to(dtype), grad.scatter_(1, index, heavy_grad).scatter_(1, label, label_grad)


def _by_products(
    scores: Tensor, labels: Tensor, k: int, tau: float, alpha: float, with_grad: bool
) -> tuple[Tensor, Tensor]:
    """The same by products alone, of all entries; orders above n / 2 count the entries that are left out."""
    dtype, exact = scores.dtype, scores.dtype == torch.float64
    n = scores.shape[1]
    label = labels[:, None]
    factor = _reciprocal_of_product(k, tau)
    others = scores.double().scatter(1, label, -math.inf)
    centre = others.detach().topk(k, 1)[0][:, k - 1]
    empty = centre == -math.inf
    centre, others = centre.masked_fill(empty, 0), others.masked_fill(empty[:, None], 0)
    constant, linear, unit = _tilt(*_factors(others.t(), centre, factor, exact), k)
    reverse = 2 * k > n + 1
    order = n - k + 1 if reverse else k
    levels = _product_tree(linear, constant, order) if reverse else _product_tree(constant, linear, order)
    below, above = levels[-1][order - 1, 0], levels[-1][order, 0]
    ratio = (below / above if reverse else above / below) / unit
    label_scores = scores.gather(1, label).squeeze(1).double()
    loss, slope = _softplus(ratio, centre, label_scores, k, tau, alpha, factor, empty, exact)
    if not with_grad:
        return loss.to(dtype), scores.new_empty(scores.shape[0], 0)
    one_out = _leave_one_out(levels, torch.ones_like(levels[-1][:1]), order, order - 2)[:, :n]
    grad = slope * _log_ratio_grad(constant, linear, one_out, below, above, order)
    return loss.to(dtype), grad.t().scatter(1, label, -slope[:, None]).to(dtype)


# ---------------------------------------------------------------------------------------------------------------------
# Light entries
# ---------------------------------------------------------------------------------------------------------------------


def _largest(x: Tensor, count: int) -> Tensor:
    """Indices of the count largest of each row, in falling order.

    Every `width`-th column makes a group. The count groups of the largest maxima hold them: what is in another is below
    a maximum of each.
    """
    batch, n = x.shape
    groups = int(math.sqrt(n // count))
    if groups < 3:
        return x.topk(count, 1)[1]
    width = n // groups
    maxima = x[:, : groups * width].reshape(batch, groups, width).amax(1)
    first = maxima.topk(count, 1, sorted=False)[1]
    steps = torch.arange(0, groups * width, width, device=x.device)
    rest = torch.arange(groups * width, n, device=x.device).expand(batch, -1)
    candidates = torch.cat(((first[:, None] + steps[:, None]).flatten(1), rest), 1)
    return candidates.gather(1, x.gather(1, candidates).topk(count, 1)[1])


def _exponentials(x: Tensor, centre: Tensor, factor: tuple[float, float], exact: bool, out: Tensor | None) -> Tensor:
    """exp((x - c)/(k tau)) for x below c; in float64 as exact as x - c and the quotient were exact."""
    if exact:
        distance, low = _two_sum(x, -centre)
        quotient, low = _scale(distance, low, factor)
        power = torch.exp(quotient)
        return torch.addcmul(power, power, low, out=out)
    if out is None:
        return torch.exp((x - centre) * factor[0])
    return torch.sub(x, centre, out=out).mul_(factor[0]).exp_()


def _power_sums(e: Tensor, terms: int, tape: bool) -> Tensor:
    """sum_i e_i^m, m = 1..terms: [terms, rows]."""
    sums, power, scratch = [e.sum(1)], e, None
    for _ in range(1, terms):
        power = scratch = torch.mul(power, e, out=scratch)
        sums.append(power.sum(1))
        scratch = None if tape else scratch
    return torch.stack(sums)


def _newton(power_sums: Tensor, k: int) -> Tensor:
    """Coefficients 0..k of prod (1 + e_i X) from the power sums: j c_j = p_1 c_{j-1} - p_2 c_{j-2} + ..."""
    signed = power_sums.clone()
    signed[1::2] *= -1
    terms, batch = signed.shape
    arrived = signed.new_zeros(k + 1, batch)
    c = [torch.ones_like(arrived[0])]
    for j in range(1, k + 1):
        end = min(k, j - 1 + terms)
        arrived[j : end + 1].addcmul_(signed[: end - j + 1], c[-1])
        c.append(arrived[j] / j)
    return torch.stack(c)


def _horner(e: Tensor, series: Tensor, out: Tensor | None) -> Tensor:
    """e (a_0 - e (a_1 - e (a_2 - ...))), the series [.., rows, 1] from the last to the first."""
    if series.shape[0] == 1:
        return torch.mul(e, series[0], out=out)
    scratch = torch.addcmul(series[1], e, series[0], value=-1)
    for a in series[2:]:
        scratch = torch.addcmul(a, e, scratch, value=-1, out=None if out is None else scratch)
    return torch.mul(e, scratch, out=out)


# ---------------------------------------------------------------------------------------------------------------------
# Heavy entries: polynomials as [coefficients, factors, batch]
# ---------------------------------------------------------------------------------------------------------------------


def _factors(x: Tensor, centre: Tensor, factor: tuple[float, float], exact: bool) -> tuple[Tensor, Tensor]:
    """(constant, linear), each [entries, batch]: the factors of prod_i (1 + exp((x_i - c)/T) X), up to a scale of each.

    (r, 1) with r = exp((c - x_i)/T) above the centre, (1, exp((x_i - c)/T)) below: no number is above 1, the k largest
    entries contribute at least 1 to coefficients k and k - 1, and what underflows is negligible beside that.
    """
    absent = x == -math.inf
    x = torch.where(absent, centre, x)
    if exact:
        distance, low = _scale(*_two_sum(x, -centre), factor)
    else:
        distance, low = (x - centre) * factor[0], torch.zeros_like(x)
    above = distance > 0
    power = torch.exp(torch.where(above, -distance, distance))
    if exact:
        power = power + power * torch.where(above, -low, low)
    return power.masked_fill(~above, 1), power.masked_fill(above, 1).masked_fill(absent, 0)


def _tilt(constant: Tensor, linear: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Where the coefficients could overflow, the factors in units in which they are a probability distribution.

    With p_i = unit linear_i / (constant_i + unit linear_i) the factors are (1 - p_i) + p_i X and coefficient j is the
    probability that j of n independent events happen. unit is chosen, by bisection, so that k - 1/2 are expected: the
    coefficients k - 1 and k are then at the peak, and nothing that underflows can matter beside them.
    Returns (constant, linear, unit [batch]). Depends on the shape only whether anything is done.
    """
    n = linear.shape[0]
    low = torch.zeros_like(linear[0])
    if _log_binomial(n, k) < 600:
        return constant, linear, low + 1
    # At least k entries are at or above the centre, at most k - 1 above: that brackets the unit.
    with torch.no_grad():
        low, high = low - math.log(2 * n), low + math.log(2 * k + 1)
        for _ in range(14):
            middle = (low + high) / 2
            share = torch.exp(middle) * linear
            few = torch.sum(share / (constant + share), 0) < k - 0.5
            low, high = torch.where(few, middle, low), torch.where(few, high, middle)
        unit = torch.exp((low + high) / 2)
    share = unit * linear
    total = constant + share
    return constant / total, share / total, unit


def _product_tree(constant: Tensor, linear: Tensor, order: int) -> list[Tensor]:
    """The tree of products of the factors constant_i + linear_i X, truncated beyond X^order.

    Returns the levels, leaves first: level l holds polynomials of degree min(2^l, order), padded by ones to an even
    number of them. Node i of a level is the product of the nodes i and i + half of the level below.
    """
    levels = [torch.stack((constant, linear))[: order + 1]]
    while levels[-1].shape[1] > 1:
        level = levels[-1]
        if level.shape[1] % 2:
            one = torch.zeros_like(level[:, :1])
            one[0] = 1
            level = levels[-1] = torch.cat((level, one), 1)
        half = level.shape[1] // 2
        left, right = level[:, :half], level[:, half:]
        levels.append(_window_product(left, right, 0, min(order, 2 * (left.shape[0] - 1))))
    return levels


def _leave_one_out(levels: list[Tensor], outside: Tensor, order: int, lowest: int) -> Tensor:
    """Coefficients max(0, lowest)..order of `outside` times all factors but one: [.., factors, batch].

    Down the tree: what is outside a child is what is outside its parent, times its sibling. A node of 2^l leaves needs
    only the 2^l - 1 coefficients below the lowest.
    """
    first = 0
    for level in range(len(levels) - 2, -1, -1):
        nodes = levels[level]
        half = nodes.shape[1] // 2
        siblings = nodes.view(nodes.shape[0], 2, half, -1).flip(1)
        needed = max(0, lowest - (2**level - 1))
        last = min(order, outside.shape[0] + first + nodes.shape[0] - 2)
        outside = _window_product(outside[:, None, :half], siblings, needed, last, first).flatten(1, 2)
        first = needed
    missing = order - first + 1 - outside.shape[0]
    return torch.cat((outside, outside.new_zeros(missing, *outside.shape[1:]))) if missing else outside


def _window_product(p: Tensor, q: Tensor, first: int, last: int, p_first: int = 0) -> Tensor:
    """Coefficients first..last of p q. p holds the coefficients from p_first on, q those from 0 on."""
    shape = [max(sizes) for sizes in zip(p.shape[1:], q.shape[1:], strict=True)]
    out = p.new_zeros(last - first + 1, *shape)
    for j in range(q.shape[0]):
        low = max(first, p_first + j)
        high = min(last, p_first + j + p.shape[0] - 1)
        if low <= high:
            out[low - first : high - first + 1].addcmul_(q[j : j + 1], p[low - j - p_first : high - j - p_first + 1])
    return out


def _log_ratio_grad(constant: Tensor, linear: Tensor, d: Tensor, below: Tensor, above: Tensor, order: int) -> Tensor:
    """d (log sigma_k - log sigma_{k-1}) / d x_i from d = sigma_{k-2}..sigma_k without i; order 1 has no sigma_{-1}."""
    grad = (d[-2] / above) * (d[-2] / below)
    if order > 1:
        grad = grad - (d[-3] / below) * (d[-1] / above)
    return constant * linear * grad


# ---------------------------------------------------------------------------------------------------------------------
# The margin
# ---------------------------------------------------------------------------------------------------------------------


def _softplus(
    ratio: Tensor,
    centre: Tensor,
    label_scores: Tensor,
    k: int,
    tau: float,
    alpha: float,
    factor: tuple[float, float],
    empty: Tensor,
    exact: bool,
) -> tuple[Tensor, Tensor]:
    """(tau log(1 + exp z), logistic(z)/k), exp z = ratio exp((k alpha + centre - s_y)/(k tau))."""
    _, margin, pair = _hard_margin(label_scores, centre, k, alpha)
    a, a_low = _scale(*pair, factor)
    large = a > 700
    power = torch.exp(a.masked_fill(large, 0))
    odds = ratio * (power + power * a_low)
    loss = torch.where(large, margin + tau * torch.log(ratio), tau * torch.log1p(odds))
    slope = (odds / (1 + odds)).masked_fill(large, 1).masked_fill(empty, 0) / k
    return loss.masked_fill(empty, 0), slope


def _hard_margin(
    label_scores: Tensor, centre: Tensor, k: int, alpha: float
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """(margin > 0, margin / k, margin as a pair) of k alpha + centre - s_y, whose terms may be large and cancel."""
    label_scores, centre = label_scores.double(), centre.double()
    high, low = _two_product(float(k), alpha)
    # In quarters: differences of the largest numbers are in the range.
    difference, first = _two_sum(centre / 4, -label_scores / 4)
    total, second = _two_sum(difference, torch.full_like(centre, high / 4))
    margin, rest = _two_sum(total, first + second + low / 4)
    pair = (margin * 4, (rest * 4).masked_fill(~((margin * 4).abs() < math.inf), 0))
    return (margin > 0) & (centre > -math.inf), margin / k * 4, pair


# ---------------------------------------------------------------------------------------------------------------------
# Pairs of floats
# ---------------------------------------------------------------------------------------------------------------------


def _two_sum(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """(s, e): a + b = s + e exactly, s rounded. e carries no derivative."""
    s = a + b
    with torch.no_grad():
        t = s - a
        return s, (a - (s - t)) + (b - t)


def _scale(a: Tensor, a_low: Tensor, factor: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """(a + a_low) times a pair, as a pair. Its low part is 0 beyond an exponential's range and has no derivative."""
    high, low = factor
    product = a * high
    with torch.no_grad():
        t = a * _SPLIT
        a_high = t - (t - a)
        a_rest = a - a_high
        b_high, b_rest = _split(high)
        error = a_high * b_high
        error -= product
        error = torch.add(error, a_high, alpha=b_rest).add_(a_rest, alpha=b_high).add_(a_rest, alpha=b_rest)
        error.add_(a_low, alpha=high).add_(a, alpha=low)
        return product, error.masked_fill_(~(product.abs() < 1e4), 0)


_SPLIT = 2.0**27 + 1


def _split(a: float) -> tuple[float, float]:
    """a = high + low, each with half the digits."""
    t = a * _SPLIT
    high = t - (t - a)
    return high, a - high


def _two_product(a: float, b: float) -> tuple[float, float]:
    """(p, e): a b = p + e exactly, p rounded."""
    p = a * b
    (a_high, a_low), (b_high, b_low) = _split(a), _split(b)
    error = a_low * b_low - (((p - a_high * b_high) - a_low * b_high) - a_high * b_low)
    return p, error if math.isfinite(error) else 0.0


def _reciprocal_of_product(k: int, tau: float) -> tuple[float, float]:
    """1/(k tau) as a pair."""
    product, low = _two_product(float(k), tau)
    high = 1 / product
    one, error = _two_product(high, product)
    return high, ((1 - one) - error - high * low) / product


def _log_binomial(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _compiling() -> bool:
    compiler = getattr(torch, "compiler", None)
    return compiler is not None and bool(compiler.is_compiling())


# ---------------------------------------------------------------------------------------------------------------------
# The border
# ---------------------------------------------------------------------------------------------------------------------


def _rows(name: str, scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, torch.Size]:
    """(scores as [samples, n], labels as [samples], the shape of the losses)."""
    if not isinstance(scores, Tensor) or not scores.is_floating_point():
        kind = getattr(scores, "dtype", type(scores).__name__)
        raise ValueError(f"{name}: scores is a {kind}, expected a tensor of floats")
    if scores.ndim == 0 or scores.shape[min(1, scores.ndim - 1)] == 0:
        raise ValueError(f"{name}: scores has shape {list(scores.shape)}, expected [batch, n]")
    shape = scores.shape[:1] + scores.shape[2:] if scores.ndim > 1 else scores.shape[:0]
    if not isinstance(labels, Tensor):
        raise ValueError(f"{name}: labels is a {type(labels).__name__}, expected a tensor of integers")
    if labels.shape != shape:
        raise ValueError(f"{name}: labels has shape {list(labels.shape)}, expected {list(shape)}")
    if labels.device != scores.device:
        raise ValueError(f"{name}: labels is on {labels.device}, expected {scores.device}, where scores is")
    rows = scores if scores.ndim == 2 else scores[None] if scores.ndim == 1 else scores.movedim(1, -1).flatten(0, -2)
    if rows.dtype not in (torch.float64, torch.float32):
        rows = rows.float()
    return rows, labels.reshape(-1), shape


def _reduce(
    name: str,
    loss: Tensor,
    labels: Tensor,
    counted: Tensor | None,
    shape: torch.Size,
    n: int,
    weight: Tensor | None,
    sample_weight: Tensor | None,
    reduction: str,
) -> Tensor:
    _check_reduction(name, reduction)
    factor = None
    if weight is not None:
        if weight.shape != (n,):
            raise ValueError(f"{name}: weight has shape {list(weight.shape)}, expected [{n}]")
        factor = weight.to(loss.dtype)[labels]
    if sample_weight is not None:
        if sample_weight.shape != shape:
            raise ValueError(f"{name}: sample_weight has shape {list(sample_weight.shape)}, expected {list(shape)}")
        own = sample_weight.to(loss.dtype).reshape(-1)
        factor = own if factor is None else factor * own
    if counted is not None:
        loss = torch.where(counted, loss, torch.zeros_like(loss))
        kept = counted.to(loss.dtype)
        factor = kept if factor is None else torch.where(counted, factor, torch.zeros_like(factor))
    if factor is not None:
        loss = loss * factor
    if reduction == "none":
        return loss.reshape(shape)
    if reduction == "sum":
        return loss.sum()
    return loss.mean() if factor is None else loss.sum() / factor.sum()


def _check_reduction(name: str, reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{name}: reduction is {reduction!r}, expected 'none', 'mean' or 'sum'")


def _check_order(name: str, k: int, n: int) -> int:
    if isinstance(k, bool) or k != k or k in (math.inf, -math.inf) or int(k) != k:
        raise ValueError(f"{name}: k must be an integer: got k = {k}")
    if k < 1:
        raise ValueError(f"{name}: k must be at least 1: got k = {k}")
    if k > n - 1:
        raise ValueError(f"{name}: k must be at most n - 1: got k = {k}, n = {n}")
    return int(k)


def _check_temperature(name: str, tau: float, k: int, dtype: torch.dtype) -> float:
    if not 0 < tau < math.inf:
        raise ValueError(f"{name}: tau must be a number > 0: got tau = {_shown(tau)}")
    largest = 1e280 if dtype == torch.float64 else 1e30
    if not 1 / largest <= k * tau <= largest:
        raise ValueError(f"{name}: k tau must be between {1 / largest} and {largest}: got tau = {tau}")
    return float(tau)


def _check_margin(name: str, alpha: float) -> float:
    if not math.isfinite(alpha):
        raise ValueError(f"{name}: alpha must be a finite number: got alpha = {_shown(alpha)}")
    return float(alpha)


def _check_values(
    name: str, scores: Tensor, labels: Tensor, rows: Tensor, targets: Tensor, ignore_index: int, check: bool | None
) -> tuple[Tensor, Tensor | None]:
    """(labels as int64, 0 where ignored; which samples count, None if it is known that all do)."""
    if check is None:
        check = scores.device.type == "cpu" and not _compiling() and not _transformed(scores, labels)
    counted = targets != ignore_index
    if check:
        _refuse_values(name, scores, labels, rows.detach(), targets, ignore_index)
        if bool(counted.all()):
            return targets.long(), None
    return torch.where(counted, targets, torch.zeros_like(targets)).long(), counted


def _transformed(*tensors: Tensor) -> bool:
    """Whether torch.func maps over them, so that their values cannot be looked at."""
    functorch = getattr(torch._C, "_functorch", None)
    return functorch is not None and any(functorch.is_functorch_wrapped_tensor(x) for x in tensors)


def _refuse_values(name: str, scores: Tensor, labels: Tensor, rows: Tensor, targets: Tensor, ignore_index: int) -> None:
    """Raises ValueError naming the first value that is not admissible."""
    n = rows.shape[1]
    # A NaN is passed on by amax.
    if rows.shape[0] > 0 and not bool(rows.amax() < math.inf):
        at = (~(scores < math.inf)).nonzero()[0].tolist()
        shown = _shown(scores[tuple(at)].item())
        raise ValueError(f"{name}: scores{at} is {shown}, expected a finite number or -Infinity")
    integer = targets == targets.floor() if targets.is_floating_point() else torch.ones_like(targets, dtype=torch.bool)
    wrong = ~(integer & (targets >= 0) & (targets < n) | (targets == ignore_index))
    if bool(wrong.any()):
        at = wrong.reshape(labels.shape).nonzero()[0].tolist()
        value = labels[tuple(at)].item()
        raise ValueError(f"{name}: labels{at} is {value}, expected an integer in [0, {n - 1}]")
    chosen = torch.where(targets == ignore_index, torch.zeros_like(targets), targets).long()
    masked = (rows.gather(1, chosen[:, None]).squeeze(1) == -math.inf) & (targets != ignore_index)
    if bool(masked.any()):
        at = masked.reshape(labels.shape).nonzero()[0].tolist()
        label = int(labels[tuple(at)].item())
        where = [*at[:1], label, *at[1:]]
        raise ValueError(f"{name}: labels{at} is {label}, a masked class: scores{where} is -Infinity")


def _shown(value: float) -> str:
    value = float(value)
    if math.isfinite(value):
        return repr(value)
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
