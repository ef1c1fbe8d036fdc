"""MXNet: gluon, imperative; Conv2D and BatchNorm hybridized.

# row mxnet: mxnet==1.9.1 numpy<1.24
"""
import mxnet as mx
from mxnet import autograd, gluon, nd
from probes import measure

given = lambda **options: {k: v for k, v in options.items() if v is not None}
nchw = lambda a: nd.array(a.transpose(0, 3, 1, 2)) if a.ndim == 4 else nd.array(a)
nhwc = lambda t: t.asnumpy().transpose(0, 2, 3, 1) if t.ndim == 4 else t.asnumpy()


def cells(padding):
    if padding == "same":
        raise ValueError("padding is in numbers")
    return 0 if padding == "valid" else padding


def conv_layer(kernel, strides, padding):
    layer = gluon.nn.Conv2D(kernel.shape[3], kernel.shape[:2], strides, cells(padding), use_bias=False, in_channels=kernel.shape[2])
    layer.initialize()
    layer.weight.set_data(nd.array(kernel.transpose(3, 2, 0, 1)))
    return layer


def conv(x, kernel, strides, padding):
    return nhwc(conv_layer(kernel, strides, padding)(nchw(x)))


def max_pool(x, size, strides, padding):
    return nhwc(gluon.nn.MaxPool2D(size, strides, cells(padding))(nchw(x)))


def average_pool(x, size, strides, padding):
    return nhwc(gluon.nn.AvgPool2D(size, strides, cells(padding))(nchw(x)))


def average_pool_ceil(x, size, strides, padding):
    return nhwc(gluon.nn.AvgPool2D(size, strides, padding, ceil_mode=True)(nchw(x)))


def gradient(f, x, dy):
    x.attach_grad()
    with autograd.record():
        y = f(x)
    y.backward(dy)
    return nhwc(x.grad)


def max_pool_grad(x, dy, size, strides): return gradient(gluon.nn.MaxPool2D(size, strides), nchw(x), nchw(dy))
def relu_grad(x, dy): return gradient(nd.relu, nd.array(x), nd.array(dy))
def relu(x): return nd.relu(nd.array(x)).asnumpy()
def sigmoid(x): return nd.sigmoid(nd.array(x)).asnumpy()
def hard_sigmoid(x): return nd.hard_sigmoid(nd.array(x)).asnumpy()


def leaky_relu(x): return nd.LeakyReLU(nd.array(x)).asnumpy()


def norm(gamma, beta, mean, variance, momentum=None, epsilon=None):
    layer = gluon.nn.BatchNorm(in_channels=len(gamma), **given(momentum=momentum, epsilon=epsilon))
    layer.initialize()
    for to, value in ((layer.gamma, gamma), (layer.beta, beta), (layer.running_mean, mean), (layer.running_var, variance)):
        to.set_data(nd.array(value))
    return layer


def batch_norm(x, training, gamma, beta, mean, variance, momentum, epsilon):
    layer = norm(gamma, beta, mean, variance, momentum, epsilon)
    with autograd.record(train_mode=training):
        y = layer(nchw(x))
    if training: # the moving statistics move in the backward pass
        y.backward()
    y = nhwc(y)
    nd.waitall()
    return y, layer.running_mean.data().asnumpy(), layer.running_var.data().asnumpy()


def adam(parameter, gradients, learning_rate, epsilon):
    optimizer, p = mx.optimizer.Adam(**given(learning_rate=learning_rate, epsilon=epsilon)), nd.array(parameter)
    state = optimizer.create_state(0, p)
    for gradient in gradients:
        optimizer.update(0, p, nd.array(gradient), state)
    return p.asnumpy()


def conv_bn(x, kernel, *statistics):
    block = gluon.nn.HybridSequential()
    block.add(conv_layer(kernel, 1, "valid"), norm(*statistics))
    block.hybridize(static_alloc=True, static_shape=True)
    return nhwc(block(nchw(x)))


measure("MXNet", mx.__version__, globals())
