#!/usr/bin/env python3
"""What is wrong, in words: faults of the kinds that backend writers make, planted one at a time into sound records of fer.
The array must be the first at fault in all of them, and be described as stated here in all but MAY_MISS; and none of these
words may be said of a sound array, or of one that is merely noisy.

    test_patterns.py FER FER64

Needs numpy. -v shows each fault with the words."""
import json
import os
import subprocess
import sys

import numpy as np

FER, FER64 = sys.argv[1:3]
VERBOSE = "-v" in sys.argv
FOLDER = os.path.join(os.environ.get("SCRATCH", "build/tmp"), "patterns_py")
MODEL, THEIRS = os.path.join(FOLDER, "net.json"), os.path.join(FOLDER, "theirs.npz")
F = np.float32
MAY_MISS = 0
passed = failed = missed = planted = 0
os.makedirs(FOLDER, exist_ok=True)

# ---- Records ----

LAYERS = [
    ("InputLayer", "in", [], {"shape": [12, 12, 6]}),
    ("DepthwiseConv2D", "dw", ["in"], {"kernel_size": 3, "strides": 2, "padding": "same", "depth_multiplier": 2}),
    ("ReLU", "six", ["dw"], {"max_value": 6}),
    ("Conv2D", "group", ["six"], {"filters": 12, "kernel_size": 3, "padding": "same", "dilation_rate": 2, "groups": 3}),
    ("BatchNormalization", "bn", ["group"], {}),
    ("Add", "add", ["bn", "six"], {}),
    ("LeakyReLU", "leaky", ["add"], {"negative_slope": 0.3}),
    ("AveragePooling2D", "mean", ["leaky"], {"pool_size": 3, "strides": 1, "padding": "same"}),
    ("Conv2D", "side", ["leaky"], {"filters": 5, "kernel_size": [1, 3], "padding": "same", "use_bias": False}),
    ("BatchNormalization", "bn2", ["side"], {}),
    ("Activation", "hard", ["bn2"], {"activation": "relu"}),
    ("Concatenate", "cat", ["mean", "hard"], {}),
    ("MaxPooling2D", "max", ["cat"], {"pool_size": 3, "strides": 2, "padding": "same"}),
    ("Conv2D", "last", ["max"], {"filters": 8, "kernel_size": 3, "padding": "same"}),
    ("Flatten", "flat", ["last"], {}),
    ("Dense", "out", ["flat"], {"units": 7, "activation": "softmax"})]


def write_model():
    def node(k, kind, name, inputs, config):
        edges = [[[i, 0, 0, {}] for i in inputs]] if inputs else []
        return {"class_name": kind, "name": name, "config": dict(config, name=name), "inbound_nodes": edges}
    layers = [node(k, *layer) for k, layer in enumerate(LAYERS)]
    json.dump({"class_name": "Functional", "config": {"name": "net", "layers": layers, "input_layers": [["in", 0, 0]],
                                                      "output_layers": [["out", 0, 0]]}}, open(MODEL, "w"))


def record(name, *options):
    path = os.path.join(FOLDER, name)
    subprocess.run([FER, "record", *options, "-o", path], check=True, stdout=subprocess.DEVNULL)
    with np.load(path) as file:
        return {n: file[n] for n in file.files}


def net_records():
    """With weights so large that relu6 cuts off, and statistics that differ by channel."""
    random = np.random.RandomState(1)
    weights = {n: v for n, v in record("net.npz", "--model", MODEL, "--batch", "4", "--seed", "3").items()
               if n.split("/")[-1] in ("kernel", "depthwise_kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")}
    for n, v in weights.items():
        what = n.split("/")[-1]
        weights[n] = (v * 9 if n.startswith("dw/") and "kernel" in what else v if "kernel" in what
                      else random.uniform(0.5, 2, v.shape) if what in ("gamma", "moving_variance") else random.randn(*v.shape)).astype(F)
    path = os.path.join(FOLDER, "weights.npz")
    np.savez(path, **weights)
    options = ["--model", MODEL, "--batch", "4", "--weights", path]
    return record("net.npz", *options), record("net_i.npz", *options, "--inference")


