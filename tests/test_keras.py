#!/usr/bin/env python3
"""tests/examples/keras_record.py on the Keras script's network: its record passes `fer64 verify`.

    test_keras.py FER64

Needs numpy and tensorflow."""
import os
import subprocess
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "" # float32 proper
import numpy as np
from tensorflow import keras

sys.path.insert(0, os.path.join("tests", "examples"))
import keras_record

layers = keras.layers
RECORD = os.path.join(os.environ.get("SCRATCH", "build/tmp"), "keras.npz")


def conv2d_bn(x, filters, height, width, padding="same", strides=(1, 1)):
    x = layers.Conv2D(filters, (height, width), strides=strides, padding=padding, use_bias=False)(x)
    x = layers.BatchNormalization(scale=False)(x)
    return layers.Activation("relu")(x)


def tower(x, *convolutions):
    for convolution in convolutions:
        x = conv2d_bn(x, *convolution)
    return x


def pooled(x, filters):
    return conv2d_bn(layers.AveragePooling2D((3, 3), strides=(1, 1), padding="same")(x), filters, 1, 1)


def mixed(name, *branches):
    return layers.Concatenate(axis=3, name=name)(list(branches))


def incv3v1(size):
    image = layers.Input((size, size, 1))
    x = conv2d_bn(image, 32, 3, 3, strides=(2, 2))
    x = layers.MaxPooling2D((3, 3), strides=(2, 2))(tower(x, (32, 3, 3), (64, 3, 3)))
    x = layers.MaxPooling2D((3, 3), strides=(2, 2))(tower(x, (80, 1, 1), (192, 3, 3)))
    for i, filters in enumerate((32, 64, 64)):
        x = mixed("mixed%d" % i, tower(x, (64, 1, 1)), tower(x, (48, 1, 1), (64, 3, 3)),
                  tower(x, (64, 1, 1), (96, 3, 3), (96, 3, 3)), pooled(x, filters))
    halve = ("valid", (2, 2))
    x = mixed("mixed3", tower(x, (384, 3, 3) + halve), tower(x, (64, 1, 1), (96, 3, 3), (96, 3, 3) + halve),
              layers.MaxPooling2D((3, 3), strides=(2, 2))(x))
    x = mixed("mixed4", tower(x, (192, 1, 1)), tower(x, (128, 1, 1), (128, 1, 7), (192, 7, 1)),
              tower(x, (128, 1, 1), (128, 7, 1), (128, 1, 7), (128, 7, 1), (192, 1, 7)), pooled(x, 192))
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return keras.Model(image, layers.Dense(7, activation="softmax", name="predictions")(x))


random = np.random.RandomState(1)
images = random.random_sample((4, 48, 48, 1)).astype(np.float32)
keras_record.record(RECORD, incv3v1(48), keras.optimizers.Adam(0.001), images, np.array([0, 6, 3, 3]))
version = getattr(keras, "__version__", "2")
rule = "biased" if int(version.split(".")[0]) >= 3 else "unbiased"
command = [sys.argv[1], "verify", RECORD, "--bn-moving-variance", rule]
run = subprocess.run(command, stdout=subprocess.PIPE, universal_newlines=True)
os.remove(RECORD)
sound = run.returncode == 0 and "\n514 arrays checked: 514 ok" in run.stdout
if not sound:
    print("Keras %s\n%s" % (version, "\n".join(row for row in run.stdout.splitlines() if not row.endswith("ok"))))
print("%d passed, %d failed" % (sound, not sound))
sys.exit(not sound)
