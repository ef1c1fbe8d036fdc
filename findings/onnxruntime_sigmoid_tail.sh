#!/bin/sh
# ONNX Runtime's float32 Sigmoid has an absolute accuracy of 1e-7 and no relative one: it is off by a factor of 2 at
# -17 and exactly 0 from -18 on, where the correct value 1.5e-8 is no problem for float32. ncnn's TanH of 1e-8 is
# negative, or not, depending on where in the array the number stands (in groups of four, or in the rest).
#
# Seen with ONNX Runtime 1.32.0 and ncnn 1.0.20261020 on x86-64:
#     sigmoid( -5) = 6.6929e-03   ONNX Runtime 6.6929e-03 (off by  1e-05, log  -5.007)   ncnn 6.6929e-03
#     sigmoid(-10) = 4.5398e-05   ONNX Runtime 4.5389e-05 (off by -2e-04, log -10.000)   ncnn 4.5398e-05
#     sigmoid(-15) = 3.0590e-07   ONNX Runtime 3.5763e-07 (off by  2e-01, log -14.844)   ncnn 3.0590e-07
#     sigmoid(-17) = 4.1399e-08   ONNX Runtime 8.9407e-08 (off by  1e+00, log -16.230)   ncnn 4.1399e-08
#     sigmoid(-18) = 1.5230e-08   ONNX Runtime 0.0000e+00 (off by -1e+00, log    -inf)   ncnn 1.5230e-08
#     sigmoid(-40) = 4.2484e-18   ONNX Runtime 0.0000e+00 (off by -1e+00, log    -inf)   ncnn 4.2484e-18
#     tanh of seven times 1e-8, ncnn: -6.0e-08 -6.0e-08 -6.0e-08 -6.0e-08 1.0e-08 1.0e-08 1.0e-08
#
# Why one would guess otherwise: float32 goes down to 1e-38, NumPy, JAX, TensorFlow, OpenVINO and ncnn give
# sigmoid(-40) = 4.2e-18 to six digits; ONNX Runtime's own Exp is right to the last digits down to 1e-38; and "a few
# ulps" is what one assumes of an activation.
# Who meets it: everything that takes a logarithm of a score (-inf below -18), calibration, ranking and mining of
# hard examples (all scores below 1e-8 tie at 0), rare classes of detectors, and tests of an exported model by
# relative error.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'onnx==1.23.2' 'onnxruntime==1.32.0' 'ncnn==1.0.20261020' 'numpy==2.4.6'
cd "$folder"
venv/bin/python - <<'END'
import sys
import ncnn, numpy as np, onnx, onnxruntime
from onnx import TensorProto, helper

def on_onnxruntime(operators, x):
    """a chain of operators of one argument"""
    nodes = [helper.make_node(name, ["t%d" % i], ["t%d" % (i + 1)]) for i, name in enumerate(operators)]
    ends = [helper.make_tensor_value_info("t%d" % i, TensorProto.FLOAT, [None]) for i in (0, len(nodes))]
    model = helper.make_model(helper.make_graph(nodes, "chain", ends[:1], ends[1:]),
                              opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"t0": x})[0]

def on_ncnn(layer, x):
    with open("one.param", "w") as file:
        file.write("7767517\n2 2\nInput in 0 1 x\n%s layer 1 1 x y\n" % layer)
    open("one.bin", "w").close()
    net = ncnn.Net()
    net.load_param("one.param")
    net.load_model("one.bin")
    extractor = net.create_extractor()
    extractor.input("x", ncnn.Mat(x).clone())
    return np.array(extractor.extract("y")[1])

print("onnxruntime", onnxruntime.__version__, " ncnn", ncnn.__version__)
x = np.array([-5, -10, -15, -17, -18, -40], "float32")
truth = 1 / (1 + np.exp(-x.astype("float64")))
sigmoid, log = on_onnxruntime(["Sigmoid"], x), on_onnxruntime(["Sigmoid", "Log"], x)
theirs = on_ncnn("Sigmoid", x)
for row in zip(x, truth, sigmoid, sigmoid / truth - 1, log, theirs):
    print("sigmoid(%3g) = %.4e   ONNX Runtime %.4e (off by %6.0e, log %7.3f)   ncnn %.4e" % row)
same = np.full(7, 1e-8, "float32")
tanh = ["%.1e" % value for value in on_ncnn("TanH", same)]
print("tanh of seven times 1e-8, ncnn:", *tanh)
if not (sigmoid[4] == 0 and abs(sigmoid[1] / truth[1] - 1) > 1e-5 and np.isneginf(log[4])):
    sys.exit("CHANGED: ONNX Runtime's sigmoid")
if abs(theirs[5] / truth[5] - 1) > 1e-5 or not tanh[0].startswith("-"):
    sys.exit("CHANGED: ncnn's sigmoid or tanh")
END
