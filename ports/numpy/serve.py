"""Serves smooth_topk.py by the port protocol:  smooth-topk conformance -- python3 ports/numpy/serve.py"""

import sys
from pathlib import Path

import numpy as np
import smooth_topk

# At the end of the path: the folder beside it is named numpy.
sys.path.append(str(Path(__file__).parent.parent))
from port_protocol import rows_or_empty, serve  # noqa: E402


def smooth_topk_loss(dtype, scores, **arguments):
    loss, grad = smooth_topk.smooth_topk_loss(np.array(scores, dtype), **arguments)
    return {"loss": loss.tolist(), "grad": grad.tolist()}


def topk_loss(dtype, scores, **arguments):
    loss, grad = smooth_topk.topk_loss(np.array(scores, dtype), **arguments)
    return {"loss": loss.tolist(), "grad": grad.tolist()}


def log_esp(dtype, x, k):
    x = np.array(x, dtype)
    inclusion = smooth_topk.inclusion_probabilities(x, k)
    return {"log_sigma": smooth_topk.log_esp(x, k).tolist(), "inclusion": rows_or_empty(inclusion.tolist())}


def log_esp_hvp(dtype, x, k, v):
    hvp = smooth_topk.log_esp_hvp(np.array(x, dtype), k, np.array(v, dtype))
    return {"hvp": rows_or_empty(hvp.tolist())}


serve([smooth_topk_loss, topk_loss, log_esp, log_esp_hvp], ("float64", "float32"))
