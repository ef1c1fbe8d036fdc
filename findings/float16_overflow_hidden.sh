#!/bin/sh
# A float16 model that overflows does not overflow on a processor: ONNX Runtime and OpenVINO compute between its
# nodes in float32. Ask for the intermediate array as an output, and it is infinite, while what is computed from it
# stays finite.
#
# Two float16 MatMuls: the first gives 115200 (float16 ends at 65504), the second multiplies by 0.0004 in all.
# Seen with onnx 1.23.2, ONNX Runtime 1.32.0, OpenVINO 2026.4.1 on x86-64:
#     onnx.reference   y alone: inf   with the product as an output too: product inf, y inf
#     ONNX Runtime     y alone: 46.1   with the product as an output too: product inf, y 46.1
#     OpenVINO         y alone: 46.1   with the product as an output too: product inf, y 46.1
#
# Why one would guess otherwise: each array of the file is declared float16, a MatMul of float16 has a float16
# result, and the reference evaluator gives inf. Missing float16 kernels are known to be replaced by casts, float32
# and casts back; but a cast back and forth is taken out too, even with ORT_DISABLE_ALL, so that the rounding and
# the overflow between are gone.
# Who meets it: whoever proves a float16 conversion on a CPU and ships it to a GPU, NPU or telephone, where it
# overflows; and whoever dumps intermediate arrays to find out where a device's output went wrong: the dump
# contradicts the run that it is from.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'onnx==1.23.2' 'onnxruntime==1.32.0' 'openvino==2026.4.1' 'numpy==2.4.6'
"$folder/venv/bin/python" -W ignore - <<'END'
import io, sys
import numpy as np, onnx, onnxruntime, openvino
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

x = np.full((1, 64), 60, "float16")
weights = {"a": np.full((64, 4), 30, "float16"), "b": np.full((4, 1), 1e-4, "float16")}

def chain(outputs):
    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT16, shape)
    ends = {"product": value("product", 1, 4), "y": value("y", 1, 1)}
    nodes = [helper.make_node("MatMul", ["x", "a"], ["product"]),
             helper.make_node("MatMul", ["product", "b"], ["y"])]
    graph = helper.make_graph(nodes, "chain", [value("x", 1, 64)], [ends[name] for name in outputs],
                              [numpy_helper.from_array(array, name) for name, array in weights.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

def on_onnxruntime(model):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    return session.run(None, {"x": x})

def on_openvino(model):
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(io.BytesIO(model.SerializeToString())), "CPU")
    results = compiled({"x": x})
    return [results[output] for output in compiled.outputs]

print("onnx", onnx.__version__, " onnxruntime", onnxruntime.__version__, " openvino", openvino.__version__)
for name, run in (("onnx.reference", lambda model: ReferenceEvaluator(model).run(None, {"x": x})),
                  ("ONNX Runtime", on_onnxruntime), ("OpenVINO", on_openvino)):
    alone, (product, y) = run(chain(["y"]))[0], run(chain(["product", "y"]))
    print("%-14s   y alone: %s   with the product as an output too: product %s, y %s"
          % (name, alone.ravel()[0], product.ravel()[0], y.ravel()[0]))
    if not (np.isinf(product).all() and np.isfinite(alone).all() == np.isfinite(y).all() == (name != "onnx.reference")):
        sys.exit("CHANGED: " + name)
END
