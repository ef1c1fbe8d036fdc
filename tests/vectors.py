#!/usr/bin/env python3
"""Makes tests/vectors/*.npz: what each layer of fer.h, section 3, must compute, by somebody else's arithmetic.

Every expected value comes from PyTorch in float64 (autograd for the gradients), and is compared here with a second,
plain numpy computation before it is written; where PyTorch has no such rule (batch statistics of a single row, biased
moving variance, TensorFlow's Adam) numpy alone computes it, in extended precision. Inputs are random float32 values,
so that float32 and float64 builds read the same numbers; expected values are float64.

A file holds the cases of one layer: `options`, a row for each case (its sizes; the lists below and each case's
dict(options=...) say which), and for every argument and result one array, the cases' values in row-major order end to end.
Needs Debian's python3-torch. Run it from anywhere:  python3 tests/vectors.py
"""
import os
import numpy as np
import torch
import torch.nn.functional as F

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors")
EPSILON, MOMENTUM = 1e-3, 0.99
random = np.random.RandomState(20130414)
LONG = np.longdouble
INPUTS = ("x", "kernel", "bias", "dy", "gamma", "beta", "moving_mean", "moving_variance", "logits", "labels", "parameter", "first", "second",
          "gradients")


def normal(*shape):
    """float32 numbers, as float64."""
    return random.standard_normal(shape).astype(np.float32).astype(np.float64)


def tensor(a):
    return torch.tensor(np.asarray(a), dtype=torch.float64, requires_grad=True)


def nchw(a):
    return a.permute(0, 3, 1, 2)


def nhwc(a):
    return a.permute(0, 2, 3, 1)


def number(a):
    return a.detach().numpy().copy()


def agree(torch_says, numpy_says, what):
    """The two computations differ by rounding only. Everything here is a sum of some hundred terms of size 1."""
    a, b = np.asarray(torch_says, dtype=LONG), np.asarray(numpy_says, dtype=LONG)
    assert a.shape == b.shape, (what, a.shape, b.shape)
    assert np.all((np.abs(a - b) <= 1e-13 * (1 + np.abs(b))) | (a == b)), (what, np.abs(a - b).max())


def write(name, cases):
    """Inputs keep the few bytes they need, expected values all of theirs."""
    arrays = {"options": np.array([case["options"] for case in cases.values()], np.int32)}
    for key in dict.fromkeys(key for case in cases.values() for key in case if key != "options"):
        flat = np.concatenate([np.ravel(case[key]) for case in cases.values() if key in case])
        if key in INPUTS:
            assert np.array_equal(flat, flat.astype(np.float32)), (name, key)
            flat = flat.astype(np.int32 if flat.dtype.kind == "i" else np.float32)
        arrays[key] = flat
    path = os.path.join(FOLDER, name + ".npz")
    np.savez_compressed(path, **arrays)
    print("%-26s %3d cases, %6d bytes: %s" % (name, len(cases), os.path.getsize(path),
                                              ", ".join("%s %s" % (k, list(v.shape)) for k, v in arrays.items())))
    return os.path.getsize(path)


# ---- windows ----

