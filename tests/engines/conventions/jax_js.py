"""jax-js in Node, on WebAssembly: jax.lax and jax.nn; it has no optimizer or BatchNormalization of its
own. Its program is jax_js.mjs.

# row jax_js: NODE=1 numpy
"""
import os
import shutil
import subprocess
from probes import measure
from remote import FOLDER, functions

VERSION = "0.1.25"
here, folder = os.path.dirname(os.path.abspath(__file__)), os.path.join(FOLDER, "jaxjs")
os.makedirs(folder, exist_ok=True)
if not os.path.exists(os.path.join(folder, "node_modules", "@jax-js")):
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, "@jax-js/jax@" + VERSION],
                   check=True)
shutil.copy(os.path.join(here, "jax_js.mjs"), folder) # modules are looked for from where the program lies
names = ["conv", "max_pool", "max_pool_grad", "relu", "relu_grad", "sigmoid", "hard_sigmoid", "leaky_relu"]
measure("jax-js", VERSION, functions(["node", os.path.join(folder, "jax_js.mjs")], names))
