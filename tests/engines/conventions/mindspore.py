"""MindSpore on the CPU, in PyNative mode: mindspore.nn.

# row mindspore: mindspore==2.10.0 numpy
"""
import numpy as np
import mindspore as ms
from mindspore import nn
from probes import measure

ms.set_context(mode=ms.PYNATIVE_MODE, device_target="CPU")
given = lambda **options: {k: v for k, v in options.items() if v is not None}
nchw = lambda a: ms.Tensor(np.ascontiguousarray(a.transpose(0, 3, 1, 2)) if a.ndim == 4 else a)
nhwc = lambda t: t.asnumpy().transpose(0, 2, 3, 1) if t.ndim == 4 else t.asnumpy()


def where(padding):
    return {"pad_mode": padding} if isinstance(padding, str) else {"pad_mode": "pad", "padding": padding}


def conv(x, kernel, strides, padding):
    layer = nn.Conv2d(*kernel.shape[2:], kernel.shape[0], strides, **where(padding),
                      weight_init=ms.Tensor(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))))
    return nhwc(layer(nchw(x)))


def max_pool(x, size, strides, padding): return nhwc(nn.MaxPool2d(size, strides, **where(padding))(nchw(x)))
def average_pool(x, size, strides, padding): return nhwc(nn.AvgPool2d(size, strides, **where(padding))(nchw(x)))


def average_pool_ceil(x, size, strides, padding):
    return nhwc(nn.AvgPool2d(size, strides, **where(padding), ceil_mode=True)(nchw(x)))


def gradient(f, x, dy):
    return ms.grad(lambda t: (f(t) * dy).sum())(x)


def max_pool_grad(x, dy, size, strides): return nhwc(gradient(nn.MaxPool2d(size, strides), nchw(x), nchw(dy)))
def relu_grad(x, dy): return gradient(nn.ReLU(), ms.Tensor(x), ms.Tensor(dy)).asnumpy()
def relu(x): return nn.ReLU()(ms.Tensor(x)).asnumpy()
def sigmoid(x): return nn.Sigmoid()(ms.Tensor(x)).asnumpy()
def hard_sigmoid(x): return nn.HSigmoid()(ms.Tensor(x)).asnumpy()
def leaky_relu(x): return nn.LeakyReLU()(ms.Tensor(x)).asnumpy()


def batch_norm(x, training, gamma, beta, mean, variance, momentum, epsilon):
    kind = nn.BatchNorm2d if x.ndim == 4 else nn.BatchNorm1d
    layer = kind(len(gamma), gamma_init=ms.Tensor(gamma), beta_init=ms.Tensor(beta), moving_mean_init=ms.Tensor(mean),
                 moving_var_init=ms.Tensor(variance), **given(momentum=momentum, eps=epsilon))
    layer.set_train(training)
    y = layer(nchw(x))
    return nhwc(y), layer.moving_mean.asnumpy(), layer.moving_variance.asnumpy()


def adam(parameter, gradients, learning_rate, epsilon):
    p = ms.Parameter(ms.Tensor(parameter), name="p")
    optimizer = nn.Adam([p], **given(learning_rate=learning_rate, eps=epsilon))
    for gradient in gradients:
        optimizer((ms.Tensor(gradient),))
    return p.asnumpy()


def conv_bn(x, kernel, *statistics):
    return batch_norm(conv(x, kernel, 1, "valid"), False, *statistics, None, None)[0]


measure("MindSpore", ms.__version__, globals())
