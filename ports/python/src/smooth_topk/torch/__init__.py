"""The losses in PyTorch. `loss` is one file that can be copied alone; the others build on it."""

from smooth_topk.torch.esp import inclusion_probabilities, log_esp, log_esp_hvp
from smooth_topk.torch.loss import SmoothTopkLoss, SmoothTopkSVM, smooth_topk_loss, topk_loss

__all__ = [
    "SmoothTopkLoss",
    "SmoothTopkSVM",
    "inclusion_probabilities",
    "log_esp",
    "log_esp_hvp",
    "smooth_topk_loss",
    "topk_loss",
]
