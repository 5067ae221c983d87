"""Answers requests by smooth_topk.torch, on a device."""

import torch

from smooth_topk import torch as port
from smooth_topk.serve.protocol import rows_or_empty, serve


def main(device="cpu"):
    def tensor(rows, dtype):
        return torch.tensor(rows, dtype=getattr(torch, dtype), device=device)

    def loss_and_grad(function, dtype, scores, labels, **arguments):
        scores = tensor(scores, dtype).requires_grad_()
        # Labels that are no integers are for the port to refuse.
        loss = function(scores, torch.tensor(labels, device=device), **arguments)
        loss.sum().backward()
        # A loss of bfloat16 scores is float32: rounded here, once.
        return {"loss": loss.to(scores.dtype).tolist(), "grad": scores.grad.tolist()}

    def smooth_topk_loss(**arguments):
        return loss_and_grad(port.smooth_topk_loss, **arguments)

    def topk_loss(**arguments):
        return loss_and_grad(port.topk_loss, **arguments)

    def log_esp(dtype, x, k):
        x = tensor(x, dtype)
        inclusion = port.inclusion_probabilities(x, k)
        return {"log_sigma": port.log_esp(x, k).tolist(), "inclusion": rows_or_empty(inclusion.tolist())}

    def log_esp_hvp(dtype, x, k, v):
        return {"hvp": rows_or_empty(port.log_esp_hvp(tensor(x, dtype), k, tensor(v, dtype)).tolist())}

    serve([smooth_topk_loss, topk_loss, log_esp, log_esp_hvp], ("float64", "float32", "bfloat16"), name="smooth_topk.torch")
