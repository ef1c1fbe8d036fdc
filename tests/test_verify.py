#!/usr/bin/env python3
"""`fer64 verify` as somebody with another implementation meets it: its options, parts of records, faulty records, JSON.

    test_verify.py FER FER64

The other implementation is NumPy here; tests/test_verify.c has a whole one. Needs numpy."""
import io
import json
import os
import re
import subprocess
import sys
import zipfile

import numpy as np

try:
    import torch
except ImportError:
    torch = None

FER, FER64 = sys.argv[1:]
FOLDER = os.path.join(os.environ.get("SCRATCH", "build/tmp"), "verify_py")
OURS, THEIRS = os.path.join(FOLDER, "ours.npz"), os.path.join(FOLDER, "theirs.npz")
SOUND = "no array is at fault"
NOTHING = ": nothing in it can be checked: expected "
NO_INPUTS = NOTHING + "also what its arrays are computed from"
NO_ARRAYS = NOTHING + "arrays of a record, such as input, conv2d/kernel and conv2d/output"
passed = failed = 0


def verify(*options, path=THEIRS):
    command = [FER64, "verify", path] + list(options)
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    return run.returncode, run.stdout, run.stderr


def check(what, fact, shown=""):
    global passed, failed
    passed += bool(fact)
    failed += not fact
    if not fact:
        print("FAILED: %s\n%s" % (what, shown))


def says(what, last, *options, part=""):
    """Verify's last line, from which the pattern is taken, and what the array is instead where none is expected; exit status 0
    goes with SOUND alone."""
    status, out, err = verify(*options)
    line = re.sub(r"(WRONG|suspect)( \(written by [^)]*\))?: \d+ of \d+[^:]*", r"\1\2", out.splitlines()[-1])
    fits = status == (last != SOUND) and part in out and (not err or " not used: " in err)
    fits = fits and (line.startswith(last) if last.endswith(("WRONG", "suspect")) else line == last)
    check("%s %s: '%s%s' was expected" % (what, " ".join(options), part, last), fits, out + err)


def refuses(what, message, *options, path=THEIRS):
    """Exit status 2 and one line."""
    status, out, err = verify(*options, path=path)
    fits = status == 2 and err == "fer: " + message + "\n"
    check("%s %s: '%s' was expected" % (what, " ".join(options), message), fits, out + err)


def wrong(array, reason=""):
    return "first at fault: %s, WRONG%s" % (array, ": " + reason if reason else "")


def write(arrays):
    np.savez(THEIRS, **arrays)


# ---- numbers of fewer digits ----

def shorten(x, bits):
    """Rounded to `bits` binary digits."""
    fraction, exponent = np.frexp(np.asarray(x, np.float64))
    return np.ldexp(np.rint(np.ldexp(fraction, bits)), exponent - bits)


def sum_in(terms, bits):
    """Along the first axis, one term after the other, each partial sum rounded."""
    total = np.zeros(terms.shape[1:])
    for term in terms:
        total = shorten(total + term, bits)
    return total


def units(ours):
    random = np.random.RandomState(3)
    fault = wrong("predictions/logits")

    def put(x, kernel, bias, logits):
        write({"avg_pool/output": x, "predictions/kernel": kernel, "predictions/bias": bias,
               "predictions/logits": logits})
    bias = np.arange(7) - 3.0
    for bits, sound, unsound in ((11, ("tf32", "f16", "bf16"), ("f64", "f32")), (8, ("bf16",), ("f32", "tf32", "f16"))):
        # factors that all lose nearly half a unit, and sums of positive terms: as far as rounding goes
        factor = 1 + 0.9 * 2.0 ** -bits
        x, kernel = (np.ldexp(factor, random.randint(-2, 3, shape)) for shape in ((2, 768), (768, 7)))
        put(x, kernel, bias, (shorten(x, bits) @ shorten(kernel, bits) + bias).astype(np.float32))
        for unit in sound:
            says("factors of %d digits" % bits, SOUND, "--unit", unit)
        for unit in unsound:
            says("factors of %d digits" % bits, fault, "--unit", unit)
    x, kernel = ours["avg_pool/output"].astype(np.float64), ours["predictions/kernel"].astype(np.float64)
    short = shorten(x, 8).T[:, :, None] * shorten(kernel, 8)[:, None, :]
    for bits, name in ((8, "bf16"), (11, "f16")):
        put(x, kernel, bias, sum_in(np.concatenate([short, np.broadcast_to(bias, (1, 2, 7))]), bits))
        says("sums of %d digits" % bits, fault)
        says("sums of %d digits" % bits, SOUND, "--unit", "bf16", "--accumulate", name)
    put(x, kernel, bias, (x @ kernel + bias).astype(np.float32))
    says("rounded once", SOUND, "--accumulate", "f64")
    says("rounded once", fault, "--unit", "f64")
    put(x, kernel, bias, x @ kernel + bias)
    says("never rounded", SOUND, "--unit", "f64")


