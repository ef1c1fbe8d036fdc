"""PyTorch on torchvision's networks: convolution and BatchNormalization folded by torch.fx, compiled by Inductor, scripted and
frozen; only the ends of blocks are shown.

# row pytorch_folded: HOW=folded NETWORKS=resnet18,mobilenet_v2,densenet121 torch==2.15.0 torchvision==0.29.2 numpy==2.4.6
# row pytorch_compiled: HOW=compiled NETWORKS=resnet18 torch==2.15.0 torchvision==0.29.2 numpy==2.4.6
# row pytorch_frozen: HOW=frozen NETWORKS=resnet18 torch==2.15.0 torchvision==0.29.2 numpy==2.4.6
"""
import os
import sys
import numpy as np
import torch
import torchvision
from torch import nn
from networks import FOLDER, HERE, verdict

sys.path.insert(0, os.path.join(HERE, "..", "examples"))
from pytorch_model import export

how, name = os.environ["HOW"], os.environ["NETWORK"]
folder = os.path.join(FOLDER, name)
os.makedirs(folder, exist_ok=True)
torch.manual_seed(1)
model, x = getattr(torchvision.models, name)(num_classes=10), torch.rand(2, 3, 64, 64)
for layer in model.modules():
    if isinstance(layer, nn.BatchNorm2d):
        layer.weight.data.uniform_(0.5, 1.5)
        layer.bias.data.normal_(0, 0.2)
        layer.momentum = 1.0
with torch.no_grad():
    model.train()(x) # the moving statistics are this batch's
export(folder, model, x)
arrays = dict(np.load(os.path.join(folder, "record.npz")))

traced = torch.fx.symbolic_trace(model.eval())
modules = dict(traced.named_modules())
hidden = (nn.Conv2d, nn.BatchNorm2d, nn.Linear, nn.Dropout)
nodes = [n for n in traced.graph.nodes if n.op not in ("placeholder", "output")]
shown = [n for n in nodes[:-1] if not isinstance(modules.get(n.target) if n.op == "call_module" else None, hidden)]
names = [n.name + "/output" for n in shown] + [nodes[-1].name + "/logits"]
for module in modules.values():
    vars(module).update(inplace=False)
last = [n for n in traced.graph.nodes if n.op == "output"][0]
last.args = (tuple(shown + nodes[-1:]),)
traced.recompile()
with torch.no_grad():
    if how == "folded":
        from torch.fx.experimental.optimization import fuse
        outputs = fuse(traced)(x)
    elif how == "compiled":
        import torch._inductor.config
        torch._inductor.config.freezing = True
        outputs = torch.compile(traced)(x)
    else:
        outputs = torch.jit.optimize_for_inference(torch.jit.trace(traced, x))(x)
kept = {n: a for n, a in arrays.items() if not n.endswith(("/output", "/logits"))}
kept.update({n: y.numpy() for n, y in zip(names, outputs)})
verdict("PyTorch, " + how, torch.__version__.split("+")[0], name, folder, kept, "--layout", "nchw", "--inference")
