"""What every port must do, as a mixin of unittest.TestCase: the properties of docs/porting.md on small rows.

A port's test case has the methods
    losses(function, scores, labels, dtype, **parameters) -> (loss, grad)      function is smooth_topk_loss or topk_loss
    log_esp(x, k, dtype), inclusion_probabilities(x, k, dtype), log_esp_hvp(x, k, v, dtype)
and takes and returns lists of floats. `dtypes` are the precisions it computes in.
"""

import math
import random
import struct
from decimal import Decimal

from subset_sums import Subsets, hessian_vector_product, log_esp, smooth_topk_loss

UNIT = {"float64": 2.0**-53, "float32": 2.0**-24}
FLOOR = {"float64": 1e-280, "float32": 1e-30}
"""Below this digits are lost to underflow, and a result has only to be as small."""


def held(dtype, rows):
    """The rows in a precision."""
    return rows if dtype == "float64" else [[struct.unpack("f", struct.pack("f", v))[0] for v in row] for row in rows]


def rows_of(n, seed):
    """Rows of n scores that make trouble, each in its own way."""
    draw = random.Random(1000 * n + seed)
    ordinary = [draw.gauss(0, 1) for _ in range(n)]
    return [
        ordinary,
        [30 * v for v in ordinary],
        [1000 + v / 64 for v in ordinary],
        [round(v) / 2 for v in ordinary],
        [0.1] * n,
        [v + 40 * (i == n // 2) for i, v in enumerate(ordinary)],
        [v if i != n - 2 else -math.inf for i, v in enumerate(ordinary)],
    ]


class PortProperties:
    dtypes = ("float64", "float32")

    def assert_within(self, actual, expected, scale, units, dtype):
        """|actual - expected| <= units u scale; expected is a decimal."""
        error = abs(type(expected)(actual) - expected)
        self.assertLessEqual(float(error), units * UNIT[dtype] * float(scale), f"{actual} for {float(expected)}")

    def assert_row_within(self, actual, expected, scales, k, dtype):
        """64 k u of the scale in double precision; 1e-3 of it and 1e-5 of the row's largest in single."""
        largest = max(scales)
        for value, exact, scale in zip(actual, expected, scales):
            if scale < FLOOR[dtype]:
                self.assertLessEqual(abs(value), 2 * FLOOR[dtype])
            elif dtype == "float64":
                self.assert_within(value, exact, scale, 64 * k, dtype)
            else:
                self.assert_within(value, exact, min(scale * 100, largest), 1e-5 / UNIT[dtype], dtype)

    def test_loss_and_gradient_are_those_of_the_sums_over_subsets(self):
        for dtype in self.dtypes:
            for n in (2, 3, 5, 7):
                for k in range(1, n):
                    scores = held(dtype, rows_of(n, k))
                    labels = [(b + k) % (n - 2) if n > 2 else 1 for b in range(len(scores))]
                    for tau, alpha in ((1.0, 1.0), (0.1, 0.7), (30.0, 0.0)):
                        loss, grad = self.losses(
                            "smooth_topk_loss", scores, labels, dtype, k=k, tau=tau, alpha=alpha
                        )
                        for b, row in enumerate(scores):
                            with self.subTest(dtype=dtype, k=k, tau=tau, alpha=alpha, row=row, label=labels[b]):
                                value, z, exact = smooth_topk_loss(row, labels[b], k, tau, alpha)
                                units = 8 + abs(float(z or 0)) if dtype == "float64" else 1e-5 / UNIT[dtype]
                                self.assert_within(loss[b], value, max(value, FLOOR[dtype]), units, dtype)
                                self.assert_row_within(grad[b], exact, list(map(abs, exact)), k, dtype)

    def test_log_sigma_and_its_derivatives_are_those_of_the_sums_over_subsets(self):
        for dtype in self.dtypes:
            for n in (1, 2, 5, 7):
                for k in range(n + 1):
                    x = held(dtype, rows_of(n, k) if n > 2 else rows_of(n, k)[:6])
                    # A large constant part in every second direction, which the Hessian maps to 0.
                    v = held(dtype, [[math.sin(9 * b + i) + b % 2 * 4096 for i in range(n)] for b in range(len(x))])
                    found = self.log_esp(x, k, dtype), self.inclusion_probabilities(x, k, dtype)
                    products = self.log_esp_hvp(x, k, v, dtype)
                    for b, row in enumerate(x):
                        with self.subTest(dtype=dtype, k=k, row=row):
                            for value, exact in zip(found[0][b], log_esp(row, k), strict=True):
                                if exact is None:
                                    self.assertEqual(value, -math.inf)
                                else:
                                    units = 8 if dtype == "float64" else 64
                                    self.assert_within(value, exact, max(1, abs(exact)), units, dtype)
                            if found[0][b][k] == -math.inf:
                                self.assertTrue(all(math.isnan(value) for value in found[1][b] + products[b]))
                                continue
                            inclusion = Subsets(row, k).inclusion()
                            self.assert_row_within(found[1][b], inclusion, inclusion, max(1, k), dtype)
                            there = [value for value, entry in zip(v[b], row) if entry > -math.inf]
                            exact, variance = hessian_vector_product(row, k, v[b])
                            scales = [float(entry) * (max(there) - min(there)) for entry in variance]
                            self.assert_row_within(products[b], exact, scales, max(1, k), dtype)

    def test_log_sigma_of_equal_entries_is_log_binomial_plus_k_x(self):
        # Near 0, where k roundings of an exponential would show.
        n, k = 60, 30
        level = -Decimal(math.comb(n, k)).ln() / k
        for dtype in self.dtypes:
            rows = held(dtype, [[float(level) + b / 1024] * n for b in range(8)])
            for row, found in zip(rows, self.log_esp(rows, k, dtype)):
                expected = Decimal(math.comb(n, k)).ln() + k * Decimal(row[0])
                self.assert_within(found[k], expected, max(1, abs(expected)), 8 if dtype == "float64" else 64, dtype)

    def test_gradient_of_each_row_sums_to_zero_and_is_positive_beside_the_label(self):
        # Each entry is off by 64 k u of itself: the sum by 64 k u of twice the label's.
        scores = [row * 40 for row in rows_of(7, 3)[:5]]
        k = 5
        _, grad = self.losses("smooth_topk_loss", scores, [11] * 5, "float64", k=k, tau=0.5, alpha=1.0)
        for row in grad:
            self.assertTrue(all(value > 0 for i, value in enumerate(row) if i != 11))
            self.assertLessEqual(abs(math.fsum(row)), 64 * k * UNIT["float64"] * 2 * abs(row[11]))

    def test_loss_tends_to_the_hard_loss(self):
        # tau log of the number of subsets, C(6, 3) besides the label and C(6, 2) with it: below tau log 36.
        scores, labels = rows_of(7, 1)[:6], [0, 1, 2, 3, 4, 5]
        hard, _ = self.losses("topk_loss", scores, labels, "float64", k=3, alpha=1.0)
        for tau in (1.0, 0.1, 1e-3, 1e-9):
            smooth, _ = self.losses("smooth_topk_loss", scores, labels, "float64", k=3, tau=tau, alpha=1.0)
            for a, b in zip(smooth, hard):
                self.assertLessEqual(abs(a - b), tau * math.log(36) + 1e-14 * abs(b))

    def test_hard_loss_shares_its_subgradient_between_ties(self):
        scores = [[3.0, 1.0, 2.0, 2.0, 0.0], [9.0, 1.0, 2.0, 2.0, 0.0], [4.0, 1.0, 2.0, 2.0, 0.0]]
        loss, grad = self.losses("topk_loss", scores, [0, 0, 0], "float64", k=2, alpha=1.0)
        self.assertEqual(loss, [0.5, 0.0, 0.0])
        self.assertEqual(grad, [[-0.5, 0.0, 0.25, 0.25, 0.0], [0.0] * 5, [0.0] * 5])

    def test_order_one_without_margin_is_the_cross_entropy(self):
        scores = rows_of(7, 5)[:6]
        loss, grad = self.losses("smooth_topk_loss", scores, [2] * 6, "float64", k=1, tau=1.0, alpha=0.0)
        for b, row in enumerate(scores):
            largest = max(row)
            total = math.fsum(math.exp(v - largest) for v in row)
            # Rounding v - max, the exponential, the sum and its logarithm; then the difference to s_y.
            self.assertLessEqual(abs(loss[b] - (math.log(total) + largest - row[2])), 200 * UNIT["float64"] * 1100)
            for i, v in enumerate(row):
                expected = math.exp(v - largest) / total - (i == 2)
                self.assertLessEqual(abs(grad[b][i] - expected), 200 * UNIT["float64"])

    def test_fewer_than_k_other_classes_give_zeros(self):
        for function in ("smooth_topk_loss", "topk_loss"):
            scores = [[1.0, 2.0, -math.inf, -math.inf], [1.0, 2.0, 3.0, 4.0]]
            loss, grad = self.losses(function, scores, [0, 0], "float64", k=2)
            self.assertEqual((loss[0], grad[0]), (0.0, [0.0] * 4))
            alone, _ = self.losses(function, scores[1:], [0], "float64", k=2)
            self.assertEqual(loss[1], alone[0])

    def test_bad_input_is_refused_with_the_argument_the_index_and_the_value(self):
        good = [[1.0, 2.0, 3.0, 0.5, 1.0]]
        cases = (
            (dict(k=9), "k must be at most n - 1: got k = 9, n = 5"),
            (dict(k=5), "k must be at most n - 1: got k = 5, n = 5"),
            (dict(k=0), "k must be at least 1: got k = 0"),
            (dict(k=1.5), "k must be an integer: got k = 1.5"),
            (dict(tau=0.0), "tau must be a number > 0: got tau = 0.0"),
            (dict(tau=math.nan), "tau must be a number > 0: got tau = NaN"),
            (dict(tau=1e300), "k tau must be between 1e-280 and 1e+280: got tau = 1e+300"),
            (dict(alpha=math.inf), "alpha must be a finite number: got alpha = Infinity"),
            (dict(labels=[5]), "labels[0] is 5, expected an integer in [0, 4]"),
            (dict(labels=[-1]), "labels[0] is -1, expected an integer in [0, 4]"),
            (dict(labels=[0.5]), "labels[0] is 0.5, expected an integer in [0, 4]"),
            (dict(labels=[0, 1]), "labels has shape [2], expected [1]"),
            (dict(scores=[[1.0, math.nan, 0.0]]), "scores[0, 1] is NaN, expected a finite number or -Infinity"),
            (dict(scores=[[1.0, 2.0, math.inf]]), "scores[0, 2] is Infinity, expected a finite number or -Infinity"),
            (dict(scores=[[-math.inf, 1.0, 2.0]]), "labels[0] is 0, a masked class: scores[0, 0] is -Infinity"),
        )
        for change, message in cases:
            with self.subTest(message), self.assertRaises(ValueError) as refused:
                given = {"scores": good, "labels": [0], "k": 2, **change}
                self.losses("smooth_topk_loss", given.pop("scores"), given.pop("labels"), "float64", **given)
            self.assertEqual(str(refused.exception), f"smooth_topk_loss: {message}")
        for call, message in (
            (lambda: self.log_esp(good, 6, "float64"), "log_esp: k must be at most n: got k = 6, n = 5"),
            (lambda: self.log_esp_hvp(good, 2, [[1.0]], "float64"), "log_esp_hvp: v has shape [1, 1], expected [1, 5]"),
            (
                lambda: self.log_esp_hvp(good, 2, [[1.0, 0.0, math.inf, 0.0, 0.0]], "float64"),
                "log_esp_hvp: v[0, 2] is Infinity, expected a finite number",
            ),
        ):
            with self.subTest(message), self.assertRaises(ValueError) as refused:
                call()
            self.assertEqual(str(refused.exception), message)
