"""Tests of the PyTorch port."""

import math
import unittest

import torch
from smooth_topk import torch as smooth_topk
from port_properties import PortProperties, rows_of

torch.set_num_threads(1)

def matrix(rows, dtype="float64"):
    return torch.tensor(rows, dtype=getattr(torch, dtype))

class PytorchTest(PortProperties, unittest.TestCase):
    def losses(self, function, scores, labels, dtype, **parameters):
        scores = matrix(scores, dtype).requires_grad_()
        loss = getattr(smooth_topk, function)(scores, torch.tensor(labels), **parameters)
        loss.sum().backward()
        self.assertEqual((loss.dtype, scores.grad.dtype), (scores.dtype, scores.dtype))
        return loss.tolist(), scores.grad.tolist()

    def log_esp(self, x, k, dtype):
        return smooth_topk.log_esp(matrix(x, dtype), k).tolist()

    def inclusion_probabilities(self, x, k, dtype):
        return smooth_topk.inclusion_probabilities(matrix(x, dtype), k).tolist()

    def log_esp_hvp(self, x, k, v, dtype):
        return smooth_topk.log_esp_hvp(matrix(x, dtype), k, matrix(v, dtype)).tolist()

    def test_loss_has_the_derivatives_of_orders_one_and_two(self):
        for n, k, tau in ((2, 1, 1.0), (6, 1, 0.7), (6, 3, 0.5), (6, 5, 1.0), (9, 7, 0.3)):
            scores = torch.stack([matrix(row) for row in rows_of(n, k)[:1] + rows_of(n, k)[3:5]]).requires_grad_()
            labels = torch.tensor([0, 1, n - 1])
            loss = lambda s: smooth_topk.smooth_topk_loss(s, labels, k, tau, 0.3)  # noqa: B023, E731
            with self.subTest(n=n, k=k):
                self.assertTrue(torch.autograd.gradcheck(loss, scores))
                self.assertTrue(torch.autograd.gradgradcheck(loss, scores))

    def test_hessian_has_no_nan_at_masks_and_where_too_few_classes_are_left(self):
        scores = matrix([[1.0, -math.inf, 2.0, 0.5, 1.0], [1.0, -math.inf, -math.inf, 0.5, -math.inf]])
        for b in range(2):
            row = scores[b : b + 1]
            hessian = torch.autograd.functional.hessian(
                lambda s: smooth_topk.smooth_topk_loss(s, torch.tensor([0]), 2, 0.5).sum(), row  # noqa: B023
            ).reshape(5, 5)
            self.assertTrue(torch.isfinite(hessian).all())
            self.assertEqual(hessian[1].abs().sum().item(), 0)
            self.assertLess((hessian - hessian.t()).abs().max().item(), 1e-14)
            self.assertEqual(hessian.abs().max().item() > 0, b == 0)

    def test_log_sigma_and_inclusion_probabilities_have_their_derivatives(self):
        for n, k in ((1, 1), (6, 1), (6, 4), (6, 6)):
            x = matrix([rows_of(n, k)[0]] if n == 1 else rows_of(n, k)[:4:3]).requires_grad_()
            with self.subTest(n=n, k=k):
                self.assertTrue(torch.autograd.gradcheck(lambda x: smooth_topk.log_esp(x, k)[:, 1:], x))  # noqa: B023
                self.assertTrue(
                    torch.autograd.gradcheck(lambda x: smooth_topk.inclusion_probabilities(x, k), x)  # noqa: B023
                )

    def test_gradient_of_log_sigma_k_is_the_inclusion_probability_at_any_magnitude(self):
        for k in (1, 3, 6):
            x = matrix(rows_of(7, k)).requires_grad_()
            (grad,) = torch.autograd.grad(smooth_topk.log_esp(x, k)[:, k].sum(), x)
            inclusion = smooth_topk.inclusion_probabilities(x, k)
            # Both are within 64 k u of the same number.
            torch.testing.assert_close(grad, inclusion, rtol=128 * k * 2.0**-53, atol=1e-300)

    def test_module_reduces_as_pytorch_does(self):
        scores, labels = matrix(rows_of(7, 2)), torch.tensor([0, 1, 2, 3, 4, 0, 1])
        each = smooth_topk.smooth_topk_loss(scores, labels, 3, 0.5, 2.0)
        for reduction, expected in (("none", each), ("sum", each.sum()), ("mean", each.mean())):
            criterion = smooth_topk.SmoothTopkLoss(3, 0.5, 2.0, reduction=reduction)
            self.assertTrue(torch.equal(criterion(scores, labels), expected))
        with self.assertRaisesRegex(ValueError, "reduction is 'avg', expected 'none', 'mean' or 'sum'"):
            smooth_topk.SmoothTopkLoss(reduction="avg")

    def test_unchecked_call_gives_the_same(self):
        scores, labels = matrix(rows_of(7, 2)), torch.tensor([0] * 7)
        checked = smooth_topk.smooth_topk_loss(scores, labels, 3)
        self.assertTrue(torch.equal(smooth_topk.smooth_topk_loss(scores, labels, 3, check=False), checked))

    def test_half_precision_is_computed_in_single_and_rounded_once(self):
        labels = torch.tensor([0] * 6)
        for dtype in (torch.bfloat16, torch.float16):
            half = matrix(rows_of(7, 2)[:6]).to(dtype)
            single = half.float().requires_grad_()
            half = half.clone().requires_grad_()
            losses = [smooth_topk.smooth_topk_loss(s, labels, 3) for s in (half, single)]
            for loss in losses:
                loss.sum().backward()
            self.assertTrue(torch.equal(*losses))
            self.assertTrue(torch.equal(half.grad, single.grad.to(dtype)))

    if torch.cuda.is_available():

        def test_device_gives_what_the_processor_gives(self):
            scores, labels = matrix(rows_of(7, 2)[:6]), torch.tensor([0] * 6)
            on_device = smooth_topk.smooth_topk_loss(scores.cuda(), labels.cuda(), 3).cpu()
            # Both are within (8 + |z|) u of the same numbers, |z| below 100.
            expected = smooth_topk.smooth_topk_loss(scores, labels, 3)
            torch.testing.assert_close(on_device, expected, rtol=2.0**-45, atol=0)

if __name__ == "__main__":
    unittest.main()
