"""Answers every case of `fer64 cases -o DIR` by PyTorch on the processor, in float32, gradients by autograd:
cases_pytorch.py DIR ANSWERS && fer64 verify DIR ANSWERS"""
import csv, os, sys
from functools import reduce
import numpy as np, torch, torch.nn.functional as F
from pytorch_layers import adam, batch_norm, conv2d, nchw, nhwc, pair, pool2d

def relu(o, x):
    most, slope = float(o.get("max-value", "inf")), float(o.get("negative-slope", 0))
    y = F.leaky_relu(x, slope) if slope else F.relu(x) if most == np.inf else F.hardtanh(x, 0, most)
    return dict(y=torch.clamp(y, max=most) if slope and most < np.inf else y)

def hard_sigmoid(o, x):
    return dict(y=F.hardsigmoid(x) if o.get("slope", "1/6") == "1/6" else torch.clamp(0.2 * x + 0.5, 0, 1))

def edges(o, x, sign, name):
    top, bottom, left, right = (sign * n for n in pair(o, name, "1,1,1,1"))
    return dict(y=F.pad(x, (0, 0, left, right, top, bottom)))

def cross_entropy(o, logits, labels):
    smoothing = float(o.get("label-smoothing", 0))
    return dict(probabilities=F.softmax(logits, 1), loss=F.cross_entropy(logits, labels, label_smoothing=smoothing))

merge = lambda f: lambda o, **x: dict(y=f(list(x.values())))
curve = lambda f: lambda o, x: dict(y=f(x))

LAYERS = dict(
    conv2d=conv2d, depthwise_conv2d=lambda o, **a: conv2d(o, depthwise=True, **a), batch_normalization=batch_norm, relu=relu,
    dense=lambda o, x, kernel, bias=None: dict(y=F.linear(x, kernel.T, bias)), softmax_cross_entropy=cross_entropy, adam=adam,
    sigmoid=curve(torch.sigmoid), tanh=curve(torch.tanh), silu=curve(F.silu), elu=curve(F.elu), hard_sigmoid=hard_sigmoid,
    softmax=curve(lambda x: F.softmax(x, -1)), max_pooling2d=pool2d, average_pooling2d=lambda o, x: pool2d(o, x, mean=True),
    global_average_pooling2d=curve(lambda x: F.adaptive_avg_pool2d(nchw(x), 1)[:, :, 0, 0]),
    global_max_pooling2d=curve(lambda x: F.adaptive_max_pool2d(nchw(x), 1)[:, :, 0, 0]),
    zero_padding2d=lambda o, x: edges(o, x, 1, "padding"), cropping2d=lambda o, x: edges(o, x, -1, "cropping"),
    concatenate=merge(lambda x: torch.cat(x, -1)), add=merge(sum), multiply=merge(lambda x: reduce(torch.mul, x)),
    dropout=lambda o, x: dict(y=F.dropout(x, float(o.get("rate", 0.5)), o.get("training") != "0")),
    spatial_dropout2d=lambda o, x: dict(y=nhwc(F.dropout2d(nchw(x), float(o.get("rate", 0.5)), o.get("training") != "0"))),
    rescaling=lambda o, x, scale=1, offset=0: dict(y=x * scale + offset),
    normalization=lambda o, x, mean=0, variance=torch.ones(1): dict(y=(x - mean) / torch.clamp(torch.sqrt(variance), min=1e-7)))

def answer(layer, options, dy=None, **arrays):
    a = {name: torch.tensor(array, requires_grad=name != "labels") for name, array in arrays.items()}
    results = LAYERS[layer](options, **a)
    if layer != "adam":
        results["loss" if dy is None else "y"].backward(None if dy is None else torch.tensor(dy))
        results.update({"d" + name: t.grad for name, t in a.items() if t.grad is not None})
    return {name: t.detach().numpy() for name, t in results.items()}

if __name__ == "__main__":
    os.makedirs(sys.argv[2], exist_ok=True)
    for case in csv.DictReader(open(os.path.join(sys.argv[1], "cases.csv")), delimiter=";"):
        words = case["options"].split()
        with np.load(os.path.join(sys.argv[1], case["case"] + ".npz")) as arrays:
            try:
                done = answer(case["layer"], {k[2:]: v for k, v in zip(words[::2], words[1::2])}, **arrays)
            except (RuntimeError, ValueError) as reason: # PyTorch refuses it
                print("%s: %s" % (case["case"], str(reason).splitlines()[0]))
                continue
        np.savez(os.path.join(sys.argv[2], case["case"]), **done)
