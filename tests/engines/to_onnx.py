"""to_onnx.py - a network of networks.py as ONNX, [N,C,H,W]; its outputs are those that `shown` names."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softmax": "Softmax", "linear": "Identity"}


def pair(value):
    return [value, value] if isinstance(value, int) else list(value)


def same(size, kernel, stride):
    """Cells before and behind: TensorFlow's rule."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Converter:
    def __init__(self, net):
        self.net, self.nodes, self.known = net, [], {}
        for layer in net.layers[1:]:
            getattr(self, layer["class_name"])(layer["name"], layer["config"], layer["takes"])

    def node(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))

    def weight(self, name, a):
        self.known[name] = np.ascontiguousarray(a, np.float32)
        return name

    def windows(self, take, size, strides, padding):
        pads = [0, 0, 0, 0]
        if padding == "same":
            h, w = self.net.shapes[take][1:3] if take in self.net.shapes else self.net.x.shape[1:3]
            (t, b), (l, r) = same(h, size[0], strides[0]), same(w, size[1], strides[1])
            pads = [t, l, b, r]
        return {"kernel_shape": size, "strides": strides, "pads": pads}

    def Conv2D(self, name, c, takes, depthwise=False):
        kernel = self.net.weights[name + "/kernel"]
        group = c.get("groups", 1)
        if depthwise:
            group = kernel.shape[2]
            kernel = kernel.transpose(2, 3, 0, 1).reshape(-1, 1, *kernel.shape[:2])
        else:
            kernel = kernel.transpose(3, 2, 0, 1)
        inputs = [takes[0], self.weight(name + "_kernel", kernel)]
        if name + "/bias" in self.net.weights:
            inputs.append(self.weight(name + "_bias", self.net.weights[name + "/bias"]))
        self.node("Conv", inputs, name, group=group, dilations=pair(c.get("dilation_rate", 1)),
                  **self.windows(takes[0], list(kernel.shape[2:]), pair(c.get("strides", 1)), c.get("padding", "valid")))

    def DepthwiseConv2D(self, name, c, takes):
        self.Conv2D(name, c, takes, True)

    def BatchNormalization(self, name, c, takes):
        channels, weights = self.net.weights[name + "/moving_mean"].size, self.net.weights
        default = {"gamma": np.ones(channels), "beta": np.zeros(channels)}
        inputs = [self.weight(name + "_" + p, weights.get(name + "/" + p, default.get(p)))
                  for p in ("gamma", "beta", "moving_mean", "moving_variance")]
        self.node("BatchNormalization", takes + inputs, name, epsilon=float(c.get("epsilon", 1e-3)))

    def Activation(self, name, c, takes):
        self.node(ACTIVATIONS[c["activation"]], takes, name, **({"axis": 1} if c["activation"] == "softmax" else {}))

    def ReLU(self, name, c, takes):
        limit = c.get("max_value")
        if limit is None:
            return self.node("Relu", takes, name)
        self.node("Clip", takes + [self.weight("zero", np.array(0)), self.weight("six", np.array(limit))], name)

    def MaxPooling2D(self, name, c, takes, kind="MaxPool"):
        size = pair(c.get("pool_size", 2))
        self.node(kind, takes, name, **self.windows(takes[0], size, pair(c.get("strides") or size), c.get("padding", "valid")))

    def AveragePooling2D(self, name, c, takes):
        self.MaxPooling2D(name, c, takes, "AveragePool")

    def GlobalAveragePooling2D(self, name, c, takes):
        self.node("GlobalAveragePool", takes, name + "_map")
        self.node("Flatten", [name + "_map"], name)

    def ZeroPadding2D(self, name, c, takes):
        (t, b), (l, r) = [pair(side) for side in pair(c["padding"])]
        self.known[name + "_pads"] = np.array([0, 0, t, l, 0, 0, b, r])
        self.node("Pad", takes + [name + "_pads"], name)

    def Concatenate(self, name, c, takes):
        self.node("Concat", takes, name, axis=1)

    def Add(self, name, c, takes):
        self.node("Add", takes, name)

    def Dense(self, name, c, takes):
        inputs = takes + [self.weight(name + "_" + p, self.net.weights[name + "/" + p]) for p in ("kernel", "bias")]
        self.node("Gemm", inputs, name + "_logits")
        self.Activation(name, c, [name + "_logits"])

    def model(self, batch):
        value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        turned = lambda s: [batch, s[3], s[1], s[2]] if len(s) == 4 else [batch, *s[1:]]
        outputs = [value(name, turned(self.net.shapes[name])) for name in self.net.shown]
        known = [numpy_helper.from_array(a, name) for name, a in self.known.items()]
        ends = [value(self.net.layers[0]["name"], turned(self.net.x.shape))]
        graph = helper.make_graph(self.nodes, self.net.name, ends, outputs, known)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def to_onnx(net, batch=None):
    return Converter(net).model(batch or len(net.x)).SerializeToString()
