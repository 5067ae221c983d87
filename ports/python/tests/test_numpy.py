"""Tests of the NumPy port."""

import unittest

import numpy as np
from smooth_topk import numpy as smooth_topk

from port_properties import PortProperties

class NumpyTest(PortProperties, unittest.TestCase):
    def losses(self, function, scores, labels, dtype, **parameters):
        loss, grad = getattr(smooth_topk, function)(np.array(scores, dtype), np.array(labels), **parameters)
        self.assertEqual((str(loss.dtype), str(grad.dtype)), (dtype, dtype))
        return loss.tolist(), grad.tolist()

    def log_esp(self, x, k, dtype):
        return smooth_topk.log_esp(np.array(x, dtype), k).tolist()

    def inclusion_probabilities(self, x, k, dtype):
        return smooth_topk.inclusion_probabilities(np.array(x, dtype), k).tolist()

    def log_esp_hvp(self, x, k, v, dtype):
        return smooth_topk.log_esp_hvp(np.array(x, dtype), k, np.array(v, dtype)).tolist()

    def test_arguments_are_not_mutated_and_may_be_any_view(self):
        whole = np.random.default_rng(1).standard_normal((6, 40))
        kept = whole.copy()
        view = whole[::2, ::-3]
        labels = [1, 2, 3]
        for function in (smooth_topk.smooth_topk_loss, smooth_topk.topk_loss):
            for found, expected in zip(function(view, labels), function(view.copy(), labels)):
                np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(smooth_topk.log_esp(view, 4), smooth_topk.log_esp(view.copy(), 4))
        np.testing.assert_array_equal(whole, kept)

    def test_no_warning_is_given(self):
        scores = np.array([[1e6, -1e6, 0, -np.inf, 3], [-np.inf, -np.inf, 0, -np.inf, 3]])
        with np.errstate(all="raise"):
            smooth_topk.smooth_topk_loss(scores, [0, 4], k=2, tau=1e-3)
            smooth_topk.topk_loss(scores, [0, 4], k=2)
            smooth_topk.log_esp(scores, 3)
            smooth_topk.inclusion_probabilities(scores, 3)
            smooth_topk.log_esp_hvp(scores, 3, np.ones((2, 5)))

if __name__ == "__main__":
    unittest.main()
