"""Chainer: chainer.functions, links and optimizers.

# row chainer: chainer==7.8.1 numpy<1.24 typing_extensions filelock protobuf six
"""
import chainer
import chainer.functions as T
import numpy as np
from probes import measure

given = lambda **options: {k: v for k, v in options.items() if v is not None}
nchw = lambda a: np.ascontiguousarray(a.transpose(0, 3, 1, 2))
nhwc = lambda t: (t.array if hasattr(t, "array") else t).transpose(0, 2, 3, 1)


def cells(padding):
    if padding == "same":
        raise ValueError("padding is in numbers")
    return 0 if padding == "valid" else padding


def conv(x, kernel, strides, padding):
    kernel = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
    return nhwc(T.convolution_2d(nchw(x), kernel, stride=strides, pad=cells(padding)))


def max_pool(x, size, strides, padding): return nhwc(T.max_pooling_2d(nchw(x), size, strides, cells(padding)))
def average_pool(x, size, strides, padding): return nhwc(T.average_pooling_2d(nchw(x), size, strides, cells(padding)))


def gradient(f, x, dy):
    x = chainer.Variable(x)
    y = f(x)
    y.grad = dy
    y.backward()
    return x.grad


def max_pool_grad(x, dy, size, strides):
    return nhwc(gradient(lambda t: T.max_pooling_2d(t, size, strides), nchw(x), nchw(dy)))


def relu_grad(x, dy): return gradient(T.relu, x, dy)
def relu(x): return T.relu(x).array
def sigmoid(x): return T.sigmoid(x).array
def hard_sigmoid(x): return T.hard_sigmoid(x).array
def leaky_relu(x): return T.leaky_relu(x).array


def batch_norm(x, training, gamma, beta, mean, variance, momentum, epsilon):
    link = chainer.links.BatchNormalization(len(gamma), **given(decay=momentum, eps=epsilon))
    link.gamma.array[...], link.beta.array[...], link.avg_mean[...], link.avg_var[...] = gamma, beta, mean, variance
    with chainer.using_config("train", training):
        y = link(nchw(x) if x.ndim == 4 else x)
    return nhwc(y) if x.ndim == 4 else y.array, link.avg_mean, link.avg_var


def adam(parameter, gradients, learning_rate, epsilon):
    rule = chainer.optimizers.Adam(**given(alpha=learning_rate, eps=epsilon))
    link = chainer.Link()
    with link.init_scope():
        link.p = chainer.Parameter(parameter.copy())
    rule.setup(link)
    for gradient in gradients:
        link.p.grad = gradient.copy()
        rule.update()
    return link.p.array


def conv_bn(x, kernel, *statistics):
    return batch_norm(conv(x, kernel, 1, "valid"), False, *statistics, None, None)[0]


measure("Chainer", chainer.__version__, globals())
