"""ONNX Runtime, OpenVINO, OpenCV's dnn and MNN: networks as ONNX, only the ends of blocks as outputs.

# row onnxruntime: ENGINE=onnxruntime NETWORKS=incv3v1,MobileNetV2,ResNet50,DenseNet121,small onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
# row openvino: ENGINE=openvino NETWORKS=incv3v1,MobileNetV2,DenseNet121,small openvino==2026.4.1 onnx==1.23.2 numpy==2.4.6
# row opencv: ENGINE=opencv NETWORKS=incv3v1,MobileNetV2,small opencv-python-headless==5.0.0.93 onnx==1.23.2 numpy==2.4.6
# row mnn: ENGINE=mnn NETWORKS=incv3v1,small MNN==3.6.1 onnx==1.23.2 numpy==2.4.6
"""
import io
import os
import subprocess
import sys
from importlib.metadata import version
import numpy as np
from networks import judge, network
from to_onnx import to_onnx

net = network()
model, image = to_onnx(net), net.layers[0]["name"]
x = np.ascontiguousarray(net.x.transpose(0, 3, 1, 2))


def onnxruntime():
    import onnxruntime
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return "ONNX Runtime", onnxruntime.__version__, session.run(net.shown, {image: x})


def openvino():
    import openvino
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(io.BytesIO(model)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    result = compiled({image: x})
    return "OpenVINO", openvino.__version__.split("-")[0], [result[compiled.output(name)] for name in net.shown]


def opencv():
    import cv2
    loaded = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
    loaded.setInput(x)
    return "OpenCV dnn", cv2.__version__, loaded.forward(net.shown)


def mnn():
    """By Winograd's algorithm, which it chooses itself."""
    import MNN
    with open(os.path.join(net.folder, "m.onnx"), "wb") as file:
        file.write(model)
    convert = os.path.join(os.path.dirname(sys.executable), "mnnconvert")
    subprocess.run([convert, "-f", "ONNX", "--modelFile", "m.onnx", "--MNNModel", "m.mnn", "--bizCode", "x"], cwd=net.folder,
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    loaded = MNN.nn.load_module_from_file(os.path.join(net.folder, "m.mnn"), [image], net.shown)
    taken = MNN.expr.convert(MNN.expr.const(x, list(x.shape), MNN.expr.NCHW), MNN.expr.NC4HW4)
    shown = [np.array(MNN.expr.convert(y, MNN.expr.NCHW).read() if len(y.shape) == 4 else y.read())
             for y in loaded.forward([taken])]
    return "MNN", version("MNN"), shown, "--winograd", "6"


name, release, outputs, *options = {"onnxruntime": onnxruntime, "openvino": openvino, "opencv": opencv,
                                    "mnn": mnn}[os.environ["ENGINE"]]()
judge(name, release, net, dict(zip(net.shown, outputs)), *options, layout="nchw")
