"""The smooth top-k loss of classes that are split over the ranks of a process group.

    loss = class_parallel_smooth_topk_loss(scores, labels, first_class, k=5, group=group).mean()

Each rank holds the scores of its own classes, as the head of a large classifier split by classes gives them. Every rank
sends its few largest scores, from which all know the 2k + 2 largest of the row, and then the power sums of its other
entries: O(k) numbers per row, however many classes there are. From these each rank computes the same loss, and the
gradient of its own scores, so that backward sends nothing. The mathematics is that of smooth_topk.torch.loss.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from smooth_topk.torch.loss import (
    _BLOCK,
    _LARGEST_ORDER,
    _check_margin,
    _check_order,
    _check_temperature,
    _exponentials,
    _factors,
    _horner,
    _largest,
    _leave_one_out,
    _log_binomial,
    _log_ratio_grad,
    _loss_and_grad,
    _newton,
    _power_sums,
    _product_tree,
    _reciprocal_of_product,
    _reduce,
    _shown,
    _softplus,
    _terms,
    _window_product,
)


def class_parallel_smooth_topk_loss(
    scores: Tensor,
    labels: Tensor,
    first_class: int,
    k: int = 5,
    tau: float = 1.0,
    alpha: float = 1.0,
    *,
    sample_weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "none",
    check: bool = True,
    timeout: timedelta | None = None,
    group: Any = None,
) -> Tensor:
    """smooth_topk_loss of scores whose classes are split over the ranks of a process group; every rank calls it.

    scores       [batch, m]: this rank's columns, classes first_class to first_class + m - 1. m may differ between ranks
                 and be smaller than k, or 0. All shards together are the classes 0 to n - 1, each once.
    labels       [batch], the same on all ranks: numbers among all n classes, or ignore_index.
    first_class  the first class of this rank.
    check        False does not look for NaN, +inf and masked labels among the scores.
    timeout      how long to wait for the other ranks at each exchange; the group's own where None.
    group        the process group, by default all processes.

    Other arguments and the result are those of smooth_topk_loss on all n classes: the loss is bit for bit the same on
    every rank, the gradient of scores that of their columns, both within the bounds given there.

    Sends per rank and row the scores min(2k + 3, largest m) + 1 and J double power sums, J <= k; where
    n <= 3 k + 3, all scores. Ten numbers per rank and call tell whether the ranks agree. Backward sends nothing; it
    can be differentiated once.
    Raises ValueError on every rank if one refuses its arguments or they do not agree, and RuntimeError if a rank is
    gone or does not answer in time.
    """
    name = "class_parallel_smooth_topk_loss"
    exchange = Exchange(group, timeout)
    refused = None
    try:
        _check_shard(name, scores, labels, first_class, ignore_index, check)
    except ValueError as error:
        refused = error
    shards = Shards.agreed(name, exchange, refused, scores, labels, first_class, k, tau, alpha, ignore_index)
    counted = labels != ignore_index
    targets = torch.where(counted, labels, torch.zeros_like(labels)).long()
    rows = scores if scores.dtype in (torch.float32, torch.float64) else scores.float()
    loss = _ClassParallelLoss.apply(rows, targets, shards, exchange)
    ones = None if bool(counted.all()) else counted
    return _reduce(name, loss, targets, ones, labels.shape, shards.classes, None, sample_weight, reduction)


class Exchange:
    """What the ranks of a group tell each other."""

    def __init__(self, group: Any, timeout: timedelta | None) -> None:
        self.group, self.timeout = group, timeout
        self.size, self.rank = dist.get_world_size(group), dist.get_rank(group)

    def gather(self, x: Tensor) -> Tensor:
        """x of every rank, [ranks, ...]; x has the same shape on all."""
        parts = [torch.empty_like(x) for _ in range(self.size)]
        self._wait(dist.all_gather(parts, x.contiguous(), group=self.group, async_op=True))
        return torch.stack(parts)

    def add(self, x: Tensor) -> None:
        """Replaces x by the sum of it over the ranks."""
        self._wait(dist.all_reduce(x, group=self.group, async_op=True))

    def _wait(self, work: Any) -> None:
        if self.timeout is None:
            work.wait()
        else:
            work.wait(self.timeout)


class Shards(NamedTuple):
    """What all ranks know of the problem before they see a score."""

    classes: int
    """n, the number of classes of all ranks together."""
    sizes: list[int]
    """The number of classes of each rank."""
    order: list[int]
    """The ranks by their first class."""
    first: int
    """The first class of this rank."""
    k: int
    tau: float
    alpha: float
    heavy: int
    """How many of the largest scores are multiplied out; n where all scores are exchanged."""
    terms: int
    """How many power sums stand for the others."""

    @staticmethod
    def agreed(
        name: str,
        exchange: Exchange,
        refused: ValueError | None,
        scores: Tensor,
        labels: Tensor,
        first_class: int,
        k: int,
        tau: float,
        alpha: float,
        ignore_index: int,
        classes: int | None = None,
    ) -> Shards:
        """Compares all arguments over the ranks; classes counts this rank's, by default the columns of scores.

        No rank leaves before all have sent: a refusal on one is an error on all, and nobody waits in vain.
        """
        own = [float(refused is not None)] + [0.0] * 9
        if refused is None:
            count = scores.shape[1] if classes is None else classes
            place = torch.arange(1, labels.shape[0] + 1, device=labels.device)
            # Sums of integers wrap around; 52 bits of them are held by a double.
            digest = int((labels.long() * (place * 2654435761 % 2**31)).sum()) % 2**52
            kind = float([torch.float64, torch.float32, torch.bfloat16, torch.float16].index(scores.dtype))
            own = [0.0, first_class, count, scores.shape[0], k, tau, alpha, kind, ignore_index, float(digest)]
        device = scores.device if isinstance(scores, Tensor) else None
        table = exchange.gather(torch.tensor(own, dtype=torch.float64, device=device)).tolist()
        if refused is not None:
            raise refused
        for rank, row in enumerate(table):
            if row[0]:
                raise ValueError(f"{name}: rank {rank} refused its arguments")
        what = ("the rows of scores", "k", "tau", "alpha", "the type of scores", "ignore_index", "labels")
        for column, argument in enumerate(what, 3):
            for rank, row in enumerate(table):
                if row[column] != own[column] and not (row[column] != row[column] and own[column] != own[column]):
                    shown = "" if argument == "labels" else f": {row[column]:g} there, {own[column]:g} here"
                    raise ValueError(f"{name}: {argument} on rank {rank} differs from rank {exchange.rank}{shown}")
        order = sorted(range(exchange.size), key=lambda rank: table[rank][1:3])
        n = 0
        for rank in order:
            if table[rank][1] != n:
                raise ValueError(f"{name}: first_class is {table[rank][1]:g} on rank {rank}, expected {n}")
            n += int(table[rank][2])
        sizes = [int(row[2]) for row in table]
        k = _check_order(name, k, n)
        tau = _check_temperature(name, tau, k, scores.dtype)
        alpha = _check_margin(name, alpha)
        wrong = (labels != ignore_index) & ((labels < 0) | (labels >= n))
        if bool(wrong.any()):
            at = int(wrong.nonzero()[0])
            raise ValueError(f"{name}: labels[{at}] is {int(labels[at])}, expected an integer in [0, {n - 1}]")
        heavy, terms = n, 0
        if n > 3 * k + 3:
            if k > _LARGEST_ORDER:
                raise ValueError(
                    f"{name}: k must be at most {_LARGEST_ORDER} of more than 3 k + 3 classes: got k = {k}"
                )
            heavy = 2 * k + 2
            terms = _terms(k, heavy, torch.float64 if scores.dtype == torch.float64 else torch.float32)
        return Shards(n, sizes, order, int(first_class), k, tau, alpha, heavy, terms)


class _ClassParallelLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, labels: Tensor, shards: Shards, exchange: Exchange) -> Any:
        loss, grad = loss_and_grad_of_shard(scores, labels, shards, exchange, ctx.needs_input_grad[0])
        ctx.save_for_backward(grad)
        return loss

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[misc, untyped-decorator, unused-ignore]
    def backward(ctx: Any, cotangent: Tensor) -> Any:
        (grad,) = ctx.saved_tensors
        return cotangent[:, None] * grad, None, None, None


def loss_and_grad_of_shard(
    scores: Tensor, labels: Tensor, shards: Shards, exchange: Exchange, with_grad: bool
) -> tuple[Tensor, Tensor]:
    """Loss [batch], and gradient [batch, m] of this rank's scores ([batch, 0] without with_grad)."""
    batch, m = scores.shape
    if m == 0:
        scores = scores.new_full((batch, 1), -math.inf)
    if shards.terms == 0:
        loss, grad = _by_all_scores(scores, labels, shards, exchange, with_grad)
    else:
        loss, grad = _by_power_sums(scores, labels, shards, exchange, with_grad)
    return loss, grad if m > 0 else grad[:, :0]


