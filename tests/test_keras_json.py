#!/usr/bin/env python3
"""Networks from Keras's JSON: read as Keras means them, or refused in one line.

    test_keras_json.py FER64 KERAS_PARAMETERS64

What Keras 2.15 and 3.15 wrote and computed lies in tests/vectors/keras (keras_fixtures.py made it). Needs numpy."""
import copy
import glob
import gzip
import json
import os
import re
import subprocess
import sys

import numpy as np

FER64, READ = sys.argv[1:3]
VECTORS = os.path.join("tests", "vectors", "keras")
FOLDER = os.path.join(os.environ.get("SCRATCH", "build/tmp"), "keras_json")
os.makedirs(FOLDER, exist_ok=True)
passed = failed = 0


def check(what, fact, shown=""):
    global passed, failed
    passed += bool(fact)
    failed += not fact
    if not fact:
        print("FAILED: %s\n%s" % (what, shown))


def path(name):
    return os.path.join(FOLDER, name)


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
                          errors="replace")


def put(name, text):
    with open(path(name), "wb") as out:
        out.write(text if isinstance(text, bytes) else text.encode())
    return path(name)


def read(text, size=0, name="model.json"):
    """Layers, parameters and their number; or the reason."""
    lines = run(READ, str(size), put(name, text)).stdout.splitlines()
    if not lines or not lines[0].endswith(" ok"):
        return None, None, "\n".join(lines[1:])
    layers = [line.split()[1:] for line in lines if line.startswith("layer ")]
    parameters = [[line.split()[1], list(map(int,
                                             line.split()[2:]))] for line in lines if line.startswith("parameter ")]
    return layers, parameters, int(lines[-1].split()[1])


# ---- nine networks of keras.applications, as two versions of Keras write them ----

def layers_of(model):
    """Names and classes, models within taken apart, in the order of the file."""
    for layer in model["config"]["layers"]:
        if "layers" in layer["config"]:
            yield from layers_of(layer)
        else:
            yield layer["config"]["name"], layer["class_name"]


def applications():
    for version in "23":
        with gzip.open(os.path.join(VECTORS, "weights-%s.json.gz" % version), "rt") as file:
            listed = json.load(file)
        for name, keras in listed.items():
            with gzip.open(os.path.join(VECTORS, "%s-%s.json.gz" % (name, version)), "rt") as file:
                text = file.read()
            what = "%s of Keras %s" % (name, version)
            layers, parameters, count = read(text)
            if layers is None:
                check(what, False, count)
                continue
            ours = list(dict.fromkeys((layer[0], layer[1]) for layer in layers))
            theirs = list(layers_of(json.loads(text)))
            if ours[-1][0] != theirs[-1][0]: # the softmax that ends the network is no layer of fer's
                theirs.pop()
            check(what + ": its layers", [x[0] for x in ours] == [x[0] for x in theirs], "%s\n%s" % (ours, theirs))
            check(what + ": its weights", parameters == keras["weights"],
                  [pair for pair in zip(parameters, keras["weights"]) if pair[0] != pair[1]][:3])
            check(what + ": how many", count == keras["count"], "%d and %d" % (count, keras["count"]))
            round_trip(what, text)


def summary(model):
    return run(FER64, "summary", "--model", model).stdout


def round_trip(what, text, classes=True):
    """What `summary --json` writes reads as the same network, of the same classes where it can."""
    model = put("first.json", text)
    again = put("again.json", run(FER64, "summary", "--model", model, "--json").stdout)
    ours, theirs = run(READ, "0", model).stdout, run(READ, "0", again).stdout
    without = lambda lines: [re.sub("^(layer [^ ]+) [^ ]+", r"\1", line) for line in lines.splitlines()[1:]]
    same = without(ours) == without(theirs) and "\ncount " in ours
    same = same and (not classes or summary(model) == summary(again) != "")
    check(what + ": written and read again", same, "%s\n%s" % (ours[:2000], theirs[:2000]))