# ---- other rules ----

def adam(p, g, pytorch, rate=0.001, epsilon=1e-7):
    m, v = 0.1 * g / (1 - 0.9), 0.001 * g * g / (1 - 0.999)
    epsilon = epsilon if pytorch else epsilon / np.sqrt(0.001)
    return (p - rate * m / (np.sqrt(v) + epsilon)).astype(np.float32)


def rules(ours):
    p, g = (ours["conv2d_35/kernel" + ending].astype(np.float64) for ending in ("", "_grad"))
    for pytorch, own, other in ((False, "keras", "pytorch"), (True, "pytorch", "keras")):
        write({"conv2d_35/kernel": p, "conv2d_35/kernel_grad": g, "conv2d_35/kernel_new": adam(p, g, pytorch)})
        says("Adam", SOUND, "--adam", own)
        says("Adam", wrong("conv2d_35/kernel_new", "with --adam %s every update by Adam is ok" % own), "--adam", other)
    write({"conv2d_35/kernel": p, "conv2d_35/kernel_grad": g, "conv2d_35/kernel_new": adam(p, g, False, 0.01)})
    says("learning rate", SOUND, "--learning-rate", "0.01")
    says("learning rate", wrong("conv2d_35/kernel_new", "all 1 updates are ok with learning rate 0.01"))
    for rate, options, given in ((0.01, "learning rate 0.01 and --adam pytorch", []), (3e-4, "learning rate 0.0003", ["--adam", "pytorch"])):
        arrays = {}
        for layer in ("conv2d_35", "conv2d_36", "predictions"):
            p, g = (ours[layer + "/kernel" + ending].astype(np.float64) for ending in ("", "_grad"))
            arrays.update({layer + "/kernel": p, layer + "/kernel_grad": g, layer + "/kernel_new": adam(p, g, True, rate)})
        write(arrays)
        says("learning rate", wrong("conv2d_35/kernel_new", "all 3 updates are ok with " + options), *given)
        arrays["conv2d_36/kernel_new"] = changed(arrays["conv2d_36/kernel_new"], (0, 0, 0, 0), 1)
        write(arrays)
        says("learning rate, and a fault", wrong("conv2d_35/kernel_new"), *given)
    p, g = (ours["conv2d_35/kernel" + ending].astype(np.float64) for ending in ("", "_grad"))
    for epsilon, pytorch, hint in ((1e-8, True, "--adam pytorch --adam-epsilon 1e-8"), (1e-8, False, "--adam-epsilon 1e-8")):
        write({"conv2d_35/kernel": p, "conv2d_35/kernel_grad": g, "conv2d_35/kernel_new": adam(p, g, pytorch, epsilon=epsilon)})
        says("Adam's epsilon", wrong("conv2d_35/kernel_new", "with %s every update by Adam is ok" % hint))
        says("Adam's epsilon", SOUND, *hint.split())

    new = shorten(adam(p, g, False), 8)
    write({"conv2d_35/kernel": p, "conv2d_35/kernel_grad": g, "conv2d_35/kernel_new": new})
    says("stored in bfloat16", SOUND, "--unit", "bf16", "--accumulate", "bf16")
    says("stored in bfloat16", wrong("conv2d_35/kernel_new"), "--accumulate", "bf16")

    x = ours["conv2d_5/output"].astype(np.float64)
    moving = ours["batch_normalization_5/moving_variance"].astype(np.float64)
    name = "batch_normalization_5/moving_variance_new"
    for biased, own, other in ((1, "biased", "unbiased"), (0, "unbiased", "biased")):
        new = 0.99 * moving + 0.01 * x.var((0, 1, 2), ddof=1 - biased)
        write({"conv2d_5/output": x, "batch_normalization_5/moving_variance": moving, name: new.astype(np.float32)})
        says("moving variance", SOUND, "--bn-moving-variance", own)
        reason = "with --bn-moving-variance %s every moving variance is ok" % own
        says("moving variance", wrong(name, reason), "--bn-moving-variance", other)
    says("momentum", wrong(name, "with --bn-momentum 0.99 every moving mean and variance is ok"), "--bn-momentum", "0.9")
    says("momentum", wrong(name), "--bn-momentum", "0.9", "--bn-moving-variance", "biased")
    mean, deviation = x.mean((0, 1, 2)), np.sqrt(x.var((0, 1, 2)) + 1e-5)
    write({"conv2d_5/output": x, "batch_normalization_5/beta": np.zeros(64),
           "batch_normalization_5/output": ((x - mean) / deviation).astype(np.float32)})
    says("epsilon", SOUND, "--bn-epsilon", "1e-5")
    says("epsilon", wrong("batch_normalization_5/output", "with --bn-epsilon 1e-5 every array behind BatchNormalization is ok"))


