"""What runs ONNX files from Python: ONNX Runtime, OpenVINO, OpenCV's dnn, the reference evaluator of onnx, TVM, IREE.

# row onnxruntime: ENGINE=onnxruntime onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
# row openvino: ENGINE=openvino openvino==2026.4.1 onnx==1.23.2 numpy==2.4.6
# row opencv: ENGINE=opencv opencv-python-headless==5.0.0.93 onnx==1.23.2 numpy==2.4.6
# row opencv_classic: ENGINE=opencv OPENCV_FORCE_DNN_ENGINE=1 opencv-python-headless==5.0.0.93 onnx==1.23.2 numpy==2.4.6
# row onnx_reference: ENGINE=reference onnx==1.23.2 numpy==2.4.6
# row tvm: ENGINE=tvm apache-tvm==0.27.0.post1 onnx==1.23.2 numpy==2.4.6
# row iree: ENGINE=iree iree-base-compiler==3.13.0 iree-base-runtime==3.13.0 onnx==1.23.2 numpy==2.4.6
"""
import io
import os
import subprocess
import sys
import tempfile
import numpy as np
from probes import measure
from onnx_graphs import functions


def onnxruntime():
    import onnxruntime

    def run(model, x):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]).run(["y"], {"x": x})[0]
    return "ONNX Runtime", onnxruntime.__version__, run


def openvino():
    import openvino
    core = openvino.Core()

    def run(model, x):
        compiled = core.compile_model(core.read_model(io.BytesIO(model)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return compiled({"x": x})[compiled.output(0)]
    return "OpenVINO", openvino.__version__.split("-")[0], run


def opencv():
    import cv2

    def run(model, x):
        net = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
        net.setInput(x)
        return net.forward()
    classic = os.environ.get("OPENCV_FORCE_DNN_ENGINE") == "1"
    return "OpenCV dnn" + (", classic engine" if classic else ""), cv2.__version__, run


def reference():
    import onnx
    from onnx.reference import ReferenceEvaluator
    return "onnx.reference", onnx.__version__, lambda model, x: ReferenceEvaluator(model).run(None, {"x": x})[0]


def tvm():
    import onnx, tvm
    from tvm import relax
    from tvm.relax.frontend.onnx import from_onnx

    def run(model, x):
        module = from_onnx(onnx.load_from_string(model), keep_params_in_input=False)
        module = relax.transform.DecomposeOpsForInference()(module)
        virtual = relax.VirtualMachine(tvm.compile(module, "llvm"), tvm.cpu())
        return virtual["main"](tvm.runtime.tensor(x)).numpy()
    return "TVM", tvm.__version__, run


def iree():
    from importlib.metadata import version
    import iree.compiler, iree.runtime
    folder, functions_of = tempfile.TemporaryDirectory(), {}
    path = lambda name: os.path.join(folder.name, name)

    def compiled(model):
        with open(path("m.onnx"), "wb") as file:
            file.write(model)
        importer = os.path.join(os.path.dirname(sys.executable), "iree-import-onnx")
        subprocess.run([importer, path("m.onnx"), "-o", path("m.mlir")], check=True)
        binary = iree.compiler.tools.compile_file(path("m.mlir"), target_backends=["llvm-cpu"],
                                                  extra_args=["--iree-llvmcpu-target-cpu=host"])
        context = iree.runtime.SystemContext(config=iree.runtime.Config("local-task"))
        context.add_vm_module(iree.runtime.VmModule.copy_buffer(context.instance, binary))
        return context.modules.module.probe

    def run(model, x):
        functions_of[model] = functions_of.get(model) or compiled(model)
        return functions_of[model](x).to_host()
    return "IREE", version("iree-base-compiler"), run


name, version, run = {"onnxruntime": onnxruntime, "openvino": openvino, "opencv": opencv, "reference": reference,
                      "tvm": tvm, "iree": iree}[os.environ["ENGINE"]]()
measure(name, version, functions(run))
