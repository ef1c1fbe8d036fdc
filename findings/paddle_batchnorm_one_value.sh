#!/bin/sh
# In PaddlePaddle a BatchNorm in training that has one value a channel hands that value through: not normalised, not scaled by
# weight, not moved by bias; the gradients of both are 0, and the moving statistics stay as they are. In eval the layer is
# itself again.
#
# One value a channel is a batch of one image behind global pooling or a Dense layer. By the formula the output is the bias;
# PyTorch refuses; Keras and TensorFlow.js give the bias.
#
# Seen with PaddlePaddle 3.3.1, CPU, x = 5, weight 2, bias 0.5:
#     batch of 1: output 5    gradient of weight 0, of bias 0   moving mean 0     eval afterwards 10.5
#     batch of 2: output 0.5  gradient of weight 0, of bias 2   moving mean 0.5   eval afterwards 9.99
#
# Why one would guess otherwise: (x - mean) / deviation is 0 here, so that only the bias can come out, and the next larger batch
# does give it; a special case would be expected to refuse. The output is off by whatever x is: after a ReLU in the tens.
# Who meets it: the last batch of an epoch, when the number of images leaves one over (drop_last is off by default), in networks
# with BatchNorm behind pooling or Dense (projection heads, squeeze-and-excitation, face embeddings); fine-tuning with a batch
# of 1. One step an epoch comes from activations that no other step sees.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check 'paddlepaddle==3.3.1' 'setuptools==69.5.1'
"$folder/venv/bin/python" -W ignore - 2>"$folder/log" <<'END' || { tail -n 5 "$folder/log"; exit 1; }
import sys
import numpy as np, paddle

print("paddle", paddle.__version__)
seen = []
for batch in (1, 2):
    layer = paddle.nn.BatchNorm1D(3)
    layer.weight.set_value(np.full(3, 2, "float32"))
    layer.bias.set_value(np.full(3, 0.5, "float32"))
    x = paddle.to_tensor(np.full((batch, 3), 5, "float32"), stop_gradient=False)
    y = layer(x)
    y.sum().backward()
    layer.eval()
    seen.append([float(v.numpy().ravel()[0]) for v in (y, layer.weight.grad, layer.bias.grad, layer._mean, layer(x))])
    print("batch of %d: output %-4.3g gradient of weight %g, of bias %g   moving mean %-5.3g eval afterwards %.3g"
          % (batch, *seen[-1]))
if not (seen[0][:4] == [5, 0, 0, 0] and abs(seen[1][0] - 0.5) < 1e-3):
    sys.exit("CHANGED: a batch of one is normalised, or refused")
END
