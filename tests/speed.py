#!/usr/bin/env python3
"""fer's speed against PyTorch's, in turns, on the same machine in the same minutes.

    speed.py [--quick]      the table; --quick: size 48 alone
    speed.py --line 128 32 2 float32 channels_last compiled onnxruntime      one comparison of your own
    speed.py --line 96 8 1 float32 NCHW --model M.json                       and of another network

Each line times the same training step (forward, backward, Adam) and the same inference of incv3v1 in fer and in its peers, in
ROUNDS rounds: fer, PyTorch, fer, PyTorch, ... It shows the medians over the rounds, in milliseconds an image, and the ratio
fer / peer: below 1, fer is faster. PyTorch is taken at its best: its own padding where that is symmetric, a weight of ones
for each BatchNormalization (without one it is slower), kernels in the layout that it likes best, its own Adam; it may use FMA
and sum in any order. Further peers where they are to be had: torch.compile, and, of inference, ONNX Runtime, which folds
BatchNormalization into the kernels.
Needs torch, and takes that of the Python that runs this: the newest is PyPI's (`pip install torch onnxruntime`), and the
first line says which it was. Where OpenBLAS is installed, PyTorch's float64 and batches of one get it preloaded.
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
MODEL = [] # or --model M.json, another network than incv3v1
PEERS = ("channels_last", "NCHW", "compiled", "onnxruntime")
# size, batch, threads, real, peers
LINES = [
    (48, 32, 2, "float32", ("channels_last", "NCHW")),
    (128, 32, 2, "float32", PEERS),
    (128, 32, 1, "float32", PEERS),
    (128, 256, 2, "float32", ("channels_last",)),
    (128, 1, 2, "float32", ("channels_last", "NCHW")),
    (128, 1, 1, "float32", ("channels_last", "NCHW")),
    (128, 32, 2, "float64", ("channels_last", "NCHW")),
    (128, 32, 1, "float64", ("channels_last", "NCHW")),
]


def lacks(peer):
    """Why a peer is left out; empty if it is not."""
    import torch
    if peer == "compiled" and not hasattr(torch, "compile"):
        return "torch %s has no torch.compile" % torch.__version__
    if peer == "onnxruntime":
        try:
            import onnxruntime
        except ImportError:
            return "onnxruntime is not installed"
    return ""


def onnx_session(network, parameters, x, threads):
    """A function that runs the network's inference in ONNX Runtime."""
    import onnxruntime
    import torch

    constants = {layer: {name: value.detach() for name, value in own.items()} for layer, own in parameters.items()}

    class Inference(torch.nn.Module):
        def forward(self, images):
            return network.forward(images, constants, False).softmax(1)

    path = os.path.join("build", "speed.onnx")
    newer = {"dynamo": False} if int(torch.__version__.split(".")[0]) >= 2 else {}
    torch.onnx.export(Inference().eval(), x, path, input_names=["x"], opset_version=13, **newer)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    session, images = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]), x.contiguous().numpy()
    return lambda: session.run(None, {"x": images})


def time_torch(size, batch, threads, real, peer, repeats):
    """Prints seconds of a training step (ONNX Runtime: none) and of an inference, the median of the repeats."""
    import torch
    import torch.nn.functional as F
    import numpy as np
    import twin
    torch.set_num_threads(threads)
    dtype = getattr(torch, real)
    memory = torch.channels_last if peer in ("channels_last", "compiled") else torch.contiguous_format
    text = subprocess.run(["./fer", "summary", "--json", "--size", str(size)] + MODEL, stdout=subprocess.PIPE, check=True).stdout
    twin.ACTIVATIONS.update(relu=lambda x: F.relu(x, inplace=True), relu6=lambda x: F.hardtanh(x, 0, 6, inplace=True))
    network, values = twin.Network(text), {}
    with np.load(WEIGHTS) as file:
        for name in file.files:
            if name.count("/") == 1 and name.endswith(("/kernel", "/bias", "/beta", "/moving_mean", "/moving_variance")):
                value = torch.tensor(twin.inward(file[name]), dtype=dtype)
                value = value.contiguous(memory_format=memory if value.dim() == 4 else torch.contiguous_format)
                values[name] = value.requires_grad_(twin.is_trainable(name))
                if name.endswith("/moving_mean"):
                    values.setdefault(name.replace("moving_mean", "gamma"), torch.ones_like(value))
    adam = torch.optim.Adam([v for v in values.values() if v.requires_grad], lr=1e-3)
    parameters = dict(twin.by_layer(values))

    channels = int(network.layers[0].config["batch_input_shape"][-1])
    x = torch.rand(batch, channels, size, size, dtype=dtype).contiguous(memory_format=memory)
    labels, steps, inferences = torch.arange(batch) % 7, [], []
    forward = lambda training: network.forward(x, parameters, training)
    if peer == "compiled":
        forward = torch.compile(forward)
    infer = onnx_session(network, parameters, x, threads) if peer == "onnxruntime" else lambda: forward(False).softmax(1)
    for _ in range(repeats + 1):
        start = time.perf_counter()
        adam.zero_grad(set_to_none=True)
        if peer != "onnxruntime":
            F.cross_entropy(forward(True), labels).backward()
            adam.step()
        middle = time.perf_counter()
        with torch.no_grad():
            infer()
        steps, inferences = steps + [middle - start], inferences + [time.perf_counter() - middle]
    print(json.dumps([statistics.median(steps[1:]), statistics.median(inferences[1:])]))  # the first warms up


