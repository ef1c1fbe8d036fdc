"""tract: ONNX files, optimized, on the processor. Its program is tract.rs, built with cargo.

# row tract: onnx==1.23.2 numpy==2.4.6
"""
import os
import tempfile
from probes import measure
from onnx_graphs import functions
import remote

VERSION = "0.23.9"
program = remote.functions(remote.cargo("tract", 'tract-onnx = "=%s"' % VERSION), ["run"])
folder = tempfile.TemporaryDirectory()


def run(model, x):
    path = os.path.join(folder.name, "m.onnx")
    with open(path, "wb") as file:
        file.write(model)
    return program["run"](path, x)


measure("tract", VERSION, functions(run))
