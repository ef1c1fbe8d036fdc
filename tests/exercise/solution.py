"""solution.py - the functions of skeleton.py, right; or, with PLANTED=1 ... 12 in the environment, with a mistake that students
make (solution.c has their names), to prove the marker."""
import os

import numpy as np

PLANTED = int(os.environ.get("PLANTED", "0"))


def windows(shape, kernel, stride):
    """For each tap: its place in the kernel, and the part of the image that it sees."""
    kh, kw = kernel
    oh, ow = ((shape[i + 1] - kernel[i]) // stride + 1 for i in (0, 1))
    for i in range(kh):
        for j in range(kw):
            yield i, j, (slice(None), slice(i, i + stride * (oh - 1) + 1, stride), slice(j, j + stride * (ow - 1) + 1, stride))


def padded(x, pad):
    return np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))


def conv2d_forward(x, kernel, bias, stride, pad):
    x = padded(x, pad)
    if PLANTED == 1:
        kernel = kernel[::-1, ::-1]
    y = sum(x[part] @ kernel[i, j] for i, j, part in windows(x.shape, kernel.shape[:2], stride))
    return y if PLANTED == 2 else y + bias


def conv2d_backward(x, kernel, dy, stride, pad):
    big = padded(x, pad)
    dx, dkernel = np.zeros_like(big), np.zeros_like(kernel)
    for i, j, part in windows(big.shape, kernel.shape[:2], stride):
        dx[part] += dy @ kernel[i, j].T
        dkernel[i, j] = np.einsum("nhwi,nhwo->io", big[part], dy)
    dbias = dy.sum((0, 1, 2))
    dx = dx[:, pad:pad + x.shape[1], pad:pad + x.shape[2]]
    return dx, dkernel / len(x) if PLANTED == 3 else dkernel, dy.mean((0, 1, 2)) if PLANTED == 4 else dbias


def batch_normalization_forward(x, gamma, beta, epsilon):
    return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + (0 if PLANTED == 5 else epsilon)) + beta


def batch_normalization_backward(x, gamma, dy, epsilon):
    scale = 1 / np.sqrt(x.var(0) + epsilon)
    h = (x - x.mean(0)) * scale
    mean, through_variance = dy.mean(0), h * (dy * h).mean(0)
    dx = gamma * scale * (dy - (0 if PLANTED in (6, 7) else mean) - (0 if PLANTED == 6 else through_variance))
    return dx, (dy * h).sum(0), dy.sum(0)


def max_pooling2d_forward(x, size, stride):
    y = np.stack([x[part] for _, _, part in windows(x.shape, size, stride)]).max(0)
    return np.maximum(y, 0) if PLANTED == 8 else y


def max_pooling2d_backward(x, dy, size, stride):
    y = np.stack([x[part] for _, _, part in windows(x.shape, size, stride)]).max(0)
    dx, left = np.zeros_like(x), np.ones_like(y, bool)
    for _, _, part in windows(x.shape, size, stride):
        takes = (x[part] == y) & (left | (PLANTED == 9))
        dx[part] += dy * takes
        left &= ~takes
    return dx


def softmax_loss(logits, labels):
    n = len(logits)
    z = logits - logits.max(1, keepdims=True)
    log_of_sum = np.log(np.exp(z).sum(1, keepdims=True))
    loss = (log_of_sum[:, 0] - z[np.arange(n), labels]).sum()
    p = np.exp(z - log_of_sum)
    if PLANTED != 12:
        p[np.arange(n), labels] -= 1
    return loss if PLANTED == 10 else loss / n, p if PLANTED == 11 else p / n
