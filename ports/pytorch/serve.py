"""Serves smooth_topk.py by the port protocol:  smooth-topk conformance -- python3 ports/pytorch/serve.py [DEVICE]"""

import sys
from pathlib import Path

import smooth_topk
import torch

sys.path.append(str(Path(__file__).parent.parent))
from port_protocol import rows_or_empty, serve  # noqa: E402

DEVICE = sys.argv[1] if len(sys.argv) > 1 else "cpu"


def tensor(rows, dtype):
    return torch.tensor(rows, dtype=getattr(torch, dtype), device=DEVICE)


def loss_and_grad(function, dtype, scores, labels, **arguments):
    scores = tensor(scores, dtype).requires_grad_()
    # Labels that are no integers are for the port to refuse.
    loss = function(scores, torch.tensor(labels, device=DEVICE), **arguments)
    loss.sum().backward()
    return {"loss": loss.tolist(), "grad": scores.grad.tolist()}


def smooth_topk_loss(**arguments):
    return loss_and_grad(smooth_topk.smooth_topk_loss, **arguments)


def topk_loss(**arguments):
    return loss_and_grad(smooth_topk.topk_loss, **arguments)


def log_esp(dtype, x, k):
    x = tensor(x, dtype)
    inclusion = smooth_topk.inclusion_probabilities(x, k)
    return {"log_sigma": smooth_topk.log_esp(x, k).tolist(), "inclusion": rows_or_empty(inclusion.tolist())}


def log_esp_hvp(dtype, x, k, v):
    return {"hvp": rows_or_empty(smooth_topk.log_esp_hvp(tensor(x, dtype), k, tensor(v, dtype)).tolist())}


serve([smooth_topk_loss, topk_loss, log_esp, log_esp_hvp], ("float64", "float32", "bfloat16"))
