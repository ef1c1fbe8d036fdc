#!/usr/bin/env python3
"""Networks and their training once more, in PyTorch and float64: an independent judge of fer's.

    twin.py FER64 STEPS64 SIZE BATCH STEPS MODEL.json|- ...     -: incv3v1

steps64 (tests/steps.c) trains with fer and writes down what it did. From the same weights and on the same batches the same
is done in PyTorch. Compared are the loss of every step, the gradients of step 0, all parameters, Adam's moments and moving
statistics after the last step, and the probabilities of one more batch in inference mode.

A difference is the largest |fer - PyTorch| of an array over the largest |PyTorch| of the same array. Needs python3-torch.
"""
import collections
import json
import os
import subprocess
import sys
import numpy as np
import torch
import torch.nn.functional as F

LEARNING_RATE, BETA1, BETA2, ADAM_EPSILON = 1e-3, 0.9, 0.999, 1e-7
FOLDER = os.path.join(os.environ.get("SCRATCH", "build/tmp"), "twin")

# The largest differences that pass. Adam divides by the root of v: it takes what rounding makes of a gradient near 0 a
# million times as large, and biases, which begin at 0, are made of such steps alone.
LIMITS = {"loss of step 0": 1e-13, "losses": 1e-9, "gradients of step 0": 1e-11, "at the end": 1e-8, "probabilities": 1e-13}

# ---- the network ----

Layer = collections.namedtuple("Layer", "name inputs config compute activation")


class Network:
    """A network from the text of `fer summary --json`. Arrays as PyTorch has them: images NCHW, kernels OIHW."""

    def __init__(self, text):
        config = json.loads(text)["config"]
        self.layers = [Layer(l["name"], [edge[0] for edge in sum(l["inbound_nodes"], [])], l["config"],
                             COMPUTE[l["class_name"]], ACTIVATIONS[l["config"].get("activation", "linear")])
                       for l in config["layers"]]
        self.last = config["output_layers"][0][0]

    def forward(self, images, parameters, training):
        """The logits. parameters: of each layer's name its own by theirs. In training mode moving statistics move on."""
        outputs = {}
        for l in self.layers:
            inputs = [outputs[name] for name in l.inputs] or [images]
            y = l.compute(l.config, parameters.get(l.name, {}), inputs, training)
            outputs[l.name] = y if l.name == self.last else l.activation(y)
        return outputs[self.last]


