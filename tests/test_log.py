#!/usr/bin/env python3
"""test_log.py - log.csv as pandas reads it: the same numbers, bit for bit, as the checkpoint's history."""
import os, shutil, subprocess, sys
import numpy, pandas

folder = os.path.join(os.environ.get("SCRATCH", "build/tmp"), "log")
faces, run = folder + "/faces.csv", folder + "/run"
shutil.rmtree(folder, ignore_errors=True)
os.makedirs(folder)
rng = numpy.random.RandomState(0)
with open(faces, "w") as f:
    f.write("emotion,pixels,Usage\n")
    for i in range(28):
        f.write("%d,%s,%s\n" % (i % 7, " ".join(map(str, rng.randint(0, 256, 2304))), "Training" if i < 21 else "PublicTest"))
subprocess.run(["./fer", "train", "--data", faces, "--size", "48", "--batch", "8", "--epochs", "2", "--out", run],
               check=True, stdout=subprocess.DEVNULL)
log = pandas.read_csv(run + "/log.csv", sep=";", float_precision="round_trip")
history = numpy.load(run + "/last.npz")["training/history"]
checks = [list(log.columns) == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"],
          list(log.epoch) == [0, 1],
          (log[["accuracy", "loss", "val_accuracy", "val_loss"]].to_numpy() == history).all(),
          open(run + "/log.csv", "rb").read().count(b"\r\n") == 3]
shutil.rmtree(folder)
print("%d passed, %d failed" % (sum(map(bool, checks)), sum(not c for c in checks)))
sys.exit(not all(checks))
