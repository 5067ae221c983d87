"""Times the C port beside PyTorch's cross-entropy: loss and gradient of a batch in single precision, one thread each.

    make -C ports/c libsmooth_topk.so && python3 ports/c/speed.py [--json]

Both run in one process, in turn; medians, and the ratio of each to the cross-entropy. That the C port computes the same
is checked at k = 1, tau = 1, alpha = 0, where its loss is the cross-entropy.
"""

import ctypes
import json
import statistics
import sys
import time
from pathlib import Path

import torch

SHAPES = [(256, 1000, 5), (256, 1000, 20), (64, 10000, 5), (64, 10000, 50)]
library = ctypes.CDLL(str(Path(__file__).parent / "libsmooth_topk.so"))


class Status(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("row", ctypes.c_size_t), ("column", ctypes.c_size_t)]


def pointer(tensor):
    return ctypes.c_void_p(tensor.data_ptr())


def results_like(scores):
    """Room for (loss, grad), which the caller of a C function provides."""
    return torch.empty(len(scores), dtype=scores.dtype), torch.empty_like(scores)


def smooth_topk_loss(scores, labels, k, tau=1.0, alpha=1.0, suffix="f", out=None):
    """(loss, grad) of the C port."""
    batch, n = scores.shape
    loss, grad = out or results_like(scores)
    function = getattr(library, f"smooth_topk_loss{suffix}")
    function.restype = Status
    labels = labels.to(torch.int32)
    where = [pointer(scores), pointer(labels), ctypes.c_size_t(batch), ctypes.c_int(n), ctypes.c_int(k)]
    status = function(*where, ctypes.c_double(tau), ctypes.c_double(alpha), pointer(loss), pointer(grad))
    assert status.code == 0, status.code
    return loss, grad


def cross_entropy(scores, labels):
    scores = scores.detach().requires_grad_()
    loss = torch.nn.functional.cross_entropy(scores, labels, reduction="none")
    loss.backward(torch.ones_like(loss))
    return loss.detach(), scores.grad


def measure(batch, n, k, spread, seconds=1.5):
    torch.manual_seed(1)
    scores, labels = spread * torch.randn(batch, n), torch.randint(0, n, (batch,))
    for ours, theirs in zip(smooth_topk_loss(scores, labels, 1, 1.0, 0.0), cross_entropy(scores, labels)):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    doubles = scores.double()
    out, doubles_out = results_like(scores), results_like(doubles)
    contenders = {
        "cross-entropy": lambda: cross_entropy(scores, labels),
        "C, single": lambda: smooth_topk_loss(scores, labels, k, out=out),
        "C, double": lambda: smooth_topk_loss(doubles, labels, k, suffix="", out=doubles_out),
    }
    times = {name: [] for name in contenders}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times["C, double"]) < 5:
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            times[name].append(1000 * (time.perf_counter() - start))
    medians = {name: statistics.median(values[len(values) // 10 :]) for name, values in times.items()}
    return {"batch": batch, "n": n, "k": k, "spread": spread, "ms": medians}


def main():
    torch.set_num_threads(1)
    rows = [measure(*shape, spread) for shape in SHAPES for spread in (1, 5)]
    if "--json" in sys.argv:
        print(json.dumps({"torch": torch.__version__, "rows": rows}))
        return
    print(f"PyTorch {torch.__version__}, one thread; ms, and times the cross-entropy")
    for row in rows:
        base = row["ms"]["cross-entropy"]
        cells = [f"{name} {ms:.3f} ({ms / base:.2f})" for name, ms in row["ms"].items()]
        print(f"{row['batch']} x {row['n']}, k = {row['k']}, scores of spread {row['spread']}: " + "; ".join(cells))


main()