def written():
    """incv3v1 as a file is incv3v1, and so is a file with every kind of layer, written anew: the same record to the bit."""
    for what, options in (("incv3v1", ["--size", "48"]), ("every kind of layer", ["--model", os.path.join("tests", "kinds.json")])):
        model = put("written.json", run(FER64, "summary", "--json", *options).stdout)
        for given, out in ((options, "a.npz"), (["--model", model], "b.npz")):
            run(FER64, "record", "--seed", "1", "--batch", "2", "-o", path(out), *given)
        with open(path("a.npz"), "rb") as a, open(path("b.npz"), "rb") as b:
            check("%s, written and read again, its record" % what, a.read() == b.read())


# ---- small networks, each what a careless reader would misread: their numbers are Keras's ----

def record(name, arrays, *options):
    weights = {key: value for key, value in arrays.items() if "/" in key}
    np.savez(path("weights.npz"), **weights)
    np.savez(path("input.npz"), input=arrays["x"], labels=np.zeros(len(arrays["x"]), np.int64))
    model = put(name + ".json", arrays["json"].tobytes())
    ran = run(FER64, "record", "--model", model, "--weights", path("weights.npz"), "--input", path("input.npz"), "-o",
              path("record.npz"), *options)
    if ran.returncode:
        return None, ran.stderr
    with np.load(path("record.npz")) as file:
        ours = {key: file[key] for key in file}
    return [value for key, value in ours.items() if key.endswith("/output") and value.shape == (3, 7)][-1], ran.stderr


def cases():
    names = sorted(glob.glob(os.path.join(VECTORS, "*.npz")))
    check("cases are there", len(names) == 37, names)
    for file in names:
        with np.load(file) as keras:
            arrays = {key: keras[key] for key in keras}
        name = os.path.basename(file)[:-4]
        for mode in ("inference", "training"):
            ours, err = record(name, arrays, *["--inference"] * (mode == "inference"))
            off = np.inf if ours is None else np.abs(ours - arrays[mode]).max()
            check("%s in %s" % (name, mode), off < 2e-6, "off by %g %s" % (off, err))
        round_trip(name, arrays["json"].tobytes(), name[:-2] != "rescaled")


# ---- refusals: one line with file, line, layer, key, and what would do ----

def layer(class_name, name=None, take=None, **config):
    if name:
        config["name"] = name
    made = {"class_name": class_name, "config": config}
    if take is not None:
        made["inbound_nodes"] = [[[x, 0, 0, {}] for x in take]]
    return made


def sequential(*layers, shape=(9, 9, 3)):
    """A short form: an input, these layers, and what gives classes."""
    ends = [layer("GlobalAveragePooling2D"), layer("Dense", units=7, activation="softmax")]
    first = [layer("InputLayer", batch_input_shape=[None] + list(shape))]
    return {"class_name": "Sequential", "config": {"layers": first + list(layers) + ends}}


def functional(*layers, last="x", version=None):
    """image, these layers (the last named x), pooling, predictions."""
    first = [layer("InputLayer", "image", [], batch_input_shape=[None, 9, 9, 3])]
    ends = [layer("GlobalAveragePooling2D", "pool", [last]), layer("Dense", "predictions", ["pool"], units=7,
                                                                   activation="softmax")]
    model = {"class_name": "Functional", "config": {
        "layers": first + list(layers) + ends, "input_layers": [["image", 0, 0]], "output_layers": [["predictions", 0,
            0]]}}
    if version:
        model["keras_version"] = version
    return model


def changed(model, **config):
    model["config"].update(config)
    return model


def tensor(name, output=0):
    return {"class_name": "__keras_tensor__", "config": {"shape": [None, 9, 9, 3], "dtype": "float32",
                                                         "keras_history": [name, 0, output]}}


def keras3(made, args, **kwargs):
    made["inbound_nodes"] = [{"args": args, "kwargs": kwargs}]
    return made


