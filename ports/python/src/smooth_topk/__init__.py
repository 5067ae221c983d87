"""Smooth loss functions for top-k classification, and the elementary symmetric polynomials under them.

Three modules with the same names, arguments and results; each needs only the framework that it is named for, and none
is imported from here:

    smooth_topk.torch     losses with autograd, a module, class-parallel and fused variants
    smooth_topk.jax       losses with derivatives to any order
    smooth_topk.numpy     loss and gradient in one call: the algorithm in the fewest lines

    from smooth_topk.torch import smooth_topk_loss

L. Berrada, A. Zisserman, M. P. Kumar, Smooth Loss Functions for Deep Top-k Classification, ICLR 2018.
"""

__version__ = "0.1.0"
