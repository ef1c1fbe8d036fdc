#!/usr/bin/env python3
"""Gradients and updates that `fer64 verify` checks through others, where the record does not hold what they are computed
from.

    python3 tests/test_gradient_chains.py FER FER64

Three kinds of records, with arrays taken out: those of the float32 program; those of a backend of this file, which computes
every layer in float64 (by `fer64 op`) and stores it in float32, so that what travels from array to array is all that its
records err by (its errors are near the bounds, and a little more noise is found); and, where torch is there, PyTorch's.
Needs numpy."""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

FER, FER64 = (os.path.abspath(p) for p in sys.argv[1:3])
folder = tempfile.TemporaryDirectory(dir=os.environ.get("SCRATCH"))
path = lambda name: os.path.join(folder.name, name)
F = np.float32
passed = failed = 0
rng = np.random.RandomState(1)


def check(what, right):
    global passed, failed
    passed, failed = passed + bool(right), failed + (not right)
    if not right:
        print("FAILED:", what)


def verify(arrays, *options):
    """Exit status, the rows by name, and the summary."""
    np.savez(path("claimed.npz"), **arrays)
    done = subprocess.run([FER64, "verify", "--json", *options, path("claimed.npz")], stdout=subprocess.PIPE)
    result = json.loads(done.stdout)
    return done.returncode, {row["array"]: row for row in result["arrays"]}, result


def without(arrays, *names):
    return {name: values for name, values in arrays.items() if name not in names}


def keep(arrays, wanted):
    return {name: values for name, values in arrays.items() if wanted(name)}


def is_image(name):
    """An output, or the gradient of one."""
    return name.rsplit("/")[-1].replace("_grad", "") in ("output", "logits", "preactivation")


def sound(what, arrays, options, weak=0):
    """Nothing at fault, nothing that cannot be checked, at most so many arrays weak. The rows."""
    status, rows, result = verify(arrays, *options)
    bad = [(r["array"], r["verdict"], r["reason"]) for r in rows.values() if r["verdict"] != "ok" and not r["by_nature"]]
    dull = [(r["array"], r["sees"]) for r in rows.values() if r.get("weak")]
    check("%s: %s" % (what, bad[:3]), status == 0 and not bad)
    check("%s: weak: %s" % (what, dull[:3]), len(dull) <= weak)
    return rows


# ---- Networks ----

def layer(kind, name, inputs=(), **config):
    return {"class_name": kind, "config": dict(config, name=name), "inbound_nodes": [[[i, 0, 0, {}] for i in inputs]]}


def write_model(name, layers):
    config = {"layers": layers, "input_layers": [layers[0]["config"]["name"]], "output_layers": [layers[-1]["config"]["name"]]}
    json.dump({"class_name": "Functional", "config": config}, open(path(name), "w"))
    return path(name)


def conv_block(at, name, filters, act="relu"):
    return [layer("Conv2D", "conv" + name, [at], filters=filters, kernel_size=3, padding="same", use_bias=False),
            layer("BatchNormalization", "bn" + name, ["conv" + name]),
            layer("Activation", "act" + name, ["bn" + name], activation=act)]


def residual(blocks, filters=6, size=10):
    layers = [layer("InputLayer", "in", shape=[size, size, 3])] + conv_block("in", "", filters)
    at = "act"
    for b in map(str, range(blocks)):
        layers += conv_block(at, b + "a", filters) + conv_block("act" + b + "a", b + "b", filters)[:2]
        layers += [layer("Add", "add" + b, [at, "bn" + b + "b"]), layer("Activation", "act" + b, ["add" + b], activation="relu")]
        at = "act" + b
    return layers + [layer("GlobalAveragePooling2D", "gap", [at]),
                     layer("Dense", "out", ["gap"], units=5, activation="softmax")]


def mobile(filters=6):
    layers = [layer("InputLayer", "in", shape=[12, 12, 3])] + conv_block("in", "", filters, "relu6")
    at = "act"
    for b, stride in ("0", 1), ("1", 2):
        layers += [layer("DepthwiseConv2D", "dw" + b, [at], kernel_size=3, padding="same", strides=stride, use_bias=False),
                   layer("BatchNormalization", "bnd" + b, ["dw" + b]),
                   layer("Activation", "actd" + b, ["bnd" + b], activation="relu6"),
                   layer("Conv2D", "pw" + b, ["actd" + b], filters=filters, kernel_size=1),
                   layer("BatchNormalization", "bnp" + b, ["pw" + b]),
                   layer("Activation", "actp" + b, ["bnp" + b], activation="relu6")]
        at = "actp" + b
    return layers + [layer("MaxPooling2D", "max", [at], pool_size=2), layer("GlobalAveragePooling2D", "gap", ["max"]),
                     layer("Dense", "out", ["gap"], units=4, activation="softmax")]


