#!/usr/bin/env python3
"""The network incv3v1 and its training once more, in PyTorch: an independent judge of fer's.

    steps DATA|- SIZE BATCH STEPS SEED OUT.npz      (tests/steps.c) trains with fer and writes down what it did
    twin.py OUT.npz [--float32] [--inference]       does the same in PyTorch and compares
    twin.py OUT.npz --record RECORD.npz             writes PyTorch's step 0 as a record for `fer verify`

It starts from the same weights and takes the same batches. Compared are the loss of every step, the gradients of step 0, all
parameters, Adam's moments and moving statistics after the last step, and the probabilities of one more batch in inference mode.
--inference leaves the training out: fer's final parameters, one forward pass.

A difference is the largest |fer - PyTorch| of an array over the largest |PyTorch| of the same array. Needs python3-torch.
"""
import argparse
import collections
import sys
import numpy as np
import torch
import torch.nn.functional as F

EPSILON, MOMENTUM = 1e-3, 0.99                                               # BatchNormalization
LEARNING_RATE, BETA1, BETA2, ADAM_EPSILON = 1e-3, 0.9, 0.999, 1e-7           # Adam
TRAINABLE = 3295207

# The largest differences that pass; None: shown, not judged.
# In float64, 20 steps in batches of 32 and more, losses were seen to differ by 5e-14, gradients by 5e-14, the end by 4e-12.
# Training multiplies a difference from step to step, tiny batches most: in batches of 4 the end differs by 2e-10 after 7 steps.
# In float32 the gradients of two sound programs differ by percents: among millions of ReLUs a few have an input so near 0 that
# rounding decides whether the gradient passes. Adam's first steps, which take little but a gradient's sign, multiply that, and
# the runs part.
Limits = collections.namedtuple("Limits", "first_loss loss gradient final probability")
FLOAT64 = Limits(first_loss=1e-13, loss=1e-9, gradient=1e-11, final=1e-9, probability=1e-13)
FLOAT32 = Limits(first_loss=1e-5, loss=None, gradient=0.5, final=None, probability=1e-5)

# ---- the network ----

Layer = collections.namedtuple("Layer", "name kind inputs channels options")


