"""pytorch_model.py - any PyTorch classifier of fer's layers: model.json and record.npz, images [N,C,H,W] as they are.

    from pytorch_model import export
    export("DIR", model, x, labels, torch.optim.Adam(model.parameters(), eps=1e-7))   a training step; x alone: an inference

Then `fer64 verify DIR/record.npz --model DIR/model.json --layout nchw --adam pytorch --ties any`, or `--inference`. A layer's
name is that of its node in torch.fx; one that pads has a ZeroPadding2D before it. Needs numpy and torch."""
import json, operator, os
import numpy as np, torch
import torch.nn.functional as F
from torch import fx, nn

NAMES = {"weight": "kernel", "bias": "bias", "running_mean": "moving_mean", "running_var": "moving_variance"}
PLAIN = {nn.ReLU: "relu", F.relu: "relu", torch.relu: "relu", nn.ReLU6: "relu6", nn.Sigmoid: "sigmoid", nn.Tanh: "tanh",
         nn.SiLU: "silu", nn.ELU: "elu", nn.Hardsigmoid: "hard_sigmoid", nn.Identity: "linear"}
OTHER = {operator.add: "Add", operator.iadd: "Add", torch.add: "Add", operator.mul: "Multiply", torch.cat: "Concatenate",
         nn.Flatten: "Flatten", torch.flatten: "Flatten"}


def layer(kind, m):
    """Keras's class and its settings. A KeyError names what fer has no layer for."""
    if kind is nn.Conv2d:
        return "Conv2D", {"filters": m.out_channels, "kernel_size": m.kernel_size, "strides": m.stride, "groups": m.groups,
                          "dilation_rate": m.dilation, "use_bias": m.bias is not None}
    if kind is nn.BatchNorm2d:
        return "BatchNormalization", {"epsilon": m.eps, "momentum": 1 - m.momentum, "scale": m.affine, "center": m.affine}
    if kind is nn.MaxPool2d or (kind is nn.AvgPool2d and not m.padding): # a padded maximum: of inputs that are not negative
        return {nn.MaxPool2d: "MaxPooling2D", nn.AvgPool2d: "AveragePooling2D"}[kind if not m.ceil_mode else "ceil_mode"], {
            "pool_size": m.kernel_size, "strides": m.stride}
    if kind in (nn.AdaptiveAvgPool2d, F.adaptive_avg_pool2d):
        return "GlobalAveragePooling2D", {"keepdims": True}
    if kind is nn.Linear:
        return "Dense", {"units": m.out_features, "use_bias": m.bias is not None}
    if kind is nn.Dropout:
        return "Dropout", {"rate": m.p}
    return ("Activation", {"activation": PLAIN[kind]}) if kind in PLAIN else (OTHER[kind], {})


def export(folder, model, x, labels=None, optimizer=None):
    traced = fx.symbolic_trace(model.train(labels is not None))
    image, *nodes, end = traced.graph.nodes
    modules, values, parameters, arrays = dict(traced.named_modules()), {image: x.detach().requires_grad_()}, {}, {"input": x}
    layers = [{"class_name": "InputLayer", "name": image.name, "config": {"shape": [*x.shape[2:], x.shape[1]]}}]
    for n in nodes:
        m = modules[n.target] if n.op == "call_module" else None
        (kind, config), take = layer(type(m) if m else n.target, m), [i.name for i in n.all_input_nodes]
        if np.any(getattr(m, "padding", 0)):
            pad = {"class_name": "ZeroPadding2D", "name": n.name + "_pad", "config": {"padding": m.padding}, "inbound_nodes": take}
            layers, take = layers + [pad], [pad["name"]]
            h, w = m.padding if isinstance(m.padding, tuple) else (m.padding, m.padding)
            arrays[pad["name"] + "/output"] = F.pad(values[n.all_input_nodes[0]], (w, w, h, h))
        layers.append({"class_name": kind, "name": n.name, "config": config, "inbound_nodes": take})
        own = dict(NAMES, weight="gamma", bias="beta") if kind == "BatchNormalization" else NAMES
        here = {n.name + "/" + own[k]: getattr(m, k) for k in own if getattr(m, k, None) is not None}
        arrays.update({name: p.detach().clone() for name, p in here.items()})
        parameters.update(here)
        run = {operator.iadd: operator.add}.get(n.target, n.target) if m is None else m
        setattr(m, "inplace", False) if hasattr(m, "inplace") else None # else it writes over what is recorded
        values[n] = run(*fx.node.map_arg(n.args, values.get), **fx.node.map_arg(n.kwargs, values.get))
        values[n].retain_grad()
    layers[-1]["config"]["activation"] = "softmax" # PyTorch's models end with the logits
    config = {"layers": layers, "input_layers": [image.name], "output_layers": [nodes[-1].name]}
    arrays[nodes[-1].name + "/output"] = values[nodes[-1]].softmax(1)
    outputs = {n.name + ("/logits" if n is nodes[-1] else "/output"): values[n] for n in nodes}
    if labels is not None:
        loss = F.cross_entropy(values[nodes[-1]], labels)
        loss.backward()
        arrays.update({"labels": labels, "loss": loss}, **{name + "_grad": y.grad for name, y in outputs.items()})
        arrays.update({name + "_grad": p.grad for name, p in parameters.items() if p.grad is not None})
        if optimizer: # it has made no step yet
            optimizer.step()
            arrays.update({name + "_new": p for name, p in parameters.items()})
    with open(os.path.join(folder, "model.json"), "w") as out:
        json.dump({"class_name": "Functional", "config": config}, out, indent=1)
    np.savez(os.path.join(folder, "record.npz"), **{name: np.array(a.detach()) for name, a in {**arrays, **outputs}.items()})
