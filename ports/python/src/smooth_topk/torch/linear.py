"""The classifier head and the smooth top-k loss in one: the matrix of scores is never held.

    loss = linear_smooth_topk_loss(features, head.weight, labels, head.bias, k=5, reduction="mean")

The scores of a few rows at a time are computed, turned into losses and gradients, and multiplied into the gradients
of features, weight and bias before the next rows are. With a reduction all that happens in the forward pass, whose
products are those of the two steps. Without one the factor of each row is known in the backward pass only, which
computes the scores again.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, NamedTuple

import torch
from torch import Tensor

from smooth_topk.torch.distributed import Exchange, Shards, check_labels, loss_and_grad_of_shard
from smooth_topk.torch.loss import (
    _check_margin,
    _check_order,
    _check_reduction,
    _check_temperature,
    _loss_and_grad,
    _shown,
)

_BLOCK = 3 << 23
"""Bytes of scores at a time. Beside them stand their gradients; a large head wants many rows per product."""


def linear_smooth_topk_loss(
    features: Tensor,
    weight: Tensor,
    labels: Tensor,
    bias: Tensor | None = None,
    k: int = 5,
    tau: float = 1.0,
    alpha: float = 1.0,
    *,
    sample_weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "none",
    check: bool = True,
    first_class: int | None = None,
    timeout: timedelta | None = None,
    group: Any = None,
) -> Tensor:
    """smooth_topk_loss(features @ weight.T + bias, labels, ...), the scores row block by row block.

    features       [batch, d].
    weight         [n, d], of the features' type.
    labels         [batch] integers in [0, n - 1], or ignore_index.
    bias           [n], optional; -inf masks a class.
    sample_weight  [batch], a factor for each loss.
    check          False does not look for NaN and +inf among the scores.
    first_class    with it, weight and bias are those of this rank's classes, as in class_parallel_smooth_topk_loss,
                   features and labels the same on all ranks; timeout and group as there. The gradient of features is
                   summed over the ranks, in the forward pass where there is a reduction.

    The other arguments, the result and its bounds are those of smooth_topk_loss, given the scores that torch computes.
    Beside the inputs and their gradients it holds scores and gradients of max(1, 24 MB / n scores) rows. Differentiable
    in features, weight and bias, once; a reduced loss gives its gradients away in the first backward pass. 'mean' and
    'sum' cost the three products of the two steps, 'none' one more.
    Raises ValueError naming the argument, the index, the value and what was expected.
    """
    name = "linear_smooth_topk_loss"
    exchange = None if first_class is None else Exchange(group, timeout)
    refused = None
    try:
        _check_head(name, features, weight, labels, bias, sample_weight, reduction, first_class)
    except ValueError as error:
        if exchange is None:
            raise
        refused = error
    if exchange is not None:
        classes = None if refused else weight.shape[0]
        first = 0 if first_class is None else first_class
        shards = Shards.agreed(name, exchange, refused, features, labels, first, k, tau, alpha, ignore_index, classes)
        head = _Head(name, shards.k, shards.tau, shards.alpha, False, shards, exchange)
    else:
        k = _check_order(name, k, weight.shape[0])
        wrong = (labels != ignore_index) & ((labels < 0) | (labels >= weight.shape[0]))
        if check and bool(wrong.any()):
            at = int(wrong.nonzero()[0])
            expected = f"an integer in [0, {weight.shape[0] - 1}]"
            raise ValueError(f"{name}: labels[{at}] is {int(labels[at])}, expected {expected}")
        tau, alpha = _check_temperature(name, tau, k, features.dtype), _check_margin(name, alpha)
        head = _Head(name, k, tau, alpha, check, None, None)

    counted = labels != ignore_index
    targets = torch.where(counted, labels, torch.zeros_like(labels)).long()
    wide = torch.float64 if features.dtype == torch.float64 else torch.float32
    factor = counted.to(wide)
    if sample_weight is not None:
        factor = torch.where(counted, sample_weight.to(wide), torch.zeros_like(factor))
    if reduction == "none" or factor.requires_grad:
        loss: Tensor = _LinearLoss.apply(features, weight, bias, targets, None, head) * factor
        if reduction == "none":
            return loss
        return loss.sum() if reduction == "sum" else loss.sum() / factor.sum()
    if reduction == "mean":
        factor = factor / factor.sum()
    reduced: Tensor = _LinearLoss.apply(features, weight, bias, targets, factor, head)
    return reduced


class _Head(NamedTuple):
    """All that is not a tensor."""

    name: str
    k: int
    tau: float
    alpha: float
    check: bool
    shards: Shards | None
    exchange: Exchange | None

    def loss_and_grad(self, scores: Tensor, labels: Tensor, with_grad: bool) -> tuple[Tensor, Tensor]:
        if self.shards is None or self.exchange is None:
            return _loss_and_grad(scores, labels, self.k, self.tau, self.alpha, with_grad, tape=False)
        return loss_and_grad_of_shard(scores, labels, self.shards, self.exchange, with_grad)


class _LinearLoss(torch.autograd.Function):
    """The losses [batch], or with a factor per row their sum so weighted."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        labels: Tensor,
        factor: Tensor | None,
        head: _Head,
    ) -> Tensor:
        wanted = ctx.needs_input_grad[:3]
        ctx.head, ctx.reduced = head, factor is not None
        if factor is None:
            loss, _ = _pass(features, weight, bias, labels, None, (False, False, False), head)
            ctx.save_for_backward(features, weight, bias, labels)
            return loss
        loss, grads = _pass(features, weight, bias, labels, factor, wanted, head)
        ctx.grads = grads
        return (loss * factor).sum()

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[misc, untyped-decorator, unused-ignore]
    def backward(ctx: Any, cotangent: Tensor) -> Any:
        if ctx.reduced:
            # In place: a second copy of a large weight's gradient would be most of the memory.
            if ctx.grads is None:
                raise RuntimeError(f"{ctx.head.name}: the gradients of a reduced loss can be taken once only")
            grads, ctx.grads = ctx.grads, None
            for grad in grads:
                if grad is not None:
                    grad.mul_(cotangent.to(grad.dtype))
        else:
            features, weight, bias, labels = ctx.saved_tensors
            _, grads = _pass(features, weight, bias, labels, cotangent, ctx.needs_input_grad[:3], ctx.head)
        return (*grads, None, None, None)