def pooled_gradient(x, dy, rule):
    """Of max pooling 3x3/2, by a rule for equal maxima."""
    dx = np.zeros_like(x)
    for h in range(dy.shape[1]):
        for w in range(dy.shape[2]):
            cells = np.s_[:, 2 * h:2 * h + 3, 2 * w:2 * w + 3]
            window = x[cells].reshape(x.shape[0], 9, -1)
            share = (window == window.max(1, keepdims=True)).astype(x.dtype)
            if rule == "last":
                share *= share[:, ::-1].cumsum(1)[:, ::-1] == 1
            if rule == "split":
                share /= share.sum(1, keepdims=True)
            dx[cells] += (share * dy[:, h, w][:, None]).reshape(x[cells].shape)
    return dx


def ties(ours):
    x, dy = ours["activation_2/output"], ours["max_pooling2d/output_grad"]
    for rule, accepted in (("last", ("last", "any")), ("all", ("all",)), ("split", ("split",))):
        write({"activation_2/output": x, "max_pooling2d/output_grad": dy,
               "activation_2/output_grad": pooled_gradient(x, dy, rule)})
        for option in ("first", "last", "all", "split", "any"):
            reason = ": with --ties %s every gradient through max pooling is ok" % rule
            if (rule, option) == ("last", "first"):
                reason = ": max pooling's gradient went to another of several equal maxima; --ties any accepts that, --ties last too"
            fault = wrong("activation_2/output_grad") + " (written by max_pooling2d)" + reason
            says("the %s maximum" % rule, SOUND if option in accepted else fault, "--ties", option)


def at_zero(ours):
    """A ReLU whose derivative at 0 is 1; and one that the record does not show before it."""
    x, dy = ours["batch_normalization_2/output"].copy(), ours["activation_2/output_grad"]
    x[0, 3] = 0
    arrays = {"batch_normalization_2/output": x, "activation_2/output": np.maximum(x, 0), "activation_2/output_grad": dy}
    for slope, other in (("0", "1"), ("1", "0")):
        name = "batch_normalization_2/output_grad"
        write(dict(arrays, **{name: np.where(x >= 0 if slope == "1" else x > 0, dy, 0)}))
        says("slope at 0", SOUND, "--relu-at-zero", slope)
        reason = ": with --relu-at-zero %s every gradient through a ReLU is ok" % slope
        says("slope at 0", wrong(name) + " (written by activation_2)" + reason, "--relu-at-zero", other)


