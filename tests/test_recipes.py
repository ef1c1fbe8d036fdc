#!/usr/bin/env python3
"""The recipes of tests/examples for any model: what they write of small networks passes `fer64 verify`.

    test_recipes.py FER64 pytorch|keras|onnx

Needs numpy, and torch, keras (2, or 3 on JAX) or onnx and onnxruntime."""
import json
import os
import subprocess
import sys

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "" # float32 proper
import numpy as np

FER64, WHICH = sys.argv[1:3]
FOLDER = os.path.join(os.environ.get("SCRATCH", "build/tmp"), "recipes_" + WHICH)
RECORD, MODEL = os.path.join(FOLDER, "record.npz"), os.path.join(FOLDER, "model.json")
os.makedirs(FOLDER, exist_ok=True)
sys.path.insert(0, os.path.join("tests", "examples"))
passed = failed = 0


def check(what, fact, shown=""):
    global passed, failed
    passed += bool(fact)
    failed += not fact
    if not fact:
        print("FAILED: %s %s" % (what, shown))


def verify(what, least, *options):
    """At least so many arrays are checked, and none is at fault."""
    command = [FER64, "verify", RECORD, "--model", MODEL] + list(options)
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    rows = run.stdout.splitlines()
    counted = [int(row.split()[0]) for row in rows if " arrays checked: " in row]
    sound = run.returncode == 0 and counted and counted[0] >= least
    check(what, sound, "exit status %d\n%s\n%s" % (run.returncode, run.stderr,
                                                   "\n".join(row for row in rows if not row.endswith("ok"))))


def pytorch():
    import torch
    from torch import nn
    from pytorch_model import export

    class Block(nn.Module):
        """Depthwise and 1x1 with a way around them, beside a pooled branch."""
        def __init__(self, c):
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(c, c, 3, padding=1, groups=c, bias=False), nn.BatchNorm2d(c),
                                      nn.ReLU6(inplace=True),
                                      nn.Conv2d(c, c, 1, bias=False), nn.BatchNorm2d(c))
            self.relu, self.pool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 1, padding=1)

        def forward(self, x):
            y = self.body(x)
            y += x
            y = self.relu(y)
            return torch.cat([y, self.pool(y)], 1)

    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(3, 8, (3, 5), 2, padding=(1, 2)), nn.ReLU(), Block(8), nn.AvgPool2d(2),
                          nn.Conv2d(16, 8, 2),
                          nn.SiLU(), nn.Flatten(), nn.Linear(8 * 9, 16), nn.Tanh(), nn.Dropout(0.25), nn.Linear(16, 7))
    x, labels = torch.rand(4, 3, 16, 16), torch.tensor([0, 6, 3, 3])
    export(FOLDER, model, x)
    verify("an inference of PyTorch", 23, "--inference", "--layout", "nchw")
    export(FOLDER, model, x, labels, torch.optim.Adam(model.parameters(), eps=1e-7))
    verify("a step of PyTorch", 70, "--layout", "nchw", "--adam", "pytorch", "--ties", "any")


def keras():
    import keras
    import keras_model
    with open(os.path.join("tests", "examples", "sequential.json")) as file:
        short = json.load(file)
    short["module"] = "keras" # which Keras 3 wants
    model = keras.models.model_from_json(json.dumps(short))
    weights, two = keras_model.weights(model), keras.__version__.startswith("2")
    keras_model.load(model, {name: 2 * value for name, value in weights.items()})
    keras_model.load(model, weights)
    for file in "model.keras", "model.h5", "model.weights.h5":
        path, text = os.path.join(FOLDER, file), model.to_json()
        (model.save_weights if "weights" in file else model.save)(path)
        again = keras.models.model_from_json(text) if "weights" in file else keras.models.load_model(path)
        if "weights" in file:
            again.load_weights(path)
        got = keras_model.weights(again)
        check(file, sorted(got) == sorted(weights) and all(np.array_equal(got[name], weights[name]) for name in got))
    with open(MODEL, "w") as out:
        out.write(model.to_json())
    x, labels = np.random.default_rng(1).random((4, 48, 48, 1), np.float32), np.array([0, 6, 3, 3])
    keras_model.inference(RECORD, model, x)
    verify("an inference of Keras", 10, "--inference")
    if keras.backend.backend() == "jax":
        from keras_jax import training
    else:
        from keras_tensorflow import training
    training(RECORD, model, keras.optimizers.Adam(), x, labels)
    verify("a step of Keras", 35, *[] if two else ["--bn-moving-variance", "biased"])


def onnx():
    from onnx import TensorProto, helper, numpy_helper, save
    random, node = np.random.default_rng(1), helper.make_node
    shapes = {"k": (8, 3, 3, 3), "kb": (8,), "g": (8,), "b": (8,), "m": (8,), "v": (8,), "d": (8, 1, 3, 3), "w": (7,
            16), "wb": (7,)}
    known = [numpy_helper.from_array(random.uniform(0.1, 1, s).astype(np.float32), n) for n, s in shapes.items()]
    known += [numpy_helper.from_array(np.float32(value), n) for n, value in (("zero", 0), ("six", 6))]
    known.append(numpy_helper.from_array(np.array([0, 0, 1, 0, 0, 0, 1, 2]), "edges"))
    nodes = [node("Conv", ["image", "k", "kb"], ["c"], pads=[1, 1, 1, 1], strides=[2, 2]),
             node("BatchNormalization", ["c", "g", "b", "m", "v"], ["n"]), node("Clip", ["n", "zero", "six"], ["r"]),
             node("Pad", ["r", "edges"], ["p"]), node("Conv", ["p", "d"], ["e"], group=8), node("Relu", ["e"], ["f"]),
             node("MaxPool", ["f"], ["q"], kernel_shape=[2, 2], strides=[2, 2]),
             node("AveragePool", ["f"], ["a"], kernel_shape=[2, 2], strides=[2, 2]), node("Add", ["q", "a"], ["s"]),
             node("Mul", ["q", "s"], ["t"]), node("Concat", ["s", "t"], ["u"], axis=1), node("GlobalAveragePool", ["u"],
            ["h"]),
             node("Flatten", ["h"], ["l"]), node("Gemm", ["l", "w", "wb"], ["z"], transB=1), node("Softmax", ["z"],
            ["y"], axis=1)]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [2, 3, 12, 12])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 7])
    model = helper.make_model(helper.make_graph(nodes, "small", [image], [y], known),
                              opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    path = os.path.join(FOLDER, "small.onnx")
    save(model, path)
    subprocess.run([sys.executable, os.path.join("tests", "examples", "onnx_model.py"), path, FOLDER], check=True)
    verify("ONNX Runtime", 14, "--inference", "--layout", "nchw")


{"pytorch": pytorch, "keras": keras, "onnx": onnx}[WHICH]()
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