def sequential():
    kinds = [("Conv2D", "c1", {"filters": 6, "kernel_size": 3}), ("Activation", "a1", {"activation": "relu"}),
             ("AveragePooling2D", "p1", {"pool_size": 2, "strides": 1}),
             ("Conv2D", "c2", {"filters": 7, "kernel_size": 3, "strides": 2}), ("LeakyReLU", "a2", {"negative_slope": 0.2}),
             ("Conv2D", "c3", {"filters": 5, "kernel_size": 2}), ("Activation", "a3", {"activation": "tanh"}),
             ("Flatten", "f", {}), ("Dense", "d1", {"units": 9}), ("Activation", "a4", {"activation": "sigmoid"}),
             ("Dense", "out", {"units": 4, "activation": "softmax"})]
    layers = [layer("InputLayer", "in", shape=[10, 10, 2])]
    for kind, name, config in kinds:
        layers.append(layer(kind, name, [layers[-1]["config"]["name"]], **config))
    return layers


def preactivated(filters=6, size=10):
    """A convolution whose output goes to a BatchNormalization and past it."""
    return [layer("InputLayer", "in", shape=[size, size, 3]),
            layer("Conv2D", "conv", ["in"], filters=filters, kernel_size=3, padding="same", use_bias=False),
            layer("BatchNormalization", "bn", ["conv"]), layer("Activation", "act", ["bn"], activation="tanh"),
            layer("Add", "add", ["conv", "act"]), layer("Activation", "top", ["add"], activation="tanh"),
            layer("GlobalAveragePooling2D", "gap", ["top"]), layer("Dense", "out", ["gap"], units=5, activation="softmax")]


def every_kind():
    """Every kind that sends a gradient back, but Dropout."""
    return [layer("InputLayer", "in", shape=[9, 9, 3]),
            layer("Conv2D", "conv", ["in"], filters=4, kernel_size=3, padding="same", use_bias=False),
            layer("BatchNormalization", "bn", ["conv"]), layer("Activation", "relu", ["bn"], activation="relu"),
            layer("MaxPooling2D", "max", ["relu"], pool_size=3, strides=2),
            layer("AveragePooling2D", "avg", ["relu"], pool_size=3, strides=2),
            layer("Concatenate", "cat", ["max", "avg"]), layer("ZeroPadding2D", "pad", ["cat"], padding=[[1, 1], [0, 1]]),
            layer("DepthwiseConv2D", "dw", ["pad"], kernel_size=2), layer("Cropping2D", "crop", ["dw"], cropping=[[1, 0], [0, 1]]),
            layer("BatchNormalization", "frozen", ["crop"], trainable=False),
            layer("Activation", "tanh", ["frozen"], activation="tanh"), layer("Activation", "silu", ["frozen"], activation="silu"),
            layer("Activation", "elu", ["frozen"], activation="elu"), layer("Add", "add", ["tanh", "silu", "elu", "tanh"]),
            layer("GlobalAveragePooling2D", "se", ["add"], keepdims=True),
            layer("Activation", "gate", ["se"], activation="sigmoid"), layer("Multiply", "mul", ["add", "gate"]),
            layer("Rescaling", "scale", ["mul"], scale=-3.0, offset=0.25), layer("Normalization", "norm", ["scale"], axis=-1),
            layer("Activation", "hard", ["norm"], activation="hard_sigmoid"),
            layer("Activation", "soft", ["hard"], activation="softmax"), layer("Multiply", "both", ["soft", "norm"]),
            layer("LeakyReLU", "leaky", ["both"], negative_slope=0.2), layer("GlobalMaxPooling2D", "top", ["leaky"]),
            layer("Dense", "out", ["top"], units=5, activation="softmax")]


def record(name, model, *options):
    subprocess.run([FER, "record", "--model", model, *options, "-o", path(name)], check=True, stdout=subprocess.DEVNULL)
    return dict(np.load(path(name)))


# ---- A backend that computes in float64 and stores in float32 ----

