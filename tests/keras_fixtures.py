#!/usr/bin/env python3
"""Makes tests/vectors/keras/ anew; run it once by a Python with Keras 2.15, once by one with Keras 3.15.

    keras_fixtures.py tests/vectors/keras

APPLICATION-V.json.gz: what `to_json` of nine keras.applications writes. weights-V.json.gz: their weights, name and
shape, in Keras's order, and how many parameters there are. CASE-V.npz: small networks, one a pitfall, each with its JSON, its
weights, and what Keras computes of it in inference and in training mode; tests/test_keras_json.py reads them all."""
import gzip
import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np

L = keras.layers
FOLDER, V = sys.argv[1], keras.__version__.split(".")[0]
APPLICATIONS = ("VGG16", "ResNet50", "MobileNet", "MobileNetV2", "DenseNet121", "InceptionV3", "Xception",
                "NASNetMobile",
                "EfficientNetB0")


def write(name, text):
    with open(os.path.join(FOLDER, name), "wb") as out:
        out.write(gzip.compress(text.encode(), 9, mtime=0))


def leaves(layer):
    """A model's layers, those of models in it too."""
    for inner in getattr(layer, "layers", None) or [layer]:
        if inner is layer:
            yield inner
        else:
            yield from leaves(inner)


def weights(model):
    """LAYER/PARAMETER and the variable."""
    for layer in leaves(model):
        for weight in layer.weights:
            yield layer.name + "/" + getattr(weight, "path", weight.name.split(":")[0]).split("/")[-1], weight


def applications():
    listed = {}
    for name in APPLICATIONS:
        size = {"InceptionV3": 75, "Xception": 71}.get(name, 64)
        model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=7)
        write("%s-%s.json.gz" % (name, V), model.to_json())
        counts = [w for n, w in weights(model) if n.endswith("/count")] # Normalization's: how many images it has seen
        listed[name] = {"weights": [[n, list(w.shape)] for n, w in weights(model) if not n.endswith("/count")],
                        "count": int(model.count_params()) - len(counts)}
    write("weights-%s.json.gz" % V, json.dumps(listed))


def functional(body, shape=(9, 9, 3)):
    image = keras.Input(shape)
    x = L.GlobalAveragePooling2D()(body(image))
    return keras.Model(image, L.Dense(7, activation="softmax", name="predictions")(x))


def sequential(*layers):
    return keras.Sequential(list(layers) + [L.GlobalAveragePooling2D(), L.Dense(7, activation="softmax")])


def frozen(x):
    layer = L.BatchNormalization()
    layer.trainable = False
    return L.Dropout(0.0)(layer(L.Conv2D(4, 3)(x)))


def body_of(*layers):
    return keras.Sequential([keras.Input((9, 9, 3))] + list(layers), name="body")


def base(x):
    image = keras.Input((9, 9, 3))
    y = L.BatchNormalization(name="inner_bn")(L.Conv2D(4, 3, name="inner_conv")(image))
    return keras.Model(image, y, name="base")(x, training=False)


def shaped(x):
    a = L.Cropping2D(((1, 0), (2, 1)))(L.ZeroPadding2D(((2, 1), (0, 3)))(x))
    return L.Reshape((3, -1, 9))(L.Cropping2D(1)(L.ZeroPadding2D((1, 1))(a)))