def one_layer(ours):
    """A dense layer whose weights are kept in 11 digits, cut off; and a moving variance of its own."""
    x, kernel, bias = (ours[name].astype(np.float64) for name in ("avg_pool/output", "predictions/kernel", "predictions/bias"))
    fraction, exponent = np.frexp(kernel)
    cut = np.ldexp(np.trunc(np.ldexp(fraction, 11)), exponent - 11)
    logits = (x @ cut + bias).astype(np.float32)
    arrays = {"avg_pool/output": x, "predictions/kernel": kernel, "predictions/bias": bias, "predictions/logits": logits}
    write(arrays)
    says("weights cut off", SOUND, "--unit", "predictions=f16")
    says("weights cut off", SOUND, "--unit=predictions=bf16", "--unit", "predictions=f16", "--unit", "conv2d=bf16")
    says("weights cut off", "first at fault: predictions/logits, suspect", "--unit", "conv2d_39=f16")
    arrays["mixed4/output"] = ours["mixed4/output"]
    del arrays["avg_pool/output"]
    write(arrays)
    says("weights cut off, behind what is not shown", SOUND, "--unit", "predictions=f16", part="through avg_pool")
    status, out, err = verify()
    check("weights cut off, behind what is not shown", status == 1, out)

    arrays = {}
    for layer, biased in (("5", 1), ("6", 0), ("7", 1)):
        x, moving = ours["conv2d_%s/output" % layer].astype(np.float64), ours["batch_normalization_%s/moving_variance" % layer]
        new = 0.99 * moving + 0.01 * x.var((0, 1, 2), ddof=1 - biased)
        arrays.update({"conv2d_%s/output" % layer: x, "batch_normalization_%s/moving_variance" % layer: moving,
                       "batch_normalization_%s/moving_variance_new" % layer: new.astype(np.float32)})
    write(arrays)
    name, option = "batch_normalization_%s", "--bn-moving-variance"
    says("two that are biased", SOUND, option, name % 5 + "=biased", option, name % 7 + "=biased")
    says("two that are biased", SOUND, option, "biased", option, name % 6 + "=unbiased")
    reason = "with --bn-moving-variance %s=biased it is ok" % (name % 7)
    says("two that are biased", wrong(name % 7 + "/moving_variance_new", reason), option, name % 5 + "=biased")
    listed = "; `fer summary` lists its layers"
    for option, message in (("--unit conv2d_99=f16", "--unit conv2d_99=...: the network has no layer of this name" + listed),
                            ("--bn-moving-variance conv2d=biased", "--bn-moving-variance conv2d=...: the network has no "
                             "BatchNormalization layer of this name" + listed),
                            ("--unit conv2d=f8", "--unit f8: expected one of f64, f32, tf32, bf16, f16"),
                            ("--unit =f16", "--unit =f16: expected a layer's name before the ="),
                            ("--bn-moving-variance conv2d=no", "--bn-moving-variance no: expected one of biased, unbiased"),
                            ("--relu-at-zero 0.5", "--relu-at-zero 0.5: expected one of 0, 1")):
        refuses("option", message, *option.split())


# ---- BatchNormalization where the mean is large ----

def judge(**results):
    """By fer64 verify --op batch_normalization: rows by name."""
    np.savez(THEIRS, **results)
    run = subprocess.run([FER64, "verify", "--json", "--op", "batch_normalization", OURS + ".op", THEIRS], stdout=subprocess.PIPE)
    return {row["array"]: row for row in json.loads(run.stdout)["arrays"]}


def large_mean(ours):
    F, random = np.float32, np.random.RandomState(0)
    for channels, rows, ratio in ((8, 256, 1), (8, 256, 30), (8, 256, 1e3), (8, 256, 1e4), (8, 256, 1e5), (1, 256, 1e4), (8, 16384, 1e4)):
        x = random.randn(rows, channels) * random.uniform(0.5, 2, channels) + ratio * random.choice([-1, 1], channels)
        x, gamma, beta = x.astype(F), random.uniform(0.5, 2, channels).astype(F), random.randn(channels).astype(F)
        with open(OURS + ".op", "wb") as file:
            np.savez(file, x=x, gamma=gamma, beta=beta, dy=random.randn(*x.shape).astype(F))
        total, squares, running, spread = (np.zeros(channels, F) for k in range(4))
        for i, row in enumerate(x):  # in float32, one after the other
            total, squares, before = total + row, squares + row * row, running
            running = running + (row - running) / F(i + 1)
            spread = spread + (row - before) * (row - running)
        mean = total / F(rows)

        def normalise(mean, variance):
            return (x - mean) * (F(1) / np.sqrt(variance + F(1e-3))) * gamma + beta
        two, one = np.mean((x - mean) ** 2, 0, dtype=F), squares / F(rows) - mean * mean
        what = "mean %g, %d rows, %d channels" % (ratio, rows, channels)
        for y in (normalise(mean, two), normalise(running, spread / F(rows))):
            row = judge(y=y)["y"]
            check("two passes, or Welford's, " + what, row["verdict"] == "ok" and row["likely_ratio"] < 0.5, row)
        row = judge(y=normalise(mean, two) * 2)["y"]
        check("doubled, " + what, row["verdict"] == "WRONG", row)
        rows_of = judge(y=normalise(mean, np.maximum(one, 0)), variance=np.maximum(one, 0), moving_variance=F(0.99) + F(0.01) * one * F(rows / (rows - 1)))
        for name in ("y", "variance", "moving_variance"):
            row = rows_of[name]
            expected = ("ok", "") if ratio < 100 else ("suspect", "variance in one pass")
            check("one pass, %s, %s" % (name, what), (row["verdict"], row["reason"][:20]) == expected, row)
        spoilt = normalise(mean, np.maximum(one, 0))
        spoilt[3] += F(200)
        if ratio > 100:
            check("one pass, and a row that is off, " + what, judge(y=spoilt)["y"]["verdict"] == "WRONG")
        if (one + F(1e-3) < 0).any():
            check("NaN, " + what, judge(y=normalise(mean, one))["y"]["verdict"] == "WRONG")
    os.remove(OURS + ".op")


