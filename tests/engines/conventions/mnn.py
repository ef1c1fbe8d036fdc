"""MNN: ONNX files converted, run on the CPU with its defaults.

# row mnn: MNN==3.6.1 onnx==1.23.2 numpy==2.4.6
"""
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
import MNN
import numpy as np
from probes import measure
from onnx_graphs import functions

folder = tempfile.TemporaryDirectory()
path = lambda name: os.path.join(folder.name, name)
loaded = {}


def load(model):
    with open(path("m.onnx"), "wb") as file:
        file.write(model)
    convert = os.path.join(os.path.dirname(sys.executable), "mnnconvert")
    subprocess.run([convert, "-f", "ONNX", "--modelFile", path("m.onnx"), "--MNNModel", path("m.mnn"), "--bizCode", "x"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return MNN.nn.load_module_from_file(path("m.mnn"), ["x"], ["y"])


def run(model, x):
    net = loaded[model] = loaded.get(model) or load(model)
    variable = MNN.expr.const(np.ascontiguousarray(x), list(x.shape), MNN.expr.NCHW if x.ndim == 4 else MNN.expr.NHWC)
    if x.ndim == 4:
        variable = MNN.expr.convert(variable, MNN.expr.NC4HW4)
    y = net.forward([variable])[0]
    return np.array(MNN.expr.convert(y, MNN.expr.NCHW).read() if x.ndim == 4 else y.read())


measure("MNN", version("MNN"), functions(run))
