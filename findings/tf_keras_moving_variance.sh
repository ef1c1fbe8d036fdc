#!/bin/sh
# In Keras 2 a BatchNormalization's moving variance is unbiased or biased from layer to layer of one network, and in
# Keras 3 it is always biased, on the same TensorFlow.
#
# Behind a convolution in float32 or mixed precision tf_keras takes TensorFlow's fused kernel, which hands back the
# variance with Bessel's correction, n/(n-1). Behind a Dense layer, in float64, or with fused=False, the same class
# keeps the plain mean of squares.
#
# Seen with tf_keras 2.21.0, Keras 3.15.1, TensorFlow 2.21.0, four numbers with variance 0.079473 (biased), 0.105965
# (unbiased), momentum 0, so that the moving variance is the batch's own:
#     tf_keras 2.21.0  map, float32           0.105965  unbiased
#     tf_keras 2.21.0  map, mixed_float16     0.106020  unbiased
#     tf_keras 2.21.0  map, fused=False       0.079473  biased
#     tf_keras 2.21.0  map, float64           0.079473  biased
#     tf_keras 2.21.0  behind Dense, float32  0.079473  biased
#     keras    3.15.1  map, float32           0.079473  biased
#     keras    3.15.1  map, mixed_float16     0.079515  biased
#     keras    3.15.1  map, float64           0.079473  biased
#     keras    3.15.1  behind Dense, float32  0.079473  biased
#
# Why one would guess otherwise: one class, one formula in its documentation; the normalisation itself uses the
# biased variance everywhere; and "fused" is taken for a matter of speed.
# Who meets it: with large maps n is thousands, and nobody sees it. With 1x1 maps, or the last batch of an epoch
# with few images, the factor is 4/3 for 4 cells and 2 for 2: validation differs after a move from Keras 2 to 3, and
# a reimplementation that matches the convolutional layers is off in the Dense ones.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'tensorflow-cpu==2.21.0' 'keras==3.15.1' 'tf_keras==2.21.0'
export KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3
"$folder/venv/bin/python" - 2>"$folder/log" <<'END' || { tail -n 5 "$folder/log"; exit 1; }
import sys
import keras, numpy as np, tf_keras

x = np.random.default_rng(0).standard_normal((4, 1, 1, 1)).astype("float32")
biased, unbiased = x.var(), x.var(ddof=1)
cases = (("map, float32", {}, x), ("map, mixed_float16", {"dtype": "mixed_float16"}, x),
         ("map, fused=False", {"fused": False}, x), ("map, float64", {"dtype": "float64"}, x.astype("float64")),
         ("behind Dense, float32", {}, x.reshape(4, 1)))
seen = {}
for K in (tf_keras, keras):
    for name, options, data in cases:
        if K is keras and "fused" in options:
            continue                                    # Keras 3 has no such option
        layer = K.layers.BatchNormalization(momentum=0.0, **options)
        layer(data, training=True)
        value = float(np.asarray(layer.moving_variance)[0])
        kind = [name for name, variance in (("unbiased", unbiased), ("biased", biased))
                if abs(value / variance - 1) < 2e-3][0]
        seen.setdefault(K, []).append(kind)
        print("%-8s %s  %-22s %.6f  %s" % (K.__name__, K.__version__, name, value, kind))
if seen[tf_keras] != ["unbiased", "unbiased", "biased", "biased", "biased"]:
    sys.exit("CHANGED: tf_keras")
if set(seen[keras]) != {"biased"}:
    sys.exit("CHANGED: Keras 3")
END
