"""onnx_graphs.py - probes.py's functions for whatever runs ONNX: graphs of one node or two, opset 17.

functions(run) makes them; run(model, x) is given the serialized model, which takes `x` [N,C,H,W] and gives `y`."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

nchw = lambda a: np.ascontiguousarray(a.transpose(0, 3, 1, 2)) if a.ndim == 4 else a
nhwc = lambda a: np.asarray(a).transpose(0, 2, 3, 1) if np.ndim(a) == 4 else np.asarray(a)


def graph(nodes, shape, rank, weights):
    """nodes: (operator, inputs, output, attributes)."""
    made = [helper.make_node(kind, inputs, [output], **attributes) for kind, inputs, output, attributes in nodes]
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * rank)]
    known = [numpy_helper.from_array(np.ascontiguousarray(a), name) for name, a in weights.items()]
    return helper.make_model(helper.make_graph(made, "probe", ends[:1], ends[1:], known),
                             opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def functions(run):
    def of(kind, x, inputs=("x",), weights={}, **attributes):
        x = nchw(x)
        return nhwc(run(graph([(kind, list(inputs), "y", attributes)], x.shape, x.ndim, weights), x))

    def pads(padding):
        return {"auto_pad": "SAME_UPPER"} if padding == "same" else {"pads": [0 if padding == "valid" else padding] * 4}

    def conv(x, kernel, strides, padding):
        return of("Conv", x, ("x", "k"), {"k": kernel.transpose(3, 2, 0, 1)}, strides=[strides] * 2, **pads(padding))

    def pool(kind, x, size, strides, padding, **more):
        return of(kind, x, kernel_shape=[size] * 2, strides=[strides] * 2, **pads(padding), **more)

    def batch_norm(x, training, gamma, beta, mean, variance, momentum, epsilon):
        if training:
            from probes import Missing
            raise Missing("no training")
        weights = dict(zip("gbmv", (gamma, beta, mean, variance)))
        more = {} if epsilon is None else {"epsilon": epsilon}
        return of("BatchNormalization", x, "xgbmv", weights, **more), None, None

    def conv_bn(x, kernel, gamma, beta, mean, variance):
        x, weights = nchw(x), dict(zip("gbmv", (gamma, beta, mean, variance)), k=kernel.transpose(3, 2, 0, 1))
        nodes = [("Conv", ["x", "k"], "c", {}), ("BatchNormalization", list("cgbmv"), "y", {})]
        return nhwc(run(graph(nodes, x.shape, 4, weights), x))

    return {"conv": conv, "batch_norm": batch_norm, "conv_bn": conv_bn,
            "max_pool": lambda *a: pool("MaxPool", *a), "average_pool": lambda *a: pool("AveragePool", *a),
            "average_pool_ceil": lambda *a: pool("AveragePool", *a, ceil_mode=1),
            "relu": lambda x: of("Relu", x), "sigmoid": lambda x: of("Sigmoid", x),
            "hard_sigmoid": lambda x: of("HardSigmoid", x), "leaky_relu": lambda x: of("LeakyRelu", x)}
