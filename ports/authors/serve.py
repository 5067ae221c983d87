"""Serves the PyTorch code of the paper's authors by the port protocol, from a checkout of oval-group/smooth-topk:

    smooth-topk conformance -- python3 ports/authors/serve.py CHECKOUT

None of that code is in this repository. It checks no arguments, so it answers some requests that should be refused.
Hessian-vector products are refused: its backward pass cannot be differentiated. Needs torch and future.
"""

import contextlib
import io
import sys
from pathlib import Path

import torch

sys.path.insert(0, sys.argv[1])
from topk.polynomial.sp import LogSumExp  # noqa: E402
from topk.svm import MaxTop1SVM, MaxTopkSVM, SmoothTop1SVM, SmoothTopkSVM  # noqa: E402

sys.path.append(str(Path(__file__).parent.parent / "python" / "src"))
from smooth_topk.serve.protocol import rows_or_empty, serve  # noqa: E402


def loss_and_grad(criterion, dtype, scores, labels):
    """The criteria average over the batch: one row at a time gives each row's own loss and gradient."""
    losses, grads = [], []
    for row, label in zip(scores, labels):
        x = torch.tensor([row], dtype=getattr(torch, dtype), requires_grad=True)
        loss = criterion(x, torch.tensor([label]))
        loss.backward()
        losses.append(loss.item())
        grads.append(x.grad[0].tolist())
    return {"loss": losses, "grad": grads}


def smooth_topk_loss(dtype, scores, labels, k, tau, alpha):
    n = len(scores[0])
    # The constructors print.
    with contextlib.redirect_stdout(io.StringIO()):
        if k == 1:
            criterion = SmoothTop1SVM(n_classes=n, alpha=alpha, tau=tau)
        else:
            criterion = SmoothTopkSVM(n_classes=n, alpha=alpha, tau=tau, k=k)
    return loss_and_grad(criterion, dtype, scores, labels)


def topk_loss(dtype, scores, labels, k, alpha):
    n = len(scores[0])
    criterion = MaxTop1SVM(n_classes=n, alpha=alpha) if k == 1 else MaxTopkSVM(n_classes=n, alpha=alpha, k=k)
    return loss_and_grad(criterion, dtype, scores, labels)


def log_esp(dtype, x, k):
    x = torch.tensor(x, dtype=getattr(torch, dtype), requires_grad=True)
    if k == 0:
        return {"log_sigma": [[0.0]] * len(x), "inclusion": torch.zeros_like(x).tolist()}
    # The result is orders k - 1 and k; the backward pass keeps all of them.
    result = LogSumExp(k)(x)
    orders = result.grad_fn.saved_coeff[: k + 1].t()
    (inclusion,) = torch.autograd.grad(result[1].sum(), x)
    return {"log_sigma": orders.tolist(), "inclusion": rows_or_empty(inclusion.tolist())}


serve(
    [smooth_topk_loss, topk_loss, log_esp],
    ("float64", "float32"),
    name="smooth-topk of the paper's authors",
    version="",
)
