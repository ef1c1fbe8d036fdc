#!/usr/bin/env python3
"""Keras loads what `summary --json` wrote: the same weights in the same order. Skipped where there is no Keras.

    test_keras_loads.py FER64

Needs numpy and keras; 2 or 3 reads the files that its own version wrote first."""
import glob
import os
import subprocess
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np

FER64 = sys.argv[1]
FOLDER = os.path.join(os.environ.get("SCRATCH", "build/tmp"), "keras_loads")
os.makedirs(FOLDER, exist_ok=True)
V = keras.__version__.split(".")[0]
PATH = os.path.join(FOLDER, "model.json")
passed = failed = 0


def check(what, fact, shown=""):
    global passed, failed
    passed += bool(fact)
    failed += not fact
    if not fact:
        print("FAILED: %s\n%s" % (what, shown))


def written(*options):
    return subprocess.run([FER64, "summary", "--json"] + list(options), stdout=subprocess.PIPE,
                          universal_newlines=True).stdout


def leaves(layer):
    for inner in getattr(layer, "layers", None) or [layer]:
        yield from [inner] if inner is layer else leaves(inner)


script = keras.models.model_from_json(written("--size", "48"))
check("incv3v1 in Keras", sum(int(np.prod(w.shape)) for w in script.trainable_weights) == 3295207)
for path in sorted(glob.glob(os.path.join("tests", "vectors", "keras", "*-%s.npz" % V))):
    name = os.path.basename(path)
    with np.load(path) as file:
        arrays = {key: file[key] for key in file}
    with open(PATH, "wb") as out:
        out.write(arrays["json"].tobytes())
    text = written("--model", PATH)
    try:
        model = keras.models.model_from_json(text)
        for layer in leaves(model):
            for weight in layer.weights:
                key = layer.name + "/" + getattr(weight, "path", weight.name.split(":")[0]).split("/")[-1]
                weight.assign(arrays[key])
        for mode in ("inference", "training"):
            off = np.abs(np.array(model(arrays["x"], training=mode == "training")) - arrays[mode]).max()
            check("%s written, in Keras, in %s" % (name, mode), off < 2e-6, "off by %g" % off)
    except Exception as problem:
        check(name + " written, in Keras", False, "%s\n%s" % (str(problem)[:600], text[:1500]))
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