OPERATIONS = {"Conv2D": "conv2d", "DepthwiseConv2D": "depthwise_conv2d", "BatchNormalization": "batch_normalization",
              "MaxPooling2D": "max_pooling2d", "AveragePooling2D": "average_pooling2d", "Concatenate": "concatenate",
              "ZeroPadding2D": "zero_padding2d", "Cropping2D": "cropping2d", "Add": "add", "Multiply": "multiply",
              "GlobalAveragePooling2D": "global_average_pooling2d", "GlobalMaxPooling2D": "global_max_pooling2d",
              "Rescaling": "rescaling", "Normalization": "normalization", "LeakyReLU": "relu", "Dense": "dense"}


# What backends compute from the output that they stored.
FROM_OUTPUT = {"sigmoid": lambda y, dy: dy * y * (1 - y), "tanh": lambda y, dy: dy * (1 - y * y),
               "softmax": lambda y, dy: y * (dy - (dy * y).sum(-1, keepdims=True))}


def stored(array, noise=0):
    """As float32; with noise, so many units of roundoff off."""
    return (array * (1 + noise * 2.0 ** -24 * rng.uniform(-1, 1, np.shape(array)))).astype(F)


class Backend:
    def __init__(self, layers, base):
        self.layers, self.base = {n["config"]["name"]: n for n in layers[1:]}, base
        self.last = layers[-1]["config"]["name"]
        self.inputs = {name: [i[0] for i in n["inbound_nodes"][0]] for name, n in self.layers.items()}
        self.parameters = {name: [p for p in base if p.startswith(name + "/") and not is_image(p) and
                                  not p.endswith(("_grad", "_new"))] for name in self.layers}
        self.arrays = {p: base[p] for names in self.parameters.values() for p in names}
        self.arrays.update({"input": base["input"], "labels": base["labels"]})
        self.forward(), self.backward()

    def output(self, name):
        return "input" if name not in self.layers else name + ("/logits" if name == self.last else "/output")

    def operation(self, name):
        """What `op` calls it, with options and arrays that are no outputs."""
        kind, c = self.layers[name]["class_name"], self.layers[name]["config"]
        own = {p.split("/")[1].replace("depthwise_kernel", "kernel"): self.arrays[p] for p in self.parameters[name]}
        options = []
        if kind == "Activation":
            act = c["activation"]
            return ("relu", ["--max-value", "6"], own) if act == "relu6" else (act, [], own)
        for key, option in ("padding", "padding"), ("strides", "strides"), ("pool_size", "pool"), ("cropping", "cropping"):
            if key in c:
                options += ["--" + option, c[key] if isinstance(c[key], str) else ",".join(map(str, np.ravel(
                    [c[key]] * 2 if np.ndim(c[key]) == 0 else c[key])))]
        if kind == "BatchNormalization" and not c.get("trainable", True):
            options += ["--training", "0"]
        if "epsilon" in c:
            options += ["--epsilon", str(c["epsilon"])]
        if kind == "LeakyReLU":
            options += ["--negative-slope", str(c["negative_slope"])]
        if kind == "Rescaling":
            channels = self.arrays[self.output(self.inputs[name][0])].shape[-1]
            own = {key: np.full(channels, c[key]) for key in ("scale", "offset")}
        return OPERATIONS[kind], options, own

    def call(self, name, dy=None, x=None):
        """The layer's results, from its inputs' outputs or from x."""
        operation, options, arrays = self.operation(name)
        x = x or [self.arrays[self.output(i)] for i in self.inputs[name]]
        if operation.startswith("global") and dy is not None:
            dy = dy.reshape(len(dy), -1)
        several = operation in ("concatenate", "add", "multiply")
        arrays.update({"x%d" % k if several else "x": values for k, values in enumerate(x)})
        return call(operation, options, dict(arrays, **({} if dy is None else {"dy": dy})))

    def forward(self):
        for name in self.layers:
            results = self.call(name)
            self.arrays[self.output(name)] = stored(results["y"]).reshape(self.base[self.output(name)].shape)
            if self.layers[name]["class_name"] == "BatchNormalization" and self.layers[name]["config"].get("trainable", True):
                for p in "moving_mean", "moving_variance":
                    self.arrays[name + "/" + p + "_new"] = stored(results[p])
        logits = self.arrays[self.last + "/logits"]
        results = call("softmax_cross_entropy", [], {"logits": logits, "labels": self.base["labels"]})
        self.arrays.update({self.last + "/output": stored(results["probabilities"]), "loss": stored(results["loss"]),
                            self.last + "/logits_grad": stored(results["dlogits"])})

    def send_back(self, name, dy, x=None):
        """What goes to each input, by its name, and the gradients of the parameters."""
        results, shares = self.call(name, dy, x), {}
        act, y = self.layers[name]["config"].get("activation"), self.arrays[self.output(name)].astype(np.float64)
        if act in FROM_OUTPUT and name != self.last:
            results["dx"] = FROM_OUTPUT[act](y, dy)
        for k, i in enumerate(self.inputs[name]):
            share = results.get("dx%d" % k, results.get("dx"))
            shares[i] = shares.get(i, 0) + share.reshape(self.arrays[self.output(i)].shape)
        own = {p + "_grad": stored(results["d" + p.split("/")[1].replace("depthwise_", "")]) for p in self.parameters[name]
               if p + "_grad" in self.base}
        return shares, own

    def backward(self):
        self.shares = {}
        for name in reversed(list(self.layers)):
            self.arrays[self.output(name) + "_grad"] = self.gradient(name)
            self.shares[name], own = self.send_back(name, self.arrays[self.output(name) + "_grad"])
            self.arrays.update(own)
        for p in [g[:-5] for g in list(self.arrays) if g.endswith("_grad") and not is_image(g)]:
            results = call("adam", [], {"parameter": self.arrays[p], "gradient": self.arrays[p + "_grad"]})
            self.arrays[p + "_new"] = stored(results["parameter"])

    def gradient(self, name):
        if name == self.last:
            return self.arrays[name + "/logits_grad"]
        return stored(sum(self.shares[j][name] for j in self.layers if name in self.inputs[j]))

    def consequences(self, name, shares, own):
        """The record in which the layer sent back other shares; and the arrays that changed."""
        before, changed = self.shares[name], dict(own)
        self.shares[name] = shares
        changed.update({self.output(i) + "_grad": self.gradient(i) for i in self.inputs[name] if i in self.layers})
        self.shares[name] = before
        return dict(self.arrays, **changed), set(changed)