# ---- softmax ----

def softmaxes(z):
    """As sound implementations compute it in float32."""
    F, apart = np.float32, z - z.max(1, keepdims=True)
    e, two = np.exp(apart), np.exp2(apart * np.float32(1 / np.log(2)))
    total = np.zeros_like(z[:, :1])
    for k in range(z.shape[1]):
        total = total + e[:, k:k + 1]
    yield "divided", e / e.sum(1, keepdims=True)
    yield "multiplied", e * (F(1) / total)
    yield "powers of 2", two / two.sum(1, keepdims=True)
    yield "by the logarithm", np.exp(apart - np.log(total))
    yield "by log-sum-exp", np.exp(z - (z.max(1, keepdims=True) + np.log(total)))
    if abs(z.max()) < 80:
        yield "without the maximum", np.exp(z) / np.exp(z).sum(1, keepdims=True)
    if torch:
        yield "PyTorch", torch.softmax(torch.tensor(z), 1).numpy()
        yield "PyTorch's log_softmax", torch.log_softmax(torch.tensor(z), 1).exp().numpy()


def softmax_by_table(z):
    """exp as a power of 2, its fraction from 256 entries, interpolated."""
    F = np.float32
    power = (z - z.max(1, keepdims=True)) * F(1 / np.log(2))
    place = (power - np.floor(power)) * F(256)
    left = np.minimum(place.astype(int), 255)
    table = (2 ** (np.arange(257) / 256)).astype(F)
    e = np.ldexp(table[left] + (table[left + 1] - table[left]) * (place - left.astype(F)), np.floor(power).astype(int)).astype(F)
    return e / e.sum(1, keepdims=True)


def softmax(ours):
    random = np.random.RandomState(2)

    def judge(z, y):
        with open(OURS + ".op", "wb") as file:
            np.savez(file, x=z)
        np.savez(THEIRS, y=y)
        run = subprocess.run([FER64, "verify", "--json", "--op", "softmax", OURS + ".op", THEIRS], stdout=subprocess.PIPE)
        return json.loads(run.stdout)["arrays"][0]

    for classes, scale, mean in ((2, 1, 0), (7, 0.1, 0), (7, 1, 0), (7, 3, 0), (7, 30, 0), (7, 1, -60), (10, 10, 0), (1000, 1, 0), (1000, 10, 0)):
        z = (random.randn(4000 if classes < 99 else 200, classes) * scale + mean).astype(np.float32)
        what = "%d classes, logits of %g by %g" % (classes, mean, scale)
        for how, y in softmaxes(z):
            row = judge(z, y)
            check("softmax %s, %s" % (how, what), row["verdict"] == "ok" and row["likely_ratio"] < 0.95, row)
        if classes <= 10 and mean == 0:
            row = judge(z, softmax_by_table(z))
            check("softmax by a table, " + what, row["verdict"] == "suspect", row)
    for scale, mean in (1, 1e4), (3, -1e4), (3, 300), (1e4, 0): # who adds the logarithm to the largest logit loses digits
        z = (random.randn(4000, 7) * scale + mean).astype(np.float32)
        what = "logits of %g by %g" % (mean, scale)
        for how, y in softmaxes(z):
            row = judge(z, y)
            sound = how != "by log-sum-exp"
            right = row["verdict"] == "ok" and row["likely_ratio"] < 0.95 if sound else row["verdict"] == "suspect"
            check("softmax %s, %s" % (how, what), right, row)
        if scale < 10:
            row = judge(z, softmax_by_table(z))
            check("softmax by a table, " + what, row["verdict"] == "suspect", row)
    os.remove(OURS + ".op")


# ---- parts of records ----

