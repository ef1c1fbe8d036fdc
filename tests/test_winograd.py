#!/usr/bin/env python3
"""Convolutions by Winograd's algorithm, in float32 by NumPy, before `fer64 verify --winograd 2|4|6`.

    test_winograd.py FER FER64

The transforms are made here for the points 0, 1, -1, 2, -2, 1/2, -1/2 by Cook and Toom's rule, and checked in float64. Needs
numpy."""
import json
import os
import subprocess
import sys

import numpy as np

FER, FER64 = sys.argv[1:]
FOLDER = os.path.join(os.environ.get("SCRATCH", "build/tmp"), "winograd_py")
MODEL, OURS, THEIRS = (os.path.join(FOLDER, name) for name in ("model.json", "ours.npz", "theirs.npz"))
F = np.float32
passed = failed = 0


def check(what, fact, shown=""):
    global passed, failed
    passed += bool(fact)
    failed += not fact
    if not fact:
        print("FAILED: %s %s" % (what, shown))


def verify(arrays, *options):
    np.savez(THEIRS, **arrays)
    run = subprocess.run([FER64, "verify", THEIRS, "--model", MODEL, "--json"] + list(options), capture_output=True, text=True)
    if run.returncode == 2:
        sys.exit(run.stderr)
    return {row["array"]: row for row in json.loads(run.stdout)["arrays"]}


def times(polynomial, root):
    """A polynomial, lowest power first, times (x - root)."""
    return np.append(0, polynomial) - root * np.append(polynomial, 0)


def transforms(m):
    """A^T, G and B^T of F(m, 3)."""
    points = (0, 1, -1, 2, -2, 0.5, -0.5)[:m + 1]
    others = [[q for q in points if q != p] for p in points]
    at = np.array([[p ** i for p in points] + [float(i == m - 1)] for i in range(m)], float)
    g = np.array([[p ** k / np.prod([p - q for q in rest]) for k in range(3)] for p, rest in zip(points, others)] + [[0, 0, 1]])
    bt = np.zeros((m + 2, m + 2))
    for row, rest in zip(bt, others + [points]):
        polynomial = np.ones(1)
        for q in rest:
            polynomial = times(polynomial, q)
        row[:len(polynomial)] = polynomial
    return at, g, bt


