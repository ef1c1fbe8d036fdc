#!/usr/bin/env python3
"""tests/examples/pytorch_record.py on a model as a PyTorch user writes it: its float32 records pass `fer64 verify`, in
either layout of memory, and of a model that is wrong in one place that place is named.

    test_pytorch.py FER64

Needs numpy and torch."""
import os
import subprocess
import sys

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.join("tests", "examples"))
import pytorch_record

FER64 = sys.argv[1]
RECORD = os.path.join(os.environ.get("SCRATCH", "build/tmp"), "pytorch.npz")
passed = failed = 0


class Padding(nn.Module):
    """TensorFlow's SAME for windows of 3 with stride 2: what is odd goes behind."""

    def forward(self, x):
        odd_h, odd_w = x.shape[2] % 2, x.shape[3] % 2
        return F.pad(x, (odd_w, 1, odd_h, 1))


def conv(inputs, filters, height, width, stride=1, padding="same"):
    norm = nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01)
    norm.weight.requires_grad_(False)
    before = [Padding()] if stride == 2 and padding == "same" else []
    layer = nn.Conv2d(inputs, filters, (height, width), stride, padding if stride == 1 else 0, bias=False)
    return nn.Sequential(*before, layer, norm, nn.ReLU())


def tower(inputs, *convolutions):
    modules = []
    for convolution in convolutions:
        modules.append(conv(inputs, *convolution))
        inputs = convolution[0]
    return nn.Sequential(*modules)


def average_pool():
    return nn.AvgPool2d(3, 1, 1, count_include_pad=False)


class Mixed(nn.ModuleList):
    def forward(self, x):
        return torch.cat([branch(x) for branch in self], 1)


def mixed_a(inputs, pool_filters):
    return Mixed([tower(inputs, (64, 1, 1)), tower(inputs, (48, 1, 1), (64, 3, 3)),
                  tower(inputs, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
                  nn.Sequential(average_pool(), conv(inputs, pool_filters, 1, 1))])


class Incv3v1(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(conv(1, 32, 3, 3, 2), conv(32, 32, 3, 3), conv(32, 64, 3, 3), nn.MaxPool2d(3, 2),
                                  conv(64, 80, 1, 1), conv(80, 192, 3, 3), nn.MaxPool2d(3, 2))
        self.mixed0, self.mixed1, self.mixed2 = mixed_a(192, 32), mixed_a(256, 64), mixed_a(288, 64)
        self.mixed3 = Mixed([conv(288, 384, 3, 3, 2, "valid"),
                             tower(288, (64, 1, 1), (96, 3, 3), (96, 3, 3, 2, "valid")), nn.MaxPool2d(3, 2)])
        self.mixed4 = Mixed([tower(768, (192, 1, 1)), tower(768, (128, 1, 1), (128, 1, 7), (192, 7, 1)),
                             tower(768, (128, 1, 1), (128, 7, 1), (128, 1, 7), (128, 7, 1), (192, 1, 7)),
                             nn.Sequential(average_pool(), conv(768, 192, 1, 1))])
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.predictions = nn.Linear(768, 7)

    def forward(self, x):
        x = self.mixed4(self.mixed3(self.mixed2(self.mixed1(self.mixed0(self.stem(x))))))
        return self.predictions(self.avg_pool(x).flatten(1))


def verify(*options):
    """Exit status, and the last line."""
    command = [FER64, "verify", RECORD] + list(options)
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    return run.returncode, run.stdout.splitlines()[-1], run.stdout


def check(what, result, expected):
    """expected: verify's last line, or its beginning and its end; the rest of the exit status and of the table goes with it."""
    global passed, failed
    status, last, whole = result
    sound = expected == SOUND
    said = last == expected if sound else last.startswith(expected[0]) and last.endswith(expected[1])
    if status == (not sound) and said and ("\n514 arrays checked: 514 ok" in whole) == sound:
        passed += 1
        return
    failed += 1
    print("FAILED: %s: exit status %d, last line '%s'; '%s' was expected" % (what, status, last, expected))
    print("\n".join(row for row in whole.splitlines() if not row.endswith("ok")))


def step(memory_format=torch.contiguous_format, model=None, precision=torch.float32):
    torch.manual_seed(1)
    model = (model or Incv3v1()).to(precision).to(memory_format=memory_format)
    images = torch.rand(4, 1, 48, 48).to(precision).to(memory_format=memory_format)
    with torch.no_grad():
        assert model.eval().stem(images).is_contiguous(memory_format=memory_format)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3, eps=1e-7)
    pytorch_record.record(RECORD, model, optimizer, F.cross_entropy, images, torch.tensor([0, 6, 3, 3]))


torch.set_num_threads(1)
SOUND = "no array is at fault"
step()
check("NCHW", verify("--adam", "pytorch"), SOUND)
check("Adam's other rule", verify(), ("first at fault: conv2d/kernel_new, WRONG: ", ": with --adam pytorch every update by Adam is ok"))
step(torch.channels_last)
check("channels_last", verify("--adam", "pytorch"), SOUND)
step(precision=torch.float64)
check("float64", verify("--adam", "pytorch", "--unit", "f64"), SOUND)

model = Incv3v1()
model.mixed1[3][0].count_include_pad = True
step(model=model)
check("padding counted", verify("--adam", "pytorch"), ("first at fault: average_pooling2d_1/output, WRONG: ", ", every border cell: cells in the padding are counted"))
model = Incv3v1()
model.mixed3[1][1][1].eps = 1e-5
step(model=model)
check("BatchNorm2d's own epsilon", verify("--adam", "pytorch"), ("first at fault: batch_normalization_28/output, WRONG: ", ": epsilon is 1e-5, PyTorch's"))

os.remove(RECORD)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
