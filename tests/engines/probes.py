"""probes.py - what a library computes where libraries differ, on one small set of inputs, and the option of fer that matches.

A script in conventions/ gives the library's own functions, as few as it has, on numpy arrays [N,H,W,C], kernels HWIO:

    conv(x, kernel, strides, padding)       padding "same" (the library's own word, or raise), "valid", or cells on each side
    max_pool, average_pool(x, size, strides, padding), average_pool_ceil(x, size, strides, padding)
    max_pool_grad(x, dy, size, strides)     dx
    relu, sigmoid, hard_sigmoid, leaky_relu(x);  relu_grad(x, dy)
    batch_norm(x, training, gamma, beta, mean, variance, momentum, epsilon)     y, mean, variance; None is the default
    adam(parameter, gradients, learning_rate, epsilon)                          the parameter after one step a gradient
    conv_bn(x, kernel, gamma, beta, mean, variance)                             in inference, as one graph

and ends with measure("Name", version, globals()), which prints its cells as JSON. Candidates are computed by `fer64 op`."""
import json
import os
import subprocess
import tempfile

import numpy as np

FER64 = os.environ.get("FER64", "./fer64")
F = np.float32
folder = tempfile.TemporaryDirectory()
path = lambda name: os.path.join(folder.name, name)
COLUMNS = {}
WORDS = {"average_pool_ceil": "ceil mode", "max_pool_grad": "gradients", "relu_grad": "gradients", "adam": "optimizer",
         "conv_bn": "graph", "batch_norm": "BatchNormalization"}


def column(table, head):
    def add(probe):
        COLUMNS[probe.__name__] = (table, head, probe)
        return probe
    return add


class Missing(Exception):
    """The library has no such thing."""


class Library(dict):
    def __missing__(self, name):
        raise Missing("no " + WORDS.get(name, name.replace("_", " ")))


