#!/bin/sh
# A Softmax in an ONNX model of opset 11 means something else to each reader: ONNX Runtime follows the operator's
# definition of that opset, OpenVINO and the reference evaluator of the onnx package itself take that of opset 13.
#
# Up to opset 12, Softmax(axis=1) flattens [N,C,H,W] to [N, C*H*W] and the sum over all of it is 1. From 13 on it is
# taken over C alone, in each pixel. The model's opset says which; the checker accepts the model.
#
# Seen with onnx 1.23.2, ONNX Runtime 1.32.0, OpenVINO 2026.4.1 (zeros of [1,2,1,2] go in, so all outputs are
# equal):
#     opset 11             ONNX Runtime 0.25   OpenVINO 0.50   onnx.reference 0.50
#     opset 13             ONNX Runtime 0.50   OpenVINO 0.50   onnx.reference 0.50
#     11 converted to 13   ONNX Runtime 0.25   OpenVINO 0.25   onnx.reference 0.25
#
# Why one would guess otherwise: opset numbers are there so that an old file keeps its meaning; a reference
# evaluator is expected to be the judge in such a case; and both answers look like probabilities.
# Who meets it: segmentation and detection heads exported years ago: one engine gives probabilities per pixel, the
# other numbers that are smaller by the number of pixels. The largest class of a pixel stays the same, so accuracy
# does not show it; thresholds do. With a batch of vectors [N,C] the two agree. version_converter keeps the old
# meaning, by reshaping.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'onnx==1.23.2' 'onnxruntime==1.32.0' 'openvino==2026.4.1' 'numpy==2.4.6'
"$folder/venv/bin/python" - <<'END'
import io, sys
import numpy as np, onnx, onnxruntime, openvino
from onnx import TensorProto, helper, version_converter
from onnx.reference import ReferenceEvaluator

x = np.zeros((1, 2, 1, 2), "float32")

def softmax(opset):
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, x.shape) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Softmax", ["x"], ["y"], axis=1)], "softmax", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
    onnx.checker.check_model(model, full_check=True)
    return model

def on_onnxruntime(model):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]

def on_openvino(model):
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(io.BytesIO(model.SerializeToString())), "CPU")
    return compiled({"x": x})[compiled.output(0)]

def on_reference(model):
    return ReferenceEvaluator(model).run(None, {"x": x})[0]

print("onnx", onnx.__version__, " onnxruntime", onnxruntime.__version__, " openvino", openvino.__version__)
seen = []
for title, model in (("opset 11", softmax(11)), ("opset 13", softmax(13)),
                     ("11 converted to 13", version_converter.convert_version(softmax(11), 13))):
    values = [float(run(model).ravel()[0]) for run in (on_onnxruntime, on_openvino, on_reference)]
    print("%-18s   ONNX Runtime %.2f   OpenVINO %.2f   onnx.reference %.2f" % (title, *values))
    seen.append(values)
if seen != [[0.25, 0.5, 0.5], [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]]:
    sys.exit("CHANGED")
END
