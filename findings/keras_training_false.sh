#!/bin/sh
# Keras 3 overrides a training flag that is written into a functional model: base(x, training=False) trains its
# BatchNormalization all the same, and Dropout(0.5)(x, training=True) drops nothing in predict.
#
# The caller's flag (True in fit, False in predict) wins over the one that the layer was called with when the model
# was built. tf_keras, the maintained Keras 2, obeys the one that was written down.
#
# Seen with Keras 3.15.1 (TensorFlow backend) and tf_keras 2.21.0, TensorFlow 2.21.0 (the last number is random):
#     keras     3.15.1: moving mean after fit  0.2936 (frozen base: 0.0000)   zeros in predict 0.000
#     tf_keras  2.21.0: moving mean after fit  0.0000 (frozen base: 0.0000)   zeros in predict 0.494
#
# Why one would guess otherwise: base_model(inputs, training=False) is the idiom of transfer learning, taught as
# what keeps the pretrained statistics when the base is unfrozen; training=True is that of Monte Carlo dropout. An
# explicit argument is expected to win, as it did for years.
# Who meets it: fine-tuning drifts away from the pretrained statistics at once; an uncertainty estimate by dropout
# is exactly zero; and one saved model trains differently under two versions. base.trainable = False does keep the
# statistics in both.
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

x = (5 + 3 * np.random.default_rng(0).standard_normal((64, 8, 8, 3))).astype("float32")
y = np.zeros((64, 1), "float32")

def moving_mean(K, trainable):
    """of a base called with training=False, after three steps of fit at learning rate 0"""
    base = K.Sequential([K.layers.Input((8, 8, 3)), K.layers.BatchNormalization()])
    base.trainable = trainable
    image = K.layers.Input((8, 8, 3))
    features = K.layers.GlobalAveragePooling2D()(base(image, training=False))
    model = K.Model(image, K.layers.Dense(1)(features))
    model.compile(K.optimizers.SGD(0.0), "mse")
    model.fit(x, y, epochs=3, shuffle=False, verbose=0)
    return float(np.mean(base.layers[-1].moving_mean))

def dropped(K):
    """share of zeros that Dropout(0.5), called with training=True, makes in predict"""
    image = K.layers.Input((8, 8, 3))
    model = K.Model(image, K.layers.Dropout(0.5)(image, training=True))
    return float(np.mean(model.predict(x, verbose=0) == 0))

seen = {}
for K, version in ((keras, keras.__version__), (tf_keras, tf_keras.__version__)):
    seen[K] = moving_mean(K, True), dropped(K), moving_mean(K, False)
    print("%-9s %s: moving mean after fit  %.4f (frozen base: %.4f)   zeros in predict %.3f"
          % (K.__name__, version, seen[K][0], seen[K][2], seen[K][1]))
if seen[keras][0] == 0 or seen[keras][1] > 0:
    sys.exit("CHANGED: Keras 3 obeys the flag in the model")
if seen[tf_keras][0] != 0 or seen[tf_keras][1] < 0.4:
    sys.exit("CHANGED: tf_keras overrides the flag in the model")
END
