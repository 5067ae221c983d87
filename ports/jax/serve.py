"""Serves smooth_topk.py by the port protocol:  smooth-topk conformance --timeout 60 -- python3 ports/jax/serve.py"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import smooth_topk

# At the end of the path: the folder beside it is named jax.
sys.path.append(str(Path(__file__).parent.parent))
from port_protocol import rows_or_empty, serve  # noqa: E402

jax.config.update("jax_enable_x64", True)


def loss_and_grad(function, dtype, scores, labels, **arguments):
    scores, labels = jnp.array(scores, dtype), jnp.array(labels)
    # Outside of the transformation, where the values are seen and checked.
    loss = function(scores, labels, **arguments)
    grad = jax.grad(lambda s: function(s, labels, **arguments).sum())(scores)
    return {"loss": loss.tolist(), "grad": grad.tolist()}


def smooth_topk_loss(**arguments):
    return loss_and_grad(smooth_topk.smooth_topk_loss, **arguments)


def topk_loss(**arguments):
    return loss_and_grad(smooth_topk.topk_loss, **arguments)


def log_esp(dtype, x, k):
    x = jnp.array(x, dtype)
    inclusion = smooth_topk.inclusion_probabilities(x, k)
    return {"log_sigma": smooth_topk.log_esp(x, k).tolist(), "inclusion": rows_or_empty(inclusion.tolist())}


def log_esp_hvp(dtype, x, k, v):
    product = smooth_topk.log_esp_hvp(jnp.array(x, dtype), k, jnp.array(v, dtype))
    return {"hvp": rows_or_empty(product.tolist())}


serve([smooth_topk_loss, topk_loss, log_esp, log_esp_hvp], ("float64", "float32", "bfloat16"))
