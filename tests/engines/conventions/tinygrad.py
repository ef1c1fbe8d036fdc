"""tinygrad on the CPU: Tensor, tinygrad.nn and its optimizers.

# row tinygrad: DEV=CPU tinygrad==0.14.0 numpy
"""
from importlib.metadata import version
import numpy as np
from tinygrad import Context, Tensor, nn
from probes import measure

given = lambda **options: {k: v for k, v in options.items() if v is not None}
nchw = lambda a: Tensor(np.ascontiguousarray(a.transpose(0, 3, 1, 2)))
nhwc = lambda t: t.numpy().transpose(0, 2, 3, 1)


def cells(padding):
    if padding == "same":
        raise ValueError("padding is in numbers")
    return 0 if padding == "valid" else padding


def conv(x, kernel, strides, padding):
    where = padding if padding == "same" else cells(padding)
    layer = nn.Conv2d(*kernel.shape[2:], kernel.shape[0], strides, where, bias=False)
    layer.weight = Tensor(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))
    return nhwc(layer(nchw(x)))


def max_pool(x, size, strides, padding): return nhwc(nchw(x).max_pool2d((size, size), strides, padding=cells(padding)))
def average_pool(x, size, strides, padding): return nhwc(nchw(x).avg_pool2d((size, size), strides, padding=cells(padding)))


def average_pool_ceil(x, size, strides, padding):
    return nhwc(nchw(x).avg_pool2d((size, size), strides, padding=padding, ceil_mode=True))


def gradient(f, x, dy):
    return (f(x) * dy).sum().gradient(x)[0]


def max_pool_grad(x, dy, size, strides):
    return nhwc(gradient(lambda t: t.max_pool2d((size, size), strides), nchw(x), nchw(dy)))


def relu_grad(x, dy): return gradient(lambda t: t.relu(), Tensor(x), Tensor(dy)).numpy()
def relu(x): return Tensor(x).relu().numpy()
def sigmoid(x): return Tensor(x).sigmoid().numpy()
def hard_sigmoid(x): return Tensor(x).hardsigmoid().numpy()
def leaky_relu(x): return Tensor(x).leaky_relu().numpy()


def batch_norm(x, training, gamma, beta, mean, variance, momentum, epsilon):
    layer = nn.BatchNorm(len(gamma), **given(momentum=momentum, eps=epsilon))
    layer.weight, layer.bias, layer.running_mean, layer.running_var = [Tensor(v) for v in (gamma, beta, mean, variance)]
    with Context(TRAINING=int(training)):
        y = layer(nchw(x) if x.ndim == 4 else Tensor(x))
    y = nhwc(y) if x.ndim == 4 else y.numpy()
    return y, layer.running_mean.numpy(), layer.running_var.numpy()


def adam(parameter, gradients, learning_rate, epsilon):
    p = Tensor(parameter).contiguous().realize()
    p.requires_grad = True
    optimizer = nn.optim.Adam([p], **given(lr=learning_rate, eps=epsilon))
    for gradient in gradients:
        p.grad = Tensor(gradient)
        with Context(TRAINING=1):
            optimizer.step()
    return p.numpy()


def conv_bn(x, kernel, gamma, beta, mean, variance):
    layer, norm = nn.Conv2d(*kernel.shape[2:], kernel.shape[0], bias=False), nn.BatchNorm(len(gamma))
    layer.weight = Tensor(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))
    norm.weight, norm.bias, norm.running_mean, norm.running_var = [Tensor(v) for v in (gamma, beta, mean, variance)]
    return nhwc(norm(layer(nchw(x))))


measure("tinygrad", version("tinygrad"), globals())
