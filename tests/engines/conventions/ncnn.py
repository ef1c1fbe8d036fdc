"""ncnn, its defaults for float32 on a processor.

# row ncnn: ncnn==1.0.20261020 numpy==2.4.6
"""
import os
import tempfile
import ncnn
import numpy as np
from probes import Missing, measure

folder = tempfile.TemporaryDirectory()
path = lambda name: os.path.join(folder.name, name)


def run(layers, x, weights=()):
    """Layers after one another, each a type and its numbered parameters."""
    text = ["7767517", "%d %d" % (len(layers) + 1, len(layers) + 1), "Input in 0 1 b0"]
    text += ["%s l%d 1 1 b%d b%d %s" % (kind, i, i, i + 1, values) for i, (kind, values) in enumerate(layers)]
    with open(path("param"), "w") as file:
        file.write("\n".join(text) + "\n")
    with open(path("bin"), "wb") as file:
        for raw in weights:
            file.write(raw)
    net = ncnn.Net()
    if net.load_param(path("param")) or net.load_model(path("bin")):
        raise ValueError("ncnn does not load it")
    results = []
    for image in x:
        extractor = net.create_extractor()
        shown = np.ascontiguousarray(image.transpose(2, 0, 1)) if image.ndim == 3 else image
        extractor.input("b0", ncnn.Mat(shown).clone())
        status, y = extractor.extract("b%d" % len(layers))
        y = np.array(y)
        results.append(y.transpose(1, 2, 0) if y.ndim == 3 else y)
    return np.stack(results)


flat = lambda a: np.ascontiguousarray(a, "<f4").tobytes()
cells = lambda p: {"same": -233, "valid": 0}.get(p, p)


def convolution(kernel, strides, padding):
    words = "0=%d 1=%d 11=%d 3=%d 4=%d 5=0 6=%d" % (kernel.shape[3], kernel.shape[1], kernel.shape[0], strides, cells(padding),
                                                  kernel.size)
    return ("Convolution", words), [b"\0\0\0\0", flat(kernel.transpose(3, 2, 0, 1))]


def conv(x, kernel, strides, padding):
    layer, weights = convolution(kernel, strides, padding)
    return run([layer], x, weights)


def pool(kind, x, size, strides, padding, mode, more=""):
    mode = 2 if padding == "same" else mode
    where = 0 if padding in ("same", "valid") else padding
    return run([("Pooling", "0=%d 1=%d 2=%d 3=%d 5=%d %s" % (kind, size, strides, where, mode, more))], x)


def max_pool(x, size, strides, padding): return pool(0, x, size, strides, padding, 0)
def average_pool(x, size, strides, padding): return pool(1, x, size, strides, padding, 0)
def average_pool_ceil(x, size, strides, padding): return pool(1, x, size, strides, padding, 0)
def relu(x): return run([("ReLU", "")], x)
def sigmoid(x): return run([("Sigmoid", "")], x)
def hard_sigmoid(x): return run([("HardSigmoid", "")], x)


def leaky_relu(x): raise Missing("no default")


def batch_norm(x, training, gamma, beta, mean, variance, momentum, epsilon):
    if training:
        raise Missing("no training")
    words = "0=%d" % len(gamma) + ("" if epsilon is None else " 1=%g" % epsilon)
    return run([("BatchNorm", words)], x, [flat(gamma), flat(mean), flat(variance), flat(beta)]), None, None


def conv_bn(x, kernel, gamma, beta, mean, variance):
    layer, weights = convolution(kernel, 1, "valid")
    return run([layer, ("BatchNorm", "0=%d" % len(gamma))], x, weights + [flat(a) for a in (gamma, mean, variance, beta)])


measure("ncnn", ncnn.__version__, globals())
