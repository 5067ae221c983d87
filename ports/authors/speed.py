"""Times ports/python against the PyTorch code of the paper's authors and PyTorch's cross-entropy.

    python3 ports/authors/speed.py CHECKOUT [ROUNDS]

CHECKOUT  a checkout of oval-group/smooth-topk
ROUNDS    passes of each loss, 40 by default

Loss and gradient of 256 rows, n = 1000, k = 5, tau = 1, on one thread; the losses take turns. Milliseconds of processor
time: the fastest pass, which other programs on the machine disturb least, and the quartiles of the ratio of neighbouring
passes. Prints one JSON object for each precision.
"""

import contextlib
import io
import json
import os
import statistics
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import torch  # noqa: E402

sys.path[:0] = [sys.argv[1], str(Path(__file__).parent.parent / "python" / "src")]
from smooth_topk import torch as smooth_topk  # noqa: E402
from topk.svm import SmoothTopkSVM  # noqa: E402

ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 40
torch.set_num_threads(1)


def losses():
    # The constructor prints.
    with contextlib.redirect_stdout(io.StringIO()):
        authors = SmoothTopkSVM(n_classes=1000, alpha=1, tau=1.0, k=5)
    return {"authors": authors, "port": smooth_topk.SmoothTopkLoss(k=5), "cross-entropy": torch.nn.CrossEntropyLoss()}


def milliseconds(loss, scores, labels):
    x = scores.clone().requires_grad_()
    began = time.process_time()
    value = loss(x, labels)
    value.backward()
    return 1000 * (time.process_time() - began), value.item()


for dtype in (torch.float32, torch.float64):
    torch.manual_seed(1)
    scores, labels = torch.randn(256, 1000, dtype=dtype), torch.randint(1000, (256,))
    contenders, samples, values = losses(), {}, {}
    for turn in range(ROUNDS + 3):
        for name, loss in contenders.items():
            sample, values[name] = milliseconds(loss, scores, labels)
            if turn >= 3:
                samples.setdefault(name, []).append(sample)
    # They compute the same.
    assert abs(values["authors"] / values["port"] - 1) < 1e-4, values
    ratios = [a / b for a, b in zip(samples["authors"], samples["port"])]
    result = {
        "dtype": str(dtype).removeprefix("torch."),
        "torch": torch.__version__,
        "ms": {name: round(min(sample), 2) for name, sample in samples.items()},
        "authors/port": round(min(samples["authors"]) / min(samples["port"]), 2),
        "quartiles": [round(quartile, 2) for quartile in statistics.quantiles(ratios)],
    }
    print(json.dumps(result))
