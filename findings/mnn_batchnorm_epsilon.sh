#!/bin/sh
# MNN's converter reads a BatchNormalization of an ONNX file that does not write its epsilon as epsilon 1e-10. ONNX says 1e-5.
#
# An attribute that has its default need not be written. A channel whose variance is near 0 (a dead one) is divided by 1e-5 in
# place of 3e-3: 316 times too large.
#
# Seen with MNN 3.6.1, ONNX Runtime 1.32.0, onnx 1.23.2, x = 0.5:
#     variance 0      epsilon not written  ONNX Runtime 158.114   MNN 50000
#     variance 0      epsilon 1e-5 written ONNX Runtime 158.114   MNN 158.114
#     variance 0.0001 epsilon not written  ONNX Runtime 47.6731   MNN 50
#     variance 1      epsilon not written  ONNX Runtime 0.499998  MNN 0.5
#
# Why one would guess otherwise: both files say the same to every checker and shape inference; with variances of 1 nobody sees
# it; and 1e-5 is so much everybody's epsilon that a converter is not suspected of another.
# Who meets it: exporters and optimizers that leave out attributes with default values, and hand-made graphs; networks with
# pruned, quantized or dead channels, whose variances are small.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check 'MNN==3.6.1' 'onnx==1.23.2' 'onnxruntime==1.32.0' 'numpy==2.4.6'
cd "$folder"
venv/bin/python -W ignore - 2>log <<'END' || { tail -n 5 log; exit 1; }
import subprocess, sys
from importlib.metadata import version
import MNN, numpy as np, onnx, onnxruntime
from onnx import TensorProto, helper, numpy_helper

def model(variance, attributes):
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 2, 2]) for name in "xy"]
    known = [numpy_helper.from_array(np.full(3, value, "float32"), name) for name, value in zip("gbmv", (1, 0, 0, variance))]
    node = helper.make_node("BatchNormalization", list("xgbmv"), ["y"], **attributes)
    made = helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:], known),
                             opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString()

def on_mnn(made, x):
    with open("m.onnx", "wb") as file:
        file.write(made)
    subprocess.run(["venv/bin/mnnconvert", "-f", "ONNX", "--modelFile", "m.onnx", "--MNNModel", "m.mnn", "--bizCode", "x"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    net = MNN.nn.load_module_from_file("m.mnn", ["x"], ["y"])
    image = MNN.expr.convert(MNN.expr.const(x, [1, 3, 2, 2], MNN.expr.NCHW), MNN.expr.NC4HW4)
    return float(np.array(MNN.expr.convert(net.forward([image])[0], MNN.expr.NCHW).read()).ravel()[0])

print("MNN", version("MNN"), " onnxruntime", onnxruntime.__version__)
x, seen = np.full((1, 3, 2, 2), 0.5, "float32"), []
for variance, attributes in ((0, {}), (0, {"epsilon": 1e-5}), (1e-4, {}), (1, {})):
    made = model(variance, attributes)
    right = float(onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0].ravel()[0])
    seen.append((right, on_mnn(made, x)))
    print("variance %-6g epsilon %-12s ONNX Runtime %-9.6g MNN %.6g"
          % (variance, "1e-5 written" if attributes else "not written", *seen[-1]))
if not (seen[0][1] > 100 * seen[0][0] and abs(seen[1][1] / seen[1][0] - 1) < 1e-5):
    sys.exit("CHANGED: MNN has ONNX's default epsilon")
END