def parts(ours):
    outputs = {name: array for name, array in ours.items() if name.endswith("/output")}
    write(outputs)
    says("outputs alone", SOUND, part="\n53 arrays checked: 53 ok, 0 WRONG, 0 suspect, 0 MISTRUSTED; 81 not checkable; "
         "544 not in the record; 0 unknown\n")
    unknown = {"../../etc/passwd": np.zeros(3), "conv2d_40/output": np.zeros(2), "conv2d": np.zeros(1)}
    write(dict(outputs, input=ours["input"], **unknown))
    says("arrays that are not known", SOUND, part="; 543 not in the record; 3 unknown\n")
    names = ("conv2d/output", "conv2d/kernel", "activation/output", "batch_normalization/output")
    write({name: ours[name] for name in names})
    says("no input", SOUND, part="not checkable: needs input\n")
    write({"loss": ours["loss"]})
    refuses("nothing to check", THEIRS + NO_INPUTS)
    same = dict(ours, labels=np.eye(7)[ours["labels"]], loss=ours["loss"].reshape(1),
                input=np.asfortranarray(ours["input"]).astype(">f8"),
                **{"avg_pool/output": ours["avg_pool/output"].reshape(-1, 1, 1, 768)})
    np.savez_compressed(THEIRS, **same)
    says("other forms", SOUND, part="\n514 arrays checked: 514 ok, ")


# ---- faulty records ----

def changed(array, index, value):
    array = array.copy()
    array[index] = value
    return array


def faulty_values(ours):
    layers = ("input", "labels", "conv2d", "predictions", "loss", "avg_pool")
    some = {name: ours[name] for name in ours if name.split("/")[0] in layers}
    output = some["conv2d/output"]
    write(dict(some, **{"conv2d/output": changed(output, (1, 2, 3, 4), np.nan)}))
    says("a NaN", wrong("conv2d/output", "one of value and truth is finite, the other is not"))
    write(dict(some, **{"conv2d/output": output.astype(np.float16)}))
    says("stored in float16", wrong("conv2d/output"))
    write(dict(some, **{"conv2d/output": np.rint(output).astype(np.int32)}))
    says("stored as integers", wrong("conv2d/output"))
    write(dict(some, loss=some["loss"] * 2))
    says("the loss doubled", wrong("loss"))
    # a NaN in the input spoils what it touches, and hides nothing elsewhere
    spoilt = {"input": changed(some["input"], (1, 47, 47, 0), np.nan), "conv2d/kernel": some["conv2d/kernel"],
              "conv2d/output": changed(output, (1, 23, 23), np.nan)}
    write(spoilt)
    says("NaN in, NaN out", SOUND)
    write(dict(spoilt, **{"conv2d/output": changed(spoilt["conv2d/output"], (0, 5, 5, 5), output[0, 5, 5, 5] + 1e-4)}))
    says("NaN in, NaN out, and a fault", wrong("conv2d/output"))

    not_one_hot = "0]: not one-hot: expected a single 1 among zeros"
    for labels, message in (([0, 7], "1]: 7"), ([-1, 0], "0]: -1"), ([0, 0.5], "1]: 0.5"), ([np.nan, 0], "0]: nan"),
                            (np.zeros((2, 7)), not_one_hot), (np.ones((2, 7)), not_one_hot)):
        write(dict(some, labels=labels))
        expected = "" if "one-hot" in message else ": expected a class, 0 ... 6"
        refuses("labels", THEIRS + ": labels: [" + message + expected)
    for name, array, expected in (("conv2d/output", output.transpose(0, 3, 1, 2), "[2,24,24,32]"),
                                  ("conv2d/kernel", some["conv2d/kernel"].transpose(3, 2, 0, 1), "[3,3,1,32]"),
                                  ("predictions/kernel", some["predictions/kernel"].T, "[768,7]"),
                                  ("labels", np.zeros(3), "[2]"), ("loss", np.zeros(2), "[]")):
        write(dict(some, **{name: array}))
        shape = str(list(array.shape)).replace(" ", "")
        message = ": %s: its shape is %s; for 2 images of 48x48 %s was expected" % (name, shape, expected)
        refuses("shape", THEIRS + message)
    types = "; one of |b1, |i1, |u1, or < or > before f2, f4, f8, i2, i4, i8, u2, u4, u8 was expected"
    for dtype in ("<c8", "<U1", "|S3"):
        write(dict(some, **{"conv2d/output": np.zeros(output.shape, dtype)}))
        refuses("type", THEIRS + ": conv2d/output: type '%s'" % dtype + types)


