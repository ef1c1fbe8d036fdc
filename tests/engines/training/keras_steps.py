"""One training step of Keras 3, by the recipes of tests/examples.

# row keras_jax_step: KERAS_BACKEND=jax NETWORKS=incv3v1,small jax==0.10.2 keras==3.15.1
# row keras_tensorflow_step: KERAS_BACKEND=tensorflow NETWORKS=small,MobileNetV2 tensorflow-cpu==2.21.0 ai-edge-litert==2.3.0 keras==3.15.1
"""
import os
import sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
from networks import HERE, keep, keras_model, network, verdict

sys.path.insert(0, os.path.join(HERE, "..", "examples"))
net = network()
backend = keras.backend.backend()
if backend == "jax":
    from keras_jax import training
else:
    from keras_tensorflow import training
path = os.path.join(net.folder, backend + ".npz")
training(path, keras_model(net), keras.optimizers.Adam(), net.x, np.arange(len(net.x)) % net.shapes[net.shown[-1]][1])
arrays = dict(np.load(path))
keep(net.name, arrays)
verdict("Keras 3 on %s, a step" % backend, keras.__version__, net.name, net.folder, arrays, "--bn-moving-variance", "biased")
