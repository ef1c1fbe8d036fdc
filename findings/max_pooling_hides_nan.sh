#!/bin/sh
# Max pooling loses a NaN or keeps it depending on where in the window it stands, and each engine has places of its
# own. OpenVINO's Relu makes it 0: a network with a NaN in its weights answers with ordinary probabilities.
#
# Seen on x86-64 with ONNX Runtime 1.32.0, OpenVINO 2026.4.1, OpenCV 5.0.0, onnx 1.23.2; a 2x2 window over 0 1 2 3
# of which one is NaN, in row-major order; then a network of Conv, Relu, GlobalAveragePool and Softmax, one of whose
# 36 weights is NaN:
#     ONNX Runtime    maximum with NaN in cell 1, 2, 3, 4:  3.0 nan 3.0 2.0
#     OpenVINO        maximum with NaN in cell 1, 2, 3, 4:  3.0 3.0 3.0 2.0
#     OpenCV          maximum with NaN in cell 1, 2, 3, 4:  3.0 3.0 3.0 nan
#     onnx.reference  maximum with NaN in cell 1, 2, 3, 4:  nan 3.0 3.0 2.0
#     ONNX Runtime    network with a NaN weight:  nan nan nan nan
#     OpenVINO        network with a NaN weight:  0.292 0.111 0.446 0.151
#
# Why one would guess otherwise: NaN is expected to spread until somebody sees it; in NumPy's max, JAX's and
# PyTorch's pooling it does. A comparison with NaN is false either way round, so that here the order of comparisons
# decides what survives.
# Who meets it: a training run that has diverged is exported, and the deployed model gives plausible answers,
# without an exception and without a NaN to alert on; and engines compared on broken data disagree in ways that look
# like faults of pooling.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'onnx==1.23.2' 'onnxruntime==1.32.0' 'openvino==2026.4.1' \
    'opencv-python-headless==5.0.0.93' 'numpy==2.4.6'
"$folder/venv/bin/python" - <<'END'
import io, sys
import cv2, numpy as np, onnx, onnxruntime, openvino
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

def model(nodes, shape, output_shape, weights=()):
    x, y = (helper.make_tensor_value_info(*end) for end in (("x", 1, shape), ("y", 1, output_shape)))   # 1: float32
    graph = helper.make_graph(nodes, "net", [x], [y], [numpy_helper.from_array(w, name) for name, w in weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

def on_onnxruntime(model, x):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]

def on_openvino(model, x):
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(io.BytesIO(model.SerializeToString())), "CPU")
    return compiled({"x": x})[compiled.output(0)]

def on_opencv(model, x):
    net = cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), "uint8"))
    net.setInput(x)
    return net.forward()

print("onnx", onnx.__version__, " onnxruntime", onnxruntime.__version__, " openvino", openvino.__version__,
      " opencv", cv2.__version__)
engines = {"ONNX Runtime": on_onnxruntime, "OpenVINO": on_openvino, "OpenCV": on_opencv,
           "onnx.reference": lambda model, x: ReferenceEvaluator(model).run(None, {"x": x})[0]}
node = helper.make_node
pool = model([node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])], [1, 1, 2, 2], [1, 1, 1, 1])
for name, run in engines.items():
    windows = np.tile(np.arange(4, dtype="float32"), (4, 1))
    np.fill_diagonal(windows, np.nan)
    found = [float(run(pool, window.reshape(1, 1, 2, 2)).ravel()[0]) for window in windows]
    print("%-15s maximum with NaN in cell 1, 2, 3, 4: " % name, *found)
    if np.isnan(found).all():
        sys.exit("CHANGED: %s keeps every NaN" % name)

rng = np.random.default_rng(0)
weight = rng.standard_normal((4, 1, 3, 3)).astype("float32")
weight[1, 0, 1, 1] = np.nan
net = model([node("Conv", ["x", "w"], ["c"]), node("Relu", ["c"], ["r"]), node("GlobalAveragePool", ["r"], ["g"]),
             node("Softmax", ["g"], ["y"], axis=1)], [1, 1, 8, 8], [1, 4, 1, 1], [("w", weight)])
image = rng.standard_normal((1, 1, 8, 8)).astype("float32")
for name in ("ONNX Runtime", "OpenVINO"):
    probabilities = engines[name](net, image).ravel()
    print("%-15s network with a NaN weight: " % name, *probabilities.round(3))
    if np.isfinite(probabilities).all() != (name == "OpenVINO"):
        sys.exit("CHANGED: " + name)
END