def _by_all_scores(
    scores: Tensor, labels: Tensor, shards: Shards, exchange: Exchange, with_grad: bool
) -> tuple[Tensor, Tensor]:
    size = shards.sizes[exchange.rank]
    sent = scores.new_full((scores.shape[0], max(shards.sizes)), -math.inf)
    sent[:, :size] = scores[:, :size]
    parts = exchange.gather(sent)
    whole = torch.cat([parts[rank, :, : shards.sizes[rank]] for rank in shards.order], 1)
    loss, grad = _loss_and_grad(whole, labels, shards.k, shards.tau, shards.alpha, with_grad, tape=False)
    return loss, grad[:, shards.first : shards.first + size].contiguous()


def _by_power_sums(
    scores: Tensor, labels: Tensor, shards: Shards, exchange: Exchange, with_grad: bool
) -> tuple[Tensor, Tensor]:
    k, heavy, (batch, m) = shards.k, shards.heavy, scores.shape
    dtype, exact = scores.dtype, scores.dtype == torch.float64
    factor = _reciprocal_of_product(k, shards.tau)
    local = labels - shards.first
    owned = ((local >= 0) & (local < m))[:, None]
    column = local.clamp(0, m - 1)[:, None]

    # 1. The largest of each rank besides the label, and the label's score: the heavy entries of all and the centre.
    count, width = min(heavy + 1, m), min(heavy + 1, max(shards.sizes))
    index = _largest(scores, count)
    sent = scores.new_full((batch, width + 1), -math.inf)
    sent[:, :count] = scores.gather(1, index).masked_fill((index == column) & owned, -math.inf)
    sent[:, width:] = scores.gather(1, column).masked_fill(~owned, -math.inf)
    parts = exchange.gather(sent)
    label_scores = parts[:, :, width].amax(0).double()
    candidates = parts[:, :, :width].transpose(0, 1).flatten(1)
    top, chosen = candidates.topk(heavy, 1)
    centre = top[:, k - 1].double()
    empty = centre == -math.inf
    centre = centre.masked_fill(empty, 0)
    constant, linear = _factors(top.double().masked_fill(empty[:, None], 0).t(), centre, factor, exact)
    mine = torch.zeros_like(candidates, dtype=torch.bool).scatter_(1, chosen, True)
    mine = mine[:, exchange.rank * width :][:, :count]

    # 2. The power sums of all others.
    narrow = centre.to(dtype)[:, None]
    size = batch if scores.device.type != "cpu" else max(1, _BLOCK // (m * scores.element_size()))
    blocks = [slice(b, min(b + size, batch)) for b in range(0, batch, size)]
    grad = scores.new_empty(batch, m if with_grad else 0)
    sums = []
    for rows in blocks:
        e = _exponentials(scores[rows], narrow[rows], factor, exact, grad[rows] if with_grad else None)
        for places, gone in ((index[rows], mine[rows]), (column[rows], owned[rows])):
            e.scatter_(1, places, e.gather(1, places).masked_fill_(gone, 0))
        sums.append(_power_sums(e, shards.terms, False))
    own_sums = torch.cat(sums, 1).double() if sums else scores.new_zeros(shards.terms, 0).double()
    power_sums = exchange.gather(own_sums.t()).sum(0).t()

    # 3. As on one machine.
    unit = None
    if _log_binomial(shards.classes, k) > 600:
        unit = (k / (linear.sort(0)[0][: heavy - k + 1].sum(0) + power_sums[0])).clamp(max=1)
        linear = linear * unit
        power_sums = (
            power_sums * unit ** torch.arange(1, shards.terms + 1, dtype=unit.dtype, device=unit.device)[:, None]
        )
    light = _newton(power_sums, k)[:, None]
    levels = _product_tree(constant, linear, k)
    polynomial = _window_product(levels[-1], light, 0, k)[:, 0]
    below, above = polynomial[k - 1], polynomial[k]
    ratio = above / below if unit is None else above / below / unit
    loss, slope = _softplus(ratio, centre, label_scores, k, shards.tau, shards.alpha, factor, empty, exact)
    if not with_grad:
        return loss.to(dtype), grad
    one_out = _leave_one_out(levels, light, k, k - 2)[:, :heavy]
    heavy_grad = slope * _log_ratio_grad(constant, linear, one_out, below, above, k)
    degree = min(k - 1, shards.terms)
    series = polynomial[k - 1 - degree : k] / above
    shifted = polynomial[max(0, k - 2 - degree) : k - 1] / below
    if series.shape[0] > shifted.shape[0]:
        shifted = torch.cat((torch.zeros_like(above)[None], shifted))
    series = slope * (series - shifted)
    if unit is not None:
        series = series * unit ** torch.arange(degree + 1, 0, -1, dtype=unit.dtype, device=unit.device)[:, None]
    series = series.to(dtype)[:, :, None]
    spread = torch.zeros_like(candidates).scatter_(1, chosen, heavy_grad.t().to(dtype))
    spread = spread[:, exchange.rank * width :][:, :count]
    label_grad = -slope.to(dtype)[:, None]
    for rows in blocks:
        e = grad[rows]
        _horner(e, series[:, rows], e)
        e.scatter_(1, index[rows], torch.where(mine[rows], spread[rows], e.gather(1, index[rows])))
        e.scatter_(1, column[rows], torch.where(owned[rows], label_grad[rows], e.gather(1, column[rows])))
    return loss.to(dtype), grad


def _check_shard(name: str, scores: Tensor, labels: Tensor, first_class: int, ignore_index: int, check: bool) -> None:
    """Raises ValueError for what this rank can see by itself."""
    if not isinstance(scores, Tensor) or not scores.is_floating_point():
        kind = getattr(scores, "dtype", type(scores).__name__)
        raise ValueError(f"{name}: scores is a {kind}, expected a tensor of floats")
    if scores.ndim != 2:
        raise ValueError(f"{name}: scores has shape {list(scores.shape)}, expected [batch, classes of this rank]")
    check_labels(name, labels, scores.shape[0], first_class)
    if not check or scores.numel() == 0:
        return
    rows = scores.detach()
    if not bool(rows.amax() < math.inf):
        b, i = (~(rows < math.inf)).nonzero()[0].tolist()
        value = _shown(rows[b, i].item())
        raise ValueError(f"{name}: scores[{b}, {i}] is {value}, expected a finite number or -Infinity")
    local = labels.long() - first_class
    owned = (local >= 0) & (local < rows.shape[1]) & (labels != ignore_index)
    masked = owned & (rows.gather(1, local.clamp(0, rows.shape[1] - 1)[:, None]).squeeze(1) == -math.inf)
    if bool(masked.any()):
        b = int(masked.nonzero()[0])
        where = f"scores[{b}, {int(local[b])}]"
        raise ValueError(f"{name}: labels[{b}] is {int(labels[b])}, a masked class: {where} is -Infinity")


def check_labels(name: str, labels: Tensor, batch: int, first_class: Any) -> None:
    if not isinstance(labels, Tensor) or labels.is_floating_point() or labels.dtype == torch.bool:
        kind = getattr(labels, "dtype", type(labels).__name__)
        raise ValueError(f"{name}: labels is a {kind}, expected a tensor of integers")
    if labels.shape != (batch,):
        raise ValueError(f"{name}: labels has shape {list(labels.shape)}, expected [{batch}]")
    if isinstance(first_class, bool) or not isinstance(first_class, int) or first_class < 0:
        raise ValueError(f"{name}: first_class is {first_class}, expected an integer of at least 0")
