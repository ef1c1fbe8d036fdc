"""exercise.py - an exercise: "write BatchNormalization yourself". Makes a record of the student's result and
of what it was computed from; nothing else is needed. Of the last layer: its means are of few values."""
import sys
import numpy as np

ours = np.load(sys.argv[1])
x, beta = ours["conv2d_39/output"], ours["batch_normalization_39/beta"]
y = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2), ddof=1) + 1e-3) + beta # the student's: can you see the mistake?
np.savez(sys.argv[2], **{
    "conv2d_39/output": x, "batch_normalization_39/beta": beta, "batch_normalization_39/output": y})