def merged(x):
    a, b = L.Conv2D(4, 3, padding="same", activation="relu")(x), L.Conv2D(4, 1)(x)
    gate = L.Dense(4, activation="sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(a))
    return L.Concatenate()([L.Multiply()([a, gate]), L.Add()([a, b, a]), b])


def pools(x):
    a = L.MaxPooling2D(3, strides=2, padding="same")(x)
    b = L.AveragePooling2D((2, 3), strides=2, padding="same")(x)
    return L.Concatenate(axis=3)([a, b])


CASES = {
    "frozen": lambda: functional(frozen),
    "training_edge": lambda: functional(lambda x: L.BatchNormalization()(L.Conv2D(4, 3)(x), training=False)),
    "nested_edge": lambda: functional(base),
    "relu_slope": lambda: functional(lambda x: L.ReLU(4, 0.25)(L.Conv2D(4, 3)(x))),
    "leaky_layer": lambda: functional(lambda x: L.LeakyReLU()(L.Conv2D(4, 3, activation="tanh")(x))),
    "leaky_name": lambda: functional(lambda x: L.Activation("leaky_relu")(L.Conv2D(4, 3, activation="leaky_relu")(x))),
    "softmax_axis": lambda: functional(lambda x: L.Softmax(axis=-1)(L.Conv2D(4, 3, activation="softmax")(x))),
    "regularized": lambda: functional(lambda x: L.Conv2D(4, 3, kernel_regularizer="l2")(x)),
    "activations": lambda: functional(lambda x: L.Activation("hard_sigmoid")(L.Activation("silu")(
        L.Conv2D(4, 3, activation="elu")(L.Conv2D(4, 3, activation="relu6")(x))))),
    "convolutions": lambda: functional(lambda x: L.SeparableConv2D(6, 3, depth_multiplier=2, activation="relu",
                                                                   padding="same")(
        L.DepthwiseConv2D((3, 2), depth_multiplier=2, padding="same")(L.Conv2D(
            4, (3, 2), padding="same", dilation_rate=(2, 1), groups=2, use_bias=False)(L.Conv2D(4, 3, strides=2,
            padding="same")(x))))),
    "pools": lambda: functional(pools),
    "merged": lambda: functional(merged),
    "shaped": lambda: functional(shaped),
    "rescaled": lambda: functional(lambda x: L.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.5, 0.5, 2.0])(
        L.Rescaling(2.0, -1.0)(x))),
    "in_functional": lambda: functional(lambda x: body_of(L.Conv2D(4, 3), L.BatchNormalization(scale=False),
                                                          L.ReLU())(x)),
    "in_sequential": lambda: sequential(keras.Input((9, 9, 3)), body_of(L.Conv2D(4, 3), L.ReLU(6.0))),
    "no_input_layer": lambda: sequential(L.Conv2D(4, 3, input_shape=(9, 9, 3)), L.BatchNormalization(center=False)),
    "flat": lambda: keras.Sequential([keras.Input((9, 9, 3)), L.MaxPooling2D(3), L.Flatten(), L.Dense(5,
            activation="relu"),
                                      L.BatchNormalization(), L.Dense(7), L.Softmax()]),
}
if V == "3":
    CASES["operators"] = lambda: functional(lambda x: (lambda a: a + a * L.Conv2D(4, 3)(x))(L.Conv2D(4, 3)(x)))


def spread(model, random):
    """Weights in which nothing is 0 or 1, and that float32 and float64 share."""
    for name, weight in weights(model):
        shape = tuple(weight.shape)
        if name.endswith("/count") or not shape:
            continue
        positive = name.endswith(("variance", "gamma"))
        weight.assign((random.uniform(0.5, 1.5, shape) if positive else random.normal(0, 0.4, shape)).astype("float32"))


def case(name, model):
    random = np.random.default_rng(len(name))
    spread(model, random)
    x = random.uniform(-1, 1, (3,) + tuple(model.input_shape[1:])).astype("float32")
    arrays = {"json": np.frombuffer(model.to_json().encode(), np.uint8), "x": x}
    arrays.update({n: np.array(w) for n, w in weights(model) if not n.endswith("/count")})
    arrays["inference"] = np.array(model(x, training=False))
    arrays["training"] = np.array(model(x, training=True))
    np.savez_compressed(os.path.join(FOLDER, "%s-%s.npz" % (name, V)), **arrays)


os.makedirs(FOLDER, exist_ok=True)
for name, make in CASES.items():
    keras.backend.clear_session()
    case(name, make())
if len(sys.argv) < 3: # anything behind the folder: the small cases alone
    applications()
