"""pytorch_record.py - writes one training step of a PyTorch model as a record.

    from pytorch_record import record
    record("theirs.npz", model, torch.optim.Adam(model.parameters(), eps=1e-7), F.cross_entropy, x, labels)

Then `fer64 verify --adam pytorch theirs.npz`.

Layers get Keras's names: the name of their kind, numbered in the order of creation. Other modules keep the names that
they have in the model (mixed0, avg_pool, predictions). No module may work in place (no ReLU(inplace=True)), and the
optimizer has made no step yet. Needs numpy and torch. tests/test_pytorch.py runs it, and has the whole network with the
padding that Keras's SAME means."""
import collections
import numpy as np
from torch import nn

KINDS = {nn.Conv2d: "conv2d", nn.BatchNorm2d: "batch_normalization", nn.ReLU: "activation",
         nn.MaxPool2d: "max_pooling2d", nn.AvgPool2d: "average_pooling2d"}
PARAMETERS = {"weight": "kernel", "bias": "bias", "running_mean": "moving_mean", "running_var": "moving_variance"}


def images(tensor):
    """NCHW to NHWC."""
    array = tensor.detach().numpy().copy()
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


def kernel(tensor):
    """OIHW to HWIO; a linear layer's [out, in] to [in, out]."""
    array = tensor.detach().numpy().copy()
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T


def named_layers(model):
    made = collections.Counter()
    for name, module in model.named_modules():
        kind = KINDS.get(type(module))
        if kind:
            name = kind + ("_%d" % made[kind] if made[kind] else "")
            made[kind] += 1
        if name:
            yield name, module


def named_parameters(model):
    for layer, module in named_layers(model):
        norm = isinstance(module, nn.BatchNorm2d)
        for own, name in PARAMETERS.items():
            parameter = getattr(module, own, None)
            if parameter is not None and not (norm and own == "weight"): # incv3v1 has no gamma
                yield layer + "/" + ("beta" if norm and own == "bias" else name), parameter


def record(path, model, optimizer, loss_of, x, labels):
    outputs = {}

    def hook_of(layer):
        def hook(module, inputs, output):
            if output.requires_grad:
                output.retain_grad()
                outputs[layer] = output
        return hook
    hooks = [module.register_forward_hook(hook_of(layer)) for layer, module in named_layers(model)]
    arrays = {name: kernel(parameter) for name, parameter in named_parameters(model)}
    optimizer.zero_grad()
    loss = loss_of(model.train()(x), labels)
    loss.backward()
    optimizer.step()
    for hook in hooks:
        hook.remove()

    arrays.update({"input": images(x), "labels": labels.numpy(), "loss": loss.detach().numpy()})
    logits = outputs.pop("predictions")
    arrays.update({"predictions/logits": images(logits), "predictions/logits_grad": images(logits.grad),
                   "predictions/output": images(logits.softmax(1))})
    for layer, output in outputs.items():
        arrays.update({layer + "/output": images(output), layer + "/output_grad": images(output.grad)})
    for name, parameter in named_parameters(model):
        arrays[name + "_new"] = kernel(parameter)
        if parameter.grad is not None:
            arrays[name + "_grad"] = kernel(parameter.grad)
    np.savez(path, **arrays)
