#!/bin/sh
# Keras's Normalization layer with assigned weights normalises nothing: set_weights after clone_model, or mean.assign, changes
# the weights that are shown and saved, but not what the layer computes, until it has been through a file.
#
# The layer computes from `mean` and `variance`, copies that finalize_state() makes of its weights; adapt(), load_model() and
# load_weights() call it, nothing else does. Before, the copies are 0 and 1.
#
# Seen with Keras 3.15.1 on JAX 0.10.2, data of mean [3, 5] and variance [2.67, 8.67]; first row of the output:
#     adapt                         [-1.225 -1.019]
#     clone_model + set_weights     [1 2]             get_weights: mean [3. 5.], variance [2.67 8.67]
#     ... saved and loaded          [-1.225 -1.019]
#     ... finalize_state()          [-1.225 -1.019]
#
# Why one would guess otherwise: weights are what a layer computes from; BatchNormalization, beside it, takes assigned
# statistics at once; get_weights shows the right numbers, and the file that is saved from the wrong model is right.
# Who meets it: cross-validation and ensembles that clone a model; federated learning, averaging and EMA, which all pass
# weights by set_weights; whoever ports statistics from another framework. The network sees raw numbers (a year, an income)
# in place of normalised ones, and may even train on them.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'keras==3.15.1' 'jax==0.10.2' 'jaxlib==0.10.2' 'numpy==2.4.6'
cd "$folder"
KERAS_BACKEND=jax JAX_PLATFORMS=cpu venv/bin/python -W ignore - <<'END'
import sys
import jax, keras, numpy as np

x = np.array([[1, 2], [3, 4], [5, 9]], "float32")
layer = keras.layers.Normalization()
layer.adapt(x)
model = keras.Sequential([keras.Input((2,)), layer])
clone = keras.models.clone_model(model)
clone.set_weights(model.get_weights())
row = lambda m: "[%s]" % " ".join("%.4g" % v for v in np.asarray(m(x))[0])
print("keras", keras.__version__, " jax", jax.__version__)
adapted, cloned = row(model), row(clone)
mean, variance = clone.get_weights()[:2]
print("adapt                         %s" % adapted)
print("clone_model + set_weights     %s   get_weights: mean %s, variance %s" % (cloned, mean, variance.round(2)))
clone.save("clone.keras")
loaded = row(keras.models.load_model("clone.keras"))
print("... saved and loaded          %s" % loaded)
clone.layers[-1].finalize_state()
print("... finalize_state()          %s" % row(clone))
if not (cloned == "[1 2]" and loaded == adapted == row(clone)):
    sys.exit("CHANGED: assigned weights are used")
END
