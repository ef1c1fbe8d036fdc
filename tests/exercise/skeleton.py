"""skeleton.py - write the seven functions here; README.md says what each computes and how to have them marked. Arrays are
NumPy's, float64: images [n][h][w][c], kernels [kh][kw][ci][co], dy the gradient of the loss by y."""
import numpy as np


def conv2d_forward(x, kernel, bias, stride, pad):
    """y[n][oh][ow][co], with `pad` rows and columns of zeros around x."""
    raise NotImplementedError


def conv2d_backward(x, kernel, dy, stride, pad):
    """dx, dkernel, dbias"""
    raise NotImplementedError


def batch_normalization_forward(x, gamma, beta, epsilon):
    """y of x[rows][c], with the batch's mean and (biased) variance over the rows"""
    raise NotImplementedError


def batch_normalization_backward(x, gamma, dy, epsilon):
    """dx, dgamma, dbeta"""
    raise NotImplementedError


def max_pooling2d_forward(x, size, stride):
    """y; size is (kh, kw)"""
    raise NotImplementedError


def max_pooling2d_backward(x, dy, size, stride):
    """dx: the gradient goes to the first of several equal maxima, in row-major order"""
    raise NotImplementedError


def softmax_loss(logits, labels):
    """loss, dlogits: the mean over the images of -log(p[label]); logits may be as large as 1000"""
    raise NotImplementedError
