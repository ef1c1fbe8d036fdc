"""LiteRT (once TensorFlow Lite): what TensorFlow's converter writes, run with XNNPACK or with the built-in kernels.

# row litert: DELEGATE=xnnpack tensorflow-cpu==2.21.0 ai-edge-litert==2.3.0 keras==3.15.1
# row litert_builtin: DELEGATE=none tensorflow-cpu==2.21.0 ai-edge-litert==2.3.0 keras==3.15.1
"""
import os
from importlib.metadata import version
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from probes import Missing, measure


def run(f, x):
    concrete = tf.function(f).get_concrete_function(tf.TensorSpec(x.shape, tf.float32))
    model = tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
    options = {} if os.environ["DELEGATE"] == "xnnpack" else \
        {"experimental_op_resolver_type": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}
    interpreter = Interpreter(model_content=model, num_threads=1, **options)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def word(padding):
    if padding not in ("same", "valid"):
        raise Missing("no padding in numbers")
    return padding.upper()


def conv(x, kernel, strides, padding):
    where = "SAME" if padding == 1 else word(padding)
    return run(lambda t: tf.nn.conv2d(t, kernel, strides, where), x)


def max_pool(x, size, strides, padding): return run(lambda t: tf.nn.max_pool2d(t, size, strides, word(padding)), x)
def average_pool(x, size, strides, padding): return run(lambda t: tf.nn.avg_pool2d(t, size, strides, word(padding)), x)
def relu(x): return run(tf.nn.relu, x)
def sigmoid(x): return run(tf.nn.sigmoid, x)


def batch_norm(x, training, gamma, beta, mean, variance, momentum, epsilon):
    if training:
        raise Missing("no training")
    if epsilon is None:
        raise Missing("no default")
    return run(lambda t: tf.nn.batch_normalization(t, mean, variance, beta, gamma, epsilon), x), None, None


def conv_bn(x, kernel, gamma, beta, mean, variance):
    both = lambda t: tf.nn.batch_normalization(tf.nn.conv2d(t, kernel, 1, "VALID"), mean, variance, beta, gamma, 1e-3)
    return run(both, x)


measure("LiteRT, " + {"xnnpack": "XNNPACK", "none": "built-in kernels"}[os.environ["DELEGATE"]], version("ai-edge-litert"),
        globals())
