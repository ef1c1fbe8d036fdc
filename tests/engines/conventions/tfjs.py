"""TensorFlow.js in Node, on its plain CPU backend and on WebAssembly: tf, tf.layers and tf.train. Its program is tfjs.js.

# row tfjs: BACKEND=cpu numpy
# row tfjs_wasm: BACKEND=wasm numpy
"""
import os
import subprocess
from probes import measure
from remote import FOLDER, functions

PACKAGES = ["@tensorflow/tfjs@4.22.0", "@tensorflow/tfjs-backend-wasm@4.22.0"]
here = os.path.dirname(os.path.abspath(__file__))
folder, backend = os.path.join(FOLDER, "tfjs"), os.environ["BACKEND"]
os.makedirs(folder, exist_ok=True)
if not os.path.exists(os.path.join(folder, "node_modules", "@tensorflow")):
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder] + PACKAGES, check=True)
names = ["conv", "max_pool", "average_pool", "max_pool_grad", "relu", "relu_grad", "sigmoid", "hard_sigmoid", "leaky_relu",
         "batch_norm", "adam", "conv_bn"]
program = functions(["node", os.path.join(here, "tfjs.js"), backend], names,
                    env=dict(os.environ, NODE_PATH=os.path.join(folder, "node_modules")))
measure("TensorFlow.js, " + {"cpu": "CPU", "wasm": "WebAssembly"}[backend], "4.22.0", program)