def run(command, threads, **more):
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), **more)
    return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)


def fer(size, batch, threads, real, repeats):
    program = "./fer" if real == "float32" else "./fer64"
    found = run([program, "bench", "--json", "--size", str(size), "--batch", str(batch), "--repeats", str(repeats)] + MODEL, threads)
    return found["step_ms_per_image"], found["inference_ms_per_image"]


def pytorch(size, batch, threads, real, peer, repeats):
    library = glob.glob("/usr/lib/*/openblas-pthread/libopenblas.so.0")
    more = {"LD_PRELOAD": library[0], "OPENBLAS_NUM_THREADS": str(threads)} if library and (real == "float64" or batch == 1) else {}
    seconds = run([sys.executable, __file__, "--torch", str(size), str(batch), str(threads), real, peer, str(repeats)] + MODEL, threads, **more)
    return [1e3 * s / batch for s in seconds]


def compare(size, batch, threads, real, peers):
    for peer in peers:
        if lacks(peer):
            print("left out: %s: %s" % (peer, lacks(peer)))
    peers = [peer for peer in peers if not lacks(peer)]
    repeats, found = max(2, min(20, 64 // batch)), {}
    for _ in range(ROUNDS):
        found.setdefault("fer", []).append(fer(size, batch, threads, real, repeats))
        for peer in peers:
            found.setdefault(peer, []).append(pytorch(size, batch, threads, real, peer, repeats))
    middle = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in found.items()}
    for peer in peers:
        step, inference = ([middle[name][i] for name in ("fer", peer)] for i in (0, 1))
        shown = "%8.2f %8s %6s" % (step[0], "-", "-") if peer == "onnxruntime" else "%8.2f %8.2f %6.2f" % (*step, step[0] / step[1])
        print("%4d %5d %7d  %-8s %-14s %s   %8.2f %8.2f %6.2f" % (
            size, batch, threads, real, peer, shown, *inference, inference[0] / inference[1]), flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--line", nargs="+", metavar=("SIZE BATCH THREADS REAL", "PEER"), help="peers: " + ", ".join(PEERS))
    options.add_argument("--model", metavar="M.json", help="another network than incv3v1")
    options.add_argument("--torch", nargs=6, help=argparse.SUPPRESS)
    options = options.parse_args()
    MODEL.extend(["--model", options.model] if options.model else [])
    if options.torch:
        size, batch, threads, real, peer, repeats = options.torch
        return time_torch(int(size), int(batch), int(threads), real, peer, int(repeats))
    size = options.line[0] if options.line else "48"
    subprocess.run(["./fer", "record", "--seed", "1", "--size", size, "--batch", "2", "-o", WEIGHTS] + MODEL, stdout=subprocess.DEVNULL, check=True)
    import torch
    version = subprocess.run(["./fer", "version"], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    print("PyTorch %s, %s" % (torch.__version__, version), flush=True)
    print("%-45s %-25s %s" % ("", "training step, ms/image", "inference, ms/image"))
    print("size batch threads  %-8s %-14s %8s %8s %6s   %8s %8s %6s" % ("real", "peer", *("fer", "peer", "ratio") * 2))
    lines = LINES[:1] if options.quick else LINES
    if options.line:
        size, batch, threads, real, *peers = options.line
        lines = [(int(size), int(batch), int(threads), real, peers)]
    for line in lines:
        compare(*line)


if __name__ == "__main__":
    main()
