"""keras_tensorflow.py - one training step of any Keras classifier, Keras 2 or 3, on TensorFlow as a record.

    from keras_tensorflow import training
    training("record.npz", model, keras.optimizers.Adam(), x, labels)

Then `fer64 verify record.npz --model model.json`, with Keras 3 `--bn-moving-variance biased`, on a GPU `--unit tf32`.
The optimizer has made no step yet. Needs numpy and tensorflow."""
import keras
import numpy as np
import tensorflow as tf
from keras_model import shown, variables, weights


def training(path, model, optimizer, x, labels):
    layers, every = shown(model)
    last, image = layers[-1], tf.convert_to_tensor(x)
    arrays = {"input": x, "labels": labels, **weights(model)}
    softmax, last.activation = getattr(last, "activation", None), keras.activations.linear # so that it gives the logits
    with tf.GradientTape() as tape:
        tape.watch(image) # else layers before the first weights have no gradient
        outputs = every(image, training=True)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, outputs[-1])
        loss = tf.reduce_mean(losses)
    last.activation = softmax
    trained = model.trainable_variables
    of_outputs, of_trained = tape.gradient(loss, [outputs, trained])
    optimizer.apply_gradients(zip(of_trained, trained))
    for l, y, dy in zip(layers, outputs, of_outputs):
        name = l.name + ("/logits" if l is last else "/output")
        arrays.update({name: y} if dy is None else {name: y, name + "_grad": dy}) # None: the loss does not depend on it
    gradient = {id(v): g for v, g in zip(trained, of_trained)}
    arrays.update({name + "_grad": gradient[id(v)] for name, v in variables(model) if id(v) in gradient})
    arrays.update({name + "_new": v for name, v in variables(model)}, loss=loss)
    arrays[last.name + "/output"] = tf.nn.softmax(outputs[-1])
    np.savez(path, **{name: np.asarray(a) for name, a in arrays.items()})
