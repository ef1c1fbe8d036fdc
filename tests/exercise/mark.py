#!/usr/bin/env python3
"""mark.py - marks the functions of skeleton.py: each gets ok, or WRONG with the kind of mistake.

    mark.py my_solution.py [SEED]        fer64 is in the PATH, or FER64 says where it is

A function is compared with fer's from the same inputs, and may be off by as much as rounding in float64 explains
(`fer64 verify --op`); how it was done wrong, the same command says. Exit status 1 when one is wrong."""
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

FER64 = os.environ.get("FER64", "fer64")
spec = importlib.util.spec_from_file_location("solution", sys.argv[1])
solution = importlib.util.module_from_spec(spec)
spec.loader.exec_module(solution)
random = np.random.RandomState(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
folder = tempfile.TemporaryDirectory()
wrong = 0


def judge(operation, options, inputs, results):
    """What is wrong with the results, in words; "" nothing."""
    paths = [os.path.join(folder.name, name) for name in ("input.npz", "answer.npz")]
    np.savez(paths[0], **inputs)
    np.savez(paths[1], **results)
    run = subprocess.run([FER64, "verify", "--op", operation, *paths, "--unit", "f64", "--json"] + options, capture_output=True, text=True)
    if run.returncode not in (0, 1):
        return run.stderr.strip()
    rows = [row for row in json.loads(run.stdout)["arrays"] if row["verdict"] not in ("ok", "MISTRUSTED")]
    return "; ".join("%s: %s" % (row["array"], row["reason"] or "of no kind that is known") for row in rows)


def mark(name, names, operation, options, inputs, *arguments):
    """Calls the function and has its results judged. names: of the results, in their order."""
    global wrong
    try:
        results = getattr(solution, name)(*arguments)
        results = results if isinstance(results, tuple) else (results,)
        fault = judge(operation, options, inputs, dict(zip(names.split(), results)))
    except Exception as failure:  # a student's function may do anything
        fault = "%s: %s" % (type(failure).__name__, failure)
    wrong += fault != ""
    print("%-30s%s" % (name, "WRONG: " + fault if fault else "ok"))


def draw(*shape):
    return random.uniform(-2, 2, shape)


def geometry():
    """Images [n,h,w,c], a kernel's height and width, a stride."""
    return [random.randint(2, 4), *random.randint(5, 9, 2), random.randint(2, 5)], tuple(int(k) for k in random.randint(2, 4, 2)), int(random.randint(1, 3))


shape, size, stride = geometry()
pad, co = int(random.randint(0, 2)), random.randint(2, 6)
out = [(shape[i + 1] + 2 * pad - size[i]) // stride + 1 for i in (0, 1)]
x, kernel, bias, dy = draw(*shape), draw(*size, shape[3], co), draw(co), draw(shape[0], *out, co)
options, inputs = ["--strides", str(stride), "--padding", "%d,%d,%d,%d" % (4 * (pad,))], dict(x=x, kernel=kernel, bias=bias, dy=dy)
mark("conv2d_forward", "y", "conv2d", options, inputs, x, kernel, bias, stride, pad)
mark("conv2d_backward", "dx dkernel dbias", "conv2d", options, inputs, x, kernel, dy, stride, pad)

rows, c = random.randint(5, 13), random.randint(2, 6)
x, gamma, beta, dy = draw(rows, c), draw(c), draw(c), draw(rows, c)
options, inputs = ["--epsilon", "0.01"], dict(x=x, gamma=gamma, beta=beta, dy=dy)
mark("batch_normalization_forward", "y", "batch_normalization", options, inputs, x, gamma, beta, 0.01)
mark("batch_normalization_backward", "dx dgamma dbeta", "batch_normalization", options, inputs, x, gamma, dy, 0.01)

shape, size, stride = geometry()
x = random.randint(-6, 2, shape).astype(float)  # many maxima are equal, and some are negative
dy = draw(shape[0], *((shape[i + 1] - size[i]) // stride + 1 for i in (0, 1)), shape[3])
options, inputs = ["--pool", "%d,%d" % size, "--strides", str(stride)], dict(x=x, dy=dy)
mark("max_pooling2d_forward", "y", "max_pooling2d", options, inputs, x, size, stride)
mark("max_pooling2d_backward", "dx", "max_pooling2d", options, inputs, x, dy, size, stride)

n, classes = random.randint(2, 7), random.randint(3, 11)
logits, labels = draw(n, classes), random.randint(0, classes, n)
logits[0] += 1000  # exp of these overflows
mark("softmax_loss", "loss dlogits", "softmax_cross_entropy", [], dict(logits=logits, labels=labels), logits, labels)

print("%d of 7 functions are wrong" % wrong if wrong else "all seven functions are right")
sys.exit(wrong > 0)
