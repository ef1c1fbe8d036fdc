"""keras_record.py - writes one training step of a Keras model (Keras 2, or 3 on TensorFlow) as a record.

    from keras_record import record
    record("theirs.npz", model, keras.optimizers.Adam(), x, labels)

Then `fer64 verify theirs.npz`, with Keras 3 `--bn-moving-variance biased`, on a GPU `--unit tf32`.

A record has Keras's own layouts, so nothing is transposed. What the model must be: functional, with the layer names
that Keras gives in a new session and a Dense layer `predictions` with softmax at the end. Its optimizer has made no
step yet. Needs numpy and tensorflow. tests/test_keras.py runs it."""
import numpy as np
import tensorflow as tf
from tensorflow import keras

PARAMETERS = ("kernel", "bias", "beta", "moving_mean", "moving_variance")


def named_parameters(model):
    for layer in model.layers:
        for name in PARAMETERS:
            parameter = getattr(layer, name, None)
            if parameter is not None:
                yield layer.name + "/" + name, parameter


def record(path, model, optimizer, x, labels):
    """x [N,H,W,1] is what the network sees, labels [N] are class indices."""
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    every_output = keras.Model(model.inputs, [layer.output for layer in layers])
    arrays = {name: np.array(parameter) for name, parameter in named_parameters(model)}
    dense = model.get_layer("predictions")
    softmax, dense.activation = dense.activation, keras.activations.linear # so that its output is the logits
    with tf.GradientTape() as tape:
        outputs = dict(zip([layer.name for layer in layers], every_output(x, training=True)))
        logits = outputs["predictions"]
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
    dense.activation = softmax
    trained = model.trainable_variables
    of_outputs, of_trained = tape.gradient(loss, [outputs, trained])
    optimizer.apply_gradients(zip(of_trained, trained))

    arrays.update({"input": np.array(x), "labels": np.array(labels), "loss": np.array(loss)})
    for name in outputs:
        logits_or_output = "/logits" if name == "predictions" else "/output"
        arrays[name + logits_or_output] = np.array(outputs[name])
        arrays[name + logits_or_output + "_grad"] = np.array(of_outputs[name])
    arrays["predictions/output"] = np.array(tf.nn.softmax(logits))
    gradient_of = {id(parameter): gradient for parameter, gradient in zip(trained, of_trained)}
    for name, parameter in named_parameters(model):
        arrays[name + "_new"] = np.array(parameter)
        if id(parameter) in gradient_of:
            arrays[name + "_grad"] = np.array(gradient_of[id(parameter)])
    np.savez(path, **arrays)
