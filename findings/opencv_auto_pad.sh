#!/bin/sh
# OpenCV's dnn reads auto_pad SAME_UPPER and SAME_LOWER of an ONNX file alike, and as neither: it pads as if the stride were 1.
# A convolution of stride 2 is shifted by one pixel, the output has the right size, and OpenCV's classic engine does it right.
#
# ONNX (as TensorFlow's SAME) pads so that the output has ceil(size / stride) cells; what is odd goes behind with SAME_UPPER,
# before with SAME_LOWER. Of 4x4 numbers 0 to 15, kernel 3x3 of ones, stride 2, one cell has to be padded behind: the first
# window sums 0+1+2+4+...+10 = 45.
#
# Seen with OpenCV 5.0.0.93, ONNX Runtime 1.32.0, onnx 1.23.2:
#     Conv    3x3 stride 2 SAME_UPPER   ONNX Runtime [45 39 66 50]  OpenCV [10 24 51 90]  classic engine [45 39 66 50]
#     MaxPool 3x3 stride 2 SAME_UPPER   ONNX Runtime [10 11 14 15]  OpenCV [5 7 13 15]    classic engine [10 11 14 15]
#     Conv    2x2 stride 1 SAME_LOWER   ONNX Runtime [0 1 3 5]      OpenCV [10 14 18 10]  classic engine [10 14 18 10]
#
# Why one would guess otherwise: the output's size is right, which is what auto_pad is about; the classic engine gives the right
# numbers; with explicit pads all is well, and so it is with stride 1 and odd kernels.
# Who meets it: networks that came from TensorFlow by tf2onnx (MobileNet, EfficientNet, SSD heads: SAME everywhere, stride 2 in
# each stage). Everything moves by a pixel a stage; accuracy falls, boxes shift, nothing is refused. Way out:
# OPENCV_FORCE_DNN_ENGINE=1, or pads written out in the file.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'opencv-python-headless==5.0.0.93' 'onnx==1.23.2' 'onnxruntime==1.32.0' 'numpy==2.4.6'
cat > "$folder/look.py" <<'END2'
import json, os, sys
import cv2, numpy as np, onnx, onnxruntime
from onnx import TensorProto, helper, numpy_helper

def model(kind, size, stride, mode):
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 4]),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 4 // stride, 4 // stride])]
    ones = [numpy_helper.from_array(np.ones((1, 1, size, size), "float32"), "k")] if kind == "Conv" else []
    node = helper.make_node(kind, ["x", "k"] if ones else ["x"], ["y"], auto_pad=mode, strides=[stride] * 2,
                            kernel_shape=[size] * 2)
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], ones)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString()

x, rows = np.arange(16, dtype="float32").reshape(1, 1, 4, 4), []
for kind, size, stride, mode in (("Conv", 3, 2, "SAME_UPPER"), ("MaxPool", 3, 2, "SAME_UPPER"), ("Conv", 2, 1, "SAME_LOWER")):
    bytes_ = model(kind, size, stride, mode)
    right = onnxruntime.InferenceSession(bytes_, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    net = cv2.dnn.readNetFromONNX(np.frombuffer(bytes_, np.uint8))
    net.setInput(x)
    rows.append(("%-7s %dx%d stride %d %s" % (kind, size, size, stride, mode), right.ravel()[:4].tolist(),
                 net.forward().ravel()[:4].tolist()))
print(json.dumps(rows))
END2
OPENCV_FORCE_DNN_ENGINE=1 "$folder/venv/bin/python" "$folder/look.py" > "$folder/classic" 2> "$folder/log"
"$folder/venv/bin/python" "$folder/look.py" > "$folder/new" 2> "$folder/log"
"$folder/venv/bin/python" - "$folder/new" "$folder/classic" <<'END'
import json, sys
import cv2, onnxruntime
print("opencv", cv2.__version__, " onnxruntime", onnxruntime.__version__)
new, classic = (json.load(open(name)) for name in sys.argv[1:])
short = lambda values: "[%s]" % " ".join("%g" % v for v in values)
for (title, right, seen), (_, _, before) in zip(new, classic):
    print("%-33s ONNX Runtime %-14s OpenCV %-14s classic engine %s" % (title, short(right), short(seen), short(before)))
if [seen != right for _, right, seen in new] != [True] * 3:
    sys.exit("CHANGED: OpenCV pads as ONNX says")
if classic[0][1] != classic[0][2]:
    sys.exit("CHANGED: the classic engine no longer pads as ONNX says")
