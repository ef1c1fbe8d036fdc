"""onnx_model.py - an ONNX classifier of fer's layers: model.json, weights.npz, and by ONNX Runtime record.npz.

    python3 onnx_model.py MODEL.onnx DIR

Then `fer64 verify DIR/record.npz --model DIR/model.json --inference --layout nchw`. A layer is named by the tensor that
its node writes; one that pads (a maximum: of inputs above 0) has a ZeroPadding2D before it."""
import json, pathlib, sys, numpy as np, onnx, onnxruntime

KINDS = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Elu": "elu", "Softmax": "softmax", "Identity": "linear",
         "Add": "Add", "Mul": "Multiply", "Concat": "Concatenate", "Flatten": "Flatten", "Dropout": "Dropout"}
POOL = lambda name: lambda a, w: (name, {"pool_size": a["kernel_shape"], "strides": a["strides"]})
GLOBAL = lambda name: lambda a, w: (name, {"keepdims": True})
SETTINGS = { # Keras's class and settings by the node's attributes a and weights w; small letters: an activation
    **{op: lambda a, w, name=name: ("Activation", {"activation": name}) if name.islower() else (name, {})
       for op, name in KINDS.items()},
    "Conv": lambda a, w: ("Conv2D", {"filters": len(w[0]), "kernel_size": w[0].shape[2:], "strides": a["strides"],
                                     "groups": a["group"], "dilation_rate": a["dilations"], "use_bias": len(w) > 1}),
    "Gemm": lambda a, w: ("Dense", {"units": w[0].shape[not a["transB"]], "use_bias": len(w) > 1}),
    "BatchNormalization": lambda a, w: ("BatchNormalization", {"epsilon": a["epsilon"]}),
    "MaxPool": POOL("MaxPooling2D"), "AveragePool": POOL("AveragePooling2D"),
    "GlobalMaxPool": GLOBAL("GlobalMaxPooling2D"), "GlobalAveragePool": GLOBAL("GlobalAveragePooling2D"),
    "LeakyRelu": lambda a, w: ("ReLU", {"negative_slope": a["alpha"]}),
    "Clip": lambda a, w: ("ReLU", {"max_value": float(w[1])}),
    "Pad": lambda a, w: ("ZeroPadding2D", {"padding": w[0][[[2, 6], [3, 7]]].tolist()})}
NAMES = {"Conv": "kernel bias", "Gemm": "kernel bias", "BatchNormalization": "gamma beta moving_mean moving_variance"}
UNSET = {"strides": [1, 1], "dilations": [1, 1], "pads": 4*[0], "group": 1, "epsilon": 1e-5, "alpha": .01, "transB": 0}
short = lambda tensor: tensor.replace("_output_0", "")[-59:] # fer takes 63 characters

model, folder = onnx.load(sys.argv[1]), pathlib.Path(sys.argv[2])
known = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
for n in model.graph.node:
    if n.op_type == "Constant" or n.op_type == "Identity" and n.input[0] in known:
        known[n.output[0]] = known[n.input[0]] if n.input else onnx.numpy_helper.to_array(n.attribute[0].t)
nodes = [n for n in model.graph.node if n.output[0] not in known]
image = [i for i in model.graph.input if i.name not in known][0]
count, c, h, w = [d.dim_value or 2 for d in image.type.tensor_type.shape.dim]
layers, arrays = [("InputLayer", short(image.name), {"shape": [h, w, c]}, [])], {} # class, name, settings, inputs
for n in nodes:
    a, name = {**UNSET, **{x.name: onnx.helper.get_attribute_value(x) for x in n.attribute}}, short(n.output[0])
    assert not a.get("ceil_mode") and a.get("auto_pad", b"NOTSET") == b"NOTSET", n
    weights, take = [known[i] for i in n.input if i in known], [short(i) for i in n.input if i and i not in known]
    kind, config = SETTINGS[n.op_type](a, weights) # KeyError: fer has no such layer
    if any(a["pads"]): # top, left, bottom, right
        layers.append(("ZeroPadding2D", name + "_pad", {"padding": np.reshape(a["pads"], (2, 2)).T.tolist()}, take))
        take = [name + "_pad"]
    layers.append((kind, name, config, take))
    named = zip(NAMES.get(n.op_type, "").split(), weights)
    arrays.update({name + "/" + p: w.T if w.ndim == 2 and not a["transB"] else w for p, w in named}) # nchw: [out, in]
config["activation"], logits = "softmax", n.op_type != "Softmax" # models end with one or the other
layers = [dict(zip(("class_name", "name", "config", "inbound_nodes"), layer)) for layer in layers]
config = {"layers": layers, "input_layers": [short(image.name)], "output_layers": [name]}
(folder / "model.json").write_text(json.dumps({"class_name": "Functional", "config": config}))
np.savez(folder / "weights.npz", **arrays)
chosen, x = [n.output[0] for n in nodes], np.random.default_rng(1).random((count, c, h, w), np.float32)
model.graph.output.extend(map(onnx.helper.make_empty_tensor_value_info, chosen[:-1]))
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
arrays.update(zip([short(t) + "/output" for t in chosen], session.run(chosen, {image.name: x})), input=x)
arrays.update({name + "/logits": arrays.pop(name + "/output")} if logits else {})
np.savez(folder / "record.npz", **arrays)