def verify(arrays, *options):
    """The rows by name, and the first at fault."""
    np.savez(THEIRS, **arrays)
    run = subprocess.run([FER64, "verify", THEIRS, "--json"] + list(options), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode == 2:
        sys.exit(run.stderr.decode())
    result = json.loads(run.stdout)
    return {row["array"]: row for row in result["arrays"]}, result["first_at_fault"]


def check(what, fact):
    global passed, failed
    passed, failed = passed + bool(fact), failed + (not fact)
    if not fact:
        print("FAILED:", what)


def fault(what, base, array, value, pattern="", reason="", keep=None, options=()):
    """`value` in place of the array. keep: prefixes of the arrays that the record holds, beside input and labels."""
    global planted, missed
    planted += 1
    arrays = {n: v for n, v in base.items() if keep is None or n in ("input", "labels", array) or n.startswith(keep)}
    old = arrays[array]
    value = np.asarray(value).astype(F).reshape(old.shape)
    check("%s: nothing is changed in %s" % (what, array), not np.array_equal(old, value))
    arrays[array] = value
    rows, first = verify(arrays, *options)
    row = rows[array]
    check("%s in %s: first at fault is %s" % (what, array, first), first == array)
    fits = pattern in row.get("pattern", "") and reason in row["reason"] and (pattern or reason)
    missed += not fits
    if VERBOSE or not fits:
        print("%-8s %-38s %-40s %s: %s" % ("" if fits else "MISSED", what, array, row.get("pattern"), row["reason"]))
        if not fits:
            print("         expected: %s: %s" % (pattern, reason))


# ---- What backends do, in NumPy ----

def pad(x, top, bottom, left, right):
    return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))