def placed(x, config, window, outside=0.0):
    """x and its padding: the cells that TensorFlow's SAME lacks, the smaller half of them before."""
    lacking = [0, 0]
    if config["padding"] == "same":
        lacking = [max((-(-size // s) - 1) * s + k - size, 0) for size, s, k in zip(map(int, x.shape[2:]), config["strides"], window)]
    (top, left), (bottom, right) = [n // 2 for n in lacking], [n - n // 2 for n in lacking]
    if (top, left) == (bottom, right):
        return x, (top, left)
    return F.pad(x, (left, right, top, bottom), value=outside), 0


def conv2d(c, own, inputs, training):
    rates = c["dilation_rate"]
    x, padding = placed(inputs[0], c, [(k - 1) * rate + 1 for k, rate in zip(c["kernel_size"], rates)])
    return F.conv2d(x, own["kernel"], own.get("bias"), c["strides"], padding, rates, int(x.shape[1]) // own["kernel"].shape[1])


def depthwise_conv2d(c, own, inputs, training):
    """Its kernel, of Keras [h,w,c,m], has come as [m,c,h,w]."""
    return conv2d(c, dict(own, kernel=own["kernel"].transpose(0, 1).flatten(0, 1).unsqueeze(1)), inputs, training)


def batch_normalization(c, own, inputs, training):
    """PyTorch's own; it moves the statistics as TensorFlow's fused kernel does, with the Bessel-corrected variance."""
    return F.batch_norm(inputs[0], own["moving_mean"], own["moving_variance"], own.get("gamma"), own.get("beta"), training,
                        1 - c["momentum"], c["epsilon"])


def max_pooling2d(c, own, inputs, training):
    x, padding = placed(inputs[0], c, c["pool_size"], -np.inf)
    return F.max_pool2d(x, c["pool_size"], c["strides"], padding)


def average_pooling2d(c, own, inputs, training):
    x, padding = placed(inputs[0], c, c["pool_size"])
    assert x is inputs[0], "as many cells lack before as behind"
    return F.avg_pool2d(x, c["pool_size"], c["strides"], padding, count_include_pad=False)


def dense(c, own, inputs, training):
    return F.linear(inputs[0], own["kernel"], own.get("bias"))


def passed_on(c, own, inputs, training):
    assert not c.get("rate"), "PyTorch draws other numbers"
    return inputs[0]


COMPUTE = {
    "InputLayer": passed_on, "Activation": passed_on, "Dropout": passed_on, # the activation follows
    "Conv2D": conv2d, "DepthwiseConv2D": depthwise_conv2d, "BatchNormalization": batch_normalization,
    "Dense": dense, "MaxPooling2D": max_pooling2d, "AveragePooling2D": average_pooling2d,
    "GlobalAveragePooling2D": lambda c, own, inputs, training: inputs[0].mean((2, 3), keepdim=c.get("keepdims", False)),
    "ReLU": lambda c, own, inputs, training: ACTIVATIONS["relu6" if c.get("max_value") == 6 else "relu"](inputs[0]),
    "ZeroPadding2D": lambda c, own, inputs, training: F.pad(inputs[0], c["padding"][1] + c["padding"][0]),
    "Reshape": lambda c, own, inputs, training: inputs[0].flatten(1), # of [n,1,1,c]
    "Flatten": lambda c, own, inputs, training: inputs[0].permute(0, 2, 3, 1).flatten(1), # Keras's order
    "Concatenate": lambda c, own, inputs, training: torch.cat(inputs, 1),
    "Add": lambda c, own, inputs, training: sum(inputs)}
ACTIVATIONS = {"linear": lambda x: x, "relu": F.relu, "relu6": F.relu6, "softmax": lambda x: x.softmax(1)}


def inward(array):
    """A parameter of Keras as PyTorch has it: kernels HWIO and [in,out]."""
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T


def is_trainable(name):
    return not name.endswith(("/moving_mean", "/moving_variance"))


def by_layer(parameters):
    layers = collections.defaultdict(dict)
    for name, p in parameters.items():
        layer, own = name.rsplit("/", 1)
        layers[layer][own] = p
    return layers


# ---- training ----

class Trainer:
    def __init__(self, network, values):
        """values: arrays by Keras's names, in PyTorch's layout."""
        self.network, self.step = network, 0
        self.parameters = {name: torch.tensor(value) for name, value in values.items()}
        self.trainable = {name: p.requires_grad_() for name, p in self.parameters.items() if is_trainable(name)}
        self.moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in self.trainable.items()}
        self.layers = by_layer(self.parameters)

    def logits(self, images, training):
        return self.network.forward(torch.tensor(images.transpose(0, 3, 1, 2)), self.layers, training)

    def backward(self, images, labels):
        """The loss; the gradients are then in .grad of each parameter."""
        for p in self.trainable.values():
            p.grad = None
        loss = F.cross_entropy(self.logits(images, True), torch.tensor(labels))
        loss.backward()
        return loss.detach()

    def update(self):
        """Adam as TensorFlow applies it: epsilon is added to the root of v before any bias correction."""
        self.step += 1
        rate = LEARNING_RATE * (1 - BETA2 ** self.step) ** 0.5 / (1 - BETA1 ** self.step)
        with torch.no_grad():
            for name, p in self.trainable.items():
                m, v = self.moments[name]
                m.mul_(BETA1).add_(p.grad, alpha=1 - BETA1)
                v.mul_(BETA2).addcmul_(p.grad, p.grad, value=1 - BETA2)
                p.sub_(rate * m / (v.sqrt() + ADAM_EPSILON))

    def state(self):
        """Parameters and moments by name."""
        moments = {name + end: m for name, pair in self.moments.items() for m, end in zip(pair, ("_m", "_v"))}
        return {**self.parameters, **moments}


# ---- comparing ----

def difference(fer, twin):
    """The largest |fer - twin| over the largest |twin|; infinite where the shapes differ or a value is not finite."""
    twin = np.asarray(twin.detach())
    if fer.shape != twin.shape or not (np.isfinite(fer).all() and np.isfinite(twin).all()):
        return np.inf
    apart, scale = np.abs(fer - twin).max(), np.abs(twin).max()
    return 0.0 if apart == 0 else np.inf if scale == 0 else float(apart / scale)


def compare(network, file, steps):
    """Of each of LIMITS the differences by name."""
    def of_fer(prefix):
        names = [name for name in file.files if name.startswith(prefix)]
        return {name[len(prefix):]: inward(file[name]) for name in names}

    final = of_fer("final/")
    trainer = Trainer(network, {name: inward(file[name]) for name in final if not name.endswith(("_m", "_v"))})
    losses = []
    for step in range(steps):
        losses.append(trainer.backward(file["step%d/input" % step], file["step%d/labels" % step]))
        if step == 0:
            gradients = {name: p.grad for name, p in trainer.trainable.items()}
        trainer.update()
    found = {"loss of step 0": {"loss": difference(file["loss"][0], losses[0])},
             "losses": {"step %d" % i: difference(file["loss"][i], loss) for i, loss in enumerate(losses)}}
    for what, ours, theirs in ("gradients of step 0", of_fer("step0/grad/"), gradients), ("at the end", final, trainer.state()):
        assert sorted(ours) == sorted(theirs), "the same arrays"
        found[what] = {name: difference(ours[name], theirs[name]) for name in theirs}
    with torch.no_grad():
        after = Trainer(network, {name: final[name] for name in trainer.parameters})
        twin = after.logits(file["inference/input"], False).softmax(1)
    found["probabilities"] = {"predictions": difference(file["inference/probabilities"], twin)}
    return found


def main(fer64, steps64, size, batch, steps, *models):
    torch.set_num_threads(1)
    os.makedirs(FOLDER, exist_ok=True)
    passed = failed = 0
    out = os.path.join(FOLDER, "steps.npz")
    print("%s steps in batches of %s, PyTorch %s\n%-12s %-20s %6s  %8s  %8s  %s" % (
        steps, batch, torch.__version__, "network", "difference of", "arrays", "median", "worst", "in"))
    for path in models:
        options = ["--size", size] + (["--model", path] if path != "-" else [])
        text = subprocess.run([fer64, "summary", "--json"] + options, stdout=subprocess.PIPE, check=True).stdout
        subprocess.run([steps64, "-", path, size, batch, steps, "0", out], stdout=subprocess.DEVNULL, check=True)
        with np.load(out) as file:
            found = compare(Network(text), file, int(steps))
        for what, limit in LIMITS.items():
            rows = sorted((apart, name) for name, apart in found[what].items())
            wrong = not rows[-1][0] <= limit
            passed, failed = passed + 1 - wrong, failed + wrong
            print("%-12s %-20s %6d  %8.1e  %8.1e  %s%s" % (
                "incv3v1" if path == "-" else os.path.basename(path)[:-5], what, len(rows), rows[len(rows) // 2][0], *rows[-1],
                "  FAILED: at most %.0e expected" % limit if wrong else ""), flush=True)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
