"""Answers requests by smooth_topk.jax."""

import jax
import jax.numpy as jnp

from smooth_topk import jax as port
from smooth_topk.serve.protocol import rows_or_empty, serve


def loss_and_grad(function, dtype, scores, labels, **arguments):
    scores, labels = jnp.array(scores, dtype), jnp.array(labels)
    # Outside of the transformation, where the values are seen and checked.
    loss = function(scores, labels, **arguments)
    grad = jax.grad(lambda s: function(s, labels, **arguments).sum())(scores)
    return {"loss": loss.tolist(), "grad": grad.tolist()}


def smooth_topk_loss(**arguments):
    return loss_and_grad(port.smooth_topk_loss, **arguments)


def topk_loss(**arguments):
    return loss_and_grad(port.topk_loss, **arguments)


def log_esp(dtype, x, k):
    x = jnp.array(x, dtype)
    inclusion = port.inclusion_probabilities(x, k)
    return {"log_sigma": port.log_esp(x, k).tolist(), "inclusion": rows_or_empty(inclusion.tolist())}


def log_esp_hvp(dtype, x, k, v):
    product = port.log_esp_hvp(jnp.array(x, dtype), k, jnp.array(v, dtype))
    return {"hvp": rows_or_empty(product.tolist())}


def main():
    jax.config.update("jax_enable_x64", True)
    serve([smooth_topk_loss, topk_loss, log_esp, log_esp_hvp], ("float64", "float32", "bfloat16"), name="smooth_topk.jax")
