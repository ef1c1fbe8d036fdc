"""ONNX models of one operator, or a few, run by ONNX Runtime, called as `fer op` has them. For cases_onnxruntime.py."""
import numpy as np, onnx, onnxruntime
from onnx import helper

def run(nodes, outputs="y", **arrays):
    """nodes: ("Conv", "x kernel bias", "y", {attributes}), ...; the arrays are the graph's inputs."""
    kind = lambda a: helper.np_dtype_to_tensor_dtype(a.dtype)
    inputs = [helper.make_tensor_value_info(name, kind(a), a.shape) for name, a in arrays.items()]
    results = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in outputs.split()]
    made = [helper.make_node(name, i.split(), o.split(), **(more[0] if more else {})) for name, i, o, *more in nodes]
    model = helper.make_model(helper.make_graph(made, "case", inputs, results), opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip(outputs.split(), session.run(None, arrays)))

def of_image(nodes, x, outputs="y", **arrays):                                          # NHWC outside, NCHW inside
    answer = run(nodes, outputs, x=np.moveaxis(x, -1, 1).copy(), **arrays)
    return dict(answer, y=np.moveaxis(answer["y"], 1, -1))

def window(o, size, k, strides="1,1"):
    s, d = (list(map(int, o.get(*option).split(","))) for option in (("strides", strides), ("dilation", "1,1")))
    p, need = o.get("padding", "valid"), [max((-(-size[i] // s[i]) - 1) * s[i] + (k[i] - 1) * d[i] + 1 - size[i], 0) for i in (0, 1)]
    less, more = [n // 2 for n in need], [n - n // 2 for n in need]
    named = {"valid": [0] * 4, "same": less + more, "same_lower": more + less}
    pads = [int(p.split(",")[i]) for i in (0, 2, 1, 3)] if "," in p else named[p]
    return dict(kernel_shape=list(k), strides=s, pads=pads, **(dict(dilations=d) if "dilation" in o else {}))

def conv2d(o, x, kernel, bias=None, depthwise=False):
    k = kernel.reshape(*kernel.shape[:2], 1, -1) if depthwise else kernel
    node = ("Conv", "x kernel" + ("" if bias is None else " bias"), "y",
            dict(window(o, x.shape[1:], k.shape[:2]), group=x.shape[3] if depthwise else int(o.get("groups", 1))))
    return of_image([node], x, kernel=k.transpose(3, 2, 0, 1).copy(), **({} if bias is None else dict(bias=bias)))

def pool2d(o, x, name="MaxPool"):
    pool = o.get("pool", "2,2")
    more = dict(window(o, x.shape[1:], list(map(int, pool.split(","))), pool), ceil_mode=int(o.get("ceil", 0)))
    counts = {} if name == "MaxPool" else dict(count_include_pad=int(o.get("count-include-pad", 0)))
    return of_image([(name, "x", "y", dict(more, **counts))], x)

def batch_normalization(o, x, gamma=None, beta=None, moving_mean=None, moving_variance=None):
    given = (gamma, 1), (beta, 0), (moving_mean, 0), (moving_variance, 1)
    g, b, m, v = (np.full(x.shape[-1], otherwise, "f4") if a is None else a for a, otherwise in given)
    training = o.get("training") != "0"
    node = ("BatchNormalization", "x g b m v", "y" + " moving_mean moving_variance" * training,
            dict(epsilon=float(o.get("epsilon", 1e-3)), momentum=float(o.get("momentum", 0.99)), training_mode=int(training)))
    answer = of_image([node], x, "y moving_mean moving_variance" if training else "y", g=g, b=b, m=m, v=v)
    return answer if o.get("moving-variance") == "biased" else dict(y=answer["y"])

def relu(o, x):
    most, slope = o.get("max-value"), float(o.get("negative-slope", 0))
    first = ("LeakyRelu", "x", "t", dict(alpha=slope)) if slope else ("Relu", "x", "t")
    ends = dict(least=np.array(-np.inf if slope else 0, "f4"), most=np.array(most, "f4")) if most else {}
    return run([first, ("Clip", "t least most", "y") if most else ("Identity", "t", "y")], x=x, **ends)

def edges(o, x):
    t, b, l, r = map(int, o.get("padding", "1,1,1,1").split(","))
    return run([("Pad", "x pads", "y")], x=x, pads=np.array([0, t, l, 0, 0, b, r, 0]))

def crop(o, x):
    t, b, l, r = map(int, o.get("cropping", "1,1,1,1").split(","))
    end = np.array(x.shape[1:3]) - [b, r]
    return run([("Slice", "x first end axes", "y")], x=x, first=np.array([t, l]), end=end, axes=np.array([1, 2]))
