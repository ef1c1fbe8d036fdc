"""PyTorch, eager: torch.nn and torch.optim; folding by torch.jit.optimize_for_inference.

# row pytorch: torch==2.15.0 numpy
"""
import torch
import torch.nn.functional as T
from probes import measure

tensor = lambda a: torch.tensor(a)
nchw = lambda a: tensor(a.transpose(0, 3, 1, 2).copy())
nhwc = lambda t: t.detach().numpy().transpose(0, 2, 3, 1)
pads = lambda p: 0 if p == "valid" else p


def conv(x, kernel, strides, padding):
    return nhwc(T.conv2d(nchw(x), tensor(kernel.transpose(3, 2, 0, 1).copy()), None, strides, padding))


def max_pool(x, size, strides, padding):
    return nhwc(T.max_pool2d(nchw(x), size, strides, pads(padding)))


def average_pool(x, size, strides, padding):
    return nhwc(T.avg_pool2d(nchw(x), size, strides, pads(padding)))


def average_pool_ceil(x, size, strides, padding):
    return nhwc(T.avg_pool2d(nchw(x), size, strides, padding, ceil_mode=True))


def gradient(f, x, dy):
    x = x.requires_grad_()
    f(x).backward(dy)
    return x.grad


def max_pool_grad(x, dy, size, strides):
    return nhwc(gradient(lambda t: T.max_pool2d(t, size, strides), nchw(x), nchw(dy)))


def relu_grad(x, dy):
    return gradient(torch.relu, tensor(x), tensor(dy)).numpy()


def relu(x): return torch.relu(tensor(x)).numpy()
def sigmoid(x): return torch.sigmoid(tensor(x)).numpy()
def hard_sigmoid(x): return torch.nn.Hardsigmoid()(tensor(x)).numpy()
def leaky_relu(x): return torch.nn.LeakyReLU()(tensor(x)).numpy()


def norm(dimensions, gamma, beta, mean, variance, momentum, epsilon):
    options = {k: v for k, v in (("momentum", momentum), ("eps", epsilon)) if v is not None}
    layer = (torch.nn.BatchNorm2d if dimensions == 4 else torch.nn.BatchNorm1d)(len(gamma), **options)
    layer.load_state_dict(dict(weight=tensor(gamma), bias=tensor(beta), running_mean=tensor(mean), running_var=tensor(variance),
                               num_batches_tracked=torch.tensor(0)))
    return layer


def batch_norm(x, training, gamma, beta, mean, variance, momentum, epsilon):
    layer = norm(x.ndim, gamma, beta, mean, variance, momentum, epsilon).train(training)
    y = nhwc(layer(nchw(x))) if x.ndim == 4 else layer(tensor(x)).detach().numpy()
    return y, layer.running_mean.numpy(), layer.running_var.numpy()


def adam(parameter, gradients, learning_rate, epsilon):
    p = torch.nn.Parameter(tensor(parameter))
    options = {k: v for k, v in (("lr", learning_rate), ("eps", epsilon)) if v is not None}
    optimizer = torch.optim.Adam([p], **options)
    for gradient in gradients:
        p.grad = tensor(gradient)
        optimizer.step()
    return p.detach().numpy()


def conv_bn(x, kernel, *statistics):
    layer = torch.nn.Conv2d(kernel.shape[2], kernel.shape[3], kernel.shape[0], bias=False)
    layer.weight.data = tensor(kernel.transpose(3, 2, 0, 1).copy())
    model = torch.nn.Sequential(layer, norm(4, *statistics, None, None)).eval()
    with torch.no_grad():
        return nhwc(torch.jit.optimize_for_inference(torch.jit.script(model))(nchw(x)))


measure("PyTorch", torch.__version__, globals())
