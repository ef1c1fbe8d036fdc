#!/bin/sh
# Keras initialises a depthwise convolution as if every output saw every channel: with 512 channels its weights are
# 16 times too small, and the signal fades by as much in every layer.
#
# glorot_uniform takes the number of inputs of an output from the kernel's shape [3,3,512,1], as 3*3*512. A
# depthwise output sees 3*3 of them. So the standard deviation is sqrt(2 / (9*512 + 9)) = 0.0208 instead of sqrt(2 /
# (9 + 9)) = 0.333, and the wider the network the smaller. Conv2D with groups and SeparableConv2D do the same.
# flax's default initialiser counts the inputs only, from the kernel [3,3,1,512], and has 0.33.
#
# Seen with Keras 3.15.1 and flax 0.12.8 (JAX 0.10.2), 512 channels, noise of standard deviation 1 going in:
#                                  weights' deviation   signal after 1, 2, 3 such layers   after one and a BN
#     keras DepthwiseConv2D        0.0210               0.0596    0.00364   0.000228          0.875
#     keras Conv2D(groups=512)     0.0210               0.0596    0.00364   0.000228          0.875
#     flax Conv, 512 groups        0.3326               0.958     0.936     0.904             0.999
#
# Why one would guess otherwise: Glorot's rule is there so that variance passes through; one expects the layer to
# know its own fan-in. BatchNormalization behind the layer hides it in part: the variance is 0.004 there, and
# Keras's epsilon is 0.001.
# Who meets it: MobileNet-like networks without BatchNormalization, or with a normaliser's epsilon of 1e-3 or more;
# ports between Keras and PyTorch or flax that agree in every layer and still train differently from scratch.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'keras==3.15.1' 'flax==0.12.8' 'jax==0.10.2' 'jaxlib==0.10.2' 'numpy==2.4.6'
KERAS_BACKEND=jax "$folder/venv/bin/python" - <<'END'
import sys
import flax, jax, keras, numpy as np
import flax.linen as nn

channels = 512
noise = np.random.default_rng(0).standard_normal((4, 16, 16, channels)).astype("float32")
print("Keras", keras.__version__, " flax", flax.__version__)
print("%-28s weights' deviation   signal after 1, 2, 3 such layers   after one and a BN" % "")

def line(name, layer):
    """layer() gives a new layer, as a function of the signal that also gives its weights"""
    signal, deviations = noise, []
    for depth in range(3):
        signal, weights = layer(signal, depth)
        deviations.append(float(np.std(np.asarray(signal))))
        if depth == 0:
            normalised = keras.layers.BatchNormalization()(signal, training=True)
    print("%-28s %.4f               %-9.3g %-9.3g %-9.3g         %.3f"
          % (name, np.std(weights), *deviations, np.std(normalised)))
    return float(np.std(weights))

def of_keras(make):
    def layer(signal, depth):
        keras.utils.set_random_seed(depth)
        made = make()
        return made(signal), np.asarray(made.weights[0])
    return layer

def of_flax(signal, depth):
    made = nn.Conv(channels, (3, 3), feature_group_count=channels, use_bias=False)
    weights = made.init(jax.random.key(depth), signal)
    return made.apply(weights, signal), np.asarray(weights["params"]["kernel"])

depthwise = line("keras DepthwiseConv2D", of_keras(lambda: keras.layers.DepthwiseConv2D(3, padding="same")))
grouped = line("keras Conv2D(groups=512)",
               of_keras(lambda: keras.layers.Conv2D(channels, 3, padding="same", groups=channels)))
linen = line("flax Conv, 512 groups", of_flax)
if not (depthwise < 0.03 and grouped < 0.03 and linen > 0.25):
    sys.exit("CHANGED: the deviations are no longer 0.02, 0.02 and 0.33")
END
