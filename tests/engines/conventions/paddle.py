"""PaddlePaddle, eager: paddle.nn and paddle.optimizer.

# row paddle: paddlepaddle==3.3.1
"""
import numpy as np
import paddle
import paddle.nn.functional as T
from probes import measure

given = lambda **options: {k: v for k, v in options.items() if v is not None}
tensor = paddle.to_tensor
nchw = lambda a: tensor(np.ascontiguousarray(a.transpose(0, 3, 1, 2)))
nhwc = lambda t: t.numpy().transpose(0, 2, 3, 1)
pads = lambda p: p.upper() if isinstance(p, str) else p


def conv(x, kernel, strides, padding):
    return nhwc(T.conv2d(nchw(x), tensor(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))), None, strides, pads(padding)))


def max_pool(x, size, strides, padding):
    return nhwc(T.max_pool2d(nchw(x), size, strides, pads(padding)))


def average_pool(x, size, strides, padding):
    return nhwc(T.avg_pool2d(nchw(x), size, strides, pads(padding)))


def average_pool_ceil(x, size, strides, padding):
    return nhwc(T.avg_pool2d(nchw(x), size, strides, padding, ceil_mode=True))


def gradient(f, x, dy):
    x.stop_gradient = False
    f(x).backward(dy)
    return x.grad


def max_pool_grad(x, dy, size, strides):
    return nhwc(gradient(lambda t: T.max_pool2d(t, size, strides), nchw(x), nchw(dy)))


def relu_grad(x, dy): return gradient(T.relu, tensor(x), tensor(dy)).numpy()
def relu(x): return T.relu(tensor(x)).numpy()
def sigmoid(x): return T.sigmoid(tensor(x)).numpy()
def hard_sigmoid(x): return paddle.nn.Hardsigmoid()(tensor(x)).numpy()
def leaky_relu(x): return paddle.nn.LeakyReLU()(tensor(x)).numpy()


def norm(rank, gamma, beta, mean, variance, momentum, epsilon):
    layer = (paddle.nn.BatchNorm2D if rank == 4 else paddle.nn.BatchNorm1D)(len(gamma), **given(momentum=momentum, epsilon=epsilon))
    for to, value in ((layer.weight, gamma), (layer.bias, beta), (layer._mean, mean), (layer._variance, variance)):
        to.set_value(value)
    return layer


def batch_norm(x, training, gamma, beta, mean, variance, momentum, epsilon):
    layer = norm(x.ndim, gamma, beta, mean, variance, momentum, epsilon)
    layer.train() if training else layer.eval()
    y = nhwc(layer(nchw(x))) if x.ndim == 4 else layer(tensor(x)).numpy()
    return y, layer._mean.numpy(), layer._variance.numpy()


def adam(parameter, gradients, learning_rate, epsilon):
    p = paddle.create_parameter(parameter.shape, "float32", default_initializer=paddle.nn.initializer.Assign(parameter))
    optimizer = paddle.optimizer.Adam(parameters=[p], **given(learning_rate=learning_rate, epsilon=epsilon))
    for gradient in gradients:
        p.clear_gradient()
        (p * tensor(gradient)).sum().backward()
        optimizer.step()
    return p.numpy()


def conv_bn(x, kernel, *statistics):
    y = conv(x, kernel, 1, "valid")
    return batch_norm(y, False, *statistics, None, None)[0]


measure("PaddlePaddle", paddle.__version__, globals())
