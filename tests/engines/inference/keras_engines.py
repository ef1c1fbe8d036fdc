"""What compiles Keras's networks: LiteRT with XNNPACK, TensorFlow with jit_compile, JAX with jit; only the ends of blocks are shown.

# row litert: HOW=litert KERAS_BACKEND=tensorflow NETWORKS=MobileNetV2,incv3v1,small tensorflow-cpu==2.21.0 ai-edge-litert==2.3.0 keras==3.15.1
# row tensorflow_jit: HOW=jit KERAS_BACKEND=tensorflow NETWORKS=small,MobileNetV2 tensorflow-cpu==2.21.0 ai-edge-litert==2.3.0 keras==3.15.1
# row jax_jit: HOW=jit KERAS_BACKEND=jax NETWORKS=small,incv3v1 jax==0.10.2 keras==3.15.1
"""
import os
from importlib.metadata import version
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
from networks import judge, keras_model, network

net = network()
model = keras_model(net)
names = net.shown
blocks = keras.Model(model.inputs, [model.get_layer(n).output for n in names])


def litert():
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter
    function = tf.function(lambda x: {"o%03d" % i: y for i, y in enumerate(blocks(x, training=False))})
    concrete = function.get_concrete_function(tf.TensorSpec(net.x.shape, tf.float32))
    interpreter = Interpreter(model_content=tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert(), num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], net.x)
    interpreter.invoke()
    shown = [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
    return "LiteRT", version("ai-edge-litert"), shown


def jit():
    if keras.backend.backend() == "jax":
        import jax
        return "JAX, jit", jax.__version__, jax.jit(lambda x: blocks(x, training=False))(net.x)
    import tensorflow as tf
    return "TensorFlow, jit_compile", tf.__version__, tf.function(lambda x: blocks(x, training=False), jit_compile=True)(net.x)


engine, of, outputs = {"litert": litert, "jit": jit}[os.environ["HOW"]]()
judge(engine, of, net, dict(zip(names, outputs)))
