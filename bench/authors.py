"""Times the authors' PyTorch smooth top-k loss and PyTorch's cross-entropy, and writes the gradients that they give.

    python3 authors.py CHECKOUT FOLDER SECONDS

CHECKOUT  a checkout of github.com/oval-group/smooth-topk
FOLDER    holds request.json {"batch", "n", "k", "tau", "temperatures"}, scores.f64 and labels.i32 (row-major, little
          endian); receives authors-TAU.f64, the gradient of the mean loss in double precision at each of `temperatures`
SECONDS   to time each precision for

Prints one JSON object. One thread. Forward and backward passes of the two losses take turns.
"""

import contextlib
import io
import json
import os
import statistics
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402

checkout, folder, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
sys.path.insert(0, checkout)
from topk.svm import SmoothTopkSVM  # noqa: E402

torch.set_num_threads(1)

with open(os.path.join(folder, "request.json")) as file:
    request = json.load(file)
batch, n, k = request["batch"], request["n"], request["k"]
scores = torch.from_numpy(np.fromfile(os.path.join(folder, "scores.f64"), dtype="<f8").reshape(batch, n))
labels = torch.from_numpy(np.fromfile(os.path.join(folder, "labels.i32"), dtype="<i4").astype(np.int64))


def smooth_topk(tau):
    """The authors' loss; its constructor prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return SmoothTopkSVM(n_classes=n, alpha=1, tau=tau, k=k)


def loss_and_gradient(loss, x):
    x.grad = None
    value = loss(x, labels)
    value.backward()
    return value.item(), x.grad


def timings(dtype):
    x = scores.clone().to(dtype).requires_grad_()
    losses = {"smooth top-k": smooth_topk(request["tau"]), "cross-entropy": torch.nn.CrossEntropyLoss()}
    milliseconds = {name: [] for name in losses}
    for _ in range(3):
        for loss in losses.values():
            loss_and_gradient(loss, x)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(milliseconds["smooth top-k"]) < 5:
        for name, loss in losses.items():
            began = time.perf_counter()
            loss_and_gradient(loss, x)
            milliseconds[name].append(1000 * (time.perf_counter() - began))
    return {
        "rounds": len(milliseconds["smooth top-k"]),
        "values": {name: loss_and_gradient(loss, x)[0] for name, loss in losses.items()},
        "ms": {name: statistics.median(sample) for name, sample in milliseconds.items()},
    }


def write_gradients():
    """Their gradients in double precision; returns the loss values, and the rows handed to the hard loss."""
    found = []
    for tau in request["temperatures"]:
        x = scores.clone().requires_grad_()
        loss = smooth_topk(tau)
        value, gradient = loss_and_gradient(loss, x)
        gradient.numpy().astype("<f8").tofile(os.path.join(folder, f"authors-{tau}.f64"))
        top = x.detach().topk(k + 1, 1)[0]
        hard = (top[:, k - 1] - top[:, k]) >= k * tau * np.log(loss.thresh)
        found.append({"tau": tau, "loss": value, "hardRows": int(hard.sum())})
    return found


print(
    json.dumps(
        {
            "torch": torch.__version__,
            "python": sys.version.split()[0],
            "threads": torch.get_num_threads(),
            "float32": timings(torch.float32),
            "float64": timings(torch.float64),
            "gradients": write_gradients(),
        }
    )
)
