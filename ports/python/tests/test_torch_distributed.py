"""Classes split over the processes of a gloo group, against the loss of all classes in one."""

import contextlib
import math
import os
import tempfile
import time
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing

from smooth_topk.torch import smooth_topk_loss
from smooth_topk.torch.distributed import class_parallel_smooth_topk_loss
from smooth_topk.torch.linear import linear_smooth_topk_loss

SHARDS = {
    2: [(37, 3), (1, 39), (600, 424), (4, 5)],
    4: [(10, 1, 25, 4), (2, 2, 3, 3), (300, 3, 0, 721), (15, 15, 15, 15)],
}


def case(n, k, dtype):
    """Rows of n scores that make trouble, each in its own way, and labels all over the classes."""
    draw = torch.Generator().manual_seed(n + k)
    scores = 3 * torch.randn(8, n, dtype=torch.float64, generator=draw)
    scores[1] = scores[1].round()
    scores[2, : n // 2] -= 1000
    scores[3, 1::2] = -math.inf
    scores[4] += 1e6
    scores[5] = 0.1
    scores[6, k + 1 :] = -math.inf
    labels = torch.tensor([0, n - 1, n // 2, 2 * ((n - 1) // 4), 1, n - 2, 0, n // 3])
    return scores.to(dtype), labels


def within_the_contract(scores, labels, shards, k, dtype):
    rank = dist.get_rank()
    first = sum(shards[:rank])
    whole = scores.clone().requires_grad_()
    expected = smooth_topk_loss(whole, labels, k, 0.3, 0.7)
    (expected_grad,) = torch.autograd.grad(expected.sum(), whole)
    own = scores[:, first : first + shards[rank]].clone().requires_grad_()
    loss = class_parallel_smooth_topk_loss(own, labels, first, k, 0.3, 0.7)
    with nothing_sent():
        (grad,) = torch.autograd.grad(loss.sum(), own)
    parts = [torch.empty_like(loss) for _ in shards]
    dist.all_gather(parts, loss.detach())
    assert all(torch.equal(part, parts[0]) for part in parts), "the loss differs between ranks"
    # Both are within the contract of the same numbers.
    z = (expected.double() / 0.3).clamp(1e-300, 50).expm1().log().abs()
    bound = 2 * (8 + z) * 2.0**-53 if dtype == torch.float64 else torch.full_like(z, 2e-5)
    assert bool(((loss - expected).abs() <= bound * expected).all()), (shards, k, dtype, loss, expected)
    limit = 128 * k * 2.0**-53 if dtype == torch.float64 else 2e-3
    floor = 1e-280 if dtype == torch.float64 else 1e-30
    expected_grad = expected_grad[:, first : first + shards[rank]]
    assert bool(((grad - expected_grad).abs() <= limit * expected_grad.abs() + floor).all()), (shards, k, dtype)
    with torch.no_grad():
        assert torch.equal(class_parallel_smooth_topk_loss(own, labels, first, k, 0.3, 0.7), loss)


@contextlib.contextmanager
def counted():
    """Counts the bytes that this rank sends to all others."""
    sent, gather, reduce = [], dist.all_gather, dist.all_reduce

    def spy(parts, x, **more):
        sent.append((tuple(x.shape), x.numel() * x.element_size()))
        return gather(parts, x, **more)

    def spy_sum(x, **more):
        sent.append((tuple(x.shape), x.numel() * x.element_size()))
        return reduce(x, **more)

    dist.all_gather, dist.all_reduce = spy, spy_sum
    try:
        yield sent
    finally:
        dist.all_gather, dist.all_reduce = gather, reduce


@contextlib.contextmanager
def nothing_sent():
    with counted() as sent:
        yield
    assert sent == []


def losses_and_gradients(rank, size):
    for shards in SHARDS[size]:
        n = sum(shards)
        for k in (1, 2, 5, 20, 60):
            if k < n - 1:
                for dtype in (torch.float64, torch.float32):
                    within_the_contract(*case(n, k, dtype), shards, k, dtype)
    # Coefficients up to C(4000, 150), beyond doubles.
    shards = [1000] * 4 if size == 4 else [3990, 10]
    within_the_contract(*case(4000, 150, torch.float64), shards, 150, torch.float64)


def bytes_per_row(rank, size):
    found = {}
    for n in (4000, 40000):
        scores, labels = torch.randn(16, n // size), torch.arange(16)
        with counted() as sent:
            class_parallel_smooth_topk_loss(scores, labels, rank * (n // size), 5)
        found[n] = sent
    # Ten doubles on the arguments, then per row 2k + 3 candidates and the label's score in single, k sums in double.
    assert found[4000] == found[40000] == [((10,), 80), ((16, 14), 16 * 14 * 4), ((16, 5), 16 * 5 * 8)]


def reductions_and_ignored_labels(rank, size):
    scores, labels = case(40, 5, torch.float64)
    labels[2] = -100
    own = slice(rank * (40 // size), (rank + 1) * (40 // size))
    factors = torch.arange(1.0, 9.0, dtype=torch.float64)
    for reduction in ("none", "mean", "sum"):
        found = class_parallel_smooth_topk_loss(
            scores[:, own], labels, own.start, sample_weight=factors, reduction=reduction
        )
        expected = smooth_topk_loss(scores, labels, sample_weight=factors, reduction=reduction)
        torch.testing.assert_close(found, expected, rtol=1e-13, atol=0)


def refusals(rank, size):
    scores, labels = torch.randn(6, 10), torch.arange(6)
    first = 10 * rank
    last = size - 1
    spoilt, masked = scores.clone(), scores.clone()
    if rank == last:
        spoilt[3, 2] = math.nan
    if rank == 0:
        masked[2, 2] = -math.inf
    mine = rank == last
    cases = [
        ((spoilt, labels, first), {}, "scores[3, 2] is NaN" if mine else f"rank {last} refused its arguments"),
        ((masked, labels, first), {}, "labels[2] is 2, a masked class" if rank == 0 else "rank 0 refused"),
        ((scores[: 6 - mine], labels[: 6 - mine], first), {}, "the rows of scores on rank"),
        ((scores, labels, first), {"k": 3 + mine}, "k on rank"),
        ((scores, labels, first), {"tau": 1.0 + mine}, "tau on rank"),
        ((scores.double() if mine else scores, labels, first), {}, "the type of scores on rank"),
        ((scores, labels.flip(0) if mine else labels, first), {}, "labels on rank"),
        ((scores, labels, first + mine), {}, f"first_class is {10 * last + 1} on rank {last}, expected {10 * last}"),
        ((scores, labels + 10 * size - 5, first), {}, f"labels[5] is {10 * size}, expected an integer"),
        ((scores, labels, first), {"k": 10 * size}, "k must be at most n - 1"),
        ((scores, labels.float() if mine else labels, first), {}, "labels is a torch.float32" if mine else "refused"),
    ]
    for arguments, more, message in cases:
        with pytest.raises(ValueError) as refused:
            class_parallel_smooth_topk_loss(*arguments, **more)
        assert message in str(refused.value), (message, str(refused.value))
    # And all go on together afterwards.
    class_parallel_smooth_topk_loss(scores, labels, first)


def linear_head(rank, size):
    draw = torch.Generator().manual_seed(0)
    n = 10 * size
    features, weight = torch.randn(9, 6, generator=draw).double(), torch.randn(n, 6, generator=draw).double()
    bias, labels = torch.randn(n, generator=draw).double(), torch.randint(0, n, (9,), generator=draw)
    for x in (features, weight, bias):
        x.requires_grad_()
    own = slice(10 * rank, 10 * rank + 10)
    for reduction in ("mean", "none"):
        expected = smooth_topk_loss(features @ weight.t() + bias, labels, 3, reduction=reduction)
        wanted = torch.autograd.grad(expected.sum(), (features, weight, bias))
        mine = weight.detach()[own].requires_grad_(), bias.detach()[own].requires_grad_()
        loss = linear_smooth_topk_loss(
            features, mine[0], labels, mine[1], 3, reduction=reduction, first_class=own.start
        )
        torch.testing.assert_close(loss, expected, rtol=1e-12, atol=0)
        found = torch.autograd.grad(loss.sum(), (features, *mine))
        for a, b in zip(found, (wanted[0], wanted[1][own], wanted[2][own]), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-13)


def a_rank_that_dies(rank, size):
    class_parallel_smooth_topk_loss(torch.randn(6, 10), torch.arange(6), 10 * rank)
    if rank == size - 1:
        os._exit(0)
    began = time.monotonic()
    with pytest.raises(RuntimeError):
        class_parallel_smooth_topk_loss(torch.randn(6, 10), torch.arange(6), 10 * rank)
    assert time.monotonic() - began < 20
    os._exit(0)


def a_rank_that_does_not_answer(rank, size):
    if rank == size - 1:
        time.sleep(6)
        os._exit(0)
    began = time.monotonic()
    with pytest.raises(RuntimeError):
        class_parallel_smooth_topk_loss(torch.randn(6, 10), torch.arange(6), 10 * rank, timeout=timedelta(seconds=1))
    assert time.monotonic() - began < 5
    os._exit(0)


def start(rank, work, size, meeting):
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=size, timeout=timedelta(0, 60)
    )
    work(rank, size)
    dist.destroy_process_group()


@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize(
    "work",
    [
        losses_and_gradients,
        bytes_per_row,
        reductions_and_ignored_labels,
        refusals,
        linear_head,
        a_rank_that_dies,
        a_rank_that_does_not_answer,
    ],
    ids=lambda work: work.__name__,
)
def test_on_a_group(work, size):
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.spawn(start, (work, size, os.path.join(folder, "meeting")), size)