class Network:
    """incv3v1 as a list of layers, in order of creation, under Keras's names. Arrays are NCHW inside, NHWC and HWIO outside."""

    def __init__(self):
        self.layers, self.made = [], collections.Counter()
        x = self.add("input", [], 1, name="input")
        for filters, stride in ((32, 2), (32, 1), (64, 1)):
            x = self.conv2d_bn(x, filters, 3, 3, stride)
        x = self.add("max_pooling2d", [x], x.channels)
        x = self.tower(x, (80, 1, 1), (192, 3, 3))
        x = self.add("max_pooling2d", [x], x.channels)
        for i, pool_filters in enumerate((32, 64, 64)):
            x = self.concatenate("mixed%d" % i, [
                self.tower(x, (64, 1, 1)),
                self.tower(x, (48, 1, 1), (64, 3, 3)),
                self.tower(x, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
                self.pooled(x, pool_filters)])
        x = self.concatenate("mixed3", [
            self.tower(x, (384, 3, 3, 2, "valid")),
            self.tower(x, (64, 1, 1), (96, 3, 3), (96, 3, 3, 2, "valid")),
            self.add("max_pooling2d", [x], x.channels)])
        x = self.concatenate("mixed4", [
            self.tower(x, (192, 1, 1)),
            self.tower(x, (128, 1, 1), (128, 1, 7), (192, 7, 1)),
            self.tower(x, (128, 1, 1), (128, 7, 1), (128, 1, 7), (128, 7, 1), (192, 1, 7)),
            self.pooled(x, 192)])
        x = self.add("global_average_pooling2d", [x], x.channels, name="avg_pool")
        self.add("dense", [x], 7, name="predictions")

    def add(self, kind, inputs, channels, name=None, **options):
        number = self.made[kind]
        self.made[kind] += 1
        name = name or (kind if number == 0 else "%s_%d" % (kind, number))
        self.layers.append(Layer(name, kind, inputs, channels, options))
        return self.layers[-1]

    def conv2d_bn(self, x, filters, height, width, stride=1, padding="same"):
        x = self.add("conv2d", [x], filters, height=height, width=width, stride=stride, padding=padding)
        return self.add("activation", [self.add("batch_normalization", [x], filters)], filters)

    def tower(self, x, *convolutions):
        for convolution in convolutions:
            x = self.conv2d_bn(x, *convolution)
        return x

    def pooled(self, x, filters):
        return self.conv2d_bn(self.add("average_pooling2d", [x], x.channels), filters, 1, 1)

    def concatenate(self, name, branches):
        return self.add("concatenate", branches, sum(branch.channels for branch in branches), name=name)

    def shapes(self):
        """Every parameter's shape by its name, as Keras has it, in order of creation."""
        shapes = {}
        for layer in self.layers:
            size = (layer.channels,)
            if layer.kind == "conv2d":
                kernel = (layer.options["height"], layer.options["width"], layer.inputs[0].channels)
                shapes[layer.name + "/kernel"] = kernel + size
            elif layer.kind == "batch_normalization":
                shapes.update({layer.name + "/" + p: size for p in ("beta", "moving_mean", "moving_variance")})
            elif layer.kind == "dense":
                shapes[layer.name + "/kernel"] = (layer.inputs[0].channels,) + size
                shapes[layer.name + "/bias"] = size
        return shapes

    def forward(self, images, parameters, training):
        """Every layer's output by its name; of `predictions` the logits. In training mode the moving statistics move on."""
        outputs = {"input": images.permute(0, 3, 1, 2)}
        for layer in self.layers[1:]:
            prefix = layer.name + "/"
            own = {name[len(prefix):]: value for name, value in parameters.items() if name.startswith(prefix)}
            inputs = [outputs[from_.name] for from_ in layer.inputs]
            outputs[layer.name] = COMPUTE[layer.kind](layer, own, inputs, training)
        return outputs


# ---- what each kind of layer computes ----

def outside_cells(size, kernel, stride):
    """TensorFlow's SAME: out = ceil(size / stride); the cells that this lacks, the smaller half of them before."""
    lacking = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return [lacking // 2, lacking - lacking // 2]


def conv2d(layer, own, inputs, training):
    o, x = layer.options, inputs[0]
    if o["padding"] == "same":
        x = F.pad(x, outside_cells(x.shape[3], o["width"], o["stride"]) + outside_cells(x.shape[2], o["height"], o["stride"]))
    return F.conv2d(x, own["kernel"].permute(3, 2, 0, 1).contiguous(), stride=o["stride"])


def batch_normalization(layer, own, inputs, training):
    """PyTorch's own; it moves the statistics as TensorFlow's fused kernel does, with the Bessel-corrected variance."""
    statistics = own["moving_mean"], own["moving_variance"]
    return F.batch_norm(inputs[0], *statistics, None, own["beta"], training, 1 - MOMENTUM, EPSILON)


COMPUTE = {
    "conv2d": conv2d,
    "batch_normalization": batch_normalization,
    "activation": lambda layer, own, inputs, training: F.relu(inputs[0]),
    "max_pooling2d": lambda layer, own, inputs, training: F.max_pool2d(inputs[0], 3, 2),
    "average_pooling2d": lambda layer, own, inputs, training: F.avg_pool2d(inputs[0], 3, 1, 1, count_include_pad=False),
    "concatenate": lambda layer, own, inputs, training: torch.cat(inputs, 1),
    "global_average_pooling2d": lambda layer, own, inputs, training: inputs[0].mean((2, 3)),
    "dense": lambda layer, own, inputs, training: inputs[0] @ own["kernel"] + own["bias"],
}


# ---- training ----

def is_trainable(name):
    return not name.endswith(("/moving_mean", "/moving_variance"))


class Trainer:
    def __init__(self, values, dtype):
        """values: NumPy arrays by the names of Network.shapes()."""
        self.network, self.step, self.dtype = Network(), 0, dtype
        self.parameters = {name: torch.tensor(values[name], dtype=dtype) for name in self.network.shapes()}
        self.trainable = {name: p.requires_grad_() for name, p in self.parameters.items() if is_trainable(name)}
        self.moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in self.trainable.items()}

    def backward(self, images, labels, watch=None):
        """Forward and backward. The gradients are then in .grad of each parameter, and of each of the outputs that were
        given to watch(outputs) and retained there. Returns the loss."""
        for p in self.trainable.values():
            p.grad = None
        outputs = self.network.forward(torch.tensor(images, dtype=self.dtype), self.parameters, True)
        if watch:
            watch(outputs)
        loss = F.cross_entropy(outputs["predictions"], torch.tensor(labels))
        loss.backward()
        return loss.item()

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

    def infer(self, images):
        with torch.no_grad():
            outputs = self.network.forward(torch.tensor(images, dtype=self.dtype), self.parameters, False)
            return outputs["predictions"].softmax(1)

    def state(self):
        """Parameters and moments by name."""
        state = dict(self.parameters)
        for name, (m, v) in self.moments.items():
            state.update({name + "_m": m, name + "_v": v})
        return state


# ---- comparing ----

def number(tensor):
    return tensor.detach().numpy()


def difference(fer, twin):
    """The largest |fer - twin| over the largest |twin|; infinite where the shapes differ or a value is not finite."""
    if fer.shape != twin.shape or not (np.isfinite(fer).all() and np.isfinite(twin).all()):
        return np.inf
    apart, scale = np.abs(fer.astype(np.float64) - twin).max(), np.abs(twin).max()
    return 0.0 if apart == 0 else np.inf if scale == 0 else float(apart / scale)


class Checks:
    passed = failed = 0

    def check(self, right, what):
        self.passed, self.failed = self.passed + bool(right), self.failed + (not right)
        if not right:
            print("FAILED: " + what)

    def small(self, apart, limit, what):
        if limit is not None:
            self.check(apart <= limit, "%s: difference %.1e, at most %.1e expected" % (what, apart, limit))

    def arrays(self, title, pairs, limit):
        """pairs: name -> (fer's, PyTorch's). One line: the worst of them."""
        found = sorted((difference(*pair), name) for name, pair in pairs.items())
        self.check(found, "%s: no array to compare" % title)
        if found:
            print("%-28s %4d   %9.1e   %9.1e   %s" % (title, len(found), np.median([d for d, _ in found]), *found[-1]))
        for worst, name in found:
            self.small(worst, limit, "%s, %s" % (title, name))


GROUPS = (("conv2d", "/kernel", "convolution kernels"), ("batch_normalization", "/beta", "betas"),
          ("", "/moving_mean", "moving means"), ("", "/moving_variance", "moving variances"),
          ("predictions", "/kernel", "dense kernel"), ("predictions", "/bias", "dense bias"),
          ("", "_m", "Adam's first moments"), ("", "_v", "Adam's second moments"))


def compare_groups(checks, what, fer, twin, limit):
    print("\n%-28s %4s   %9s   %9s   %s" % (what, "n", "median", "worst", "in"))
    for start, end, title in GROUPS:
        names = [name for name in twin if name.startswith(start) and name.endswith(end)]
        if names:
            checks.arrays(title, {name: (fer(name), number(twin[name])) for name in names}, limit)


def compare_parameters(checks, file):
    """Both networks have the same arrays, of the same shapes, in the same order."""
    shapes = Network().shapes()
    fer = {name: file[name].shape for name in file.files if name.split("/")[0] not in ("final", "inference", "loss")
           and not name.startswith("step")}
    checks.check(list(fer.items()) == list(shapes.items()), "names, shapes and order of the parameters")
    trainable = sum(int(np.prod(shape)) for name, shape in shapes.items() if is_trainable(name))
    checks.check(trainable == TRAINABLE, "%d trainable parameters, %d expected" % (trainable, TRAINABLE))


def compare_training(checks, file, dtype, limits):
    trainer, losses = Trainer(file, dtype), file["loss"]
    checks.check(len(losses) > 0, "no steps to compare")
    print("step  images  loss of fer         loss of PyTorch     difference")
    for step, fer in enumerate(losses):
        batch = "step%d/" % step
        twin = trainer.backward(file[batch + "input"], file[batch + "labels"])
        apart = difference(fer, np.float64(twin))
        print("%4d  %6d  %.16f  %.16f  %.1e" % (step, len(file[batch + "labels"]), fer, twin, apart), flush=True)
        checks.small(apart, limits.loss if step else limits.first_loss, "loss of step %d" % step)
        if step == 0:
            gradients = {name: p.grad for name, p in trainer.trainable.items()}
        trainer.update()
    compare_groups(checks, "gradients of step 0", lambda name: file["step0/grad/" + name], gradients, limits.gradient)
    compare_groups(checks, "after the last step", lambda name: file["final/" + name], trainer.state(), limits.final)


def compare_inference(checks, file, dtype, limits):
    """From fer's final parameters: the forward pass alone."""
    trainer = Trainer({name: file["final/" + name] for name in Network().shapes()}, dtype)
    twin = number(trainer.infer(file["inference/input"]))
    print("\n%-28s %4s   %9s   %9s   %s" % ("inference, fer's parameters", "n", "median", "worst", "in"))
    checks.arrays("probabilities", {"predictions": (file["inference/probabilities"], twin)}, limits.probability)


# ---- records ----

def outside(tensor):
    """NCHW as NHWC."""
    return number(tensor.permute(0, 2, 3, 1) if tensor.dim() == 4 else tensor)


def record(trainer, images, labels):
    """One step as a record for `fer verify`: every layer's output and its gradient, every parameter before and after."""
    kept, arrays = {}, {"input": images, "labels": labels}
    arrays.update({name: number(p).copy() for name, p in trainer.parameters.items()})

    def keep(outputs):
        for name in outputs:
            if name != "input":
                outputs[name].retain_grad()
                kept[name] = outputs[name]
    arrays["loss"] = np.float64(trainer.backward(images, labels, keep))
    trainer.update()
    logits = kept.pop("predictions")
    arrays.update({"predictions/output": number(logits.softmax(1)), "predictions/logits": number(logits),
                   "predictions/logits_grad": number(logits.grad)})
    for name, output in kept.items():
        arrays.update({name + "/output": outside(output), name + "/output_grad": outside(output.grad)})
    for name, p in trainer.parameters.items():
        arrays[name + "_new"] = number(p)
        if p.grad is not None:
            arrays[name + "_grad"] = number(p.grad)
    return arrays


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("file", metavar="OUT.npz")
    options.add_argument("--float32", action="store_true", help="compute in float32")
    options.add_argument("--inference", action="store_true", help="compare the forward pass in inference mode alone")
    options.add_argument("--record", metavar="RECORD.npz", help="write PyTorch's step 0 as a record, compare nothing")
    options = options.parse_args()
    torch.set_num_threads(1)
    file, dtype = np.load(options.file), torch.float32 if options.float32 else torch.float64
    if options.record:
        np.savez(options.record, **record(Trainer(file, dtype), file["step0/input"], file["step0/labels"]))
        return 0
    precise = not options.float32 and file["conv2d/kernel"].dtype == np.float64
    limits, checks = FLOAT64 if precise else FLOAT32, Checks()
    print("fer in %s, PyTorch %s in %s" % (file["conv2d/kernel"].dtype, torch.__version__, str(dtype).split(".")[1]))
    compare_parameters(checks, file)
    if not options.inference:
        compare_training(checks, file, dtype, limits)
    compare_inference(checks, file, dtype, limits)
    print("%d passed, %d failed" % (checks.passed, checks.failed))
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
