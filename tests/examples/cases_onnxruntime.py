"""Answers the cases of `fer64 cases -o DIR` by ONNX Runtime on the processor; it has no gradients and no Adam:
cases_onnxruntime.py DIR ANSWERS && fer64 verify DIR ANSWERS"""
import csv, os, sys
import numpy as np
from onnxruntime_layers import batch_normalization, conv2d, crop, edges, of_image, pool2d, relu, run

def one(name, more={}, of=run):
    return lambda o, x: of([(name, "x", "y", more)], x=x)

def in_turn(name):
    def layer(o, **x):
        names = list(x)
        nodes = [(name, "%s %s" % ("x0" if i == 0 else "t%d" % i, names[i + 1]), "t%d" % (i + 1)) for i in range(len(names) - 1)]
        return run(nodes + [("Identity", "t%d" % len(nodes) if nodes else "x0", "y")], **x)
    return layer

def dropout(o, x, ones=np.ones(1, "f4")):
    nodes = [("Dropout", "x rate training", "y")] if ones.size == 1 else [("Dropout", "ones rate training", "t"), ("Mul", "x t", "y")]
    return run(nodes, x=x, ones=ones, rate=np.array(o.get("rate", 0.5), "f4"), training=np.array(o.get("training") != "0"))

def cross_entropy(o, logits, labels):
    c, smoothing = logits.shape[1], np.float32(o.get("label-smoothing", 0))
    if labels.ndim == 1 and not smoothing:
        return run([("Softmax", "x", "probabilities", dict(axis=1)), ("SoftmaxCrossEntropyLoss", "x labels", "loss")],
                   "probabilities loss", x=logits, labels=labels)
    target = (labels if labels.ndim == 2 else np.eye(c, dtype="f4")[labels]) * (1 - smoothing) + smoothing / np.float32(c)
    nodes = [("Softmax", "x", "probabilities", dict(axis=1)), ("LogSoftmax", "x", "l", dict(axis=1)), ("Mul", "l t", "m"),
             ("Where", "none zero m", "p"), ("ReduceSum", "p", "s", dict(keepdims=0)), ("Div", "s n", "loss")]
    return run(nodes, "probabilities loss", x=logits, t=target, n=np.array(-len(logits), "f4"),
               none=target == 0, zero=np.zeros(1, "f4"))

LAYERS = dict(
    conv2d=conv2d, depthwise_conv2d=lambda o, **a: conv2d(o, depthwise=True, **a), batch_normalization=batch_normalization,
    dense=lambda o, x, kernel, bias=np.zeros(1, "f4"): run([("MatMul", "x k", "t"), ("Add", "t b", "y")], x=x, k=kernel, b=bias),
    relu=relu, sigmoid=one("Sigmoid"), tanh=one("Tanh"), elu=one("Elu"), softmax=one("Softmax", dict(axis=-1)),
    silu=lambda o, x: run([("Sigmoid", "x", "s"), ("Mul", "x s", "y")], x=x), add=in_turn("Add"), multiply=in_turn("Mul"),
    hard_sigmoid=lambda o, x: run([("HardSigmoid", "x", "y", dict(alpha=eval(o.get("slope", "1/6")), beta=0.5))], x=x),
    max_pooling2d=pool2d, average_pooling2d=lambda o, x: pool2d(o, x, "AveragePool"),
    global_max_pooling2d=lambda o, x: dict(y=of_image([("GlobalMaxPool", "x", "y")], x)["y"][:, 0, 0]),
    global_average_pooling2d=lambda o, x: dict(y=of_image([("GlobalAveragePool", "x", "y")], x)["y"][:, 0, 0]),
    zero_padding2d=edges, cropping2d=crop, concatenate=lambda o, **x: run([("Concat", " ".join(x), "y", dict(axis=-1))], **x),
    softmax_cross_entropy=cross_entropy, dropout=dropout, spatial_dropout2d=lambda o, x: dropout(o, x, np.ones_like(x[:, :1, :1])),
    rescaling=lambda o, x, scale=np.ones(1, "f4"), offset=np.zeros(1, "f4"):
        run([("Mul", "x s", "t"), ("Add", "t o", "y")], x=x, s=scale, o=offset),
    normalization=lambda o, x, mean=np.zeros(1, "f4"), variance=np.ones(1, "f4"):
        run([("Sqrt", "v", "r"), ("Max", "r e", "d"), ("Sub", "x m", "t"), ("Div", "t d", "y")],
            x=x, m=mean, v=variance, e=np.array(1e-7, "f4")))

if __name__ == "__main__":
    os.makedirs(sys.argv[2], exist_ok=True)
    for case in csv.DictReader(open(os.path.join(sys.argv[1], "cases.csv")), delimiter=";"):
        words = case["options"].split()
        with np.load(os.path.join(sys.argv[1], case["case"] + ".npz")) as arrays:
            inputs = {name: array for name, array in arrays.items() if name != "dy"}
        if case["layer"] in LAYERS:
            answer = LAYERS[case["layer"]]({k[2:]: v for k, v in zip(words[::2], words[1::2])}, **inputs)
            np.savez(os.path.join(sys.argv[2], case["case"]), **answer)
