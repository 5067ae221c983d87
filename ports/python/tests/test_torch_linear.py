"""The head and the loss in one, against the two steps."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from smooth_topk.torch import linear as module
from smooth_topk.torch import smooth_topk_loss
from smooth_topk.torch.linear import linear_smooth_topk_loss


def head(batch, n, d, dtype, seed):
    draw = torch.Generator().manual_seed(seed)
    features, weight = (torch.randn(r, d, dtype=dtype, generator=draw).requires_grad_() for r in (batch, n))
    bias = torch.randn(n, dtype=dtype, generator=draw).requires_grad_()
    return features, weight, bias, torch.randint(0, n, (batch,), generator=draw)


def grads(loss, *tensors):
    return torch.autograd.grad(loss, tensors)


@settings(max_examples=40, deadline=None)
@given(
    batch=st.integers(1, 9),
    n=st.integers(4, 60),
    d=st.integers(1, 7),
    k=st.integers(1, 3),
    reduction=st.sampled_from(["none", "mean", "sum"]),
    weighted=st.booleans(),
    rows=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
def test_loss_and_gradients_are_those_of_the_two_steps(batch, n, d, k, reduction, weighted, rows, seed):
    features, weight, bias, labels = head(batch, n, d, torch.float64, seed)
    labels[0] = -100 if batch > 1 and seed % 2 else labels[0]
    more = {"sample_weight": torch.rand(batch).double() + 0.5} if weighted else {}
    cotangent = torch.rand(batch).double() if reduction == "none" else torch.tensor(1.5).double()
    scores = torch.nn.functional.linear(features, weight, bias)
    expected = smooth_topk_loss(scores, labels, k, 0.5, 1.0, reduction=reduction, **more)
    before, module._BLOCK = module._BLOCK, rows * n * 8
    try:
        loss = linear_smooth_topk_loss(features, weight, labels, bias, k, 0.5, 1.0, reduction=reduction, **more)
        found = grads((loss * cotangent).sum(), features, weight, bias)
    finally:
        module._BLOCK = before
    wanted = grads((expected * cotangent).sum(), features, weight, bias)
    # The products of blocks add d or batch numbers of order 1 in another order; tau = 0.5 and k let scores through
    # at most once, and the loss's own bounds are far below.
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=1e-14)
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-13)


def test_masked_classes_and_gradients_that_nobody_wants_are_left_out():
    features, weight, bias, labels = head(5, 30, 4, torch.float32, 1)
    labels = labels.clamp(max=20)
    masked = bias.detach().clone()
    masked[21:] = -torch.inf
    loss = linear_smooth_topk_loss(features.detach(), weight, labels, masked, 3, reduction="sum")
    expected = smooth_topk_loss(features.detach() @ weight.t() + masked, labels, 3, reduction="sum")
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(grads(loss, weight)[0], grads(expected, weight)[0], rtol=1e-4, atol=1e-6)


def test_half_precision_gives_a_loss_in_single_precision():
    features, weight, _, labels = (x.detach() for x in head(5, 30, 4, torch.float32, 2))
    features, weight = features.bfloat16().requires_grad_(), weight.bfloat16().requires_grad_()
    loss = linear_smooth_topk_loss(features, weight, labels, None, 3, reduction="mean")
    assert loss.dtype == torch.float32
    of_features, of_weight = grads(loss, features, weight)
    assert of_features.dtype == of_weight.dtype == torch.bfloat16
    expected = smooth_topk_loss(features @ weight.t(), labels, 3, reduction="mean")
    # Scores are rounded to 2^-9 of themselves in both.
    torch.testing.assert_close(loss, expected.to(loss.dtype), rtol=1e-2, atol=1e-2)


def test_bad_input_is_refused():
    features, weight, bias, labels = (x.detach() for x in head(3, 10, 4, torch.float32, 3))
    spoilt = features.clone()
    spoilt[2, 1] = torch.nan
    for change, message in (
        ({"features": features[:, :3]}, "weight has shape [10, 4], expected [n, 3]"),
        ({"bias": bias[:9]}, "bias has shape [9], expected [10]"),
        ({"labels": labels.float()}, "labels is a torch.float32, expected a tensor of integers"),
        ({"labels": labels * 0 + 10}, "labels[0] is 10, expected an integer in [0, 9]"),
        ({"k": 10}, "k must be at most n - 1: got k = 10, n = 10"),
        ({"tau": -1.0}, "tau must be a number > 0: got tau = -1.0"),
        ({"features": spoilt}, "scores[2, 0] is NaN, expected a finite number or -Infinity"),
        ({"reduction": "all"}, "reduction is 'all', expected 'none', 'mean' or 'sum'"),
    ):
        with pytest.raises(ValueError) as refused:
            linear_smooth_topk_loss(
                **{"features": features, "weight": weight, "labels": labels, "bias": bias, **change}
            )
        assert str(refused.value) == f"linear_smooth_topk_loss: {message}"