def winograd(x, kernel, m, dtype=F):
    """SAME, stride 1: x [n,h,w,ci], kernel [3,3,ci,co]."""
    at, g, bt = (t.astype(dtype) for t in transforms(m))
    n, h, w, c = x.shape
    rows, columns = -(-h // m), -(-w // m)
    padded = np.zeros((n, rows * m + 2, columns * m + 2, c), dtype)
    padded[:, 1:h + 1, 1:w + 1] = x
    weights = np.einsum("ik,klcd,jl->ijcd", g, kernel.astype(dtype), g)
    y = np.zeros((n, rows * m, columns * m, kernel.shape[3]), dtype)
    for i in range(rows):
        for j in range(columns):
            tile = padded[:, i * m:i * m + m + 2, j * m:j * m + m + 2]
            tile = np.einsum("ik,nklc,jl->nijc", bt, tile, bt)
            products = np.zeros(tile.shape[:3] + (kernel.shape[3],), dtype)
            for channel in range(c):  # one rounding each, as an accumulator has it
                products += tile[..., channel, None] * weights[:, :, channel]
            y[:, i * m:i * m + m, j * m:j * m + m] = np.einsum("ik,nkld,jl->nijd", at, products, at)
    return y[:, :h, :w]


LAYERS = [{"class_name": "InputLayer", "config": {"shape": [13, 12, 3]}},
          {"class_name": "Conv2D", "config": {"filters": 24, "kernel_size": 3, "padding": "same", "use_bias": False}},
          {"class_name": "BatchNormalization", "config": {}}, {"class_name": "ReLU", "config": {}},
          {"class_name": "Conv2D", "config": {"filters": 16, "kernel_size": 3, "padding": "same", "use_bias": False}},
          {"class_name": "BatchNormalization", "config": {}}, {"class_name": "ReLU", "config": {}},
          {"class_name": "Conv2D", "config": {"filters": 8, "kernel_size": 3, "strides": 2, "use_bias": False}},
          {"class_name": "GlobalAveragePooling2D"}, {"class_name": "Dense", "config": {"units": 4, "activation": "softmax"}}]
os.makedirs(FOLDER, exist_ok=True)
with open(MODEL, "w") as file:
    json.dump({"class_name": "Sequential", "config": {"layers": LAYERS}}, file)
subprocess.run([FER, "record", "--model", MODEL, "--batch", "4", "--seed", "3", "--inference", "-o", OURS], check=True,
               stdout=subprocess.DEVNULL)
ours = dict(np.load(OURS))


def step(m):
    """The inference with convolutions by Winograd's algorithm."""
    a = dict(ours)
    x = a["input"]
    for number in ("", "_1"):
        a["conv2d%s/output" % number] = x = winograd(x, a["conv2d%s/kernel" % number], m)
        name = "batch_normalization%s/" % number
        scale = F(1) / np.sqrt(a[name + "moving_variance"] + F(1e-3)) * a[name + "gamma"]
        a[name + "output"] = x = (x - a[name + "moving_mean"]) * scale + a[name + "beta"]
        a["re_lu%s/output" % number] = x = np.maximum(x, F(0))
    return {name: a[name] for name in a if name.split("/")[0] not in ("conv2d_2", "global_average_pooling2d", "dense", "loss")}


CONVOLUTIONS = ("conv2d/output", "conv2d_1/output")
for m in (2, 4, 6):
    x, kernel = ours["input"].astype(float), ours["conv2d/kernel"].astype(float)
    plain = sum(np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))[:, i:i + 13, j:j + 12] @ kernel[i, j] for i in range(3) for j in range(3))
    check("F(%d,3) is the convolution" % m, np.allclose(winograd(x, kernel, m, float), plain, rtol=0, atol=1e-12))
    theirs = step(m)
    fused = {name: theirs[name] for name in theirs if not name.endswith("/output") or name.startswith("re_lu")}
    for what, arrays, names in (("direct", theirs, CONVOLUTIONS), ("chain", fused, ("re_lu/output", "re_lu_1/output"))):
        for tile in (2, 4, 6):
            got = verify(arrays, "--inference", "--winograd", str(tile))
            if tile >= m:
                bad = {name: row["likely_ratio"] for name, row in got.items() if row["verdict"] != "ok"}
                check("F(%d,3), %s, --winograd %d" % (m, what, tile), not bad, bad)
        got = verify(arrays, "--inference")
        fault = got[names[0]]
        if m == 2:
            check("F(2,3) is within the direct bound, %s" % what, fault["verdict"] == "ok", fault)
        else:
            tile = fault["reason"][16:17]
            check("F(%d,3) is not the direct sum, %s" % (m, what), fault["verdict"] in ("WRONG", "suspect"), fault)
            check("the hint, F(%d,3), %s" % (m, what), fault["reason"].startswith("with --winograd %s every 3x3 convolution is ok" % tile), fault)
            check("it is followed", verify(arrays, "--inference", "--winograd", tile)[names[0]]["verdict"] == "ok")
        spoilt = dict(arrays, **{names[1]: np.roll(arrays[names[1]], 1, 2)})
        check("a fault behind F(%d,3), %s" % (m, what), verify(spoilt, "--inference", "--winograd", str(m))[names[1]]["verdict"] == "WRONG")
        check("no hint beside a fault, %s" % what, verify(spoilt, "--inference")[names[1]]["reason"].find("--winograd") < 0)

# One element, which no algorithm has off alone.
arrays = dict(ours)
arrays["conv2d/output"] = arrays["conv2d/output"].copy()
arrays["conv2d/output"][2, 5, 5, 3] += F(5e-6)
fault = verify(arrays, "--inference")["conv2d/output"]
check("one element is no hint", fault["verdict"] in ("WRONG", "suspect") and "--winograd" not in fault["reason"], fault)

# The gradient of the input is the convolution with the kernel turned.
subprocess.run([FER, "record", "--model", MODEL, "--batch", "4", "--seed", "3", "-o", OURS], check=True, stdout=subprocess.DEVNULL)
arrays = dict(np.load(OURS))
kernel = arrays["conv2d_1/kernel"][::-1, ::-1].transpose(0, 1, 3, 2)
for m in (2, 4, 6):
    arrays["re_lu/output_grad"] = winograd(arrays["conv2d_1/output_grad"], kernel, m)
    row = verify(arrays, "--winograd", str(m))["re_lu/output_grad"]
    check("backward by F(%d,3)" % m, row["verdict"] == "ok" and row["proven_ratio"] > 0, row)
    arrays["re_lu/output_grad"][1, 2, 3] = 0
    check("a fault in it", verify(arrays, "--winograd", str(m))["re_lu/output_grad"]["verdict"] == "WRONG")
run = subprocess.run([FER64, "verify", OURS, "--winograd", "3"], capture_output=True, text=True)
check("no such tile", run.returncode == 2 and run.stderr == "fer: --winograd 3: expected one of 2, 4, 6\n", run.stderr)
for name in os.listdir(FOLDER):
    os.remove(os.path.join(FOLDER, name))
os.rmdir(FOLDER)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
