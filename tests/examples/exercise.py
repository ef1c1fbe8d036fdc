"""exercise.py - marks an exercise: "write BatchNormalization yourself".

    fer record --seed 1 --size 48 --batch 4 -o ours.npz
    python3 tests/examples/exercise.py ours.npz theirs.npz
    fer64 verify theirs.npz

Writes a record that holds the student's output and what it was computed from, and nothing else. The exercise is about
the network's last BatchNormalization: each of its means is over 16 values only, so that a small mistake shows."""
import sys
import numpy as np

ours = np.load(sys.argv[1])
x, beta = ours["conv2d_39/output"], ours["batch_normalization_39/beta"]
y = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2), ddof=1) + 1e-3) + beta # the student's; what is wrong?
np.savez(sys.argv[2], **{
    "conv2d_39/output": x, "batch_normalization_39/beta": beta, "batch_normalization_39/output": y})
