"""pytorch_model.py - any PyTorch classifier of fer's layers: model.json and record.npz, images [N,C,H,W] as they are.

    export("DIR", model, x)                                                            from pytorch_model import export
    export("DIR", model, x, labels, torch.optim.Adam(model.parameters(), eps=1e-7))    one training step

A layer has its node's name in torch.fx. What pads (of a maximum: inputs above 0) has a ZeroPadding2D before it."""
import json, operator, os
import numpy as np, torch
import torch.nn.functional as F
from torch import fx, nn

NAMES = {"weight": "kernel", "bias": "bias", "running_mean": "moving_mean", "running_var": "moving_variance"}
ACTIVATIONS = {nn.ReLU: "relu", F.relu: "relu", nn.ReLU6: "relu6", nn.Sigmoid: "sigmoid", nn.Tanh: "tanh",
               nn.SiLU: "silu", nn.ELU: "elu", nn.Hardsigmoid: "hard_sigmoid", nn.Identity: "linear"}
OTHER = {operator.add: "Add", torch.add: "Add", operator.mul: "Multiply", torch.cat: "Concatenate",
         nn.Flatten: "Flatten", torch.flatten: "Flatten"}
POOLS = {(nn.MaxPool2d, False, True): "MaxPooling2D", (nn.AvgPool2d, False, True): "AveragePooling2D"} # no ceil_mode
SETTINGS = {
    nn.Conv2d: lambda m: ("Conv2D", {"filters": m.out_channels, "kernel_size": m.kernel_size, "strides": m.stride,
                                     "groups": m.groups, "dilation_rate": m.dilation, "use_bias": m.bias is not None}),
    nn.BatchNorm2d: lambda m: ("BatchNormalization", {"epsilon": m.eps, "momentum": 1 - m.momentum, "scale": m.affine,
                                                      "center": m.affine}),
    nn.MaxPool2d: lambda m: (POOLS[type(m), m.ceil_mode, getattr(m, "count_include_pad", True)],
                             {"pool_size": m.kernel_size, "strides": m.stride}),
    nn.AdaptiveAvgPool2d: lambda m: ("GlobalAveragePooling2D", {"keepdims": True}),
    nn.Linear: lambda m: ("Dense", {"units": m.out_features, "use_bias": m.bias is not None}),
    nn.Dropout: lambda m: ("Dropout", {"rate": m.p})}
SETTINGS.update({F.adaptive_avg_pool2d: SETTINGS[nn.AdaptiveAvgPool2d], nn.AvgPool2d: SETTINGS[nn.MaxPool2d]})
SETTINGS.update({kind: lambda m, name=name: ("Activation", {"activation": name}) for kind, name in ACTIVATIONS.items()})
SETTINGS.update({kind: lambda m, name=name: (name, {}) for kind, name in OTHER.items()})


def export(folder, model, x, labels=None, optimizer=None):
    traced = fx.symbolic_trace(model.train(labels is not None))
    image, *nodes, _ = traced.graph.nodes
    modules, values, own, arrays = dict(traced.named_modules()), {image: x.detach().requires_grad_()}, {}, {"input": x}
    layers = [{"class_name": "InputLayer", "name": image.name, "config": {"shape": [*x.shape[2:], x.shape[1]]}}]
    for n in nodes:
        run = modules[n.target] if n.op == "call_module" else {operator.iadd: operator.add}.get(n.target, n.target)
        vars(run).update(inplace=False) if isinstance(run, nn.Module) else None # else it writes over what is recorded
        kind, config = SETTINGS[type(run) if isinstance(run, nn.Module) else run](run) # KeyError: fer has no such layer
        take = [i.name for i in n.all_input_nodes]
        if np.any(getattr(run, "padding", 0)):
            pad, (h, w) = n.name + "_pad", np.broadcast_to(run.padding, 2).tolist()
            layer = {"class_name": "ZeroPadding2D", "name": pad, "config": {"padding": [h, w]}, "inbound_nodes": take}
            layers.append(layer)
            arrays[pad + "/output"], take = F.pad(values[n.all_input_nodes[0]], (w, w, h, h)), [pad]
        layers.append({"class_name": kind, "name": n.name, "config": config, "inbound_nodes": take})
        names = dict(NAMES, weight="gamma", bias="beta") if kind == "BatchNormalization" else NAMES
        own.update({n.name + "/" + names[k]: getattr(run, k) for k in names if getattr(run, k, None) is not None})
        arrays.update({name: p.detach().clone() for name, p in own.items() if name not in arrays})
        values[n] = run(*fx.node.map_arg(n.args, values.get), **n.kwargs)
        values[n].retain_grad()
    layers[-1]["config"]["activation"], last = "softmax", nodes[-1].name # PyTorch's models end with the logits
    outputs = {n.name + ("/output" if n.name != last else "/logits"): values[n] for n in nodes}
    arrays.update(outputs, **{last + "/output": values[nodes[-1]].softmax(1)})
    if labels is not None:
        arrays.update(labels=labels, loss=F.cross_entropy(values[nodes[-1]], labels))
        arrays["loss"].backward()
        optimizer.step()
        arrays.update({name + "_grad": a.grad for name, a in {**outputs, **own}.items() if a.grad is not None})
        arrays.update({name + "_new": p for name, p in own.items()})
    config = {"layers": layers, "input_layers": [image.name], "output_layers": [last]}
    with open(os.path.join(folder, "model.json"), "w") as out:
        json.dump({"class_name": "Functional", "config": config}, out)
    np.savez(os.path.join(folder, "record.npz"), **{name: np.array(a.detach()) for name, a in arrays.items()})