def call(operation, options, arrays):
    np.savez(path("in.npz"), **arrays)
    done = subprocess.run([FER64, "op", operation, path("in.npz"), path("out.npz"), *options], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE)
    if done.returncode > 1 or not os.path.exists(path("out.npz")):
        sys.exit(done.stderr.decode())
    results = dict(np.load(path("out.npz")))
    os.remove(path("out.npz"))
    return results


EXACT = ["--accumulate", "f64"]


READ_INPUT = ("Conv2D", "DepthwiseConv2D", "Dense", "BatchNormalization", "Multiply")


def found(what, backend, hidden, options, name, *args):
    """That a layer sent back what it should not have is seen, first in what it sent, with this array not in the record."""
    spoilt, changed = backend.consequences(name, *backend.send_back(name, *args))
    changed = {array for array in changed if not np.array_equal(spoilt[array], backend.arrays[array])}
    status, rows, result = verify(without(spoilt, hidden), *options)
    check("%s, noise in %s for %s: first at fault is %s" % (what, hidden, name, result["first_at_fault"]),
          not changed or (status == 1 and result["first_at_fault"] in changed))


def each_layer(what, layers, seed):
    """With each layer hidden in turn, what comes through it is sound; with noise in what is hidden it is not."""
    model = write_model("model.json", layers)
    backend = Backend(layers, record("base.npz", model, "--batch", "4", "--seed", str(seed)))
    options, theirs = ["--model", model, *EXACT], backend.arrays
    sound(what, theirs, options)
    for name in backend.layers:
        output, gradient = backend.output(name), backend.output(name) + "_grad"
        for hidden in ([gradient], [output], [output, gradient]):
            sound("%s without %s" % (what, hidden), without(theirs, *hidden), options)
        found(what, backend, gradient, options, name, stored(theirs[gradient], 3000))
        for reader in backend.layers:
            if name in backend.inputs[reader] and backend.layers[reader]["class_name"] in READ_INPUT:
                x = [stored(theirs[backend.output(i)], 3000 * (i == name)) for i in backend.inputs[reader]]
                found(what, backend, output, options, reader, theirs[backend.output(reader) + "_grad"], x)
    if "bn0b" in backend.layers:
        epsilon(backend, options)


# ---- Records of which only some arrays are kept ----