def _pass(
    features: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    labels: Tensor,
    factor: Tensor | None,
    wanted: tuple[bool, ...],
    head: _Head,
) -> tuple[Tensor, list[Tensor | None]]:
    """The losses, and the wanted gradients of the sum of losses times factors."""
    (batch, _), n = features.shape, weight.shape[0]
    wide = torch.float64 if features.dtype == torch.float64 else torch.float32
    # Sums over many blocks are not kept in half precision.
    grads = [
        torch.zeros_like(x, dtype=wide) if want and x is not None else None
        for x, want in zip((features, weight, bias), wanted, strict=True)
    ]
    of_features, of_weight, of_bias = grads
    rows = max(1, _BLOCK // (max(1, n) * (8 if wide == torch.float64 else 4)))
    losses = [torch.zeros(0, dtype=wide, device=features.device)]
    room = features.new_empty(min(rows, batch), n)
    for b in range(0, batch, rows):
        block = slice(b, min(b + rows, batch))
        scores = torch.mm(features[block], weight.t(), out=room[: block.stop - b])
        if bias is not None:
            scores += bias
        if head.check:
            _check_scores(head.name, scores, labels[block], b)
        loss, grad = head.loss_and_grad(scores.to(wide), labels[block], factor is not None and any(wanted))
        losses.append(loss)
        if factor is None or not any(wanted):
            continue
        grad *= factor[block, None]
        if of_bias is not None:
            of_bias += grad.sum(0)
        grad = grad.to(features.dtype)
        if of_features is not None:
            of_features[block] = torch.mm(grad, weight)
        if of_weight is not None:
            if of_weight.dtype == grad.dtype:
                of_weight.addmm_(grad.t(), features[block])
            else:
                of_weight += torch.mm(grad.t(), features[block])
        del grad
    if head.exchange is not None and of_features is not None:
        head.exchange.add(of_features)
    kinds = (features, weight, bias)
    return torch.cat(losses), [
        None if grad is None or x is None else grad.to(x.dtype) for grad, x in zip(grads, kinds, strict=True)
    ]


def _check_scores(name: str, scores: Tensor, labels: Tensor, first: int) -> None:
    if scores.numel() > 0 and not bool(scores.amax() < math.inf):
        b, i = (~(scores < math.inf)).nonzero()[0].tolist()
        value = _shown(scores[b, i].item())
        raise ValueError(f"{name}: scores[{first + b}, {i}] is {value}, expected a finite number or -Infinity")


def _check_head(
    name: str,
    features: Tensor,
    weight: Tensor,
    labels: Tensor,
    bias: Tensor | None,
    sample_weight: Tensor | None,
    reduction: str,
    first_class: int | None,
) -> None:
    _check_reduction(name, reduction)
    for argument, x in (("features", features), ("weight", weight)):
        if not isinstance(x, Tensor) or not x.is_floating_point():
            raise ValueError(f"{name}: {argument} is a {getattr(x, 'dtype', type(x).__name__)}, expected floats")
    if features.ndim != 2:
        raise ValueError(f"{name}: features has shape {list(features.shape)}, expected [batch, d]")
    if weight.ndim != 2 or weight.shape[1] != features.shape[1]:
        raise ValueError(f"{name}: weight has shape {list(weight.shape)}, expected [n, {features.shape[1]}]")
    if weight.dtype != features.dtype:
        raise ValueError(f"{name}: weight is {weight.dtype}, expected {features.dtype} as features")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"{name}: bias has shape {list(bias.shape)}, expected [{weight.shape[0]}]")
    check_labels(name, labels, features.shape[0], 0 if first_class is None else first_class)
    if sample_weight is not None and sample_weight.shape != labels.shape:
        raise ValueError(f"{name}: sample_weight has shape {list(sample_weight.shape)}, expected [{labels.shape[0]}]")