def faulty_files(ours):
    def put(data):
        with open(THEIRS, "wb") as file:
            file.write(data)
    loss = io.BytesIO()
    np.save(loss, ours["loss"])
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as file:
        file.writestr("loss.npy", loss.getvalue())
        file.writestr("los2.npy", loss.getvalue())
    put(twice.getvalue().replace(b"los2.npy", b"loss.npy"))
    refuses("a name twice", THEIRS + ": loss: the name stands twice")
    for data in (b"", b"PK\5\6", b"not an npz " * 100, twice.getvalue()[:-10]):
        put(data)
        refuses("no npz", THEIRS + ": neither an npy file nor a whole npz file (no zip end record)")
    np.savez(THEIRS)
    refuses("no array", THEIRS + NO_ARRAYS)
    write({name: ours[name] for name in ("predictions/logits", "predictions/output")})
    with open(THEIRS, "rb") as file:
        data = bytearray(file.read())
    data[data.index(ours["predictions/output"].tobytes()) + 5] ^= 1
    put(data)
    status, out, err = verify()
    message = "fer: %s: predictions/output: its bytes are damaged: their CRC is " % THEIRS
    check("a damaged array", status == 2 and err.startswith(message), out + err)
    os.remove(THEIRS)
    refuses("no file", THEIRS + ": cannot be opened: No such file or directory")
    refuses("no record", "verify: expected one record, RECORD.npz, or DIR ANSWERS, with --unit and --accumulate alone", path="--json")
    for option, message in (("--unit f8", "--unit f8: expected one of f64, f32, tf32, bf16, f16"),
                            ("--accumulate tf32",
                             "--accumulate tf32: nothing sums in tf32; expected f64, f32, bf16 or f16"),
                            ("--adam adamw", "--adam adamw: expected one of keras, pytorch"),
                            ("--ties middle", "--ties middle: expected one of first, last, all, split, any"),
                            ("--bn-moving-variance none", "--bn-moving-variance none: expected unbiased|biased"),
                            ("--epochs 3", "--epochs: no such option; `fer help COMMAND` lists them"),
                            ("--unit", "--unit: expected a value after it")):
        refuses("option", message, *option.split())


# ---- JSON ----

def holds(what, fields, expected):
    """Whether the JSON object has these fields."""
    for name, value in expected.items():
        check("JSON: %s: %s: %s, expected %s" % (what, name, fields.get(name), value), fields.get(name) == value)


def as_json(ours):
    output, kernel = ours["predictions/output"], ours["conv2d_4/kernel"]
    write(dict(ours, **{"predictions/output": changed(output, (1, 3), output[1, 3] * 2),
                        "conv2d_4/kernel_new": changed(kernel, 0, np.inf)}))
    status, out, err = verify("--json", "--unit", "f32")
    whole = json.loads(out, parse_constant=lambda name: check("JSON has no %s" % name, False))
    rows = {row["array"]: row for row in whole["arrays"]}
    check("JSON: exit status", status == 1 and not err, err)
    check("JSON: a row an array", len(rows) == len(whole["arrays"]) == 514)
    holds("whole", whole, {"record": THEIRS, "unit": "f32", "accumulate": "f32", "first_at_fault": "predictions/output",
                           "first_wrong": "predictions/output", "first_mistrusted": None, "unknown": 0,
                           "not_in_the_record": 0, "mistrusted_by_nature": 0, "arrays_with_verdict":
                           {"ok": 512, "MISTRUSTED": 0, "suspect": 0, "WRONG": 2, "not checkable": 0}})
    row = rows["predictions/output"]
    holds("a fault", row, {"verdict": "WRONG", "index": [1, 3], "elements": 14, "value": float(output[1, 3] * 2),
                           "ratio": row["proven_ratio"]})
    check("JSON: its ratio", np.isclose(row["ratio"], (row["value"] - row["truth"]) / row["proven_bound"]), row)
    holds("an infinite value", rows["conv2d_4/kernel_new"], {
        "verdict": "WRONG", "ratio": "inf", "value": "inf", "index": [0, 0, 0, 0],
        "reason": "one of value and truth is finite, the other is not"})
    holds("a sound array", rows["activation_2/output_grad"], {
        "verdict": "ok", "written_by": "max_pooling2d", "by_nature": False, "reason": ""})
    sound = [row["ratio"] for row in rows.values() if row["verdict"] == "ok"]
    check("JSON: ratios of sound arrays", len(sound) == 512 and 0 <= min(sound) and max(sound) <= 1)


