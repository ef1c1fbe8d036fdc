#!/bin/sh
# The same Keras 3 model has a gradient on TensorFlow and none on JAX: a softmax layer, categorical cross-entropy,
# and a sample that the network is confidently wrong about.
#
# With logits 0 and 20 and the first class true, the probability is 2e-9. On JAX Keras clips it at 1e-7: the loss is
# 16.118 whatever the logits, and the gradient is exactly 0, so that this sample is never learnt again. On
# TensorFlow Keras looks behind the softmax, takes its logits, and has loss 20 and gradients -1 and 1.
#
# Seen with Keras 3.15.1, JAX 0.10.2, TensorFlow 2.21.0 (the logits are the layer's bias; one step of SGD at rate
# 1):
#     jax         loss 16.1181   logits after the step [ 0. 20.]
#     jax         loss 20.0000   logits after the step [ 1. 19.]   (from_logits=True, without the softmax layer)
#     tensorflow  loss 20.0000   logits after the step [ 1. 19.]
#     tensorflow  loss 20.0000   logits after the step [ 1. 19.]   (from_logits=True, without the softmax layer)
#
# Why one would guess otherwise: one expects backends to differ by rounding; clipping is known, but one expects it
# to bound a loss, not to take away the gradient of the worst samples; and on TensorFlow, where most people learnt
# it, it does not happen.
# Who meets it: mislabelled or rare images in a network trained to high accuracy, or a high learning rate in the
# first epochs; the training loss of two backends parts though weights and batches are the same. It holds for the
# sparse loss too.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'keras==3.15.1' 'jax==0.10.2' 'jaxlib==0.10.2' 'tensorflow-cpu==2.21.0'
cat >"$folder/step.py" <<'END'
import sys
import keras, numpy as np

def step(softmax):
    """the loss, and the logits after one step, of logits 0 and 20 with the first class true"""
    dense = keras.layers.Dense(2, activation="softmax" if softmax else None)
    model = keras.Sequential([keras.layers.Input((1,)), dense])
    dense.set_weights([np.zeros((1, 2), "float32"), np.array([0, 20], "float32")])
    model.compile(keras.optimizers.SGD(1.0), keras.losses.CategoricalCrossentropy(from_logits=not softmax))
    history = model.fit(np.zeros((1, 1), "float32"), np.array([[1, 0]], "float32"), verbose=0)
    logits = np.asarray(dense.bias)
    print("%-10s  loss %.4f   logits after the step %s   %s" % (keras.backend.backend(), history.history["loss"][0],
          logits, "" if softmax else "(from_logits=True, without the softmax layer)"))
    return logits[0] != 0

print("Keras", keras.__version__)
learns = step(softmax=True)
if not step(softmax=False):
    sys.exit("CHANGED: no gradient from the logits")
if learns != (keras.backend.backend() == "tensorflow"):
    sys.exit("CHANGED: on %s the sample %s" % (keras.backend.backend(), "is learnt" if learns else "has no gradient"))
END
for backend in jax tensorflow; do
    KERAS_BACKEND=$backend TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" "$folder/step.py" 2>"$folder/log" ||
        { tail -n 5 "$folder/log"; exit 1; }
done
