"""MLX on the CPU: mlx.nn and mlx.optimizers.

# row mlx: mlx[cpu]==0.32.4 numpy
"""
from importlib.metadata import version
import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optimizers
import numpy as np
from probes import measure

given = lambda **options: {k: v for k, v in options.items() if v is not None}
mx.set_default_device(mx.cpu)


def cells(padding):
    if padding == "same":
        raise ValueError("padding is in numbers")
    return 0 if padding == "valid" else padding


def conv(x, kernel, strides, padding):
    layer = nn.Conv2d(*kernel.shape[2:], kernel.shape[0], strides, cells(padding), bias=False)
    layer.weight = mx.array(np.ascontiguousarray(kernel.transpose(3, 0, 1, 2)))
    return np.array(layer(mx.array(x)))


def max_pool(x, size, strides, padding): return np.array(nn.MaxPool2d(size, strides, cells(padding))(mx.array(x)))
def average_pool(x, size, strides, padding): return np.array(nn.AvgPool2d(size, strides, cells(padding))(mx.array(x)))


def gradient(f, x, dy):
    return np.array(mx.vjp(f, [mx.array(x)], [mx.array(dy)])[1][0])


def max_pool_grad(x, dy, size, strides): return gradient(nn.MaxPool2d(size, strides), x, dy)
def relu_grad(x, dy): return gradient(nn.relu, x, dy)
def relu(x): return np.array(nn.relu(mx.array(x)))
def sigmoid(x): return np.array(mx.sigmoid(mx.array(x)))
def leaky_relu(x): return np.array(nn.leaky_relu(mx.array(x)))


def batch_norm(x, training, gamma, beta, mean, variance, momentum, epsilon):
    layer = nn.BatchNorm(len(gamma), **given(momentum=momentum, eps=epsilon)).train(training)
    layer.weight, layer.bias, layer.running_mean, layer.running_var = [mx.array(v) for v in (gamma, beta, mean, variance)]
    y = layer(mx.array(x))
    return np.array(y), np.array(layer.running_mean), np.array(layer.running_var)


def adam(parameter, gradients, learning_rate, epsilon):
    p, optimizer = {"p": mx.array(parameter)}, optimizers.Adam(**given(learning_rate=learning_rate, eps=epsilon))
    for gradient in gradients:
        p = optimizer.apply_gradients({"p": mx.array(gradient)}, p)
    return np.array(p["p"])


def conv_bn(x, kernel, *statistics):
    return batch_norm(conv(x, kernel, 1, "valid"), False, *statistics, None, None)[0]


measure("MLX", version("mlx"), globals())
