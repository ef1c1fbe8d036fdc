"""Answers every case of `fer64 cases -o DIR` by NumPy, in float32:  cases_numpy.py DIR ANSWERS && fer64 verify DIR ANSWERS"""
import csv, os, sys
import numpy as np
from numpy_layers import *
from numpy_windows import convolution, of_image, pooling

def cross_entropy(o, logits, labels):
    n, c = logits.shape
    smoothing = np.float32(o.get("label-smoothing", 0))
    target = (labels if labels.ndim == 2 else np.eye(c, dtype="f4")[labels]) * (1 - smoothing) + smoothing / c
    z = logits - logits.max(1, keepdims=True)
    total = np.exp(z).sum(1, keepdims=True)
    p = np.exp(z) / total
    loss = np.where(target == 0, 0, target * (np.log(total) - z)).sum() / n
    return dict(probabilities=p, loss=loss, dlogits=(p - target) / np.float32(n))

def adam(o, parameter, gradient, m=0, v=0):
    get = lambda name, default: np.float32(o.get(name, default))
    b1, b2, epsilon, rate = get("beta1", 0.9), get("beta2", 0.999), get("epsilon", 1e-7), get("learning-rate", 1e-3)
    t, m, v, form = int(o.get("step", 1)), b1 * m + (1 - b1) * gradient, b2 * v + (1 - b2) * gradient ** 2, o.get("form", "keras")
    c1, c2 = np.float32(1 - float(b1) ** t), np.float32(np.sqrt(1 - float(b2) ** t))
    step = {"keras": lambda: rate * c2 / c1 * m / (np.sqrt(v) + epsilon), "uncorrected": lambda: rate * m / (np.sqrt(v) + epsilon),
            "pytorch": lambda: rate / c1 * m / (np.sqrt(v) / c2 + epsilon)}[form]()
    return dict(parameter=parameter - rate * get("weight-decay", 0) * parameter - step, m=m, v=v)

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

def with_scale(o, x, dy, scale=1, offset=0):
    return dict(y=x * scale + offset, dx=dy * scale)

def with_mean(o, x, dy, mean=0, variance=1):
    deviation = np.maximum(np.sqrt(variance), np.float32(1e-7))
    return dict(y=(x - mean) / deviation, dx=dy / deviation)

LAYERS = dict(
    conv2d=convolution, depthwise_conv2d=lambda o, **a: convolution(o, depthwise=True, **a), dense=dense, add=add, multiply=multiply,
    concatenate=concatenate, batch_normalization=normalization, relu=relu, hard_sigmoid=hard_sigmoid, softmax=softmax,
    sigmoid=curve(sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x))), tanh=curve(np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    silu=curve(lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
    elu=curve(lambda x: np.where(x > 0, x, np.expm1(x)), lambda x: np.where(x > 0, 1, np.exp(x))),
    max_pooling2d=pooling, average_pooling2d=lambda o, x, dy: pooling(o, x, dy, mean=True),
    global_max_pooling2d=lambda o, x, dy: of_image(o, x, dy, False), global_average_pooling2d=lambda o, x, dy: of_image(o, x, dy, True),
    zero_padding2d=edges, cropping2d=lambda o, x, dy: edges(o, x, dy, "cropping"), dropout=dropout,
    spatial_dropout2d=lambda o, x, dy: dropout(o, x, dy, spatial=True), rescaling=with_scale, normalization=with_mean,
    softmax_cross_entropy=cross_entropy, adam=adam)

if __name__ == "__main__":
    np.seterr(all="ignore")
    os.makedirs(sys.argv[2], exist_ok=True)
    for case in csv.DictReader(open(os.path.join(sys.argv[1], "cases.csv")), delimiter=";"):
        words = case["options"].split()
        with np.load(os.path.join(sys.argv[1], case["case"] + ".npz")) as arrays:
            answer = LAYERS[case["layer"]]({k[2:]: v for k, v in zip(words[::2], words[1::2])}, **arrays)
        np.savez(os.path.join(sys.argv[2], case["case"]), **answer)