def geometry(size, kernel, stride, same):
    """Output size, padding before and behind: TensorFlow's rule."""
    if not same:
        return (size - kernel) // stride + 1, 0, 0
    out = -(-size // stride)
    p = max((out - 1) * stride + kernel - size, 0)
    return out, p // 2, p - p // 2


def windows(h, w, kh, kw, sh, sw, same):
    """For each output cell: its index, and the (kernel cell, image cell) pairs that lie inside the image."""
    out_h, top, _ = geometry(h, kh, sh, same)
    out_w, left, _ = geometry(w, kw, sw, same)
    for oh in range(out_h):
        for ow in range(out_w):
            pairs = [((a, b), (oh * sh + a - top, ow * sw + b - left)) for a in range(kh) for b in range(kw)]
            yield (oh, ow), [(k, i) for k, i in pairs if 0 <= i[0] < h and 0 <= i[1] < w]


def pad(x, h, w, kh, kw, sh, sw, same, value):
    _, top, bottom = geometry(h, kh, sh, same)
    _, left, right = geometry(w, kw, sw, same)
    return F.pad(x, (left, right, top, bottom), value=value)


# ---- Conv2D ----

CONV2D = [  # name, n, h, w, ci, co, kh, kw, sh, sw, same
    ("same_3x3_s1", 2, 5, 6, 3, 5, 3, 3, 1, 1, 1),
    ("same_3x3_s2_even", 1, 6, 8, 3, 7, 3, 3, 2, 2, 1),
    ("same_3x3_s2_odd", 2, 7, 5, 1, 5, 3, 3, 2, 2, 1),
    ("same_3x3_s2x1", 1, 6, 5, 3, 3, 3, 3, 2, 1, 1),
    ("same_3x3_s1x2", 1, 5, 8, 1, 7, 3, 3, 1, 2, 1),
    ("same_3x3_s3", 1, 8, 7, 5, 1, 3, 3, 3, 3, 1),
    ("same_5x5_s1", 1, 6, 7, 3, 5, 5, 5, 1, 1, 1),
    ("same_5x5_s2", 1, 8, 7, 1, 3, 5, 5, 2, 2, 1),
    ("same_1x7", 1, 3, 9, 5, 3, 1, 7, 1, 1, 1),
    ("same_7x1", 1, 9, 3, 3, 5, 7, 1, 1, 1, 1),
    ("same_7x1_s2", 1, 8, 3, 3, 5, 7, 1, 2, 1, 1),
    ("same_2x2_s1", 2, 4, 5, 3, 3, 2, 2, 1, 1, 1),
    ("same_2x2_s2", 1, 5, 4, 3, 3, 2, 2, 2, 2, 1),
    ("same_2x2_s3", 1, 7, 8, 3, 1, 2, 2, 3, 3, 1),
    ("same_4x2_s2x1", 1, 6, 5, 1, 3, 4, 2, 2, 1, 1),
    ("same_1x1", 2, 3, 3, 17, 7, 1, 1, 1, 1, 1),
    ("same_1x1_s3", 1, 7, 5, 5, 3, 1, 1, 3, 3, 1),
    ("same_3x3_on_1x1", 2, 1, 1, 5, 7, 3, 3, 1, 1, 1),
    ("same_7x7_on_1x1_s2", 1, 1, 1, 1, 3, 7, 7, 2, 2, 1),
    ("same_7x7_on_3x2", 1, 3, 2, 1, 3, 7, 7, 1, 1, 1),
    ("same_5x5_on_2x3_s2", 2, 2, 3, 3, 1, 5, 5, 2, 2, 1),
    ("valid_3x3_s1", 2, 5, 7, 5, 3, 3, 3, 1, 1, 0),
    ("valid_3x3_s2_odd", 1, 7, 9, 3, 5, 3, 3, 2, 2, 0),
    ("valid_3x3_s2_even", 1, 8, 6, 3, 5, 3, 3, 2, 2, 0),
    ("valid_5x3_s3x2", 1, 9, 8, 1, 3, 5, 3, 3, 2, 0),
    ("valid_2x2_s3", 1, 7, 9, 1, 3, 2, 2, 3, 3, 0),
    ("valid_1x7", 1, 2, 9, 3, 3, 1, 7, 1, 1, 0),
    ("valid_7x1", 1, 9, 2, 3, 3, 7, 1, 1, 1, 0),
    ("valid_1x1_s2", 1, 5, 6, 7, 3, 1, 1, 2, 2, 0),
    ("valid_whole_image", 2, 4, 3, 3, 7, 4, 3, 1, 1, 0),
    ("wide_1x1_48_17", 1, 2, 3, 48, 17, 1, 1, 1, 1, 1),
    ("wide_3x3_17_5", 1, 3, 3, 17, 5, 3, 3, 1, 1, 1),
    ("wide_3x3_1_33_s2", 1, 6, 6, 1, 33, 3, 3, 2, 2, 1),
    ("wide_1x1_33_17", 1, 2, 4, 33, 17, 1, 1, 1, 1, 1),
    ("wide_1x1_7_48_s2", 1, 4, 3, 7, 48, 1, 1, 2, 2, 0),
]


def conv2d_by_hand(x, kernel, dy, window):
    y, dx, dkernel = np.zeros(dy.shape, LONG), np.zeros(x.shape, LONG), np.zeros(kernel.shape, LONG)
    for (oh, ow), pairs in windows(*window):
        for k, (ih, iw) in pairs:
            y[:, oh, ow] += x[:, ih, iw].astype(LONG) @ kernel[k]
            dx[:, ih, iw] += dy[:, oh, ow].astype(LONG) @ kernel[k].T
            dkernel[k] += x[:, ih, iw].astype(LONG).T @ dy[:, oh, ow]
    return y, dx, dkernel


def conv2d():
    cases = {}
    for name, n, h, w, ci, co, kh, kw, sh, sw, same in CONV2D:
        window = (h, w, kh, kw, sh, sw, same)
        x, kernel = normal(n, h, w, ci), normal(kh, kw, ci, co)
        tx, tk = tensor(x), tensor(kernel)
        y = nhwc(F.conv2d(pad(nchw(tx), *window, 0.0), tk.permute(3, 2, 0, 1).contiguous(), stride=(sh, sw)))
        dy = normal(*y.shape)
        y.backward(torch.tensor(dy))
        y, dx, dkernel = number(y), number(tx.grad), number(tk.grad)
        for ours, theirs, what in zip((y, dx, dkernel), conv2d_by_hand(x, kernel, dy, window), ("y", "dx", "dkernel")):
            agree(ours, theirs, (name, what))
        cases[name] = dict(options=[n, h, w, ci, co, kh, kw, sh, sw, same], x=x, kernel=kernel, dy=dy,
                           y=y, dx=dx, dkernel=dkernel)
    return write("conv2d", cases)


# ---- pooling ----

POOLING = [  # name, n, h, w, c, kh, kw, sh, sw, same
    ("valid_2x2_s2", 2, 6, 4, 3, 2, 2, 2, 2, 0),
    ("valid_3x3_s2_odd", 1, 7, 9, 5, 3, 3, 2, 2, 0),
    ("valid_3x3_s2_even", 1, 8, 6, 3, 3, 3, 2, 2, 0),
    ("valid_3x3_s1", 2, 5, 4, 1, 3, 3, 1, 1, 0),
    ("valid_1x1_s2", 1, 5, 4, 3, 1, 1, 2, 2, 0),
    ("valid_2x3_s3x1", 1, 8, 5, 3, 2, 3, 3, 1, 0),
    ("valid_whole_image", 1, 3, 4, 7, 3, 4, 1, 1, 0),
    ("same_3x3_s1", 2, 5, 6, 3, 3, 3, 1, 1, 1),
    ("same_3x3_s2_odd", 1, 7, 5, 3, 3, 3, 2, 2, 1),
    ("same_3x3_s2_even", 1, 6, 8, 3, 3, 3, 2, 2, 1),
    ("same_2x2_s1", 1, 4, 5, 3, 2, 2, 1, 1, 1),
    ("same_2x2_s2", 1, 5, 7, 1, 2, 2, 2, 2, 1),
    ("same_4x3_s2x1", 1, 7, 5, 3, 4, 3, 2, 1, 1),
    ("same_3x3_s3", 1, 8, 7, 2, 3, 3, 3, 3, 1),
    ("same_2x2_s3", 1, 7, 8, 2, 2, 2, 3, 3, 1),
    ("same_3x3_on_1x1", 2, 1, 1, 5, 3, 3, 1, 1, 1),
    ("same_5x5_on_2x3", 1, 2, 3, 3, 5, 5, 1, 1, 1),
    ("same_7x7_on_3x2_s2", 1, 3, 2, 3, 7, 7, 2, 2, 1),
    ("wide_3x3_s1_33", 1, 4, 3, 33, 3, 3, 1, 1, 1),
]


def max_by_hand(x, y_shape, dy, window):
    y, dx = np.zeros(y_shape), np.zeros(x.shape)
    for (oh, ow), pairs in windows(*window):
        for i in range(x.shape[0]):
            for c in range(x.shape[3]):
                cells = [(x[i, ih, iw, c], ih, iw) for _, (ih, iw) in pairs]
                best = cells[0]
                for cell in cells:
                    if cell[0] > best[0]:
                        best = cell
                y[i, oh, ow, c] = best[0]
                dx[i, best[1], best[2], c] += dy[i, oh, ow, c]
    return y, dx


def max_pooling2d():
    """Each geometry twice: distinct values, and small integers, where nearly every window has several maxima."""
    cases = {}
    for name, n, h, w, c, kh, kw, sh, sw, same in POOLING:
        window = (h, w, kh, kw, sh, sw, same)
        negative = -np.abs(normal(n, h, w, c))  # a zero from outside the image would be the largest
        for kind, x in (("", negative), ("_ties", random.randint(-2, 1, (n, h, w, c)).astype(np.float64))):
            tx = tensor(x)
            y = nhwc(F.max_pool2d(pad(nchw(tx), *window, -np.inf), (kh, kw), (sh, sw)))
            dy = normal(*y.shape)
            y.backward(torch.tensor(dy))
            y, dx = number(y), number(tx.grad)
            y_hand, dx_hand = max_by_hand(x, y.shape, dy, window)
            assert np.array_equal(y, y_hand), name
            agree(dx, dx_hand, (name, kind))
            cases[name + kind] = dict(options=[n, h, w, c, c, kh, kw, sh, sw, same], x=x, dy=dy, y=y, dx=dx)
    return write("max_pooling2d", cases)


def average_by_hand(x, y_shape, dy, window):
    y, dx = np.zeros(y_shape, LONG), np.zeros(x.shape, LONG)
    for (oh, ow), pairs in windows(*window):
        for _, (ih, iw) in pairs:
            y[:, oh, ow] += x[:, ih, iw].astype(LONG) / len(pairs)
            dx[:, ih, iw] += dy[:, oh, ow].astype(LONG) / len(pairs)
    return y, dx


def average_pooling2d():
    cases = {}
    for name, n, h, w, c, kh, kw, sh, sw, same in POOLING:
        window = (h, w, kh, kw, sh, sw, same)
        tx = tensor(normal(n, h, w, c))

        def sums(t):
            return F.avg_pool2d(pad(t, *window, 0.0), (kh, kw), (sh, sw), divisor_override=1)
        y = nhwc(sums(nchw(tx)) / sums(torch.ones(1, 1, h, w, dtype=torch.float64)))
        dy = normal(*y.shape)
        y.backward(torch.tensor(dy))
        x, y, dx = number(tx), number(y), number(tx.grad)
        y_hand, dx_hand = average_by_hand(x, y.shape, dy, window)
        agree(y, y_hand, name)
        agree(dx, dx_hand, name)
        if name == "same_3x3_s1":  # symmetric padding, which PyTorch has: its own rule of leaving outside cells out
            other = F.avg_pool2d(nchw(torch.tensor(x)), 3, 1, padding=1, count_include_pad=False)
            agree(number(nhwc(other)), y, name)
        cases[name] = dict(options=[n, h, w, c, c, kh, kw, sh, sw, same], x=x, dy=dy, y=y, dx=dx)
    return write("average_pooling2d", cases)


def global_average_pooling2d():
    cases = {}
    for n, h, w, c in ((1, 1, 1, 1), (2, 3, 5, 7), (3, 1, 4, 33), (1, 5, 1, 48)):
        tx = tensor(normal(n, h, w, c))
        y = F.adaptive_avg_pool2d(nchw(tx), 1).reshape(n, c)
        dy = normal(n, c)
        y.backward(torch.tensor(dy))
        x, y, dx = number(tx), number(y), number(tx.grad)
        agree(y, x.astype(LONG).sum(axis=(1, 2)) / (h * w), "global average")
        agree(dx, np.broadcast_to(dy.astype(LONG)[:, None, None, :] / (h * w), x.shape), "global average")
        cases["%dx%dx%dx%d" % (n, h, w, c)] = dict(options=[n, h * w, c], x=x, dy=dy, y=y, dx=dx)
    return write("global_average_pooling2d", cases)


# ---- BatchNormalization ----

def normalise_by_hand(x, mean, variance, gamma, beta, dy, training):
    """y, dx, dgamma, dbeta: the formulas written out, in extended precision."""
    x, dy, rows = x.astype(LONG), dy.astype(LONG), x.shape[0]
    scale = 1 / np.sqrt(variance + LONG(EPSILON))
    normal_x = (x - mean) * scale
    dbeta, dgamma = dy.sum(0), (dy * normal_x).sum(0)
    dx = dy - (dbeta / rows + normal_x * dgamma / rows if training else 0)
    return normal_x * gamma + beta, dx * scale * gamma, dgamma, dbeta


def batch_normalization():
    cases = {}
    plan = [(rows, channels, affine, 1.0, 0.0) for rows in (1, 2, 13) for channels in (1, 5) for affine in (0, 1, 2)]
    plan += [(20, 3, 0, 1e-3, 0.0), (20, 3, 1, 1.0, 100.0), (7, 17, 2, 30.0, -5.0), (4, 33, 1, 1.0, 1.0)]
    for rows, channels, affine, spread, offset in plan:
        # affine 0: neither gamma nor beta; 1: beta alone, as the network has it; 2: both
        x = (normal(rows, channels) * spread + offset).astype(np.float32).astype(np.float64)
        gamma, beta = normal(channels), normal(channels)
        dy, old_mean, old_variance = normal(rows, channels), normal(channels), np.abs(normal(channels))
        mean = x.astype(LONG).mean(0)
        variance = ((x.astype(LONG) - mean) ** 2).mean(0)
        case = dict(options=[rows, channels, affine], x=x, dy=dy, moving_mean=old_mean, moving_variance=old_variance,
                    mean=mean.astype(float), variance=variance.astype(float))
        if affine >= 1:
            case["beta"] = beta
        if affine == 2:
            case["gamma"] = gamma
        gamma, beta = gamma if affine == 2 else np.ones(channels), beta if affine >= 1 else np.zeros(channels)
        for training in (1, 0):
            statistics = (mean, variance) if training else (old_mean.astype(LONG), old_variance.astype(LONG))
            hand = normalise_by_hand(x, *statistics, gamma, beta, dy, training)
            if rows > 1 or not training:  # PyTorch refuses statistics of one row; then it is numpy alone
                tx, tg, tb = tensor(x), tensor(gamma), tensor(beta)
                tm, tv = torch.tensor(old_mean), torch.tensor(old_variance)
                ty = F.batch_norm(tx, tm, tv, tg, tb, training=bool(training), momentum=1 - MOMENTUM, eps=EPSILON)
                ty.backward(torch.tensor(dy))
                # Where an offset of 100 stands on a spread of 1, float64 loses two more digits.
                tolerance = 1 + abs(offset) / spread
                for a, b in zip((ty, tx.grad, tg.grad, tb.grad), hand):
                    agree(number(a) / tolerance, b / tolerance, ("batch_normalization", rows, channels))
                if training:
                    unbiased = old_variance * MOMENTUM + variance * rows / (rows - 1) * (1 - MOMENTUM)
                    agree(number(tv), unbiased, "moving variance")
                    agree(number(tm), old_mean * MOMENTUM + mean * (1 - MOMENTUM), "moving mean")
            suffix = "" if training else "_inference"
            for key, value in zip(("y", "dx", "dgamma", "dbeta"), hand):
                case[key + suffix] = value.astype(float)
        keep, take = LONG(MOMENTUM), LONG(1 - MOMENTUM)
        case["new_mean"] = (old_mean * keep + mean * take).astype(float)
        case["new_variance_biased"] = (old_variance * keep + variance * take).astype(float)
        case["new_variance_unbiased"] = (old_variance * keep + variance * rows / max(rows - 1, 1) * take).astype(float)
        kind = ("plain", "beta", "gamma_beta")[affine]
        cases["%dx%d_%s_%g_%g" % (rows, channels, kind, spread, offset)] = case
    return write("batch_normalization", cases)


# ---- the small ones ----

def relu():
    cases = {}
    special = np.array([0.0, -0.0, 1.0, -1.0, 1e-38, -1e-38, 3e38, -3e38, np.inf, -np.inf], np.float32).astype(np.float64)
    for name, x in (("random", normal(2, 3, 4, 5)), ("special", special)):
        tx, dy = tensor(x), normal(*x.shape)
        ty = torch.relu(tx)
        ty.backward(torch.tensor(dy))
        assert np.array_equal(number(ty), np.maximum(x, 0)) and np.array_equal(number(tx.grad), np.where(x > 0, dy, 0))
        cases[name] = dict(options=[x.size], x=x, dy=dy, y=number(ty), dx=number(tx.grad))
    return write("relu", cases)


def concatenate():
    """Up to four parts: options are the rows and each part's channels, 0 for a part that is not there."""
    cases = {}
    for shape, channels in (((1, 1, 1), [1, 1]), ((2, 2, 3), [3, 5, 1, 7]), ((1, 3, 3), [17, 4]), ((2, 1, 2), [6])):
        parts = [tensor(normal(*shape, c)) for c in channels]
        ty = torch.cat(parts, dim=3)
        dy = normal(*ty.shape)
        ty.backward(torch.tensor(dy))
        cases[str(channels)] = dict(options=[int(np.prod(shape))] + (channels + [0, 0, 0])[:4], dy=dy, y=number(ty),
                                    x=np.concatenate([number(p).ravel() for p in parts]),
                                    dx=np.concatenate([number(p.grad).ravel() for p in parts]))
    return write("concatenate", cases)


def dense():
    cases = {}
    for n, wide, out, with_bias in ((1, 1, 1, 1), (3, 5, 7, 1), (2, 48, 7, 1), (4, 17, 3, 0), (1, 33, 1, 0), (6, 1, 17, 1)):
        tx, tk, tb = tensor(normal(n, wide)), tensor(normal(wide, out)), tensor(normal(out))
        ty = F.linear(tx, tk.t(), tb if with_bias else None)
        dy = normal(n, out)
        ty.backward(torch.tensor(dy))
        x, kernel, bias = number(tx), number(tk), number(tb)
        agree(number(ty), x.astype(LONG) @ kernel + (bias if with_bias else 0), "dense y")
        agree(number(tx.grad), dy.astype(LONG) @ kernel.T, "dense dx")
        agree(number(tk.grad), x.T.astype(LONG) @ dy, "dense dkernel")
        case = dict(options=[n, wide, out, with_bias], x=x, kernel=kernel, dy=dy, y=number(ty), dx=number(tx.grad),
                    dkernel=number(tk.grad), dbias=dy.astype(LONG).sum(0).astype(float))
        if with_bias:
            agree(number(tb.grad), case["dbias"], "dense dbias")
            case["bias"] = bias
        cases["%dx%dx%d" % (n, wide, out) + ("_bias" if with_bias else "")] = case
    return write("dense", cases)


def softmax_cross_entropy():
    cases = {}
    ties = np.array([[0, 0, 0, 0], [5, 5, -1, 5], [-1e30, -1e30, -1e30, -1e30]], np.float64)
    huge = np.array([[1e4, 0, -1e4], [1e30, -1e30, 0], [-1e4, -1e4, -1e4 + 1], [700, 710, 720], [88, 89, -104]], np.float64)
    near = np.array([[1, 1 + 2.0**-20, 1 - 2.0**-20], [30, 0, 0], [0, 40, 0]], np.float64)
    plan = (("random_7", normal(6, 7)), ("spread_7", 20 * normal(5, 7)), ("one_class", normal(3, 1)),
            ("one_image", normal(1, 5)), ("many", normal(2, 40)), ("ties", ties), ("huge", huge), ("near", near))
    for name, logits in plan:
        logits = logits.astype(np.float32).astype(np.float64)
        labels = random.randint(0, logits.shape[1], logits.shape[0])
        tl = tensor(logits)
        losses = F.cross_entropy(tl, torch.tensor(labels), reduction="none")
        losses.mean().backward()
        top = logits.astype(LONG) - logits.max(1, keepdims=True)
        p = np.exp(top) / np.exp(top).sum(1, keepdims=True)
        one = np.arange(logits.shape[1])[None, :] == labels[:, None]
        loss = np.log(np.exp(top).sum(1)) - top[one]
        agree(number(torch.softmax(tl, 1)), p, "probabilities")
        agree(number(losses), loss, "losses")
        agree(number(tl.grad), (p - one) / len(labels), "dlogits")
        # PyTorch's p - 1 of a label near certainty has lost digits that extended precision keeps: write the latter.
        cases[name] = dict(options=list(logits.shape), logits=logits, labels=labels, probabilities=p.astype(float),
                           losses=loss.astype(float), dlogits=((p - one) / len(labels)).astype(float))
    return write("softmax_cross_entropy", cases)


def adam():
    """TensorFlow's epsilon stands beside sqrt(v); PyTorch's beside sqrt(v / (1 - beta2^t)). So PyTorch's Adam gives the
    same step when it is given epsilon / sqrt(1 - beta2^t) at step t: asserted here."""
    cases = {}
    plan = (("keras", 1e-3, 0.9, 0.999, 1e-7, 1.0), ("large_epsilon", 0.05, 0.9, 0.99, 0.1, 1.0),
            ("tiny_gradients", 1e-3, 0.9, 0.999, 1e-7, 1e-7), ("no_momentum", 0.01, 0.0, 0.5, 1e-3, 10.0))
    for name, rate, beta1, beta2, epsilon, size in plan:
        steps, count = 7, 23
        start, gradients = normal(count), (normal(steps, count) * size).astype(np.float32).astype(np.float64)
        gradients[:, 0] = 0  # a parameter that nothing moves
        gradients[1:, 1] = 0  # and one that is pushed once
        p, m, v = start.astype(LONG), np.zeros(count, LONG), np.zeros(count, LONG)
        tp = tensor(start)
        optimiser = torch.optim.Adam([tp], lr=rate, betas=(beta1, beta2), eps=epsilon)
        parameters = []
        for t, g in enumerate(gradients, 1):
            m += (g - m) * (1 - LONG(beta1))
            v += (g * g.astype(LONG) - v) * (1 - LONG(beta2))
            p = p - rate * np.sqrt(1 - LONG(beta2) ** t) / (1 - LONG(beta1) ** t) * m / (np.sqrt(v) + LONG(epsilon))
            optimiser.param_groups[0]["eps"] = float(LONG(epsilon) / np.sqrt(1 - LONG(beta2) ** t))
            tp.grad = torch.tensor(g)
            optimiser.step()
            agree(number(tp), p, ("adam", name, t))
            parameters.append(p.astype(float))
        cases[name] = dict(options=[steps, count], rates=[rate, beta1, beta2, epsilon], parameter=start, gradients=gradients,
                           new_parameters=np.array(parameters), m=m.astype(float), v=v.astype(float))
    return write("adam", cases)


# ---- what other people's networks have: groups, dilation, padding of any size, a bias; ceil, padding that counts, ties ----

CONVOLUTION = [  # name, n, h, w, ci, co, kh, kw, sh, sw, dilation h and w, groups, top, bottom, left, right, bias
    ("bias", 2, 4, 5, 3, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    ("torch_s2", 1, 6, 8, 3, 5, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 0),
    ("lower_s2", 1, 6, 8, 3, 5, 3, 3, 2, 2, 1, 1, 1, 1, 0, 1, 0, 0),
    ("dilated", 2, 7, 9, 3, 2, 3, 3, 1, 1, 2, 3, 1, 2, 2, 3, 3, 0),
    ("dilated_s2", 1, 9, 8, 2, 3, 2, 3, 2, 1, 3, 2, 1, 0, 1, 2, 0, 1),
    ("groups", 2, 5, 4, 6, 9, 3, 2, 1, 1, 1, 1, 3, 1, 0, 0, 1, 1),
    ("groups_dilated", 1, 8, 7, 4, 6, 2, 2, 2, 2, 2, 1, 2, 0, 1, 2, 0, 0),
    ("depthwise", 2, 6, 5, 5, 5, 3, 3, 1, 1, 1, 1, 5, 1, 1, 1, 1, 1),
    ("depthwise_s2", 1, 7, 8, 19, 19, 3, 3, 2, 2, 1, 1, 19, 0, 1, 0, 1, 0),
    ("depthwise_x3", 2, 5, 6, 3, 9, 3, 2, 1, 2, 2, 1, 3, 2, 0, 1, 1, 1),
    ("wide_padding", 1, 3, 2, 2, 3, 2, 2, 1, 1, 1, 1, 1, 3, 4, 0, 5, 1),
]


def reach(size, kernel, stride, dilation, before, behind, ceil=0):
    """Output cells: for each the (kernel cell, input cell) pairs inside, and how many cells of image and padding it has."""
    room = before + size + behind
    out = (room - (kernel - 1) * dilation - 1 + (stride - 1 if ceil else 0)) // stride + 1
    if ceil and (out - 1) * stride >= before + size:
        out -= 1
    cells = [[(k, o * stride + k * dilation) for k in range(kernel)] for o in range(out)]
    return [([(k, i - before) for k, i in c if 0 <= i - before < size], sum(i < room for _, i in c)) for c in cells]


def convolution_by_hand(x, kernel, dy, down, across, groups):
    y, dx, dkernel = np.zeros(dy.shape, LONG), np.zeros(x.shape, LONG), np.zeros(kernel.shape, LONG)
    ci, co = x.shape[3] // groups, kernel.shape[3] // groups
    for oh, (rows, _) in enumerate(down):
        for ow, (columns, _) in enumerate(across):
            for (kh, ih), (kw, iw), g in ((r, c, g) for r in rows for c in columns for g in range(groups)):
                i, o = slice(g * ci, g * ci + ci), slice(g * co, g * co + co)
                y[:, oh, ow, o] += x[:, ih, iw, i].astype(LONG) @ kernel[kh, kw, :, o]
                dx[:, ih, iw, i] += dy[:, oh, ow, o].astype(LONG) @ kernel[kh, kw, :, o].T
                dkernel[kh, kw, :, o] += x[:, ih, iw, i].astype(LONG).T @ dy[:, oh, ow, o]
    return y, dx, dkernel


def convolution():
    cases = {}
    for name, n, h, w, ci, co, kh, kw, sh, sw, dh, dw, groups, t, b, l, r, with_bias in CONVOLUTION:
        x, kernel, bias = normal(n, h, w, ci), normal(kh, kw, ci // groups, co), normal(co)
        tx, tk, tb = tensor(x), tensor(kernel), tensor(bias)
        y = nhwc(F.conv2d(F.pad(nchw(tx), (l, r, t, b)), tk.permute(3, 2, 0, 1).contiguous(), tb if with_bias else None,
                          (sh, sw), 0, (dh, dw), groups))
        dy = normal(*y.shape)
        y.backward(torch.tensor(dy))
        down, across = reach(h, kh, sh, dh, t, b), reach(w, kw, sw, dw, l, r)
        hand = convolution_by_hand(x, kernel, dy, down, across, groups)
        agree(number(y), hand[0] + (bias if with_bias else 0), (name, "y"))
        agree(number(tx.grad), hand[1], (name, "dx"))
        agree(number(tk.grad), hand[2], (name, "dkernel"))
        case = dict(options=[n, h, w, ci, co, kh, kw, sh, sw, dh, dw, groups, t, b, l, r, with_bias], x=x, kernel=kernel,
                    dy=dy, y=number(y), dx=number(tx.grad), dkernel=number(tk.grad))
        if with_bias:
            agree(number(tb.grad), dy.astype(LONG).sum((0, 1, 2)), (name, "dbias"))
            case.update(bias=bias, dbias=number(tb.grad))
        cases[name] = case
    return write("convolution", cases)


PADDED_POOLING = [  # name, n, h, w, c, kh, kw, sh, sw, top, bottom, left, right, ceil
    ("torch_3x3_s2", 2, 6, 7, 3, 3, 3, 2, 2, 1, 1, 1, 1, 0),
    ("torch_3x3_s2_ceil", 1, 6, 8, 2, 3, 3, 2, 2, 1, 1, 1, 1, 1),
    ("ceil", 1, 6, 5, 3, 3, 2, 2, 3, 0, 0, 0, 0, 1),
    ("ceil_left_out", 1, 3, 7, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1),
    ("ceil_small", 1, 3, 3, 1, 4, 5, 2, 3, 0, 0, 0, 0, 1),
    ("one_side", 1, 5, 4, 3, 3, 4, 1, 2, 2, 0, 0, 3, 0),
]


def maxima_by_hand(x, dy, down, across, ties):
    y, dx = np.zeros(dy.shape), np.zeros(x.shape, LONG)
    for oh, (rows, _) in enumerate(down):
        for ow, (columns, _) in enumerate(across):
            cells = [(ih, iw) for _, ih in rows for _, iw in columns]
            for i, c in np.ndindex(x.shape[0], x.shape[3]):
                y[i, oh, ow, c] = best = max(x[i, ih, iw, c] for ih, iw in cells)
                at = [cell for cell in cells if x[i, cell[0], cell[1], c] == best]
                for ih, iw in {"first": at[:1], "last": at[-1:], "all": at, "split": at}[ties]:
                    dx[i, ih, iw, c] += LONG(dy[i, oh, ow, c]) / (len(at) if ties == "split" else 1)
    return y, dx


def padded_pooling():
    """Each geometry by its maxima, for each rule of ties, and by both averages. The maxima of the rules first and split are
    PyTorch's (max_pool2d; amax over the windows), those of last are first's of everything turned round."""
    cases = {}
    for name, n, h, w, c, kh, kw, sh, sw, t, b, l, r, ceil in PADDED_POOLING:
        down, across = reach(h, kh, sh, 1, t, b, ceil), reach(w, kw, sw, 1, l, r, ceil)
        mine = np.random.RandomState(7)
        x = mine.randint(-2, 1, (n, h, w, c)).astype(np.float64)
        dy = mine.standard_normal((n, len(down), len(across), c)).astype(np.float32).astype(np.float64)
        case = dict(options=[n, h, w, c, kh, kw, sh, sw, t, b, l, r, ceil], x=x, dy=dy)
        even = t == b and l == r  # PyTorch's own padding; else it is given more image
        own = dict(kernel_size=(kh, kw), stride=(sh, sw), padding=(t, l) if even else 0, ceil_mode=bool(ceil))
        around = (0, 0, 0, 0) if even else (l, r, t, b)
        for ties in ("first", "last", "all", "split"):
            y, dx = maxima_by_hand(x, dy, down, across, ties)
            tx = tensor(x)
            if ties == "first":
                ty = nhwc(F.max_pool2d(F.pad(nchw(tx), around, value=-np.inf), **own))
            elif ties == "split":
                big = F.pad(nchw(tx), (l, r + kw, t, b + kh), value=-np.inf)
                windows = big.unfold(2, kh, sh).unfold(3, kw, sw)[:, :, :len(down), :len(across)]
                ty = nhwc(windows.amax((4, 5)))
            else:
                case["dx_" + ties] = dx.astype(float)
                continue
            ty.backward(torch.tensor(dy))
            agree(number(ty), y, (name, ties))
            agree(number(tx.grad), dx, (name, ties))
            case["y_max"] = number(ty)
            case["dx_" + ties] = number(tx.grad)
        for count in (0, 1):
            y, dx = np.zeros(dy.shape, LONG), np.zeros(x.shape, LONG)
            for oh, (rows, high) in enumerate(down):
                for ow, (columns, wide) in enumerate(across):
                    divisor = high * wide if count else len(rows) * len(columns)
                    for (_, ih), (_, iw) in ((a, b) for a in rows for b in columns):
                        y[:, oh, ow] += x[:, ih, iw].astype(LONG) / divisor
                        dx[:, ih, iw] += dy[:, oh, ow].astype(LONG) / divisor
            if even or count:
                tx = tensor(x)
                ty = nhwc(F.avg_pool2d(F.pad(nchw(tx), around), count_include_pad=bool(count), **own))
                ty.backward(torch.tensor(dy))
                agree(number(ty), y, (name, "average", count))
                agree(number(tx.grad), dx, (name, "average", count))
            case["y_average%d" % count], case["dx_average%d" % count] = y.astype(float), dx.astype(float)
        cases[name] = case
    return write("padded_pooling", cases)


def global_max_pooling2d():
    cases = {}
    for n, h, w, c in ((1, 1, 1, 1), (2, 3, 5, 7), (3, 1, 4, 33)):
        tx = tensor(normal(n, h, w, c))
        y = F.adaptive_max_pool2d(nchw(tx), 1).reshape(n, c)
        dy = normal(n, c)
        y.backward(torch.tensor(dy))
        agree(number(y), number(tx).max((1, 2)), "global max")
        cases["%dx%dx%dx%d" % (n, h, w, c)] = dict(options=[n, h * w, c], x=number(tx), dy=dy, y=number(y), dx=number(tx.grad))
    return write("global_max_pooling2d", cases)


# ---- layers without weights ----

def activation():
    """Options: which function, count; settings: slope and largest value, 0 where there is none. Inputs from where each function is a line
    to where its digits are few."""
    cases = {}
    small = np.array([0.0, 1e-38, -1e-38, 1e-20, -1e-20, 1e-7, -1e-7, 0.01, -0.01, 0.49, -0.49, 0.51, -0.51], np.float32)
    x = np.concatenate([3 * normal(40), small, np.linspace(-20, 20, 41), [89, -89, 104, -104, 1000, -1000]]).astype(np.float32)
    x = x.astype(np.float64)
    wide = x.astype(LONG)
    with np.errstate(over="ignore"):
        logistic = 1 / (1 + np.exp(-wide))
        grown = np.expm1(np.minimum(wide, 0))
    plan = (("sigmoid", torch.sigmoid, logistic, 0, 0), ("tanh", torch.tanh, np.tanh(wide), 0, 0),
            ("silu", F.silu, wide * logistic, 0, 0), ("elu", F.elu, np.where(wide > 0, wide, grown), 0, 0),
            ("hard_sigmoid", lambda t: torch.clamp(t / 6 + 0.5, 0, 1), np.clip(wide / 6 + 0.5, 0, 1), 1 / 6, 0),
            ("hard_sigmoid", lambda t: torch.clamp(t / 5 + 0.5, 0, 1), np.clip(wide / 5 + 0.5, 0, 1), 1 / 5, 0),
            ("leaky_relu", lambda t: F.leaky_relu(t, 0.3), np.where(wide > 0, wide, wide * 0.3), 0.3, 0),
            ("leaky_relu", F.relu6, np.clip(wide, 0, 6), 0, 6),
            ("leaky_relu", lambda t: torch.clamp(F.leaky_relu(t, 0.25), max=1.5), np.minimum(np.where(wide > 0, wide, wide / 4), 1.5), 0.25, 1.5))
    order = ("sigmoid", "tanh", "silu", "elu", "hard_sigmoid", "leaky_relu")
    for number_of, (name, function, by_hand, slope, most) in enumerate(plan):
        a = x
        if name in ("hard_sigmoid", "leaky_relu"):  # not at a kink, where libraries differ
            kinks = [0, most] if name == "leaky_relu" else [-0.5 / slope, 0.5 / slope]
            a = np.where(np.isclose(x[:, None], kinks).any(1), 0.75, x).astype(np.float32).astype(np.float64)
        by_hand = np.where(a == x, by_hand, {"hard_sigmoid": 0.75 * LONG(slope) + 0.5, "leaky_relu": LONG(0.75)}.get(name, by_hand))
        tx, dy = tensor(a), normal(a.size)
        ty = function(tx)
        ty.backward(torch.tensor(dy))
        agree(number(ty), by_hand, name)
        cases["%d" % number_of] = dict(options=[order.index(name), a.size], settings=[slope, most], x=a, dy=dy, y=by_hand.astype(float),
                                       dx=number(tx.grad))
    return write("activation", cases)


def softmax():
    """Along the last axis, as an activation. Options: rows, channels."""
    cases = {}
    for name, x in (("random", normal(6, 5)), ("one", normal(3, 1)), ("wide", 10 * normal(2, 33)), ("equal", np.zeros((2, 4))),
                    ("far", np.array([[1e4, 0, -1e4], [-700, -710, -705], [88, 89, -104]], np.float64))):
        tx, dy = tensor(x.astype(np.float32)), normal(*x.shape)
        ty = torch.softmax(tx, 1)
        ty.backward(torch.tensor(dy))
        wide = np.exp(number(tx).astype(LONG) - number(tx).max(1, keepdims=True))
        wide = wide / wide.sum(1, keepdims=True)
        back = wide * (dy - (dy * wide).sum(1, keepdims=True))
        agree(number(ty), wide, "softmax y")
        agree(number(tx.grad), back, "softmax dx")
        cases[name] = dict(options=list(x.shape), x=number(tx), dy=dy, y=wide.astype(float), dx=back.astype(float))
    return write("softmax", cases)


def merge():
    """Add and Multiply. Options: multiplies, images, cells, channels, then of up to three inputs their cells, 0 where there is none."""
    cases = {}
    for multiplies, n, cells, c, each in ((0, 2, 6, 3, (6, 6)), (0, 1, 5, 17, (5, 5, 5)), (0, 3, 1, 4, (1,)), (1, 2, 6, 3, (6, 6)),
                                          (1, 2, 6, 5, (6, 1)), (1, 1, 9, 17, (1, 9, 1)), (1, 3, 1, 4, (1, 1)), (1, 2, 50, 3, (1, 50, 50))):
        xs = [tensor(normal(n, k, c)) for k in each]
        ty, by_hand = xs[0], number(xs[0]).astype(LONG)
        for tx in xs[1:]:
            ty = ty * tx if multiplies else ty + tx
            by_hand = by_hand * number(tx) if multiplies else by_hand + number(tx)
        dy = normal(n, cells, c)
        (ty + torch.zeros(n, cells, c, dtype=torch.float64)).backward(torch.tensor(dy))
        agree(number(ty), by_hand, "merge")
        cases[str((multiplies, n, cells, c, each))] = dict(
            options=[multiplies, n, cells, c] + (list(each) + [0, 0])[:3], dy=dy, y=number(ty),
            x=np.concatenate([number(tx).ravel() for tx in xs]), dx=np.concatenate([number(tx.grad).ravel() for tx in xs]))
    return write("merge", cases)


def edges():
    """ZeroPadding2D; Cropping2D with x and dy, y and dx exchanged. Options: n, h, w, c, top, bottom, left, right."""
    cases = {}
    for n, h, w, c, t, b, l, r in ((2, 3, 4, 5, 1, 1, 1, 1), (1, 2, 5, 3, 0, 1, 0, 1), (3, 1, 1, 17, 2, 0, 3, 1), (1, 4, 3, 2, 0, 0, 0, 0)):
        tx, dy = tensor(normal(n, h, w, c)), normal(n, t + h + b, l + w + r, c)
        ty = F.pad(tx, (0, 0, l, r, t, b))
        ty.backward(torch.tensor(dy))
        assert np.array_equal(number(tx.grad), dy[:, t:t + h, l:l + w])
        cases[str((n, h, w, c, t, b, l, r))] = dict(options=[n, h, w, c, t, b, l, r], x=number(tx), dy=dy, y=number(ty), dx=number(tx.grad))
    return write("edges", cases)


def constants():
    """Rescaling (first the scale, then the offset) and Normalization (mean and variance). Options: which, rows, channels."""
    cases = {}
    for which in 0, 1:
        for rows, c in ((7, 3), (1, 17), (40, 1)):
            tx, dy, first, second = tensor(normal(rows, c)), normal(rows, c), normal(c), normal(c)
            if which:
                second = (second ** 2).astype(np.float32).astype(np.float64)
                second[0] = np.float32(1e-20) if rows == 7 else second[0]  # below the smallest deviation
            ty = (tx - torch.tensor(first)) / torch.clamp(torch.sqrt(torch.tensor(second)), min=1e-7) if which else \
                tx * torch.tensor(first) + torch.tensor(second)
            ty.backward(torch.tensor(dy))
            wide = number(tx).astype(LONG)
            by_hand = (wide - first) / np.maximum(np.sqrt(second.astype(LONG)), LONG(1e-7)) if which else wide * first + second
            assert np.all(np.abs(number(ty) - by_hand) <= 1e-13 * (1 + np.abs(by_hand))), "constants"
            cases["%d %dx%d" % (which, rows, c)] = dict(options=[which, rows, c], x=number(tx), first=first, second=second, dy=dy,
                                                        y=by_hand.astype(float), dx=number(tx.grad))
    return write("constants", cases)


if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    print("PyTorch %s, numpy %s, into %s" % (torch.__version__, np.__version__, FOLDER))
    makers = (conv2d, batch_normalization, relu, max_pooling2d, average_pooling2d, global_average_pooling2d, concatenate,
              dense, softmax_cross_entropy, adam, convolution, padded_pooling, global_max_pooling2d, activation, softmax, merge, edges,
              constants)
    total = sum(make() for make in makers)
    print("%d bytes in all" % total)
