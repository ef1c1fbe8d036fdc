"""onnx_model.py - an ONNX classifier of fer's layers: model.json, weights.npz, and what ONNX Runtime computes as record.npz.

    python3 onnx_model.py MODEL.onnx DIR

Then `fer64 verify DIR/record.npz --model DIR/model.json --inference --layout nchw`. A layer is named by the tensor that its
node writes; one that pads has a ZeroPadding2D before it. Needs numpy, onnx and onnxruntime."""
import json, os, sys
import numpy as np, onnx, onnxruntime
from onnx import helper, numpy_helper

PLAIN = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Elu": "elu", "Softmax": "softmax", "Identity": "linear"}
OTHER = {"Add": "Add", "Mul": "Multiply", "Concat": "Concatenate", "Flatten": "Flatten", "Dropout": "Dropout", "Pad": "ZeroPadding2D"}


def layer(op, a, w):
    """Keras's class and settings, and what the node's weights w are. A KeyError names what fer has no layer for."""
    strides = {"strides": a.get("strides", [1, 1])}
    if op == "Conv":
        return "Conv2D", dict(strides, filters=len(w[0]), kernel_size=w[0].shape[2:], groups=a.get("group", 1), use_bias=len(w) > 1,
                              dilation_rate=a.get("dilations", [1, 1])), ["kernel", "bias"]
    if op == "Gemm":
        return "Dense", {"units": len(w[0] if a.get("transB") else w[0].T), "use_bias": len(w) > 1}, ["kernel", "bias"]
    if op == "BatchNormalization":
        return op, {"epsilon": a.get("epsilon", 1e-5)}, ["gamma", "beta", "moving_mean", "moving_variance"]
    if op in ("MaxPool", "AveragePool") and not a.get("ceil_mode"):
        return op + "ing2D", dict(strides, pool_size=a["kernel_shape"]), []
    if op in ("GlobalAveragePool", "GlobalMaxPool"):
        return op + "ing2D", {"keepdims": True}, []
    if op in ("Clip", "LeakyRelu"):
        return "ReLU", {"max_value": float(w[1])} if op == "Clip" else {"negative_slope": a.get("alpha", 0.01)}, []
    return ("Activation", {"activation": PLAIN[op]}, []) if op in PLAIN else (OTHER[op], {}, [])


short = lambda tensor: tensor.replace("_output_0", "")[-59:] # of "/features/conv0/Conv_output_0"; fer takes 63 characters


def main(path, folder):
    model = onnx.load(path)
    known = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    known.update({n.output[0]: numpy_helper.to_array(n.attribute[0].t) for n in model.graph.node if n.op_type == "Constant"})
    known.update({n.output[0]: known[n.input[0]] for n in model.graph.node if n.op_type == "Identity" and n.input[0] in known})
    nodes = [n for n in model.graph.node if n.output[0] not in known]
    image = [i for i in model.graph.input if i.name not in known][0]
    count, c, h, w = [d.dim_value or 2 for d in image.type.tensor_type.shape.dim]
    layers, arrays = [{"class_name": "InputLayer", "name": short(image.name), "config": {"shape": [h, w, c]}}], {}
    for n in nodes:
        a = {x.name: helper.get_attribute_value(x) for x in n.attribute}
        weights, take = [known[i] for i in n.input if i in known], [short(i) for i in n.input if i and i not in known]
        kind, config, names = layer(n.op_type, a, weights)
        t, l, b, r = a.get("pads", [0] * 4) if n.op_type != "Pad" else weights[0][[2, 3, 6, 7]].tolist()
        name = short(n.output[0])
        here = name if n.op_type == "Pad" else name + "_pad"
        if t or l or b or r or n.op_type == "Pad": # a padded maximum: of inputs that are not negative
            pad = {"class_name": "ZeroPadding2D", "name": here, "config": {"padding": [[t, b], [l, r]]}, "inbound_nodes": take}
            layers, take = layers + [pad], [here]
        if n.op_type != "Pad":
            layers.append({"class_name": kind, "name": name, "config": config, "inbound_nodes": take})
        turned = lambda w: w.T if n.op_type == "Gemm" and w.ndim == 2 and not a.get("transB") else w # [O,I]
        arrays.update({name + "/" + p: turned(w) for p, w in zip(names, weights)})
    last, logits = nodes[-1].output[0], nodes[-1].op_type != "Softmax"
    if logits:
        layers[-1]["config"]["activation"] = "softmax"
    config = {"layers": layers, "input_layers": [short(image.name)], "output_layers": [short(last)]}
    with open(os.path.join(folder, "model.json"), "w") as out:
        json.dump({"class_name": "Functional", "config": config}, out, indent=1)
    np.savez(os.path.join(folder, "weights.npz"), **arrays)
    chosen = [n.output[0] for n in nodes] # take fewer, and verify goes through what is not there
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in chosen if name != last)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).random((count, c, h, w), np.float32)
    for name, y in zip(chosen, session.run(chosen, {image.name: x})):
        arrays[short(name) + ("/logits" if logits and name == last else "/output")] = y
    np.savez(os.path.join(folder, "record.npz"), input=x, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
