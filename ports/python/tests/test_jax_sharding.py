"""The loss of classes split over the devices of a mesh, on four host devices."""

import os
import subprocess
import sys

import pytest

if "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
    # The number of devices is fixed when JAX starts, which other tests may have done in this process.
    def test_classes_split_over_devices_give_the_loss_and_gradient_of_all():
        flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=4"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
        done = subprocess.run(command, env={**os.environ, "XLA_FLAGS": flags}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]

else:
    import re

    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.sharding import Mesh, NamedSharding
    from jax.sharding import PartitionSpec as P

    from smooth_topk import jax as smooth_topk

    jax.config.update("jax_enable_x64", True)

    def sharded(devices, k, tau=0.5, alpha=1.0):
        """The loss of scores [batch, n] as a function on a mesh, and a placement of scores on it."""
        mesh = Mesh(np.array(jax.devices()[:devices]), ("classes",))

        def shard(scores, labels):
            first = jax.lax.axis_index("classes") * scores.shape[1]
            return smooth_topk.class_parallel_smooth_topk_loss(
                scores, labels, first, k, tau, alpha, axis_name="classes"
            )

        function = jax.jit(jax.shard_map(shard, mesh=mesh, in_specs=(P(None, "classes"), P()), out_specs=P()))
        return function, lambda scores: jax.device_put(scores, NamedSharding(mesh, P(None, "classes")))

    def case(n, dtype, seed=0):
        draw = np.random.default_rng(seed)
        scores = 3 * draw.standard_normal((7, n))
        scores[1] = np.round(scores[1])  # ties across shards
        scores[2, : n // 2] -= 1000  # a shard far below
        scores[3, ::2] = -np.inf
        scores[4] += 1e6
        labels = 2 * draw.integers(0, n // 2, 7) + 1
        return jnp.array(scores, dtype), jnp.array(labels)

    # The shards' power sums are added in another order: both losses are within the contract of the same number.
    @pytest.mark.parametrize(("dtype", "bound"), [("float64", 24 * 2.0**-53), ("float32", 2e-5)])
    @pytest.mark.parametrize(("devices", "n", "k"), [(2, 40, 3), (4, 8, 5), (4, 400, 5), (4, 800, 20)])
    def test_loss_and_gradient_are_those_of_one_device(devices, n, k, dtype, bound):
        scores, labels = case(n, dtype)
        function, place = sharded(devices, k)
        expected, expected_grad = smooth_topk.smooth_topk_loss_value_and_grad(scores, labels, k, 0.5)
        loss, pullback = jax.vjp(lambda s: function(s, labels), place(scores))
        (grad,) = pullback(jnp.ones_like(loss))
        odds = np.expm1(np.clip(np.asarray(expected, "float64") / 0.5, 1e-300, 50))
        assert (np.abs(loss - expected) <= bound * (1 + np.abs(np.log(odds))) * expected).all()
        largest = np.abs(expected_grad).max(1, keepdims=True)
        limit = 128 * k * 2.0**-53 if dtype == "float64" else 2e-5
        assert (np.abs(grad - expected_grad) <= limit * largest).all()

    def test_backward_exchanges_nothing_and_forward_the_same_for_any_number_of_classes():
        sizes = {}
        for n in (400, 4000):
            scores, labels = case(n, "float32")
            function, place = sharded(4, 5)
            placed = place(scores)

            def numbers(compiled):
                shapes = re.findall(r"= (?:\()?\w+\[([\d,]*)\].*? all-\w+(?:-start)?\(", compiled.as_text())
                return sum(int(np.prod([int(v) for v in shape.split(",") if v])) for shape in shapes)

            forward = numbers(jax.jit(function).lower(placed, labels).compile())
            both = numbers(
                jax.jit(jax.value_and_grad(lambda s: function(s, labels).sum())).lower(placed).compile()  # noqa: B023
            )
            assert 0 < both == forward
            sizes[n] = forward
        # 4 devices x (H = 15 largest + M = 5 sums) and 3 numbers on the label, for each of 7 rows.
        assert sizes[400] == sizes[4000] <= 7 * (4 * (15 + 5) + 3)

    def test_second_derivative_is_that_of_one_device():
        scores, labels = case(16, "float64")
        function, place = sharded(4, 3)

        def product(loss, s):
            return jax.grad(lambda s: (jax.grad(lambda s: loss(s).sum())(s) * jnp.sin(jnp.arange(16.0))).sum())(s)

        found = product(lambda s: function(s, labels[:1]), place(scores[:1]))
        expected = product(lambda s: smooth_topk.smooth_topk_loss(s, labels[:1], 3, 0.5), scores[:1])
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)

    def test_a_label_out_of_range_or_masked_makes_its_row_nan():
        scores, _ = case(40, "float64")
        function, place = sharded(4, 3)
        loss = function(place(scores), jnp.array([40, -1, 0, 0, 0, 0, 0]))
        assert np.isnan(loss).tolist() == [True, True, False, True, False, False, False]
