"""TensorFlow's own functions: tf.nn, the fused batch normalization, the kernel of its optimizer; conv_bn under jit_compile.

# row tensorflow: tensorflow-cpu==2.21.0 keras==3.15.1 ai-edge-litert==2.3.0
"""
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
from probes import Missing, measure


def where(padding):
    return padding.upper() if isinstance(padding, str) else [[0, 0], [padding] * 2, [padding] * 2, [0, 0]]


def conv(x, kernel, strides, padding): return tf.nn.conv2d(x, kernel, strides, where(padding))
def max_pool(x, size, strides, padding): return tf.nn.max_pool2d(x, size, strides, where(padding))
def average_pool(x, size, strides, padding): return tf.nn.avg_pool2d(x, size, strides, where(padding))


def gradient(f, x, dy):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x, output_gradients=tf.constant(dy)).numpy()


def max_pool_grad(x, dy, size, strides): return gradient(lambda t: tf.nn.max_pool2d(t, size, strides, "VALID"), x, dy)
def relu_grad(x, dy): return gradient(tf.nn.relu, x, dy)
def relu(x): return tf.nn.relu(x)
def sigmoid(x): return tf.nn.sigmoid(x)
def leaky_relu(x): return tf.nn.leaky_relu(x)


def batch_norm(x, training, gamma, beta, mean, variance, momentum, epsilon):
    if x.ndim != 4:
        raise Missing("maps only")
    options = {} if epsilon is None else {"epsilon": epsilon}
    if not training:
        return tf.compat.v1.nn.fused_batch_norm(x, gamma, beta, mean, variance, is_training=False, **options)[0], None, None
    more = {} if momentum is None else {"exponential_avg_factor": momentum}
    return tf.raw_ops.FusedBatchNormV3(x=x, scale=gamma, offset=beta, mean=mean, variance=variance,
                                       **({"epsilon": epsilon} if epsilon else {}), **more)[:3]


def adam(parameter, gradients, learning_rate, epsilon):
    if learning_rate is None or epsilon is None:
        raise Missing("no defaults in the kernel")
    p, m, v = (tf.Variable(a) for a in (parameter, 0 * parameter, 0 * parameter))
    for step, gradient in enumerate(gradients):
        tf.raw_ops.ResourceApplyAdam(var=p.handle, m=m.handle, v=v.handle, beta1_power=0.9 ** (step + 1), beta2_power=0.999 ** (
            step + 1), lr=learning_rate, beta1=0.9, beta2=0.999, epsilon=epsilon, grad=gradient)
    return p.numpy()


def conv_bn(x, kernel, gamma, beta, mean, variance):
    both = lambda t: tf.compat.v1.nn.fused_batch_norm(tf.nn.conv2d(t, kernel, 1, "VALID"), gamma, beta, mean, variance,
                                                      is_training=False)[0]
    return tf.function(both, jit_compile=True)(x)


measure("TensorFlow, tf.nn", tf.__version__, globals())
