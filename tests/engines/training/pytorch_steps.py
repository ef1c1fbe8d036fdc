"""One training step of torchvision's networks in PyTorch, [N,C,H,W], by the recipe of tests/examples.

# row pytorch_step: NETWORKS=resnet18,mobilenet_v2 torch==2.15.0 torchvision==0.29.2 numpy==2.4.6
"""
import os
import sys
import numpy as np
import torch
import torchvision
from networks import FOLDER, HERE, verdict

sys.path.insert(0, os.path.join(HERE, "..", "examples"))
from pytorch_model import export

name = os.environ["NETWORK"]
folder = os.path.join(FOLDER, name + "_step")
os.makedirs(folder, exist_ok=True)
torch.manual_seed(1)
model, x, labels = getattr(torchvision.models, name)(num_classes=7), torch.rand(4, 3, 64, 64), torch.tensor([0, 6, 3, 3])
export(folder, model, x, labels, torch.optim.Adam(model.parameters(), eps=1e-7))
verdict("PyTorch, a step", torch.__version__.split("+")[0], name, folder, dict(np.load(os.path.join(folder, "record.npz"))),
        "--layout", "nchw", "--adam", "pytorch", "--ties", "any")
