"""networks.py - networks for engines to run, and the verdict on what they make of them.

network(name) gives one of `incv3v1`, `small` (small.json), or what Keras wrote of its applications (tests/vectors/keras):
`MobileNetV2`, `ResNet50`, `DenseNet121`; each with parameters drawn at random and the statistics of a batch of fer's own, so
that folding BatchNormalization changes every kernel. judge() has `fer64 verify` look at the outputs of an engine."""
import gzip
import json
import os
import subprocess
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
FER64 = os.environ.get("FER64", "./fer64")
FOLDER = os.path.join(os.environ.get("ENGINES", "build"), "networks")
SIZES = {"incv3v1": 48, "MobileNetV2": 64, "ResNet50": 64, "DenseNet121": 64}


class Network:
    """layers: of the JSON file, each with `takes`; x [N,H,W,C]; weights by name; shapes of all outputs; `shown`, the layers
    whose outputs an engine that fuses has to show."""

    def __init__(self, name):
        self.name, self.folder = name, os.path.join(FOLDER, name)
        self.path = os.path.join(self.folder, "model.json")
        if not os.path.exists(os.path.join(self.folder, "inference.npz")):
            os.makedirs(self.folder, exist_ok=True)
            self.make()
        with open(self.path) as file:
            self.layers = json.load(file)["config"]["layers"]
        arrays = dict(np.load(os.path.join(self.folder, "inference.npz")))
        self.x = arrays["input"].astype(np.float32)
        self.weights = dict(np.load(os.path.join(self.folder, "weights.npz")))
        self.shapes = {name[:-len("/output")]: a.shape for name, a in arrays.items() if name.endswith("/output")}
        for layer in self.layers:
            layer["takes"] = [edge[0] for edge in layer["inbound_nodes"][0]] if layer["inbound_nodes"] else []
        hidden = ("InputLayer", "Conv2D", "DepthwiseConv2D", "BatchNormalization", "ZeroPadding2D", "Dropout", "Dense")
        self.shown = [l["name"] for l in self.layers if l["class_name"] not in hidden] + [self.layers[-1]["name"]]

    def make(self):
        model = ["--size", str(SIZES[self.name])] if self.name in SIZES else []
        if self.name == "small":
            model += ["--model", os.path.join(HERE, "small.json")]
        elif self.name != "incv3v1":
            source = os.path.join(self.folder, "source.json")
            packed = os.path.join(HERE, "..", "vectors", "keras", self.name + "-3.json.gz")
            with gzip.open(packed) as whole, open(source, "wb") as file:
                file.write(whole.read())
            model += ["--model", source]
        with open(self.path, "w") as file:
            subprocess.run([FER64, "summary", "--json"] + model, check=True, stdout=file)
        path, random = lambda name: os.path.join(self.folder, name), np.random.default_rng(5)
        model = ["--model", self.path, "--batch", "2", "--seed", "1"]

        def record(*options):
            subprocess.run([FER64, "record", *model, *options], check=True, stdout=subprocess.DEVNULL)

        record("-o", path("step.npz"))
        step = np.load(path("step.npz"))
        weights = {n: step[n].astype(np.float32) for n in step if n + "_new" in step}
        for name, a in weights.items():
            kind = name.rsplit("/", 1)[1]
            if kind in ("gamma", "moving_variance"):
                weights[name] = random.uniform(0.5, 1.5, a.shape).astype(np.float32)
            elif kind in ("beta", "bias", "moving_mean"):
                weights[name] = random.normal(0, 0.2, a.shape).astype(np.float32)
        np.savez(path("weights.npz"), **weights)
        record("--weights", path("weights.npz"), "--bn-momentum", "0", "-o", path("step.npz"))
        step = np.load(path("step.npz"))
        weights.update({n: step[n + "_new"].astype(np.float32) for n in weights if "/moving_" in n})
        np.savez(path("weights.npz"), **weights)
        record("--weights", path("weights.npz"), "--inference", "-o", path("inference.npz"))
        os.remove(path("step.npz"))


def network():
    """The one that is asked for."""
    return Network(os.environ["NETWORK"])


def keras_model(net):
    """The network as Keras 3 reads it, with its parameters."""
    import keras
    with open(net.path) as file:
        model = keras.models.model_from_json(file.read())
    for layer in model.layers:
        for v in layer.weights:
            name = v.path.split("/")[-1]
            v.assign(net.weights[layer.name + "/" + name])
    return model


def nchw(net, weights):
    """Weights as PyTorch has them."""
    turned = {}
    for layer in net.layers:
        kinds = [n for n in weights if n.rsplit("/", 1)[0] == layer["name"]]
        for n in kinds:
            a = weights[n]
            if layer["class_name"] == "DepthwiseConv2D" and a.ndim == 4: # [h,w,c,m] to [c*m,1,h,w]
                a = a.transpose(2, 3, 0, 1).reshape(-1, 1, *a.shape[:2])
            elif a.ndim == 4:
                a = a.transpose(3, 2, 0, 1)
            turned[n] = a.T if a.ndim == 2 else a
    return turned


def keep(name, arrays):
    """Records of `small` become those of tests/vectors/engines; each run of it has the same parameters."""
    if os.environ.get("KEEP") and name == "small":
        net = Network(name)
        np.savez_compressed(os.path.join(os.environ["KEEP"], "parameters.npz"), input=net.x, **net.weights)
        np.savez_compressed(os.path.join(os.environ["KEEP"], os.environ["ROW"] + ".npz"), **arrays)


def judge(engine, version, net, outputs, *options, layout="nhwc"):
    """The verdict on an inference: outputs by the layers' names."""
    record = {name + "/output": np.asarray(a) for name, a in outputs.items()}
    keep(net.name, record)
    x, weights = net.x, net.weights
    if layout == "nchw":
        x, weights = x.transpose(0, 3, 1, 2), nchw(net, weights)
    arrays = dict(record, input=x, **weights)
    verdict(engine, version, net.name, net.folder, arrays, "--inference", "--layout", layout, *options)


def verdict(engine, version, name, folder, arrays, *options):
    """`fer64 verify` on a record, told as one line of JSON."""
    path = os.path.join(folder, os.environ["ROW"] + ".npz")
    np.savez(path, **{n: np.ascontiguousarray(a) for n, a in arrays.items()})
    run = subprocess.run([FER64, "verify", path, "--model", os.path.join(folder, "model.json"), "--json", *options],
                         stdout=subprocess.PIPE, check=False)
    result = json.loads(run.stdout)
    os.remove(path)
    rows = [r for r in result["arrays"] if r["verdict"] != "not checkable"]
    fault = ["%s %s" % (r["array"], r["verdict"]) for r in rows if r["verdict"] != "ok"]
    print(json.dumps({"engine": engine, "version": version, "network": name, "options": " ".join(options),
                      "status": run.returncode, "checked": len(rows), "fault": fault,
                      "likely": max([float(r["likely_ratio"] or 0) for r in rows] or [0]),
                      "weak": ["%s sees %.1e" % (r["array"], r["sees"]) for r in rows if r.get("weak")]}))
