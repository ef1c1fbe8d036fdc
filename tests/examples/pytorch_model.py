"""pytorch_model.py - any PyTorch classifier of fer's layers: model.json and record.npz, images [N,C,H,W] as they are.

    export("DIR", model, x)                                                            from pytorch_model import export
    export("DIR", model, x, labels, torch.optim.Adam(model.parameters(), eps=1e-7))    one training step

A layer has its node's name in torch.fx. What pads (of a maximum: inputs above 0) has a ZeroPadding2D before it."""
import json, operator as op, pathlib
import numpy as np, torch, torch.fx as fx, torch.nn as nn, torch.nn.functional as F

NAMES = {"weight": "kernel", "bias": "bias", "running_mean": "moving_mean", "running_var": "moving_variance"}
KINDS = {nn.ReLU: "relu", F.relu: "relu", nn.ReLU6: "relu6", nn.Sigmoid: "sigmoid", nn.Tanh: "tanh", nn.SiLU: "silu",
         nn.ELU: "elu", nn.Hardsigmoid: "hard_sigmoid", nn.Identity: "linear", nn.Flatten: "Flatten", torch.add: "Add",
         op.add: "Add", op.iadd: "Add", op.mul: "Multiply", torch.flatten: "Flatten", torch.cat: "Concatenate"}
POOL = lambda name: lambda m: (name, {"pool_size": m.kernel_size, "strides": m.stride})
GLOBAL = lambda m: ("GlobalAveragePooling2D", {"keepdims": True})
SETTINGS = { # Keras's class and settings; a name in small letters is that of an activation
    **{kind: lambda m, name=name: ("Activation", {"activation": name}) if name.islower() else (name, {})
       for kind, name in KINDS.items()},
    nn.Conv2d: lambda m: ("Conv2D", {"filters": m.out_channels, "kernel_size": m.kernel_size, "strides": m.stride,
                                     "groups": m.groups, "dilation_rate": m.dilation, "use_bias": m.bias is not None}),
    nn.BatchNorm2d: lambda m: ("BatchNormalization", {"epsilon": m.eps, "momentum": 1 - m.momentum, "scale": m.affine,
                                                      "center": m.affine}),
    nn.MaxPool2d: POOL("MaxPooling2D"), nn.AvgPool2d: POOL("AveragePooling2D"),
    nn.AdaptiveAvgPool2d: GLOBAL, F.adaptive_avg_pool2d: GLOBAL, nn.Dropout: lambda m: ("Dropout", {"rate": m.p}),
    nn.Linear: lambda m: ("Dense", {"units": m.out_features, "use_bias": m.bias is not None})}


def export(folder, model, x, labels=None, optimizer=None):
    traced = fx.symbolic_trace(model.train(labels is not None))
    image, *nodes, _ = traced.graph.nodes
    layers = [("InputLayer", image.name, {"shape": [*x.shape[2:], x.shape[1]]}, [])] # class, name, settings, inputs
    values, own, arrays = {image: x.detach().requires_grad_()}, {}, {"input": x}
    for n in nodes:
        run = traced.get_submodule(n.target) if n.op == "call_module" else n.target
        kind, config = SETTINGS[type(run) if n.op == "call_module" else run](run) # KeyError: fer has no such layer
        assert not getattr(run, "ceil_mode", 0) and getattr(run, "count_include_pad", 1), run
        take, (h, w) = [i.name for i in n.all_input_nodes], np.broadcast_to(getattr(run, "padding", 0), 2).tolist()
        if h or w:
            layers.append(("ZeroPadding2D", n.name + "_pad", {"padding": [h, w]}, take))
            arrays[n.name + "_pad/output"], take = F.pad(values[n.args[0]], (w, w, h, h)), [n.name + "_pad"]
        layers.append((kind, n.name, config, take))
        names = dict(NAMES, weight="gamma", bias="beta") if kind == "BatchNormalization" else NAMES
        own.update({n.name + "/" + names[k]: getattr(run, k) for k in names if getattr(run, k, None) is not None})
        arrays.update({name: p.detach().clone() for name, p in own.items() if name not in arrays})
        values[n] = run(*fx.node.map_arg(n.args, lambda i: values[i].clone()), **n.kwargs) # some work in place
        values[n].retain_grad()
    config["activation"], last = "softmax", n.name # PyTorch's models end with the logits
    outputs = {n.name + ("/output" if n.name != last else "/logits"): values[n] for n in nodes}
    arrays.update(outputs, **{last + "/output": values[n].softmax(1)})
    if labels is not None:
        arrays.update(labels=labels, loss=F.cross_entropy(values[n], labels))
        arrays["loss"].backward()
        optimizer.step()
        arrays.update({name + "_grad": a.grad for name, a in {**outputs, **own}.items() if a.grad is not None})
        arrays.update({name + "_new": p for name, p in own.items()})
    layers = [dict(zip(("class_name", "name", "config", "inbound_nodes"), layer)) for layer in layers]
    config = {"layers": layers, "input_layers": [image.name], "output_layers": [last]}
    pathlib.Path(folder, "model.json").write_text(json.dumps({"class_name": "Functional", "config": config}))
    np.savez(pathlib.Path(folder, "record.npz"), **{name: np.array(a.detach()) for name, a in arrays.items()})
