#!/usr/bin/env python3
"""fer's speed against PyTorch's, in turns, on the same machine in the same minutes.

    speed.py [--quick]      the table; --quick: size 48 alone

Each line times the same training step (forward, backward, Adam) and the same inference of incv3v1 in both, in ROUNDS rounds: fer,
PyTorch, fer, PyTorch, ... It shows the medians over the rounds, in milliseconds an image, and the ratio fer / PyTorch:
below 1, fer is faster. PyTorch keeps its kernels in the layout that it likes best and takes its own Adam; it may use FMA and sum in any order.
Needs python3-torch; where OpenBLAS is installed, PyTorch's float64 and batches of one get it preloaded.
"""
import argparse
import glob
import json
import os
import statistics
import subprocess
import sys
import time

ROUNDS = 3
WEIGHTS = os.path.join("build", "speed.npz") # and more
# size, batch, threads, real, PyTorch's layouts
LINES = [
    (48, 32, 2, "float32", ("channels_last", "NCHW")),
    (128, 32, 2, "float32", ("channels_last", "NCHW")),
    (128, 32, 1, "float32", ("channels_last", "NCHW")),
    (128, 256, 2, "float32", ("channels_last",)),
    (128, 1, 2, "float32", ("channels_last", "NCHW")),
    (128, 1, 1, "float32", ("channels_last", "NCHW")),
    (128, 32, 2, "float64", ("channels_last", "NCHW")),
    (128, 32, 1, "float64", ("channels_last", "NCHW")),
]


def time_torch(size, batch, threads, real, layout, repeats):
    """Prints seconds of a training step and of an inference, the median of the repeats."""
    import torch
    import torch.nn.functional as F
    import numpy as np
    import twin
    torch.set_num_threads(threads)
    dtype = getattr(torch, real)
    memory = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    text = subprocess.run(["./fer", "summary", "--json", "--size", str(size)], stdout=subprocess.PIPE, check=True).stdout
    twin.ACTIVATIONS["relu"] = lambda x: F.relu(x, inplace=True)
    network, values = twin.Network(text), {}
    with np.load(WEIGHTS) as file:
        for name in file.files:
            if name.count("/") == 1 and name.endswith(("/kernel", "/bias", "/beta", "/moving_mean", "/moving_variance")):
                value = torch.tensor(twin.inward(file[name]), dtype=dtype)
                value = value.contiguous(memory_format=memory if value.dim() == 4 else torch.contiguous_format)
                values[name] = value.requires_grad_(twin.is_trainable(name))
    adam = torch.optim.Adam([v for name, v in values.items() if twin.is_trainable(name)], lr=1e-3)
    parameters = twin.by_layer(values)

    x = torch.rand(batch, 1, size, size, dtype=dtype).contiguous(memory_format=memory)
    labels, steps, inferences = torch.arange(batch) % 7, [], []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        adam.zero_grad(set_to_none=True)
        F.cross_entropy(network.forward(x, parameters, True), labels).backward()
        adam.step()
        middle = time.perf_counter()
        with torch.no_grad():
            network.forward(x, parameters, False).softmax(1)
        steps, inferences = steps + [middle - start], inferences + [time.perf_counter() - middle]
    print(json.dumps([statistics.median(steps[1:]), statistics.median(inferences[1:])]))  # the first warms up


def run(command, threads, **more):
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), **more)
    return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)


def fer(size, batch, threads, real, repeats):
    program = "./fer" if real == "float32" else "./fer64"
    found = run([program, "bench", "--json", "--size", str(size), "--batch", str(batch), "--repeats", str(repeats)], threads)
    return found["step_ms_per_image"], found["inference_ms_per_image"]


def torch(size, batch, threads, real, layout, repeats):
    library = glob.glob("/usr/lib/*/openblas-pthread/libopenblas.so.0")
    more = {"LD_PRELOAD": library[0], "OPENBLAS_NUM_THREADS": str(threads)} if library and (real == "float64" or batch == 1) else {}
    seconds = run([sys.executable, __file__, "--torch", str(size), str(batch), str(threads), real, layout, str(repeats)], threads, **more)
    return [1e3 * s / batch for s in seconds]


def compare(size, batch, threads, real, layouts):
    repeats, found = max(2, min(20, 64 // batch)), {}
    for _ in range(ROUNDS):
        found.setdefault("fer", []).append(fer(size, batch, threads, real, repeats))
        for layout in layouts:
            found.setdefault(layout, []).append(torch(size, batch, threads, real, layout, repeats))
    middle = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in found.items()}
    for layout in layouts:
        step, inference = ([middle[name][i] for name in ("fer", layout)] for i in (0, 1))
        print("%4d %5d %7d  %-8s %-14s %8.2f %8.2f %6.2f   %8.2f %8.2f %6.2f" % (
            size, batch, threads, real, layout, *step, step[0] / step[1], *inference, inference[0] / inference[1]), flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--torch", nargs=6, help=argparse.SUPPRESS)
    options = options.parse_args()
    if options.torch:
        size, batch, threads, real, layout, repeats = options.torch
        return time_torch(int(size), int(batch), int(threads), real, layout, int(repeats))
    subprocess.run(["./fer", "record", "--seed", "1", "--size", "48", "--batch", "1", "-o", WEIGHTS], stdout=subprocess.DEVNULL, check=True)
    print("%-45s %-25s %s" % ("", "training step, ms/image", "inference, ms/image"))
    print("size batch threads  %-8s %-14s %8s %8s %6s   %8s %8s %6s" % ("real", "PyTorch in", *("fer", "PyTorch", "ratio") * 2))
    for line in LINES[:1] if options.quick else LINES:
        compare(*line)


if __name__ == "__main__":
    main()