def with_edge(made, *edges):
    made["inbound_nodes"] = list(edges)
    return made


CONV = dict(filters=4, kernel_size=3)


def conv(**more):
    return layer("Conv2D", "c", **dict(CONV, **more))


def outer(made, **keys):
    made.update(keys)
    return made


def in_each_other(depth):
    model = layer("Conv2D", **CONV)
    for _ in range(depth):
        model = {"class_name": "Sequential", "config": {"layers": [model]}}
    return model


DOES = "refused"
REFUSED = [ # the model, and what the line must say
    (sequential(conv(data_format="channels_first")),
     "c (Conv2D): data_format: channels_first: expected channels_last"),
    (sequential(layer("Flatten", "f", data_format="channels_first")), "f (Flatten): data_format: channels_first"),
    (sequential(conv(dtype="float16")), "c (Conv2D): dtype: float16: expected float32"),
    (sequential(conv(dtype={"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}})),
     "dtype: mixed_float16: expected"),
    (sequential(conv(dtype={"class_name": "Policy", "config": {"name": "mixed_bfloat16"}})),
     "dtype: mixed_bfloat16: expected"),
    (sequential(conv(kernel_constraint={"class_name": "MaxNorm", "config": {}})),
     "c (Conv2D): kernel_constraint: MaxNorm: expected null"),
    (sequential(layer("BatchNormalization", "b", gamma_constraint="non_neg")),
     "b (BatchNormalization): gamma_constraint: non_neg: expected null"),
    (sequential(outer(conv(), module="mine.layers")), "c (Conv2D): module: mine.layers: expected keras.layers"),
    (sequential(outer(conv(), module="__main__")), "module: __main__: expected keras.layers"),
    (sequential(outer(conv(), registered_name="mine>Conv2D")), "c (Conv2D): registered_name: mine>Conv2D: expected"),
    (sequential(outer(conv(), module=None, registered_name="Conv2D")),
     "c (Conv2D): registered_name: Conv2D: expected a layer of Keras's own"),
    (sequential(outer(conv(), module=3)), "module: 3: expected keras.layers"),
    (sequential(conv(trainable=3)), "c (Conv2D): trainable: 3: expected true or false"),
    (sequential(layer("Conv3D", "c", **CONV)), "c (Conv3D): fer has no layer of this class: expected"),
    (sequential(layer("Lambda", "l")), "l (Lambda): fer has no layer of this class"),
    (sequential(layer("LayerNormalization", "l")), "l (LayerNormalization): fer has no layer"),
    (sequential(layer("ELU", "l")), "l (ELU): fer has no layer"),
    (sequential(layer("UpSampling2D", "l")), "l (UpSampling2D): fer has no layer"),
    (sequential(conv(filters=0)), "c (Conv2D): filters: 0: expected a positive whole number"),
    (sequential(conv(filters=2.5)), "c (Conv2D): filters: 2.5: expected a positive whole number"),
    (sequential(conv(filters="4")), "c (Conv2D): filters: 4: expected a positive whole number"),
    (sequential(conv(filters=None)), "c (Conv2D): no filters: expected"),
    (sequential(conv(kernel_size=None)), "c (Conv2D): no kernel_size: expected"),
    (sequential(conv(kernel_size=[3, 3, 3])), "c (Conv2D): kernel_size: [3,3,3]: expected a whole number, or two"),
    (sequential(conv(kernel_size=-3)), "c (Conv2D): kernel_size: -3: expected"),
    (sequential(conv(strides=[0, 1])), "c (Conv2D): strides: [0,1]: expected"),
    (sequential(conv(padding="causal")), "c (Conv2D): padding: causal: expected valid or same"),
    (sequential(conv(groups=2)), "c (Conv2D): "),
    (sequential(conv(kernel_size=10)), "c (Conv2D): "),
    (sequential(conv(use_bias="no")), "c (Conv2D): use_bias: no: expected true or false"),
    (sequential(conv(activation="gelu")), "c (Conv2D): activation: gelu: expected linear, relu"),
    (sequential(conv(activation=3)), "activation: 3: expected"),
    (sequential(conv(activation={"class_name": "__lambda__", "config": {"code": "x"}})),
     "activation: __lambda__: expected"),
    (sequential(conv(activation={"module": "builtins", "class_name": "function", "config": "mine",
                                 "registered_name": "function"})),
     "activation: mine: expected"),
    (sequential(conv(activation={"module": "mine", "class_name": "function", "config": "relu",
                                 "registered_name": "mine>relu"})),
     "activation: mine>relu: expected"),
    (sequential(conv(activation={"class_name": "ELU", "config": {"alpha": 2.0}})), "activation: ELU: expected"),
    (sequential(conv(activation={"class_name": "PReLU", "config": {}})), "activation: PReLU: expected"),
    (sequential(layer("BatchNormalization", "b", axis=1)), "b (BatchNormalization): axis: 1: expected -1"),
    (sequential(layer("BatchNormalization", "b", axis=[1, 3])), "b (BatchNormalization): axis: [1,3]: expected -1"),
    (sequential(layer("BatchNormalization", "b", renorm=True)), "b (BatchNormalization): renorm: "),
    (sequential(layer("BatchNormalization", "b", synchronized=True)), "b (BatchNormalization): synchronized: "),
    (sequential(layer("BatchNormalization", "b", virtual_batch_size=2)),
     "b (BatchNormalization): virtual_batch_size: "),
    (sequential(layer("BatchNormalization", "b", epsilon="small")),
     "b (BatchNormalization): epsilon: small: expected a number"),
    (sequential(layer("BatchNormalization", "b", momentum=2)), "b (BatchNormalization): "),
    (sequential(layer("BatchNormalization", "b", epsilon=-1)), "b (BatchNormalization): "),
    (sequential(layer("ReLU", "r", threshold=0.5)), "r (ReLU): threshold: 0.5: expected 0"),
    (sequential(conv(activation={"class_name": "ReLU", "config": {"threshold": 1.0}})),
     "c (Conv2D): threshold: 1: expected 0"),
    (sequential(layer("ReLU", "r", negative_slope=-1)), "r (ReLU): negative_slope: -1: expected"),
    (sequential(layer("ReLU", "r", max_value=-1)), "r (ReLU): max_value: -1: expected"),
    (sequential(layer("LeakyReLU", "r", alpha=-1)), "r (LeakyReLU): alpha: -1: expected"),
    (sequential(layer("Softmax", "s", axis=1)), "s (Softmax): axis: 1: expected -1"),
    (sequential(layer("Softmax", "s", axis=[1, 2])), "s (Softmax): axis: [1,2]: expected -1"),
    (sequential(conv(activation={"class_name": "Softmax", "config": {"axis": 1}})), "c (Conv2D): "),
    (sequential(layer("MaxPooling2D", "m", pool_size=0)), "m (MaxPooling2D): pool_size: 0: expected"),
    (sequential(layer("AveragePooling2D", "m", pool_size=99)), "m (AveragePooling2D): "),
    (sequential(layer("ZeroPadding2D", "z", padding=[[1, 2], [3]])), "z (ZeroPadding2D): padding: "),
    (sequential(layer("ZeroPadding2D", "z", padding=[1, 2, 3])), "z (ZeroPadding2D): padding: [1,2,3]: expected"),
    (sequential(layer("Cropping2D", "z", cropping=5)), "z (Cropping2D): "),
    (sequential(layer("Reshape", "r", target_shape=[5, 5, 3])),
     "r (Reshape): target_shape: [5,5,3]: expected the 243 elements"),
    (sequential(layer("Reshape", "r", target_shape=[-1, -1, 3])), "r (Reshape): target_shape: [-1,-1,3]: expected"),
    (sequential(layer("Reshape", "r", target_shape=[9, 27])), "r (Reshape): target_shape: [9,27]: expected"),
    (sequential(layer("Dropout", "d", noise_shape=[None, 9, 1, 1])),
     "d (Dropout): noise_shape: [null,9,1,1]: expected"),
    (sequential(layer("Dropout", "d", rate=1)), "d (Dropout): "),
    (sequential(layer("Dropout", "d", rate=-0.5)), "d (Dropout): "),
    (sequential(layer("Rescaling", "r", scale=[1, 2])), "r (Rescaling): scale: 2 numbers: expected one"),
    (sequential(layer("Rescaling", "r", scale="big")), "r (Rescaling): scale: "),
    (sequential(layer("Normalization", "n", axis=1)), "n (Normalization): axis: 1: expected -1"),
    (sequential(layer("Normalization", "n", axis=None)), "n (Normalization): axis: null: expected -1"),
    (sequential(layer("Normalization", "n", invert=True)), "n (Normalization): invert: true: expected false"),
    (sequential(layer("Normalization", "n", mean=[1, 2, 3])), "n (Normalization): no variance: expected"),
    (sequential(layer("Normalization", "n", mean=0, variance=-1)), "n (Normalization): variance: -1: expected"),
    (sequential(layer("InputLayer", "i", batch_input_shape=[None, 9, 9, 3])),
     "i (InputLayer): it is not the first layer"),
    (sequential(shape=(None, 9, 3)), "its height is null: expected a number, or --size"),
    (sequential(shape=(9, 9, None)), "input shape [null,9,9,null]: expected positive sizes"),
    (sequential(shape=(9, 9)), "its height is null: expected a number, or --size"),
    (sequential(shape=(9, 9, 9, 3)), "input shape [null,9,9,9,3]: expected images"),
    (sequential(shape=(0, 9, 3)), "input shape [null,0,9,3]: expected positive"),
    ({"class_name": "Sequential", "config": {"layers": [layer("Dense", "d", units=7, activation="softmax")]}},
     "d (Dense): no input shape"),
    ({"class_name": "Sequential", "config": {"layers": []}}, "no layers: expected a list"),
    ({"class_name": "Sequential", "config": {"layers": [3]}}, "no class_name: expected"),
    ({"class_name": "Sequential", "config": [{"class_name": "Flatten"}]}, "config: [...]: expected an object"),
    ({"class_name": "Sequential", "config": {}}, "no layers: expected a list"),
    ({"class_name": "Sequential"}, "no layers: expected a list"),
    ({"class_name": "Conv2D", "config": CONV}, "expected Sequential, Functional or Model"),
    ({"class_name": "Mine", "config": {"layers": []}}, "(Mine)" if False else "Mine: "),
    ({"config": {"layers": []}}, "no class_name: expected what Keras's model.to_json() writes"),
    ([1, 2], "no class_name: expected what Keras"),
    (sequential(layer("Softmax"), layer("Flatten"), layer("Dense", "d", units=7)), None),
    (functional(layer("Add", "x", ["image"])), "x (Add): 1 inputs: expected two or more"),
    (functional(layer("Conv2D", "x", ["image", "image"], **CONV)), "x (Conv2D): 2 inputs: expected one"),
    (functional(layer("Conv2D", "x", ["nowhere"], **CONV)),
     "x (Conv2D): it takes from nowhere: expected a layer of the same model"),
    (functional(layer("Conv2D", "x", ["x"], **CONV)), "x (Conv2D): it takes from itself"),
    (functional(layer("ReLU", "y", ["x"]), layer("ReLU", "x", ["y"])), "it takes from itself or from the output"),
    (functional(layer("ReLU", "x", [])), "x (ReLU): "),
    (functional({"class_name": "ReLU", "config": {"name": "x"}}), "x (ReLU): no inbound_nodes: expected"),
    (functional(with_edge(layer("ReLU", "x"), [["image", 0, 0, {}]],
                          [["image", 0, 0, {}]])),
     "x (ReLU): a shared layer, called 2 times"),
    (functional(with_edge(layer("ReLU", "x"), {"args": [tensor("image")], "kwargs": {}},
                          {"args": [tensor("image")], "kwargs": {}})),
     "x (ReLU): a shared layer, called 2 times"),
    (functional(with_edge(layer("ReLU", "x"), [["image", 0, 1, {}]])), "x (ReLU): inbound_nodes: output 1 of image"),
    (functional(keras3(layer("ReLU", "x"), [tensor("image", 2)])), "x (ReLU): inbound_nodes: output 2 of image"),
    (functional(keras3(outer(layer("Add", "x"), module="keras.src.ops.numpy"), [tensor("image"), 1.0])),
     "x (Add): args: 1: expected layers' outputs alone"),
    (functional(keras3(outer(layer("Multiply", "x"), module="keras.src.ops.numpy"), [2.0, tensor("image")])),
     "x (Multiply): args: 2: expected layers' outputs alone"),
    (functional(keras3(outer(layer("Subtract", "x"), module="keras.src.ops.numpy"), [tensor("image"),
            tensor("image")])),
     "x (Subtract): "),
    (functional(with_edge(layer("TFOpLambda", "x"), ["image", 0, 0, {"y": 1.0}])),
     "x (TFOpLambda): fer has no layer"),
    (functional(with_edge(layer("BatchNormalization", "x"), [["image", 0, 0, {"training": True}]])),
     "x (BatchNormalization): training: true: expected null or false"),
    (functional(keras3(layer("BatchNormalization", "x"), [tensor("image")], training=True)),
     "x (BatchNormalization): training: true: expected"),
    (functional(keras3(layer("BatchNormalization", "x"), [tensor("image")], training=0)),
     "x (BatchNormalization): training: 0: expected"),
    (functional(keras3(layer("BatchNormalization", "x"), [tensor("image")], mask=tensor("image"))),
     "x (BatchNormalization): mask: "),
    (functional(keras3(layer("BatchNormalization", "x"), [tensor("image"), False])),
     "x (BatchNormalization): args: false: expected"),
    (functional(layer("ReLU", "x", ["image"]), layer("ReLU", "unused", ["x"])), "unused"),
    (functional(layer("ReLU", "x", ["image"]), layer("ReLU", "x", ["image"])), "two layers are named x"),
    (functional(layer("ReLU", None, ["image"])), "ReLU: no name: expected one"),
    (functional(layer("ReLU", "x", ["image"]), layer("InputLayer", "second", [], batch_input_shape=[None, 9, 9, 3])),
     "second (InputLayer): a second input"),
    (functional(layer("Concatenate", "x", ["image", "image"], axis=1)), "x (Concatenate): axis: 1: expected -1"),
    (functional(layer("MaxPooling2D", "y", ["image"]), layer("Add", "x", ["image", "y"])), "x (Add): "),
    (functional(layer("MaxPooling2D", "y", ["image"]), layer("Concatenate", "x", ["image", "y"])),
     "x (Concatenate): "),
    (changed(functional(layer("ReLU", "x", ["image"])), output_layers=[["predictions", 0, 0], ["x", 0, 0]]),
     "output_layers: 2 of them: expected one"),
    (changed(functional(layer("ReLU", "x", ["image"])), output_layers=["predictions", "x"]),
     "output_layers: 2 of them: expected one"),
    (changed(functional(layer("ReLU", "x", ["image"])), output_layers=["predictions", "x", "pool"]),
     "output_layers: 3 of them: expected one"),
    (changed(functional(layer("ReLU", "x", ["image"])), input_layers=[["image", 0, 0], ["x", 0, 0]]),
     "input_layers: 2 of them: expected one"),
    (changed(functional(layer("ReLU", "x", ["image"])), input_layers={"a": ["image", 0, 0]}),
     "no input_layers: expected"),
    (changed(functional(layer("ReLU", "x", ["image"])), output_layers=[]), "no output_layers: expected"),
    (changed(functional(layer("ReLU", "x", ["image"])), output_layers=[["x", 0, 0]]),
     "pool (GlobalAveragePooling2D): it takes from itself or from the output, x,"),
    (changed(functional(layer("ReLU", "x", ["image"])), output_layers=[["nothing", 0, 0]]),
     "output_layers names nothing"),
    (changed(functional(layer("ReLU", "x", ["image"])), input_layers=[["x", 0, 0]]), "(InputLayer): a second input"),
    (changed(functional(layer("ReLU", "x", ["image"])), layers={"a": 1}), "no layers: expected a list"),
    (functional(layer("ReLU", "x" * 400, ["image"])), "its name: expected 1 to 63 characters"),
    (functional(layer("ReLU", "a\nb", ["image"]), last="a\nb"), "its name: expected"),
    (functional(layer("ReLU", "x/", ["image"]), last="x/"), None),
    (sequential(layer("A\nB")), "fer has no layer of this class"),
    (in_each_other(20), "models within each other"),
    (sequential(*[layer("ReLU") for _ in range(3000)]), "layers: expected"),
    (sequential(conv(filters=2 ** 31)), "filters: 2.14748e+09: expected"),
    (sequential(conv(kernel_size=2 ** 31 - 1, filters=2 ** 31 - 1, padding="same")), "c (Conv2D): "),
    (sequential(conv(filters=10 ** 6), layer("Rescaling", "r", scale=2)), "r (Rescaling): "),
    (sequential(layer("ZeroPadding2D", "z", padding=2 ** 31 - 1), shape=(9, 9, 3)), "z (ZeroPadding2D): "),
    (sequential(shape=(2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1)), "(InputLayer)" if False else "InputLayer: "),
]
BROKEN = [ # no JSON
    ("", "model.json:1: the text ends: expected"), ("{", "model.json:1: the text ends: expected a name in quotes"),
    ('{"class_name": "Sequential",\n}', "model.json:2: `}`: expected a name in quotes"), ("{} {}",
            "model.json:1: `{`: expected the end"),
    ('{"a": 1,\n "b": }', "model.json:2: `}`: expected a value"), ("[1, 2", "expected `,` or `]`"), ('{"a" 1}',
            "expected `:`"),
    ('"abc', "expected a string's end"), ('"a\nb"', "expected a string's end"),
    ('"\\x"', "expected an escape"), ('"\\u12g4"', "expected an escape"),
    ("nul", "expected a value"), ("01", "expected"), ("-", "expected a number"), (".5", "expected a value"), ("+1",
            "expected a value"),
    ("1.5.5", "expected the end"), ("0x10", "expected the end"), ("'a'", "expected a value"), ("[1,]",
            "expected a value"),
    ("[" * 100000, "brackets deep"), ('{"a":' * 100000, "brackets deep"), (b'{"class_name": "Seq\0uential"}',
                                                                           "a byte of 0: expected text"),
    ("1e999999", "no class_name"), (b"\xef\xbb\xbf", "the text ends"), ("// {}", "expected a value"),
]


def refused(what, text, says):
    _, _, reason = read(text)
    fits = isinstance(reason,
                      str) and reason.startswith(path("model.json") + ":") and "\n" not in reason and len(reason) < 900
    check("%s: '%s' was expected" % (what, says), fits and (says or "") in reason, reason)


def refusals():
    for model, says in REFUSED:
        if says is not None:
            refused(json.dumps(model)[:300], json.dumps(model), says)
    for text, says in BROKEN:
        refused(repr(text[:50]), text, says)
    ran = run(FER64, "summary", "--model", put("model.json",
                                               json.dumps(sequential(conv(data_format="channels_first")))))
    line = "fer: %s:1: c (Conv2D): data_format: channels_first: expected channels_last\n" % path("model.json")
    check("summary refuses", ran.returncode == 2 and ran.stderr == line and not ran.stdout, ran.stderr)
    put("model.json", json.dumps(sequential(conv(filters=2 ** 24, kernel_size=9), layer("Conv2D", "d", filters=2 ** 24,
            kernel_size=1))))
    ran = run(FER64, "summary", "--model", path("model.json"))
    check("more than any memory", ran.returncode == 2 and "out of memory" in ran.stderr and ran.stderr.count("\n") == 1,
          ran.stderr)
    ran = run(FER64, "summary", "--model", path("nowhere.json"))
    check("no such file",
          ran.returncode == 2 and ran.stderr.count("\n") == 1 and
          "nowhere.json: cannot be opened" in ran.stderr, ran.stderr)


# ---- the short form: what is absent has Keras's defaults ----

def short_forms():
    for model, size, expected in (
            (sequential(conv(), conv2 := layer("Conv2D", **CONV), copy.deepcopy(conv2)), 0,
             ["c/kernel", "c/bias", "conv2d/kernel", "conv2d/bias", "conv2d_1/kernel", "conv2d_1/bias", "dense/kernel",
              "dense/bias"]),
            (sequential(layer("DepthwiseConv2D", kernel_size=3)), 0, ["depthwise_conv2d/kernel",
                                                                      "depthwise_conv2d/bias", "dense/kernel", "dense/bias"]),
            (outer(sequential(layer("DepthwiseConv2D", kernel_size=3)), keras_version="2.15.0"), 0,
             ["depthwise_conv2d/depthwise_kernel", "depthwise_conv2d/bias", "dense/kernel", "dense/bias"]),
            (sequential(layer("BatchNormalization", scale=False)), 0,
             ["batch_normalization/" + x for x in ("beta", "moving_mean", "moving_variance")] + ["dense/kernel",
            "dense/bias"]),
            (sequential(layer("SeparableConv2D", **CONV), shape=(None, None, 3)), 48,
             ["separable_conv2d/" + x for x in ("depthwise_kernel", "pointwise_kernel", "bias")] + ["dense/kernel",
            "dense/bias"])):
        layers, parameters, count = read(json.dumps(model), size)
        check(json.dumps(model), parameters is not None and [p[0] for p in parameters] == expected,
              count if parameters is None else parameters)
    layers, _, count = read(json.dumps(sequential(shape=(None, None, 3))), 48)
    check("--size", layers and layers[0][3:6] == ["48", "48", "3"], count)
    _, _, count = read(json.dumps(sequential()), 48)
    check("--size against the file", "expected no --size 48" in str(count), count)
    flat = functional(with_edge(layer("Conv2D", "y", **CONV), "image"), with_edge(layer("ReLU", "x"), ["y", 0, 0]))
    changed(flat, input_layers=["image", 0, 0], output_layers="predictions")
    layers, _, count = read(json.dumps(flat))
    check("names alone as edges", layers and [x[0] for x in layers] == ["image", "y", "x", "pool", "predictions"],
          count)
    turned = functional(layer("ReLU", "x", ["y"]), layer("Conv2D", "y", ["image"], **CONV))
    turned["config"]["layers"].reverse()
    layers, _, count = read(json.dumps(turned))
    check("layers in any order", layers and [x[0] for x in layers] == ["image", "y", "x", "pool", "predictions"], count)
    edge = functional(with_edge(layer("BatchNormalization", "x"), [["image", 0, 0, {"training": False}]]),
                      version="2.15.0")
    check("Keras 2 obeys training=False", " ".join(read(json.dumps(edge))[0][1]).find("inference") > 0)
    edge["keras_version"] = "3.15.0"
    check("Keras 3 overrides it", " ".join(read(json.dumps(edge))[0][1]).find("inference") < 0)


if __name__ == "__main__":
    applications()
    written()
    cases()
    refusals()
    short_forms()
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(failed > 0)
