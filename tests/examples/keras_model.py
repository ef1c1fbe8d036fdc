"""keras_model.py - any Keras classifier of fer's layers, Keras 2 or 3: model.json, weights to npz and back, records.

    from keras_model import *
    open("model.json", "w").write(model.to_json())
    np.savez("weights.npz", **weights(model))          then model.save_weights(...), once it has learnt, and back:
    load(model, np.load("weights.npz"))                .keras, .h5: keras.models.load_model; .weights.h5: load_weights
    inference("record.npz", model, x)                  fer64 verify record.npz --model model.json --inference

A training step: keras_tensorflow.py, keras_jax.py. Records have Keras's own layouts. Layers of models within the model
give weights, but no outputs. Needs numpy and keras."""
import keras
import numpy as np


def variables(model):
    """Name in fer and variable; Normalization's `count` is no parameter."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from variables(layer)
            continue
        for v in layer.weights:
            name = getattr(v, "path", v.name).split(":")[0].split("/")[-1]
            if name != "count":
                yield layer.name + "/" + name, v


def weights(model):
    return {name: np.asarray(v) for name, v in variables(model)}


def load(model, arrays):
    for name, v in variables(model):
        v.assign(arrays[name])


def shown(model):
    """The layers whose outputs are recorded, and the model that gives them."""
    layers = [l for l in model.layers if not hasattr(l, "layers") and type(l).__name__ != "InputLayer"]
    outputs = [l.output for l in layers]
    if isinstance(model, keras.Sequential): # one that was read from a file has called its layers many times
        outputs = [model.inputs[0]]
        outputs = [outputs.append(l(outputs[-1])) or outputs[-1] for l in layers]
    return layers, keras.Model(model.inputs[0], outputs)


def inference(path, model, x):
    layers, every = shown(model)
    outputs = {l.name + "/output": np.asarray(y) for l, y in zip(layers, every(x, training=False))}
    np.savez(path, input=x, **weights(model), **outputs)
