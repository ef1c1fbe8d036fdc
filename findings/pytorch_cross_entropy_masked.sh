#!/bin/sh
# PyTorch's cross_entropy with a class that is masked out (logit -inf) is finite when the label is an index and NaN when the
# same label is a row of probabilities. The gradients of both are the same and right, so that training goes on.
#
# Seen with PyTorch 2.15.0 on x86-64, logits 1, 2, -inf, label: class 1:
#     index 1                  loss 0.3133   gradient 0.2689 -0.2689 0.0000
#     probabilities 0, 1, 0    loss nan   gradient 0.2689 -0.2689 0.0000
#     log(1 + exp(1 - 2))      loss 0.3133
#
# Why one would guess otherwise: the two forms of the label are two ways to say the same; the masked class has probability 0 in
# the label, and the cross-entropy of a class of probability 0 is 0 by convention (PyTorch's own special.xlogy keeps it). Here
# 0 * -inf is computed. And a NaN in a loss is expected to be in its gradient too: whoever looks for the layer that made
# it finds none.
# Who meets it: models that mask classes or actions by -inf (invalid moves, padded vocabularies) when labels become rows of
# probabilities, for mixup or distillation: the logged loss is NaN from the first step on, early stopping and loss scalers
# that look at the loss act on it, and the weights are sound.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check 'torch==2.15.0' 'numpy==2.4.6'
"$folder/venv/bin/python" -W ignore - <<'END'
import math, sys
import torch
from torch.nn.functional import cross_entropy

print("torch", torch.__version__)
seen = []
for name, label in (("index 1", torch.tensor([1])), ("probabilities 0, 1, 0", torch.tensor([[0.0, 1, 0]]))):
    logits = torch.tensor([[1.0, 2, -math.inf]], requires_grad=True)
    loss = cross_entropy(logits, label)
    loss.backward()
    seen.append((loss.item(), logits.grad[0].tolist()))
    print("%-24s loss %.4f   gradient %s" % (name, loss.item(), " ".join("%.4f" % g for g in seen[-1][1])))
exact = math.log(1 + math.exp(1 - 2))
print("%-24s loss %.4f" % ("log(1 + exp(1 - 2))", exact))
(index, gradient), (row, same) = seen
if not (abs(index - exact) < 1e-6 and math.isnan(row) and all(abs(a - b) < 1e-6 for a, b in zip(gradient, same))):
    sys.exit("CHANGED: the loss of a row of probabilities is no NaN, or its gradient differs")
END