def parts(what, model, whole, options, weak):
    """What people have: activations and their gradients; no gradients but those of parameters; no gradients of parameters.
    weak: how many arrays of each."""
    kinds = {n["config"]["name"]: n["class_name"] for n in json.load(open(model))["config"]["layers"]}
    last = [name for name in whole if name.endswith("/logits")][0][:-7]
    activations = [n for n in kinds if kinds[n] in ("Activation", "LeakyReLU", "MaxPooling2D")] + [last]
    of_activations = lambda name: name.split("/")[0] in activations
    keeps = [lambda name: not is_image(name) or of_activations(name),
             lambda name: not is_image(name) or (of_activations(name) and (not name.endswith("_grad") or "logits" in name)),
             lambda name: is_image(name) and of_activations(name) or not name.endswith("_grad")]
    return [sound("%s, part %d" % (what, k), keep(whole, wanted), ["--model", model, *options], weak[k])
            for k, wanted in enumerate(keeps)]


def one_tap_off(arrays):
    arrays["conv0b/kernel_grad"][0, 1] = 0


def no_mean_term(arrays):
    """The gradient behind BatchNormalization without mean(dy): every tap of a kernel's gradient gets mean(dy) sum(x) more."""
    dy = arrays["act0/output_grad"] * (arrays["act0/output"] > 0)
    variance = (arrays["bn0b/moving_variance_new"] - 0.99) * 100 # nearly the batch's
    x = np.pad(arrays["act0a/output"], ((0, 0), (1, 1), (1, 1), (0, 0)))
    n = dy.shape[1]
    for h in range(3):
        for w in range(3):
            arrays["conv0b/kernel_grad"][h, w] += np.outer(x[:, h:h + n, w:w + n].sum((0, 1, 2)), dy.mean((0, 1, 2)) /
                                                           np.sqrt(variance + 1e-3))


def mask_flipped(arrays):
    """The residual passes on a gradient that the ReLU behind it stops."""
    dy = arrays["act1/output_grad"] * (arrays["act1/output"] == 0)
    at = np.unravel_index(np.abs(dy).argmax(), dy.shape)
    arrays["act0/output_grad"][at] += dy[at]


def channel_doubled(arrays):
    arrays["act0/output_grad"][..., 3] *= 2


def channel_of_kernel(arrays):
    arrays["conv1a/kernel_grad"][..., 2] *= 1.01


def beta_forgotten(arrays):
    arrays["bn1a/beta_grad"][...] = 0


def momentum(arrays):
    arrays["bn1a/moving_mean_new"] *= 10


FAULTS = {one_tap_off: "conv0b/kernel_grad", no_mean_term: "conv0b/kernel_grad", mask_flipped: "act0/output_grad",
          channel_doubled: "act0/output_grad", channel_of_kernel: "conv1a/kernel_grad", beta_forgotten: "bn1a/beta_grad",
          momentum: "bn1a/moving_mean_new"}


def planted(model, whole):
    """What backend writers do wrong is named where it is, from activations and their gradients."""
    shown = keep(whole, lambda name: not is_image(name) or name.startswith(("act", "out")))
    for fault, array in FAULTS.items():
        spoilt = {name: values.copy() for name, values in shown.items()}
        fault(spoilt)
        status, rows, result = verify(spoilt, "--model", model)
        check("%s: first at fault is %s" % (fault.__name__, result["first_at_fault"]),
              status == 1 and result["first_at_fault"] == array)
        status, rows, result = verify(spoilt, "--model", model, "--no-chains")
        check("%s: without chains nobody knows" % fault.__name__, rows[array]["verdict"] == "not checkable")


def epsilon(backend, options):
    """BatchNormalization's own, in the backward pass alone, behind a convolution of which nothing is recorded."""
    c = backend.layers["bn0b"]["config"]
    dy = backend.arrays["bn0b/output_grad"]
    for c["epsilon"], right in (1e-3, True), (1e-5, False):
        shares, _ = backend.send_back("bn0b", dy)
        spoilt, changed = backend.consequences("conv0b", *backend.send_back("conv0b", stored(shares["conv0b"])))
        hidden = without(spoilt, *[n + e for n in ("conv0b", "bn0b") for e in ("/output", "/output_grad")])
        status, rows, result = verify(hidden, *options)
        check("epsilon %g: first at fault is %s" % (c["epsilon"], result["first_at_fault"]),
              status == 0 if right else status == 1 and result["first_at_fault"] in changed)
    del c["epsilon"]


