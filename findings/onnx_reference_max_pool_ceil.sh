#!/bin/sh
# The reference evaluator of the onnx package pads twice in MaxPool with stride 1, pads and ceil_mode=1: a 3x3 window
# over a 3x3 image with one cell of padding gives 5x5 results, not 3x3, and zeros among negative numbers. The same
# model's shape inference, ONNX Runtime, and the reference's own AveragePool give 3x3.
#
# Seen with onnx 1.23.2, ONNX Runtime 1.32.0 (x = -1 ... -9, kernel 3x3, pads 1, stride 1, ceil_mode 1; first row of y):
#     shape inference   [1, 1, 3, 3]
#     ONNX Runtime      [1, 1, 3, 3]   -1 -1 -2
#     onnx.reference    [1, 1, 5, 5]   -1 -1 -2  0  0
#     ceil_mode 0       [1, 1, 3, 3]   in all three; with stride 2 all three agree as well
#
# Why one would guess otherwise: with stride 1 nothing is left to round up, so ceil_mode can change nothing; padding of a
# maximum is minus infinity, never 0; and the reference evaluator is what backends are compared with.
# Who meets it: whoever validates an engine by onnx.reference on torchvision's GoogLeNet: each of its nine inception blocks
# has nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True) (torchvision 0.29).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'onnx==1.23.2' 'onnxruntime==1.32.0' 'numpy==2.4.6'
"$folder/venv/bin/python" - <<'END'
import sys
import numpy as np, onnx, onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

x = -np.arange(1, 10, dtype="float32").reshape(1, 1, 3, 3)

def answers(operator, ceil, stride):
    node = helper.make_node(operator, ["x"], ["y"], kernel_shape=[3, 3], pads=[1] * 4, strides=[stride] * 2, ceil_mode=ceil)
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, "h", "w"])]
    model = helper.make_model(helper.make_graph([node], "pool", ends[:1], ends[1:]),
                              opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    onnx.checker.check_model(model)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph.output[0].type.tensor_type.shape
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return [d.dim_value or d.dim_param for d in inferred.dim], session.run(None, {"x": x})[0], ReferenceEvaluator(model).run(None, {"x": x})[0]

print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)
differ = []
for operator, ceil, stride in (("MaxPool", 0, 1), ("MaxPool", 1, 1), ("MaxPool", 1, 2), ("AveragePool", 1, 1)):
    inferred, engine, reference = answers(operator, ceil, stride)
    print(operator, "ceil_mode", ceil, "stride", stride, "inferred", inferred, "ONNX Runtime", list(engine.shape), engine[0, 0, 0],
          "onnx.reference", list(reference.shape), reference[0, 0, 0])
    if engine.shape != reference.shape or not np.array_equal(engine, reference):
        differ.append((operator, ceil, stride, reference.shape, reference.max()))
if differ != [("MaxPool", 1, 1, (1, 1, 5, 5), 0.0)]:
    sys.exit("changed: %s" % differ)
END
