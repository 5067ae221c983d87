"""Tests of the JAX port."""

import unittest

import jax
import jax.numpy as jnp
import numpy as np
from port_properties import PortProperties, rows_of

from smooth_topk import jax as smooth_topk

jax.config.update("jax_enable_x64", True)

class JaxTest(PortProperties, unittest.TestCase):
    def losses(self, function, scores, labels, dtype, **parameters):
        labels = jnp.array(labels)
        loss, pullback = jax.vjp(
            lambda s: getattr(smooth_topk, function)(s, labels, **parameters), jnp.array(scores, dtype)
        )
        # The values are checked where they can be seen: outside of the transformation.
        getattr(smooth_topk, function)(jnp.array(scores, dtype), labels, **parameters)
        (grad,) = pullback(jnp.ones_like(loss))
        return loss.tolist(), grad.tolist()

    def log_esp(self, x, k, dtype):
        return smooth_topk.log_esp(jnp.array(x, dtype), k).tolist()

    def inclusion_probabilities(self, x, k, dtype):
        return smooth_topk.inclusion_probabilities(jnp.array(x, dtype), k).tolist()

    def log_esp_hvp(self, x, k, v, dtype):
        return smooth_topk.log_esp_hvp(jnp.array(x, dtype), k, jnp.array(v, dtype)).tolist()

    def test_hessian_is_the_difference_of_gradients(self):
        scores, labels = jnp.array(rows_of(6, 3)[:1]), jnp.array([1])
        for k in (1, 3, 5):
            grad = jax.grad(lambda s: smooth_topk.smooth_topk_loss(s, labels, k, 0.5).sum())  # noqa: B023
            hessian = jax.jacrev(grad)(scores)[0, :, 0]
            forward = jax.jacfwd(grad)(scores)[0, :, 0]
            step = 2.0**-17
            for i in range(6):
                shift = step * jnp.eye(6)[i : i + 1]
                difference = (grad(scores + shift) - grad(scores - shift))[0] / (2 * step)
                # Third derivatives times step^2 / 6, and 64 k u of a gradient below 1, over the step.
                np.testing.assert_allclose(hessian[:, i], difference, atol=1e-8)
            np.testing.assert_allclose(hessian, forward, rtol=1e-10, atol=1e-14)

    def test_gradient_of_log_sigma_k_is_the_inclusion_probability(self):
        for k in (1, 3, 6):
            x = jnp.array(rows_of(7, k))
            grad = jax.grad(lambda x: smooth_topk.log_esp(x, k)[:, k].sum())(x)  # noqa: B023
            # Both are within 64 k u of the same number.
            np.testing.assert_allclose(grad, smooth_topk.inclusion_probabilities(x, k), rtol=128 * k * 2.0**-53)

    def test_compiled_and_mapped_calls_give_the_same(self):
        scores, labels = jnp.array(rows_of(7, 2)), jnp.array([0] * 7)
        expected = smooth_topk.smooth_topk_loss(scores, labels, 3)
        compiled = jax.jit(lambda s, y: smooth_topk.smooth_topk_loss(s, y, 3))(scores, labels)
        mapped = jax.vmap(lambda s, y: smooth_topk.smooth_topk_loss(s[None], y[None], 3)[0])(scores, labels)
        np.testing.assert_allclose(compiled, expected, rtol=1e-14)
        np.testing.assert_allclose(mapped, expected, rtol=1e-14)

if __name__ == "__main__":
    unittest.main()
