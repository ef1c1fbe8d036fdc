"""onnx_model.py - an ONNX classifier of fer's layers: model.json, weights.npz, and by ONNX Runtime record.npz.

    python3 onnx_model.py MODEL.onnx DIR

Then `fer64 verify DIR/record.npz --model DIR/model.json --inference --layout nchw`. A layer is named by the tensor that
its node writes; one that pads (a maximum: of inputs above 0) has a ZeroPadding2D before it."""
import json, os, sys
import numpy as np, onnx, onnxruntime
from onnx import helper, numpy_helper

ACTIVATIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Elu": "elu", "Softmax": "softmax",
               "Identity": "linear"}
OTHER = {"Add": "Add", "Mul": "Multiply", "Concat": "Concatenate", "Flatten": "Flatten", "Dropout": "Dropout",
         "Pad": ""}
POOL = lambda kind: lambda a, w: (kind, {"pool_size": a["kernel_shape"], "strides": a.get("strides", [1, 1])}, [])
SETTINGS = { # Keras's class and settings by the node's attributes a and weights w, and the weights' names
    "Conv": lambda a, w: ("Conv2D", {"filters": len(w[0]), "kernel_size": w[0].shape[2:], "groups": a.get("group", 1),
                                     "strides": a.get("strides", [1, 1]), "dilation_rate": a.get("dilations", [1, 1]),
                                     "use_bias": len(w) > 1}, ["kernel", "bias"]),
    "Gemm": lambda a, w: ("Dense", {"units": w[0].shape[not a.get("transB")], "use_bias": len(w) > 1},
                             ["kernel", "bias"]),
    "BatchNormalization": lambda a, w: ("BatchNormalization", {"epsilon": a.get("epsilon", 1e-5)},
                                        ["gamma", "beta", "moving_mean", "moving_variance"]),
    "MaxPool": POOL("MaxPooling2D"), "AveragePool": POOL("AveragePooling2D"),
    "GlobalAveragePool": lambda a, w: ("GlobalAveragePooling2D", {"keepdims": True}, []),
    "GlobalMaxPool": lambda a, w: ("GlobalMaxPooling2D", {"keepdims": True}, []),
    "Clip": lambda a, w: ("ReLU", {"max_value": float(w[1])}, []),
    "LeakyRelu": lambda a, w: ("ReLU", {"negative_slope": a.get("alpha", 0.01)}, [])}
SETTINGS.update({op: lambda a, w, f=f: ("Activation", {"activation": f}, []) for op, f in ACTIVATIONS.items()})
SETTINGS.update({op: lambda a, w, name=name: (name, {}, []) for op, name in OTHER.items()})
short = lambda tensor: tensor.replace("_output_0", "")[-59:] # fer takes 63 characters


def main(path, folder):
    model = onnx.load(path)
    known = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    for n in model.graph.node:
        if n.op_type == "Constant" or n.op_type == "Identity" and n.input[0] in known:
            known[n.output[0]] = known[n.input[0]] if n.input else numpy_helper.to_array(n.attribute[0].t)
    nodes = [n for n in model.graph.node if n.output[0] not in known]
    image = [i for i in model.graph.input if i.name not in known][0]
    count, c, h, w = [d.dim_value or 2 for d in image.type.tensor_type.shape.dim]
    layers, arrays = [{"class_name": "InputLayer", "name": short(image.name), "config": {"shape": [h, w, c]}}], {}
    for n in nodes:
        a = {x.name: helper.get_attribute_value(x) for x in n.attribute}
        weights, take = [known[i] for i in n.input if i in known], [short(i) for i in n.input if i and i not in known]
        kind, config, names = SETTINGS[n.op_type](a, weights) # KeyError: fer has no such layer
        assert not a.get("ceil_mode") and a.get("auto_pad", b"NOTSET") == b"NOTSET", n
        name, (t, l, b, r) = short(n.output[0]), a.get("pads", [0] * 4) if kind else weights[0][[2, 3, 6, 7]].tolist()
        if t or l or b or r or not kind:
            padding = {"class_name": "ZeroPadding2D", "config": {"padding": [[t, b], [l, r]]}, "inbound_nodes": take}
            layers, take = layers + [dict(padding, name=name + "_pad" if kind else name)], [name + "_pad"]
        layers += [{"class_name": kind, "name": name, "config": config, "inbound_nodes": take}] if kind else []
        turned = n.op_type == "Gemm" and not a.get("transB") # fer's nchw has [out, in]
        arrays.update({name + "/" + p: w.T if turned and w.ndim == 2 else w for p, w in zip(names, weights)})
    last, logits = nodes[-1].output[0], nodes[-1].op_type != "Softmax"
    layers[-1]["config"].update({"activation": "softmax"} if logits else {})
    config = {"layers": layers, "input_layers": [short(image.name)], "output_layers": [short(last)]}
    with open(os.path.join(folder, "model.json"), "w") as out:
        json.dump({"class_name": "Functional", "config": config}, out)
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
