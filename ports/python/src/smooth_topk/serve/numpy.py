"""Answers requests by smooth_topk.numpy."""

import numpy as np

from smooth_topk import numpy as port
from smooth_topk.serve.protocol import rows_or_empty, serve


def smooth_topk_loss(dtype, scores, **arguments):
    loss, grad = port.smooth_topk_loss(np.array(scores, dtype), **arguments)
    return {"loss": loss.tolist(), "grad": grad.tolist()}


def topk_loss(dtype, scores, **arguments):
    loss, grad = port.topk_loss(np.array(scores, dtype), **arguments)
    return {"loss": loss.tolist(), "grad": grad.tolist()}


def log_esp(dtype, x, k):
    x = np.array(x, dtype)
    inclusion = port.inclusion_probabilities(x, k)
    return {"log_sigma": port.log_esp(x, k).tolist(), "inclusion": rows_or_empty(inclusion.tolist())}


def log_esp_hvp(dtype, x, k, v):
    hvp = port.log_esp_hvp(np.array(x, dtype), k, np.array(v, dtype))
    return {"hvp": rows_or_empty(hvp.tolist())}


def main():
    serve([smooth_topk_loss, topk_loss, log_esp, log_esp_hvp], ("float64", "float32"), name="smooth_topk.numpy")