def divided(ours):
    """--part and --join: the whole, row by row, and its exit status."""
    names = [os.path.join(FOLDER, "part%d.json" % i) for i in range(1, 8)]

    def judge(parts):
        for i in range(1, parts + 1):
            with open(names[i - 1], "w") as file:
                yield subprocess.run([FER64, "verify", THEIRS, "--part", "%d/%d" % (i, parts), "--json"], stdout=file).returncode

    bias = ours["predictions/bias"]
    sound = {name: ours[name] for name in ours if name.split("/")[0] in ("predictions", "avg_pool", "labels", "loss", "conv2d_3")}
    faulty = dict(sound, **{"predictions/bias_new": changed(bias, 2, np.inf), "predictions/logits": ours["predictions/logits"] * 2,
                            "conv2d_3/kernel_grad": np.zeros_like(ours["conv2d_3/kernel"]), "unknown": bias})
    for arrays, expected in ((sound, 0), (faulty, 1)):
        write(arrays)
        status, out, err = verify("--json")
        whole, table = json.loads(out), verify()[1]
        check("divided: the whole", status == expected)
        for parts in (1, 3, 7):
            statuses = list(judge(parts))
            got = [json.load(open(name)) for name in names[:parts]]
            check("divided: all are judged once", sorted(row["array"] for part in got for row in part["arrays"]) ==
                  sorted(row["array"] for row in whole["arrays"]) and max(statuses) == expected, statuses)
            status, out, err = verify("--join", "--json", *names[1:parts], path=names[0])
            told = "fer: %s: 1 array is not used: unknown\n" % THEIRS if "unknown" in arrays else ""
            check("joined: exit status", status == expected and err == told, err)
            joined = json.loads(out)
            for key in whole:
                check("joined: " + key, joined[key] == whole[key], (joined[key], whole[key]))
            status, out, err = verify("--join", *names[:parts][::-1][1:], path=names[parts - 1])
            check("joined: the table", status == expected and out == table, out)
    both = "%s: part 1 of 7; 2 parts were given" % names[0]
    for options, message in ((names[1:2], both), (names[1:6] + names[1:2], "%s: part 1 of 7; 7 parts were given" % names[0]),
                             ([], "%s: part 1 of 7; 1 parts were given" % names[0])):
        status, out, err = verify("--join", *options, path=names[0])
        if len(options) == 6:
            message = "%s: part 2, as %s is" % (names[1], names[1])
        check("joined: " + message, status == 2 and err == "fer: " + message + "\n" and not out, err)
    with open(names[6], "w") as file:
        file.write('{"arrays": []}')
    status, out, err = verify("--join", *names[1:], path=names[0])
    check("joined: no part", status == 2 and err == "fer: %s: expected what `fer64 verify --part I/N --json` writes\n" % names[6], err)
    for changes, others, message in (({"unit": "f16"}, names[1:], "%s: --unit was f16; that of the first part f32" % names[6]),
                                     ({"options": "--ties any"}, names[1:], "%s: judged with other options than the first part: "
                                      "--ties any; that one: none" % names[6]),
                                     ({"part": [1, 1], "arrays": []}, [], "%s: no array was checked in it" % names[6]),
                                     ({"part": [1, 1], "arrays": [dict(got[0]["arrays"][0], reason="a\x1b[2J\n")]}, [], "")):
        with open(names[6], "w") as file:
            json.dump(dict(got[6], **changes), file)
        status, out, err = verify("--join", *others, path=names[0] if others else names[6])
        check("joined: " + str(changes), message in err and status == 2 if message else "a?[2J?\n" in out, (out, err))
    for part in ("0/3", "4/3", "2", "a/b", "1/0", "1/3x"):
        refuses("part", "--part %s: expected I/N, such as 2/8, with I from 1 to N" % part, "--part", part)


def second_model(record):
    """Weights of a model that was not the first of its Keras session: conv2d_40 is its first convolution."""
    def renamed(name):
        layer, _, array = name.rpartition("/")
        stem, _, number = layer.rpartition("_")
        if not number.isdigit():
            stem, number = layer, "0"
        return "%s_%d/%s" % (stem, int(number) + 40, array) if stem in ("conv2d", "batch_normalization") else name

    write({renamed(name): values for name, values in record.items()})
    run = subprocess.run([FER, "record", "--weights", THEIRS, "--batch", "1", "-o", os.path.join(FOLDER, "no.npz")],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    check("weights of a second model", run.returncode == 2 and "numbered 40" in run.stderr, run.stderr)


os.makedirs(FOLDER, exist_ok=True)
subprocess.run([FER, "record", "--seed", "5", "--size", "48", "--batch", "2", "-o", OURS], check=True,
               stdout=subprocess.DEVNULL)
with np.load(OURS) as file:
    record = {name: file[name] for name in file.files}
np.seterr(invalid="ignore")
for part in (units, rules, ties, at_zero, one_layer, large_mean, softmax, parts, faulty_values, faulty_files, as_json, divided, second_model):
    part(record)
for name in os.listdir(FOLDER):
    os.remove(os.path.join(FOLDER, name))
os.rmdir(FOLDER)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