def beside_normalization():
    """Of BatchNormalization itself all that is likely is common to a channel, c, its storage too. Where the gradient is a
    sum with another, far larger one, what that sum's storage rounds is each element's own, e."""
    layers = preactivated()
    model = write_model("preactivated.json", layers)
    base = record("preactivated.npz", model, "--batch", "8", "--seed", "6")
    base["bn/gamma"] *= F(1e-6)
    theirs = without(Backend(layers, base).arrays, "conv/output_grad")
    rows = sound("beside BatchNormalization", theirs, ["--model", model, *EXACT])
    check("through: %s" % rows["conv/kernel_grad"]["through"], rows["conv/kernel_grad"]["through"] == "conv")
    kernel = theirs["conv/kernel_grad"]
    kernel[...] = stored(kernel, 3000)
    check("and noise is found", verify(theirs, "--model", model, *EXACT)[2]["first_at_fault"] == "conv/kernel_grad")


def updates(model, whole):
    """From gradients that are not recorded, the step is known all the same."""
    shown = keep(whole, lambda name: not name.endswith(("kernel_grad", "gamma_grad", "beta_grad", "bias_grad")))
    rows = sound("updates", shown, ["--model", model])
    check("what it went through", rows["conv0a/kernel_new"]["through"] == "kernel_grad")
    for array in "conv0a/kernel_new", "out/bias_new", "bn0a/gamma_new":
        before = array[:-4]
        spoilt = dict(shown)
        spoilt[array] = spoilt[before] + (spoilt[array] - spoilt[before]) * F(1.01)
        status, rows, result = verify(spoilt, "--model", model)
        check("a step of %s: first at fault is %s" % (array, result["first_at_fault"]), result["first_at_fault"] == array)


def ways(model, whole):
    """What a line says: through what, what it sees, what would sharpen it."""
    hidden = without(whole, "bn0b/output_grad", "conv0b/output_grad")
    rows = sound("two gradients", hidden, ["--model", model])
    row = rows["conv0b/kernel_grad"]
    check("through: %s" % row["through"], row["through"] == "conv0b, bn0b" and row["layers_through"] == 2)
    check("what is recorded goes through nothing", "through" not in rows["conv0a/kernel_grad"])
    ends = keep(whole, lambda name: not is_image(name) or name.startswith("out"))
    rows = sound("no activations", ends, ["--model", model], 100)
    row = rows["conv/kernel_grad"]
    check("four blocks are too many: %s" % row["reason"],
          row["weak"] and "act/output and the hidden outputs of 4 more layers" in row["reason"])
    blind, ends = row["sees"], keep(whole, lambda name: name in ends or (name.startswith("act") and name.endswith("output")))
    sharp = sound("the masks", ends, ["--model", model], 100)["conv/kernel_grad"]["sees"]
    check("their masks sharpen it, from %g to %g" % (blind, sharp), sharp < blind / 5)


def from_the_loss(model, whole):
    """Without the gradient of the logits, from these or from the probabilities, and the labels."""
    gradients = ["out/logits_grad"]
    for hidden in gradients, gradients + ["out/logits"], gradients + ["out/output"]:
        rows = sound("without %s" % hidden, without(whole, *hidden), ["--model", model])
        check("from the loss: %s" % rows["out/kernel_grad"], rows["out/kernel_grad"]["through"] == "out")
        spoilt = without(whole, *hidden)
        spoilt["out/kernel_grad"] = spoilt["out/kernel_grad"] * F(1.0001)
        check("and found wrong", verify(spoilt, "--model", model)[2]["first_at_fault"] == "out/kernel_grad")
    status, rows, result = verify(without(whole, "labels", "loss", *gradients), "--model", model)
    check("without labels: %s" % rows["out/kernel_grad"]["reason"],
          rows["out/kernel_grad"]["reason"] == "needs out/logits_grad")


if __name__ == "__main__":
    for name, layers, weak in (("residual", residual(2), [0, 1, 0]), ("mobile", mobile(), [0, 3, 2]),
                               ("sequential", sequential(), [0, 0, 0])):
        model = write_model(name + ".json", layers)
        parts(name, model, record(name + ".npz", model, "--batch", "6", "--seed", "5"), [], weak)
    model, whole = path("residual.json"), dict(np.load(path("residual.npz")))
    planted(model, whole)
    beside_normalization()
    ways(model, whole)
    updates(model, whole)
    from_the_loss(model, whole)
    each_layer("residual", residual(1), 2)
    each_layer("mobile", mobile(), 3)
    each_layer("every kind", every_kind(), 4)
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(failed > 0)