def op(name, options, **arrays):
    np.savez(path("in.npz"), **arrays)
    subprocess.run([FER64, "op", name, path("in.npz"), path("out.npz")] + options.split(), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return dict(np.load(path("out.npz")))


def matches(theirs, name, result, fixed, choices, tolerance=1e-5, **arrays):
    """The choices of options with which fer computes what they did, or what was seen if there is none."""
    theirs = np.asarray(theirs)
    found = []
    for choice in choices:
        ours = op(name, fixed + " " + choice, **arrays)[result]
        if ours.shape == theirs.shape and np.allclose(ours, theirs, tolerance, 0):
            found.append("`%s`" % choice)
    seen = np.array2string(theirs.ravel()[:9], precision=5, separator=" ").replace("\n", "")
    return ", ".join(found) or "none: %s %s" % (list(theirs.shape), seen)


def short(error):
    return " ".join(str(error).replace("|", "/").replace("`", "'").split())[:70]


def g(value):
    return "NaN" if np.isnan(value) else "%.3g" % value


numbers = lambda *shape: np.random.default_rng(7).standard_normal(shape).astype(F)
squares = lambda size: np.arange(size * size, dtype=F).reshape(1, size, size, 1)


def own_word(run, name, fixed, choices=("",), **arrays):
    """The cell for the library's padding "same"; for one cell on each side where it has no such word."""
    def judge(y, *paddings):
        return matches(y, name, "y", fixed, ["--padding %s%s" % (p, c) for p in paddings for c in choices], **arrays)
    try:
        y = run("same")
    except Missing:
        raise
    except Exception:
        return "no `same`; 1 is " + judge(run(1), "1,1,1,1")
    return judge(y, "same", "same_lower")


# ---- windows ----

@column("windows", "`same`, kernel 3, stride 2, even size")
def same_stride_2(lib):
    x, kernel = squares(4), np.ones((3, 3, 1, 1), F)
    return own_word(lambda p: lib["conv"](x, kernel, 2, p), "conv2d", "--strides 2,2", x=x, kernel=kernel)


@column("windows", "`same`, kernel 2")
def same_even_kernel(lib):
    x, kernel = squares(4), np.array([[1, 10], [100, 1000]], F).reshape(2, 2, 1, 1)
    return own_word(lambda p: lib["conv"](x, kernel, 1, p), "conv2d", "", x=x, kernel=kernel)


COUNT = [" --count-include-pad 0", " --count-include-pad 1"]


@column("windows", "average at the border")
def average_border(lib):
    x = squares(4) + 1
    return own_word(lambda p: lib["average_pool"](x, 3, 2, p), "average_pooling2d", "--pool 3,3 --strides 2,2", COUNT, x=x)


@column("windows", "pool 2 of size 5")
def odd_size(lib):
    x = squares(5)
    return matches(lib["max_pool"](x, 2, 2, "valid"), "max_pooling2d", "y", "", ["--ceil 0", "--ceil 1"], x=x)


@column("windows", "average in ceil mode, padding 1")
def average_ceil(lib):
    x, options = squares(6) + 1, "--pool 3,3 --strides 2,2 --padding 1,1,1,1"
    y = lib["average_pool_ceil"](x, 3, 2, 1)
    return matches(y, "average_pooling2d", "y", options, ["--ceil 1" + c for c in COUNT], x=x)


@column("windows", "ties in a maximum")
def ties(lib):
    x, dy = np.ones((1, 4, 4, 1), F), (1 + np.arange(4, dtype=F)).reshape(1, 2, 2, 1)
    alone = matches(lib["max_pool_grad"](squares(4), dy, 2, 2), "max_pooling2d", "dx", "", [""], x=squares(4), dy=dy)
    if alone.startswith("none"):
        return alone + " where no cells are equal"
    return matches(lib["max_pool_grad"](x, dy, 2, 2), "max_pooling2d", "dx", "",
                   ["--ties " + t for t in ("first", "last", "all", "split")], x=x, dy=dy)


def kept(y):
    return "kept" if np.isnan(y).all() else "lost" if not np.isnan(y).any() else "kept in %d of %d" % (
        np.isnan(y).sum(), y.size)


@column("windows", "NaN in a maximum, by its place")
def nan_maximum(lib):
    def of(channels):
        x = np.ones((1, 2, 8, channels), F)
        x[0, [0, 0, 1, 1], [0, 3, 4, 7]] = np.nan
        return kept(np.asarray(lib["max_pool"](x, 2, 2, "valid")))
    one, many = of(1), of(16)
    return one if one == many else "%s (1 channel), %s (16)" % (one, many)


# ---- BatchNormalization ----

def norm(lib, x, training, gamma=1, beta=0, mean=0, variance=1, momentum=0.5, epsilon=None):
    wide = lambda v: np.full(x.shape[-1], v, F)
    y, mean, variance = lib["batch_norm"](x, training, wide(gamma), wide(beta), wide(mean), wide(variance), momentum, epsilon)
    return [a if a is None else np.asarray(a, float) for a in (y, mean, variance)]


@column("normalization", "epsilon's default")
def bn_epsilon(lib):
    y, _, _ = norm(lib, np.full((1, 2, 2, 3), 0.5, F), False, variance=2.0 ** -20)
    return "`--epsilon %s`" % g((0.5 / y.ravel()[0]) ** 2 - 2.0 ** -20)


@column("normalization", "momentum's default, and what 0.25 means")
def bn_momentum(lib):
    x = np.ones((1, 2, 2, 3), F)
    quarter = norm(lib, x, True, mean=0, momentum=0.25)[1]
    if quarter is None:
        raise Missing("no moving statistics")
    meaning = {0.25: "the new share", 0.75: "what is kept"}.get(round(quarter[0], 4), "none: %s" % g(quarter[0]))
    try:
        by_default = norm(lib, x, True, mean=0, momentum=None)[1]
        return "`--momentum %s`; %s" % (g(round(1 - by_default[0], 6)), meaning)
    except Missing as error:
        return "— %s; %s" % (error, meaning)


def moving(lib, x):
    """The variance that the moving one takes in."""
    _, mean, variance = norm(lib, x, True, mean=0, variance=0)
    if variance is None:
        raise Missing("no moving statistics")
    share = mean[0] / x.mean(tuple(range(x.ndim - 1)))[0]
    ratio = (variance / share / x.var(tuple(range(x.ndim - 1))))[0]
    count = x[..., 0].size
    words = {1.0: "`biased`", round(count / (count - 1), 3): "`unbiased`"}
    return words.get(round(ratio, 3), "none: times " + g(ratio))


@column("normalization", "moving variance: of a map, of a vector")
def bn_moving_variance(lib):
    a_map = moving(lib, 3 + numbers(2, 2, 1, 3))
    try:
        vector = moving(lib, 3 + numbers(4, 3))
    except Exception as error:
        vector = "— " + short(error)
    return a_map if a_map == vector else a_map + "; " + vector


@column("normalization", "a constant channel, 0.1; 1000.1")
def bn_constant(lib):
    return "; ".join(g(np.abs(norm(lib, np.full((3, 5, 5, 3), v, F), True)[0]).max()) for v in (0.1, 1000.1))


@column("normalization", "one value a channel, training")
def bn_one_value(lib):
    try:
        y, _, variance = norm(lib, np.full((1, 1, 1, 3), 5, F), True, variance=1)
    except Missing:
        raise
    except Exception as error:
        return "refused: " + short(error)
    return "output %s%s" % (g(y.ravel()[0]), "" if variance is None else ", moves variance towards " + g(2 * variance[0] - 1))


@column("normalization", "mean 1e4, deviation 1: error of the output")
def bn_large_mean(lib):
    x = 10000 + numbers(4, 16, 16, 3)
    exact = op("batch_normalization", "--epsilon 1e-3", x=x)["y"]
    error = np.abs(norm(lib, x, True, epsilon=1e-3)[0] - exact).max()
    return "%s (%s)" % ("NaN" if np.isnan(error) else "%.1g" % error, "two passes" if error < 0.01 else "one pass")


@column("normalization", "inference, x = mean = 1000.1: off beta by")
def bn_inference(lib):
    y, _, _ = norm(lib, np.full((1, 2, 2, 3), 1000.1, F), False, gamma=1.7, beta=0.3, mean=F(1000.1), variance=2)
    return g(np.abs(y.ravel()[0] - F(0.3)))


# ---- activations and arithmetic ----

@column("arithmetic", "relu's slope at 0")
def relu_at_zero(lib):
    dx = np.asarray(lib["relu_grad"](np.array([[0, -0.0, -1, 1]], F), np.ones((1, 4), F)))
    if dx.ravel()[2] != 0 or dx.ravel()[3] != 1:
        return "none: %s" % dx
    values = sorted({float(v) for v in dx.ravel()[:2]})
    return "`--at-zero %g`" % values[0] if values in ([0], [1]) else "none: %s" % g(values[0]) if len(values) == 1 else \
        "none: %g at 0, %g at -0" % tuple(dx.ravel()[:2])


@column("arithmetic", "relu of NaN")
def relu_nan(lib):
    return kept(np.asarray(lib["relu"](np.full((1, 1, 1, 19), np.nan, F))))


@column("arithmetic", "hard_sigmoid")
def hard_sigmoid_slope(lib):
    x = np.linspace(-4, 4, 33, dtype=F).reshape(1, 33)
    return matches(lib["hard_sigmoid"](x), "hard_sigmoid", "y", "", ["--slope 1/6", "--slope 1/5"], 1e-4, x=x)


@column("arithmetic", "leaky relu's default")
def leaky_slope(lib):
    return "`--negative-slope %s`" % g(-np.asarray(lib["leaky_relu"](np.full((1, 4), -1, F))).ravel()[0])


@column("arithmetic", "sigmoid(-20), relative error")
def sigmoid_tail(lib):
    y = np.asarray(lib["sigmoid"](np.full((1, 20), -20, F)), float).ravel()
    return "%.1g" % np.abs(y * (1 + np.exp(20.0)) - 1).max()


@column("arithmetic", "subnormals: of relu, of a product")
def subnormals(lib):
    def of(run):
        try:
            y = np.asarray(run())
            return "kept" if (y != 0).all() else "flushed" if not y.any() else "kept in %d of %d" % ((y != 0).sum(), y.size)
        except Missing as error:
            return "— " + str(error)
    relu = of(lambda: lib["relu"](np.full((1, 1, 1, 16), 1e-40, F)))
    product = of(lambda: lib["conv"](np.full((1, 4, 4, 1), 1e-20, F), np.full((1, 1, 1, 8), 1e-20, F), 1, "valid"))
    return relu if relu == product else relu + "; " + product


@column("arithmetic", "3x3 convolution")
def winograd(lib):
    """Of one pixel, a direct sum makes single products, rounded once, and exact zeros away from its neighbours. Winograd's
    F(m,3) makes neither: its noise fills a tile of m rows and the row behind."""
    kernel, reach, exact = numbers(3, 3, 64, 64), 3, True
    for place in range(10, 19):
        x = np.zeros((1, 32, 32, 64), F)
        x[0, place, place] = 1 + numbers(64) / 3
        rows = np.flatnonzero(np.asarray(lib["conv"](x, kernel, 1, 1)).any((0, 2, 3)))
        reach = max(reach, rows.max() - rows.min() + 1)
        x[0, place, place, 1:] = 0
        y = np.asarray(lib["conv"](x, kernel, 1, 1))[0, place - 1:place + 2, place - 1:place + 2]
        exact = exact and np.array_equal(y, x[0, place, place, 0] * kernel[::-1, ::-1, 0])
    if exact and reach == 3:
        return "a direct sum"
    return {3: "`--winograd 2`", 5: "`--winograd 4`", 7: "`--winograd 6`"}.get(reach, "none: noise in %d rows" % reach)


@column("arithmetic", "Conv2D, BatchNormalization in inference")
def folding(lib):
    """Between the layers is 1e50, which float32 does not have; folded kernels never make it."""
    one = np.ones(4, F)
    y = lib["conv_bn"](np.full((1, 4, 4, 1), 1e20, F), np.full((1, 1, 1, 4), 1e30, F), 1e-20 * one, 0 * one, 0 * one, one)
    return "folded" if np.isfinite(np.asarray(y)).all() else "not folded"


@column("optimizer", "Adam's form, two steps, epsilon 1e-3")
def adam_form(lib):
    gradients = [np.array([1e-4, 1e-3, 0.01, -1], F), np.array([2e-4, 1e-3, -0.03, 0.5], F)]
    theirs, forms = lib["adam"](np.zeros(4, F), gradients, 1e-3, 1e-3), []
    for form in ("keras", "pytorch", "uncorrected"):
        options, state = "--form %s --epsilon 1e-3" % form, {"parameter": np.zeros(4, F)}
        for step, gradient in enumerate(gradients):
            state = op("adam", "%s --step %d" % (options, step + 1), gradient=gradient, **state)
        forms += ["`--form %s`" % form] if np.allclose(state["parameter"], theirs, 1e-3, 1e-7) else []
    return ", ".join(forms) or "none: %s" % np.asarray(theirs)


@column("optimizer", "Adam's epsilon, learning rate by default")
def adam_defaults(lib):
    small, form = F(1e-8), adam_form(lib)
    try:
        rate = -float(np.asarray(lib["adam"](np.zeros(1, F), [np.ones(1, F)], None, None))[0])
        rate = " --learning-rate %.2g" % (rate * np.sqrt(0.001) / 0.1 if "uncorrected" in form else rate)
    except Exception:
        rate = "" # it wants one
    step = -float(np.asarray(lib["adam"](np.zeros(1, F), [np.full(1, small)], 1.0, None))[0]) # g / (g + e)
    if "uncorrected" in form: # 0.1 g / (sqrt(0.001) g + e)
        epsilon = 0.1 * small / step - np.sqrt(0.001) * small
    else:
        epsilon = (small / step - small) * (np.sqrt(0.001) if "keras" in form else 1)
    return "`--epsilon %.2g%s`" % (epsilon, rate)


def measure(name, version, functions):
    library, cells = Library({k: f for k, f in functions.items() if callable(f)}), {}
    for key, (_, _, probe) in COLUMNS.items():
        try:
            with np.errstate(all="ignore"):
                cells[key] = probe(library)
        except Missing as error:
            cells[key] = "— " + str(error)
        except Exception as error: # a library's refusal is an answer too, and stands in the table as it came
            cells[key] = "— %s: %s" % (type(error).__name__, short(error))
            if os.environ.get("TRACE"):
                raise
    heads = {key: (table, words) for key, (table, words, _) in COLUMNS.items()}
    print(json.dumps({"name": name, "version": version.split("+")[0], "cells": cells, "columns": heads}))
