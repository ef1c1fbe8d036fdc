#!/bin/sh
# One training step of MindSpore with one value a channel makes the moving variance of a BatchNorm2d NaN, for ever: the step
# itself looks well (outputs and gradients are finite), and from then on every inference of the network is NaN.
#
# The moving variance takes in the unbiased variance, n/(n-1) times the biased one: 1/0 times 0. Other libraries with the
# unbiased one refuse such a batch (PyTorch, MLX) or take in 0 (Chainer).
#
# Seen with MindSpore 2.10.0, CPU, momentum 0.9:
#     batch of 4, map 1x1: output finite True   moving variance 0.915   afterwards, in inference: finite True
#     batch of 1, map 2x2: output finite True   moving variance 0.908   afterwards, in inference: finite True
#     batch of 1, map 1x1: output finite True   moving variance nan   afterwards, in inference: finite False
#
# Why one would guess otherwise: training goes on without a sign, as training uses no moving statistics; a guard against n = 1
# stands in every other implementation; and NaN is looked for in losses and gradients, not in buffers.
# Who meets it: the last batch of an epoch, when one image is left over (drop_remainder is off by default), in networks whose last
# maps are 1x1 (squeeze-and-excitation, global context, small images). Validation after the first epoch is NaN, and so is every
# checkpoint from then on.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check 'mindspore==2.10.0'
"$folder/venv/bin/python" -W ignore - 2>"$folder/log" <<'END' || { tail -n 5 "$folder/log"; exit 1; }
import sys
import mindspore, numpy as np
from mindspore import nn

mindspore.set_device("CPU")
print("mindspore", mindspore.__version__)
seen = []
for shape in ((4, 3, 1, 1), (1, 3, 2, 2), (1, 3, 1, 1)):
    layer = nn.BatchNorm2d(3)
    layer.set_train(True)
    y = layer(mindspore.Tensor(np.random.default_rng(0).random(shape).astype("float32")))
    layer.set_train(False)
    later = layer(mindspore.Tensor(np.ones((1, 3, 1, 1), "float32")))
    seen.append((bool(np.isfinite(y.asnumpy()).all()), bool(np.isfinite(later.asnumpy()).all())))
    print("batch of %d, map %dx%d: output finite %s   moving variance %.3f   afterwards, in inference: finite %s"
          % (shape[0], *shape[2:], seen[-1][0], layer.moving_variance.asnumpy()[0], seen[-1][1]))
if seen != [(True, True), (True, True), (True, False)]:
    sys.exit("CHANGED")
END
