#!/bin/sh
# Keras 3 loads a .weights.h5 file by position: the names that the layers were given count for nothing.
#
# Two models have the same two layers, "edges" and "colours", both 3x3 convolutions of 4 channels. One concatenates
# [edges, colours], the other [colours, edges]. load_weights puts the kernel of "edges" into "colours" and the other
# way round, without an error or a warning.
#
# Seen with Keras 3.15.1 (JAX backend):
#     groups in the file: concatenate conv2d conv2d_1 input_layer
#     names in the file: ['edges', 'colours']
#     edges  kept its own kernel: False    has that of colours: True
#     largest difference of edges' output: 4.64
#
# Why one would guess otherwise: layers are named so that they can be told apart; the file even holds the names;
# Keras 2 had load_weights(by_name=True), and PyTorch's state_dict is keyed by name. Yet the file's groups are class
# names numbered in the order of model.layers, and that order is found by walking back from the outputs, not from
# the script's lines.
# Who meets it: whoever reorders the branches of an Inception block, or rebuilds a network from a paper's table and
# loads an old checkpoint. Branches of equal shape are swapped, and the accuracy falls for no visible reason.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'keras==3.15.1' 'jax==0.10.2' 'jaxlib==0.10.2' 'numpy==2.4.6' 'h5py==3.16.0'
cd "$folder"
KERAS_BACKEND=jax venv/bin/python - <<'END'
import sys
import h5py, keras, numpy as np
from keras import layers

def model(swapped):
    image = layers.Input((16, 16, 3))
    edges = layers.Conv2D(4, 3, name="edges")(image)
    colours = layers.Conv2D(4, 3, name="colours")(image)
    return keras.Model(image, layers.Concatenate()([colours, edges] if swapped else [edges, colours]))

def kernel(of, name):
    return np.asarray(of.get_layer(name).kernel)

def branch(of, name, image):
    return np.asarray(keras.Model(of.input, of.get_layer(name).output)(image))

print("Keras", keras.__version__, "with", keras.backend.backend())
keras.utils.set_random_seed(0)
saved, loaded = model(False), model(True)
saved.save_weights("saved.weights.h5")
loaded.load_weights("saved.weights.h5")

with h5py.File("saved.weights.h5") as file:
    print("groups in the file:", *file["layers"])
    names = [file["layers"][group]["vars"].attrs.get("name") for group in ("conv2d", "conv2d_1")]
    print("names in the file:", names)

own = np.array_equal(kernel(saved, "edges"), kernel(loaded, "edges"))
other = np.array_equal(kernel(saved, "colours"), kernel(loaded, "edges"))
print("edges  kept its own kernel:", own, "   has that of colours:", other)
image = np.random.default_rng(0).standard_normal((1, 16, 16, 3)).astype("float32")
difference = branch(saved, "edges", image) - branch(loaded, "edges", image)
print("largest difference of edges' output: %.2f" % np.abs(difference).max())
if own or not other:
    sys.exit("CHANGED: the weights went to the layers of their names")
END
