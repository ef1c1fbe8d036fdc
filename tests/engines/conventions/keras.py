"""Keras 3 on its backends, and Keras 2: keras.layers and keras.optimizers.

# row keras_tensorflow: KERAS_BACKEND=tensorflow tensorflow-cpu==2.21.0 keras==3.15.1
# row keras_2: KERAS=tf_keras tensorflow-cpu==2.21.0 tf_keras==2.21.0
# row keras_jax: KERAS_BACKEND=jax jax==0.10.2 keras==3.15.1
# row keras_torch: KERAS_BACKEND=torch torch==2.15.0 keras==3.15.1
"""
import importlib
import os
import numpy as np
from probes import Missing, measure

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = importlib.import_module(os.environ.get("KERAS", "keras"))
L = keras.layers
backend = os.environ.get("KERAS_BACKEND", "")


def array(y):
    return y.detach().numpy() if hasattr(y, "detach") else np.asarray(y)


def tensor(x):
    import_tf = backend == "" and importlib.import_module("tensorflow")
    return import_tf.constant(x) if import_tf else keras.ops.convert_to_tensor(x)


def word(padding):
    if padding not in ("same", "valid"):
        raise Missing("no padding in numbers")
    return padding


def conv_layer(x, kernel, strides=1, padding="valid"):
    layer = L.Conv2D(kernel.shape[3], kernel.shape[:2], strides, word(padding) if padding != 1 else "same", use_bias=False)
    layer.build(x.shape)
    layer.set_weights([kernel])
    return layer


def conv(x, kernel, strides, padding):
    return array(conv_layer(x, kernel, strides, padding)(x))


def max_pool(x, size, strides, padding):
    return array(L.MaxPooling2D(size, strides, word(padding))(tensor(x)))


def average_pool(x, size, strides, padding):
    return array(L.AveragePooling2D(size, strides, word(padding))(tensor(x)))


def gradient(f, x, dy):
    if backend == "jax":
        import jax
        return np.asarray(jax.vjp(f, x)[1](dy)[0])
    if backend == "torch":
        t = keras.ops.convert_to_tensor(x).requires_grad_()
        f(t).backward(keras.ops.convert_to_tensor(dy))
        return t.grad.numpy()
    import tensorflow as tf
    t = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(t)
        y = f(t)
    return tape.gradient(y, t, output_gradients=dy).numpy()


def max_pool_grad(x, dy, size, strides):
    return gradient(L.MaxPooling2D(size, strides), x, dy)


def relu_grad(x, dy):
    return gradient(L.ReLU(), x, dy)


def relu(x): return array(L.ReLU()(tensor(x)))
def sigmoid(x): return array(keras.activations.sigmoid(tensor(x)))
def hard_sigmoid(x): return array(keras.activations.hard_sigmoid(tensor(x)))
def leaky_relu(x): return array(L.LeakyReLU()(tensor(x)))


def norm_layer(shape, statistics, momentum=None, epsilon=None):
    layer = L.BatchNormalization(**{k: v for k, v in (("momentum", momentum), ("epsilon", epsilon)) if v is not None})
    layer.build(shape)
    layer.set_weights(list(statistics))
    return layer


def batch_norm(x, training, gamma, beta, mean, variance, momentum, epsilon):
    layer = norm_layer(x.shape, (gamma, beta, mean, variance), momentum, epsilon)
    y = array(layer(tensor(x), training=training))
    return y, array(layer.moving_mean), array(layer.moving_variance)


def adam(parameter, gradients, learning_rate, epsilon):
    options = {k: v for k, v in (("learning_rate", learning_rate), ("epsilon", epsilon)) if v is not None}
    if backend == "":
        import tensorflow as tf
        p = tf.Variable(parameter)
    else:
        p = keras.Variable(parameter)
    optimizer = keras.optimizers.Adam(**options)
    for gradient in gradients:
        optimizer.apply_gradients([(tensor(gradient), p)])
    return array(p.value if backend else p)


def conv_bn(x, kernel, *statistics):
    model = keras.Sequential([keras.Input(x.shape[1:]), L.Conv2D(kernel.shape[3], 1, use_bias=False), L.BatchNormalization()])
    model.set_weights([kernel, *statistics])
    return model.predict(x, verbose=0)


measure(*(("Keras 3 on " + {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}[backend], keras.__version__)
          if backend else ("Keras 2 (tf_keras)", keras.__version__)), globals())
