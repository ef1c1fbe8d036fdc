#!/bin/sh
# Where two values are equally large, which one gets max's gradient? One library gives several answers, depending on
# how the maximum is spelled, and two spellings of ReLU differ at 0.
#
# Seen with Keras 3.15.1 on JAX 0.10.2, MLX 0.32.4, tinygrad 0.14.0 (gradient 1 comes in; four equal values, or
# two):
#     keras     MaxPooling2D(2), four equal      [1.0, 0.0, 0.0, 0.0]
#     keras     GlobalMaxPooling2D, four equal   [0.25, 0.25, 0.25, 0.25]
#     mlx       MaxPool2d(2), four equal         [0.25, 0.25, 0.25, 0.25]
#     tinygrad  max_pool2d(2), four equal        [0.25, 0.25, 0.25, 0.25]
#     keras     ops.maximum(a, b), a = b         [0.5, 0.5]
#     mlx       maximum(a, b), a = b             [0.0, 1.0]
#     keras     relu at 0                        [0.0]
#     keras     ops.maximum(x, 0) at 0           [0.5]
#     keras     leaky_relu at 0                  [1.0]
#     tinygrad  relu at 0                        [0.0]
#     tinygrad  maximum(0) at 0                  [0.5]
#     tinygrad  clip(0, 6) at 0                  [1.0]
#
# Why one would guess otherwise: GlobalMaxPooling2D is the pooling whose window is the image, and relu is max(x, 0)
# in every textbook. Ties look like a matter of measure zero. They are not: behind a ReLU whole windows are 0,
# uniform image regions give equal outputs, and a black border under a zero bias gives exactly 0.
# Who meets it: whoever compares the gradients of two frameworks, or of two spellings; and whoever writes a
# convolutional network's ReLU as maximum(x, 0) and finds that units at exactly 0 still get half the gradient.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'keras==3.15.1' 'jax==0.10.2' 'jaxlib==0.10.2' 'numpy==2.4.6' 'mlx[cpu]==0.32.4' 'tinygrad==0.14.0'
KERAS_BACKEND=jax JAX_PLATFORMS=cpu DEV=CPU "$folder/venv/bin/python" - <<'END'
import sys
from importlib.metadata import version
import jax, keras, mlx.core as mx, mlx.nn, numpy as np
from tinygrad import Tensor
mx.set_default_device(mx.cpu)

def of_keras(f, x):
    return jax.grad(lambda x: f(x).sum())(x)

def of_mlx(f, x):
    return mx.grad(lambda x: f(x).sum())(mx.array(x))

def of_tinygrad(f, x):
    x = Tensor(x)
    x.requires_grad = True
    f(x).sum().backward()
    return x.grad.numpy()

image, zero, pair = np.ones((1, 2, 2, 1), "f"), np.zeros(1, "f"), np.ones(2, "f")
layers, ops = keras.layers, keras.ops
rows = (
    ("keras", "MaxPooling2D(2), four equal", of_keras, layers.MaxPooling2D(2), image, [1, 0, 0, 0]),
    ("keras", "GlobalMaxPooling2D, four equal", of_keras, layers.GlobalMaxPooling2D(), image, [.25, .25, .25, .25]),
    ("mlx", "MaxPool2d(2), four equal", of_mlx, mlx.nn.MaxPool2d(2), image, [.25, .25, .25, .25]),
    ("tinygrad", "max_pool2d(2), four equal", of_tinygrad, lambda x: x.reshape(1, 1, 2, 2).max_pool2d(2), image,
     [.25, .25, .25, .25]),
    ("keras", "ops.maximum(a, b), a = b", of_keras, lambda x: ops.maximum(x[0], x[1]), pair, [.5, .5]),
    ("mlx", "maximum(a, b), a = b", of_mlx, lambda x: mx.maximum(x[0], x[1]), pair, [0, 1]),
    ("keras", "relu at 0", of_keras, keras.activations.relu, zero, [0]),
    ("keras", "ops.maximum(x, 0) at 0", of_keras, lambda x: ops.maximum(x, 0.0), zero, [.5]),
    ("keras", "leaky_relu at 0", of_keras, keras.activations.leaky_relu, zero, [1]),
    ("tinygrad", "relu at 0", of_tinygrad, lambda x: x.relu(), zero, [0]),
    ("tinygrad", "maximum(0) at 0", of_tinygrad, lambda x: x.maximum(0), zero, [.5]),
    ("tinygrad", "clip(0, 6) at 0", of_tinygrad, lambda x: x.clip(0, 6), zero, [1]))
print(*(name + " " + version(name) for name in ("keras", "jax", "mlx", "tinygrad")))
for library, name, gradient, f, x, seen in rows:
    found = np.asarray(gradient(f, x)).ravel().tolist()
    print("%-9s %-32s %s" % (library, name, found))
    if found != seen:
        sys.exit("CHANGED: it was %s" % seen)
END
