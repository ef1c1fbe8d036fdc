"""keras_model.py - any Keras classifier of fer's layers, Keras 2 or 3: model.json, weights to npz and back, records.

    from keras_model import *
    open("model.json", "w").write(model.to_json())
    np.savez("weights.npz", **weights(model))          then model.save_weights(...), once it has learnt, and back:
    load(model, np.load("weights.npz"))                .keras, .h5: keras.models.load_model; .weights.h5: load_weights
    inference("record.npz", model, x)                  fer64 verify record.npz --model model.json --inference
    training("record.npz", model, optimizer, x, labels)          TensorFlow; keras_jax.py for JAX

Records have Keras's own layouts. The optimizer has made no step yet. Needs numpy and keras. Layers of models within the
model give weights, but no outputs."""
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
    return layers, keras.Model(model.inputs, outputs)


def inference(path, model, x):
    layers, every = shown(model)
    outputs = {l.name + "/output": np.asarray(y) for l, y in zip(layers, every(x, training=False))}
    np.savez(path, input=x, **weights(model), **outputs)


def training(path, model, optimizer, x, labels):
    import tensorflow as tf
    layers, every = shown(model)
    last, arrays, image = layers[-1], {"input": x, "labels": labels, **weights(model)}, tf.convert_to_tensor(x)
    softmax, last.activation = getattr(last, "activation", None), keras.activations.linear # so that its output is the logits
    with tf.GradientTape() as tape:
        tape.watch(image) # else layers before the first weights have no gradient
        outputs = every(image, training=True)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, outputs[-1]))
    last.activation = softmax
    trained = model.trainable_variables
    of_outputs, of_trained = tape.gradient(loss, [outputs, trained])
    optimizer.apply_gradients(zip(of_trained, trained))
    for l, y, dy in zip(layers, outputs, of_outputs):
        name = l.name + ("/logits" if l is last else "/output")
        arrays.update({name: y} if dy is None else {name: y, name + "_grad": dy}) # None: nothing trained is behind it
    gradient = {id(v): g for v, g in zip(trained, of_trained)}
    arrays.update({name + "_grad": gradient[id(v)] for name, v in variables(model) if id(v) in gradient})
    arrays.update({name + "_new": v for name, v in variables(model)}, loss=loss)
    np.savez(path, **{last.name + "/output": tf.nn.softmax(outputs[-1])}, **{k: np.asarray(a) for k, a in arrays.items()})