def conv(x, k, stride=1, sides=(0, 0, 0, 0), dilation=1, groups=1, size=None):
    """size: of the output, where it does not follow."""
    x, k = pad(x, *sides).astype(np.float64), k.astype(np.float64)
    kh, kw, ci, co = k.shape
    h, w = size or ((x.shape[1] - (kh - 1) * dilation - 1) // stride + 1, (x.shape[2] - (kw - 1) * dilation - 1) // stride + 1)
    y = np.zeros((len(x), h, w, co))
    for g in range(groups):
        out = slice(g * co // groups, (g + 1) * co // groups)
        for a in range(kh):
            for b in range(kw):
                cells = x[:, a * dilation:a * dilation + (h - 1) * stride + 1:stride, b * dilation:b * dilation + (w - 1) * stride + 1:stride]
                y[..., out] += cells[..., g * ci:(g + 1) * ci] @ k[a, b][:, out]
    return y


def depthwise(x, k, stride, sides):
    kh, kw, c, m = k.shape
    return np.concatenate([conv(x[..., i:i + 1], k[:, :, i:i + 1], stride, sides) for i in range(c)], -1)


def digits(x, bits, cut=False):
    fraction, exponent = np.frexp(np.asarray(x, np.float64))
    whole = np.ldexp(fraction, bits)
    return np.ldexp(np.trunc(whole) if cut else np.rint(whole), exponent - bits)


def sums_in(bits, x, k):
    """1x1 convolution or dense layer, each partial sum rounded to so many digits."""
    x, k = x.astype(np.float64), k.reshape(k.shape[-2:]).astype(np.float64)
    y = np.zeros(x.shape[:-1] + k.shape[-1:])
    for i in range(x.shape[-1]):
        y = digits(y + x[..., i:i + 1] * k[i], bits)
    return y


def normalise(x, mean, variance, epsilon, gamma=1, beta=0):
    return (x.astype(np.float64) - mean) / np.sqrt(variance + epsilon) * gamma + beta


def pool(x, count):
    """3x3, stride 1, SAME."""
    ones = pad(np.ones_like(x), 1, 1, 1, 1)
    x = pad(x.astype(np.float64), 1, 1, 1, 1)
    h, w = x.shape[1] - 2, x.shape[2] - 2
    total = sum(x[:, a:a + h, b:b + w] for a in range(3) for b in range(3))
    return total / (9 if count else sum(ones[:, a:a + h, b:b + w] for a in range(3) for b in range(3)))


def changed(y, index, value):
    y = y.copy()
    y[index] = value(y[index]) if callable(value) else value
    return y


# ---- The faults: what was done; in which record, where; what must be said ----

def places(T):
    """A convolution whose output is written wrongly."""
    name, keep = "conv2d_3/output", ("conv2d_3/", "max_pooling2d/output")
    y = T[name]
    n, h, w, c = y.shape

    def put(what, value, pattern, reason=""):
        fault(what, T, name, value, pattern, reason, keep)
    put("channel tail not written", changed(y, np.s_[..., -4:], 0), "all of channels %d to %d" % (c - 4, c - 1), "is 0")
    put("last row not written", changed(y, np.s_[:, -1], 0), "all of row %d" % (h - 1), "is 0")
    put("one row wrong", changed(y, np.s_[:, 4], lambda z: z * F(1.25)), "all of row 4", "1.25 times")
    put("last column repeated", changed(y, np.s_[:, :, -1], y[:, :, -2]), "all of column %d" % (w - 1), "holds the truth of column %d" % (w - 2))
    put("one image stale", changed(y, 2, y[0]), "image 2 alone", "holds the truth of image 0")
    put("one image garbage", changed(y, 1, np.random.RandomState(5).randn(h, w, c)), "image 1 alone")
    put("every 4th channel", changed(y, np.s_[..., 1::4], lambda z: -z), "every 4th channel from 1 on", "wrong sign")
    put("border cells not summed", changed(np.zeros_like(y), np.s_[:, 1:-1, 1:-1], y[:, 1:-1, 1:-1]), "every border cell", "is 0")
    put("corner: last row and last column", changed(changed(y, np.s_[:, -1], 7), np.s_[:, :, -1], 7), "the last row and the last column", "is 7")
    put("one element", changed(y, (1, 2, 3, 4), 9), "1 of %d, image 1, row 2, column 3, channel 4 alone" % y.size)
    put("a NaN in a channel", changed(y, np.s_[:, :, :, 7], np.nan), "all of channel 7", "finite")
    put("a tile of an image", changed(y, np.s_[1, 0:4, 4:8, 16:32], 0), "channels 16 to 31 of columns 4 to 7 of rows 0 to 3 of image 1", "is 0")
    put("NCHW bytes under an NHWC shape", y.transpose(0, 3, 1, 2), "", "in the order of bytes NCHW under the shape NHWC")
    put("rows and columns exchanged", y.swapaxes(1, 2), "", "transposed: rows and columns are exchanged")
    put("upside down", y[:, ::-1], "", "rows reversed")
    put("shifted by a column", changed(y, np.s_[:, :, 1:], y[:, :, :-1]), "columns 1 to", "shifted by 1 column, towards the end")
    put("rolled by two channels", np.roll(y, -2, -1), "", "shifted by 2 channels, towards the beginning")
    put("two channels exchanged", changed(y, np.s_[..., [2, 3]], y[..., [3, 2]]), "all of channels 2 to 3", "2 and 3 are exchanged")
    put("images in another order", y[[1, 2, 0]], "", "shifted by 1 image")
    put("a factor", y * F(1.01), "", "1.01 times the right one")
    put("a ReLU too many", np.maximum(y, 0), "", "where it should be negative it is 0")
    put("cut off at 2", np.minimum(y, 2), "", "where it should be more than 2 it is that: cut off")
    big = T["conv2d_2/output"]
    put = lambda what, value, reason: fault(what, T, "conv2d_2/output", value, "", reason, ("conv2d_2/", "activation_1/output"))
    flat = big.reshape(-1)
    wrapped = np.where(np.arange(flat.size) < flat.size - 65536, flat[(np.arange(flat.size) + 65536) % flat.size], flat)
    put("index of 16 bits, reading", flat[np.arange(flat.size) % 65536], "index of 16 bits")
    put("index of 16 bits, writing", np.where(np.arange(flat.size) >= 65536, 0, wrapped), "index of 16 bits")


def convolutions(T, N):
    x, k = T["input"], T["conv2d/kernel"]
    fault("padding on the other side", T, "conv2d/output", conv(x, k, 2, (1, 0, 1, 0)), "", "half of the padding is before", ("conv2d/",))
    x, k, keep = T["activation/output"], T["conv2d_1/kernel"], ("conv2d_1/", "activation/output")

    def put(what, value, reason):
        fault(what, T, "conv2d_1/output", value, "", reason, keep)
    put("kernel's height and width exchanged", conv(x, k.swapaxes(0, 1), 1, (1, 1, 1, 1)), "height and width are exchanged")
    put("kernel turned", conv(x, k[::-1, ::-1], 1, (1, 1, 1, 1)), "turned by 180 degrees")
    put("kernel's bytes read as OIHW", conv(x, k.reshape(k.shape[3], k.shape[2], 3, 3).transpose(2, 3, 1, 0), 1, (1, 1, 1, 1)), "read as OIHW")
    put("input's bytes are NCHW", conv(x.transpose(0, 3, 1, 2).reshape(x.shape), k, 1, (1, 1, 1, 1)), "the input's bytes are NCHW")
    put("factors rounded to bfloat16", conv(digits(x, 8), digits(k, 8), 1, (1, 1, 1, 1)), "rounded to bfloat16")
    put("factors cut off to bfloat16", conv(digits(x, 8, True), digits(k, 8, True), 1, (1, 1, 1, 1)), "cut off to bfloat16")
    put("factors rounded to float16", conv(digits(x, 11), digits(k, 11), 1, (1, 1, 1, 1)), "rounded to float16")
    put("stored in bfloat16", digits(T["conv2d_1/output"], 8), "8 binary digits")
    wide = [n for n in T if n.endswith("/kernel") and T[n].shape[:2] == (1, 7)][0].split("/")[0]
    source = "activation_%d/output" % (int(wide.split("_")[1]) - 1)
    fault("1x7 taken as 7x1", T, wide + "/output", conv(T[source], T[wide + "/kernel"].swapaxes(0, 1), 1, (3, 3, 0, 0)), "",
          "height and width are exchanged", (wide + "/", source))
    one = [n for n in T if n.endswith("/kernel") and T[n].ndim == 4 and T[n].shape[:2] == (1, 1)][0].split("/")[0]
    source = "max_pooling2d/output"
    for bits in (8, 11):
        fault("accumulators of %d digits" % bits, T, one + "/output", sums_in(bits, T[source], T[one + "/kernel"]), "",
              "%d binary digits" % bits, (one + "/", source))

    def net(what, array, value, reason, pattern="", base=N):
        fault(what, base, array, value, pattern, reason, None, ("--model", MODEL))
    x, k, b = N["six/output"], N["group/kernel"], N["group/bias"]
    net("dilation forgotten", "group/output", conv(x, k, 1, (1, 1, 1, 1), 1, 3) + b, "dilation is forgotten")
    net("groups crossed", "group/output", conv(np.roll(x, -4, -1), k, 1, (2, 2, 2, 2), 2, 3) + b, "groups are crossed")
    mixed = x.reshape(x.shape[:3] + (4, 3)).swapaxes(3, 4).reshape(x.shape)
    net("groups interleaved", "group/output", conv(mixed, k, 1, (2, 2, 2, 2), 2, 3) + b, "groups are crossed")
    net("bias lost", "group/output", conv(x, k, 1, (2, 2, 2, 2), 2, 3), "the bias is not added")
    x, k = N["max/output"], N["last/kernel"]
    tail = changed(k, np.s_[:, :, 16:], 0)
    net("input channels' tail left out", "last/output", conv(x, tail, 1, (1, 1, 1, 1)) + N["last/bias"], "beyond a multiple of")
    x, k, b = N["input"], N["dw/kernel"], N["dw/bias"]
    net("depthwise: bias lost", "dw/output", depthwise(x, k, 2, (0, 1, 0, 1)), "the bias is not added")
    net("depthwise: kernel exchanged", "dw/output", depthwise(x, k.swapaxes(0, 1), 2, (0, 1, 0, 1)) + b, "height and width")
    net("depthwise: padding", "dw/output", depthwise(x, k, 2, (1, 0, 1, 0)) + b, "half of the padding is before")
    x, k, b = N["flat/output"], N["out/kernel"], N["out/bias"]
    net("dense: [out,in] bytes", "out/logits", x @ k.reshape(k.shape[::-1]).T + b, "are read as [out,in]")
    net("dense: bias lost", "out/logits", x.astype(np.float64) @ k, "the bias is not added")


def others(T, I, N, NI):
    def net(what, array, value, reason, pattern="", base=N, keep=None):
        fault(what, base, array, value, pattern, reason, keep, ("--model", MODEL) + (("--inference",) if base is NI else ()))
    x = N["dw/output"]
    net("relu for relu6", "six/output", np.maximum(x, 0), "not cut off")
    x = N["add/output"]
    net("LeakyReLU's other slope", "leaky/output", np.where(x > 0, x, x * F(0.01)), "slope below 0 is 0.01")
    net("border divisor", "mean/output", pool(N["leaky/output"], True), "cells in the padding are counted", "every border cell")
    net("concatenated in another order", "cat/output", np.concatenate([N["hard/output"], N["mean/output"]], -1), "permuted in channels: 0 to 4 hold 12 to 16")
    net("flattened in NCHW", "flat/output", N["last/output"].transpose(0, 3, 1, 2), "permuted in channels")
    m = pad(N["cat/output"], 1, 0, 1, 0)
    m[:, 0], m[:, :, 0] = -9, -9
    net("max pooling: padding", "max/output", np.max([m[:, a:a + 5:2, b:b + 5:2] for a in range(3) for b in range(3)], 0), "half of the padding is before")
    x = N["group/output"]
    net("epsilon 1e-5", "bn/output", normalise(x, x.mean((0, 1, 2), np.float64), x.var((0, 1, 2), np.float64), 1e-5, N["bn/gamma"], N["bn/beta"]), "epsilon is 1e-5")
    net("moving statistics in training", "bn/output", normalise(x, N["bn/moving_mean"], N["bn/moving_variance"], 1e-3, N["bn/gamma"], N["bn/beta"]), "with the moving statistics")
    net("beta lost", "bn/output", N["bn/output"] - N["bn/beta"], "beta is not added")
    net("momentum 0.9", "bn/moving_mean_new", 0.9 * N["bn/moving_mean"] + 0.1 * x.mean((0, 1, 2), np.float64), "momentum is 0.9")
    net("momentum exchanged", "bn/moving_mean_new", 0.01 * N["bn/moving_mean"] + 0.99 * x.mean((0, 1, 2), np.float64), "its rest are exchanged")
    net("moving variance not updated", "bn/moving_variance_new", N["bn/moving_variance"], "not updated")
    x, g, b, m, v = NI["group/output"], *(NI["bn/" + p] for p in ("gamma", "beta", "moving_mean", "moving_variance"))
    s = g / np.sqrt(v + 1e-3)
    net("epsilon left out in inference", "bn/output", (x - m) * (g / np.sqrt(v)) + b, "epsilon is not added", base=NI)
    net("statistics of the batch in inference", "bn/output", normalise(x, x.mean((0, 1, 2)), x.var((0, 1, 2)), 1e-3, g, b), "with the batch's statistics", base=NI)
    net("scale of the next channel", "bn/output", (x - m) * np.roll(s, -1) + b, "by the next one's gamma", base=NI)
    fused = tuple(n for n in NI if not n.startswith(("bn2/output", "side/output")))
    x = conv(NI["leaky/output"], NI["side/kernel"], 1, (0, 0, 1, 1))
    g, b, m, v = (NI["bn2/" + p].astype(np.float64) for p in ("gamma", "beta", "moving_mean", "moving_variance"))
    s = g / np.sqrt(v + 1e-3)
    net("fused: kernel folded with the next scale", "hard/output", np.maximum(x * np.roll(s, -1) + b - m * s, 0), "folded with the next one's scale", base=NI, keep=fused)
    net("fused: bias lost in folding", "hard/output", np.maximum(x * s, 0), "is lost: the bias of the folded convolution", base=NI, keep=fused)
    net("fused: epsilon 1e-5", "hard/output", np.maximum((x - m) * g / np.sqrt(v + 1e-5) + b, 0), "epsilon is 1e-5", base=NI, keep=fused)
    p = I["predictions/output"]
    fault("probabilities of the wrong image", I, "predictions/output", p[::-1], "", "permuted in images: 0 and 2 are exchanged", ("predictions/",), ("--inference",))
    big = {n: v for n, v in N.items() if n in ("input", "labels", "out/output")}
    big["out/logits"] = N["out/logits"] * F(200 / np.abs(N["out/logits"]).max())
    z = big["out/logits"].astype(F)
    with np.errstate(all="ignore"):
        e = np.exp(z, dtype=F)
        naive = (e / e.sum(-1, keepdims=True, dtype=F)).astype(F)
    exact = np.exp(z.astype(np.float64) - z.max(-1, keepdims=True))
    big["out/output"] = (exact / exact.sum(-1, keepdims=True)).astype(F)
    fault("softmax without its maximum", big, "out/output", naive, "", "without its maximum", None, ("--model", MODEL))


def gradients(T, N):
    def net(what, array, value, reason, pattern=""):
        fault(what, N, array, value, pattern, reason, None, ("--model", MODEL))
    g, y = N["bn2/output_grad"], N["hard/output"]
    at = tuple(np.argwhere((y == 0) & (N["hard/output_grad"] != 0))[0])
    net("one flipped mask", "bn2/output_grad", changed(g, at, N["hard/output_grad"][at]), "it should be 0", "alone")
    net("gradient not masked", "bn2/output_grad", N["hard/output_grad"], "not masked")
    x, dy = N["side/output"].astype(np.float64), N["bn2/output_grad"].astype(np.float64)
    s = 1 / np.sqrt(x.var((0, 1, 2)) + 1e-3)
    net("statistics taken as constants", "side/output_grad", N["bn2/gamma"] * s * dy, "taken as constants")
    net("variance's term missing", "side/output_grad", N["bn2/gamma"] * s * (dy - dy.mean((0, 1, 2))), "through the variance is missing")
    net("kernel's gradient averaged", "group/kernel_grad", N["group/kernel_grad"] / 4, "1/4 of the right one")
    net("kernel's gradient with the wrong sign", "side/kernel_grad", -N["side/kernel_grad"], "wrong sign")
    net("kernel's gradient as OIHW", "last/kernel_grad", N["last/kernel_grad"].transpose(3, 2, 0, 1), "in the order of bytes OIHW under the shape HWIO")
    net("dense kernel's gradient, bytes", "out/kernel_grad", N["out/kernel_grad"].T, "in the order of bytes")
    x, dy = pad(N["max/output"].astype(np.float64), 1, 1, 1, 1), N["last/output_grad"].astype(np.float64)
    half = [np.tensordot(x[:2, a:a + dy.shape[1], b:b + dy.shape[2]], dy[:2], ((0, 1, 2), (0, 1, 2))) for a in range(3) for b in range(3)]
    net("half of the batch", "last/kernel_grad", np.reshape(half, N["last/kernel_grad"].shape), "of the first 2 of 4 images alone")
    net("a branch left out", "leaky/output_grad", N["leaky/output_grad"] - mean_grad(N), "what mean sends back is left out")
    net("a branch added twice", "leaky/output_grad", N["leaky/output_grad"] + mean_grad(N), "what mean sends back is added twice")
    net("bias gradient's tail", "last/bias_grad", changed(N["last/bias_grad"], np.s_[4:], 0), "is 0", "all of channels 4 to 7")
    fault("loss summed", T, "predictions/logits_grad", T["predictions/logits_grad"] * 3, "", "3 times the right one: is a division by 3 forgotten", ("predictions/",))
    p = T["predictions/output"]
    fault("label not subtracted", T, "predictions/logits_grad", p / 3, "", "label's 1 is not subtracted", ("predictions/",))


def mean_grad(N):
    """Of the average pooling's input."""
    dy = N["mean/output_grad"].astype(np.float64)
    ones = pad(np.ones_like(dy), 1, 1, 1, 1)
    h, w = dy.shape[1:3]
    dy = pad(dy / sum(ones[:, a:a + h, b:b + w] for a in range(3) for b in range(3)), 1, 1, 1, 1)
    return sum(dy[:, a:a + h, b:b + w] for a in range(3) for b in range(3))


# ---- No words without a reason ----

def noise(T, N):
    """Errors that are nothing but noise, however large, in every array or in one, are counted and not explained."""
    random = np.random.RandomState(9)

    def spoil(arrays, name, size):
        return dict(arrays, **{name: (arrays[name] * (1 + size * random.randn(*arrays[name].shape))).astype(F)})

    def judge(arrays, what, *options):
        for name, row in verify(arrays, *options)[0].items():
            if row["verdict"] in ("WRONG", "suspect"):
                # Winograd's errors are noise; a mere choice of words for the records of two hands is no pattern either
                said = "" if row["reason"].startswith(("weak", "with --winograd", "only what is computed")) else row["reason"]
                check("noise of %s in %s: %s: %s" % (what, name, row["pattern"], said), not said and row["wrong"] > 0)
    for base, options in ((T, ()), (N, ("--model", MODEL))):
        names = [n for n in base if n.endswith(("/output", "_grad", "_new", "/logits")) and base[n].size > 30]
        for size in (3e-6, 1e-3, 0.3):
            arrays = base
            for name in names:
                arrays = spoil(arrays, name, size)
            judge(arrays, "%g everywhere" % size, *options)
        for name in names:
            if base is N:
                judge({n: v for n, v in spoil(N, name, 1e-3).items() if n in (name, "input", "labels") or not n.endswith(("_grad", "_new"))
                       or name.endswith(("_grad", "_new"))}, "1e-3 in %s" % name, *options)


def sound(*records):
    for arrays, options in records:
        rows, first = verify(arrays, *options)
        said = [n for n, r in rows.items() if "pattern" in r or "wrong" in r or (r["reason"] and r["verdict"] == "ok" and "weak" not in r["reason"])]
        check("words about sound arrays: %s" % said[:5], first is None and not said)


write_model()
T = record("T.npz", "--size", "48", "--batch", "3", "--seed", "5")
I = record("I.npz", "--size", "48", "--batch", "3", "--seed", "5", "--inference")
N, NI = net_records()
sound((T, ()), (I, ("--inference",)), (N, ("--model", MODEL)), (NI, ("--model", MODEL, "--inference")))
places(T)
convolutions(T, N)
others(T, I, N, NI)
gradients(T, N)
print("%d faults planted, %d described" % (planted, planted - missed))
check("%d faults are planted, %d not described" % (planted, missed), planted >= 60 and missed <= MAY_MISS)
noise(T, N)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
