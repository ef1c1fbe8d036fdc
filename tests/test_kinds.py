#!/usr/bin/env python3
"""A network with every kind of layer (kinds.json) before `fer64 verify`: the record that the float32 program makes is sound;
what other engines compute, in float32 by NumPy, is within the bounds too, as is a record that PyTorch makes, where it is
there; and faults are found where they are.

    test_kinds.py FER FER64

Needs numpy."""
import json
import os
import subprocess
import sys

import numpy as np

try:
    import torch
except ImportError:
    torch = None

FER, FER64 = sys.argv[1:]
HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = os.path.join(HERE, "kinds.json")
FOLDER = os.path.join(os.environ.get("SCRATCH", "build/tmp"), "kinds_py")
OURS, THEIRS = os.path.join(FOLDER, "ours.npz"), os.path.join(FOLDER, "theirs.npz")
F = np.float32
passed = failed = 0


def check(what, fact, shown=""):
    global passed, failed
    passed += bool(fact)
    failed += not fact
    if not fact:
        print("FAILED: %s %s" % (what, shown))


def verdicts(arrays, *options):
    """Of a record, by array."""
    np.savez(THEIRS, **arrays)
    run = subprocess.run([FER64, "verify", THEIRS, "--model", MODEL, "--json"] + list(options), capture_output=True, text=True)
    if run.returncode == 2:
        sys.exit(run.stderr)
    return {row["array"]: row["verdict"] for row in json.loads(run.stdout)["arrays"]}


def record(*options):
    subprocess.run([FER, "record", "--model", MODEL, "--batch", "8", "--seed", "3", "-o", OURS] + list(options), check=True,
                   stdout=subprocess.DEVNULL)
    with np.load(OURS) as file:
        arrays = {name: file[name] for name in file.files}
    got = verdicts(arrays, *[o for o in options if o == "--inference"])
    check("a sound record %s" % " ".join(options), len(got) > 25 and set(got.values()) == {"ok"}, got)
    return arrays


def bf16(a):
    """float32 numbers rounded to the upper 16 bits, to nearest even."""
    bits = a.view(np.uint32).astype(np.uint64)
    return (((bits + 0x7FFF + (bits >> 16 & 1)) >> 16) << 16).astype(np.uint32).view(F)


def stored_shorter(arrays, shorten):
    """A record in which everything was stored in a shorter format; without the updates."""
    return {name: shorten(np.atleast_1d(a)).reshape(a.shape) if a.dtype == F else a for name, a in arrays.items()
            if not name.endswith("_new")}


def input_of(a, name):
    """What goes into a layer of kinds.json."""
    before = {"silu": "crop/output", "tanh": "crop/output", "elu": "crop/output", "se2": "se2/preactivation",
              "se3": "se3/preactivation", "leaky": "sd/output", "soft": "leaky/output", "norm": "resc/output", "drop": "add/output",
              "sd": "mul/output", "resc": "input"}
    return a[before[name]]


def engines(a):
    """Outputs as others compute them, in float32."""
    scale, offset = F([0.5, 0.25, 2]), F(0.1)
    x = {name: input_of(a, name) for name in ("silu", "tanh", "elu", "se2", "se3", "leaky", "soft", "norm", "resc", "sd", "drop")}
    e = np.exp(x["soft"])
    other = np.random.RandomState(1)
    return [("silu", x["silu"] / (F(1) + np.exp(-x["silu"]))), ("silu", x["silu"] * F(0.5) * (F(1) + np.tanh(x["silu"] * F(0.5)))),
            ("tanh", np.tanh(x["tanh"])), ("tanh", F(2) / (F(1) + np.exp(F(-2) * x["tanh"])) - F(1)),
            ("elu", np.where(x["elu"] > 0, x["elu"], np.exp(x["elu"]) - F(1))), ("elu", np.where(x["elu"] > 0, x["elu"], np.expm1(x["elu"]))),
            ("se2", F(1) / (F(1) + np.exp(-x["se2"]))), ("se2", F(0.5) * np.tanh(F(0.5) * x["se2"]) + F(0.5)),
            ("se3", np.clip(x["se3"] + F(3), F(0), F(6)) / F(6)), ("leaky", np.maximum(x["leaky"], x["leaky"] * F(0.2))),
            ("soft", e / e.sum(-1, keepdims=True)), ("resc", scale * x["resc"] + offset), ("norm", x["norm"] * F(1) - F(0) * F(1)),
            ("drop", np.where(other.uniform(size=x["drop"].shape) < 0.3, F(0), x["drop"] / F(0.7))),
            ("sd", np.where(other.uniform(size=(8, 1, 1, 8)) < 0.25, F(0), x["sd"] / F(0.75)))]


def faults(a):
    """What to put where, and the arrays that are then at fault."""
    x = {name: input_of(a, name) for name in ("silu", "tanh", "elu", "se2", "se3", "leaky", "soft", "drop", "sd")}
    dy = {name: a[name + "/output_grad"] for name in ("silu", "tanh", "elu", "se2", "se3", "leaky", "soft", "drop", "sd", "mul", "add")}
    kept = a["drop/output"] != 0
    other = np.random.RandomState(2).uniform(size=x["sd"].shape) < 0.25
    return [("silu/output", x["silu"] / (F(1) + np.exp(F(-1.001) * x["silu"]))), ("tanh/output", np.tanh(x["tanh"] * F(1.00001))),
            ("elu/output", np.where(x["elu"] > 0, x["elu"], F(0.9999) * (np.exp(x["elu"]) - F(1)))),
            ("se2/output", F(1) / (F(1) + np.exp(F(-1.702) * x["se2"]))), ("se3/output", np.clip(F(0.2) * x["se3"] + F(0.5), F(0), F(1))),
            ("leaky/output", np.where(x["leaky"] > 0, x["leaky"], x["leaky"] * F(0.3))),
            ("leaky/output", np.where(x["leaky"] > 0, x["leaky"] * F(1.000001), x["leaky"] * F(0.2))),
            ("soft/output", np.exp(x["soft"]) / np.exp(x["soft"]).sum(1, keepdims=True)),
            ("add/output", a["add/output"] - a["tanh/output"]), ("mul/output", a["drop/output"] * a["se2/output"]),
            ("mul/output", a["drop/output"] * a["se2/output"][:1] * a["se3/output"]),
            ("pad/output", np.roll(a["pad/output"], 1, 1)), ("crop/output", a["conv/output"][:, :-2, :-2]),
            ("re/output", a["mul2/output"].transpose(0, 3, 1, 2).reshape(a["re/output"].shape)),
            ("flat/output", a["re/output"].transpose(0, 3, 1, 2).reshape(a["flat/output"].shape)),
            ("resc/output", F([0.5, 0.25, 2]) * (a["input"] + F(0.1))), ("norm/output", a["resc/output"] / (F(1) + F(1e-3))),
            ("drop/output", a["drop/output"] * F(0.7)), ("drop/output", x["drop"]),
            ("sd/output", np.where(other, F(0), x["sd"] / F(0.75))),
            ("add/output_grad", np.where(~kept, dy["drop"] / F(0.7), F(0))), ("add/output_grad", dy["drop"] / F(0.7)),
            ("mul/output_grad", dy["sd"]), ("se2/preactivation_grad", dy["se2"] * a["se2/output"]),
            ("se3/preactivation_grad", dy["se3"] * F(0.2)), ("sd/output_grad", dy["leaky"] * (a["leaky/output"] > 0)),
            ("leaky/output_grad", a["mul2/output_grad"] * a["soft/output"]), ("silu/output_grad", dy["add"] * F(2)),
            ("pad/output_grad", a["pad/output_grad"][:, ::-1])]


def pytorch(a):
    """The same step by PyTorch in float32, with masks of its own."""
    F = torch.nn.functional
    own = {name: torch.tensor(a[name], requires_grad=True) for name in a if name.split("/")[-1] in ("kernel", "bias")}
    o = {}

    def keep(name, value):
        value.retain_grad()
        o[name] = value
        return value

    def conv(name, x, what="preactivation"):
        y = F.conv2d(x.permute(0, 3, 1, 2), own[name + "/kernel"].permute(3, 2, 0, 1), own[name + "/bias"])
        return keep(name + "/" + what, y.permute(0, 2, 3, 1))

    torch.manual_seed(5)
    x = torch.tensor(a["input"], requires_grad=True)
    x = keep("resc/output", x * torch.tensor([0.5, 0.25, 2]) + 0.1)
    x = keep("norm/output", (x - torch.tensor(a["norm/mean"])) / torch.clamp(torch.sqrt(torch.tensor(a["norm/variance"])), min=1e-7))
    x = conv("conv", keep("pad/output", F.pad(x, (0, 0, 0, 1, 1, 2))), "output")
    x = keep("crop/output", x[:, 1:-1, 1:-1] * 1)
    silu, tanh, elu = keep("silu/output", F.silu(x)), keep("tanh/output", torch.tanh(x)), keep("elu/output", F.elu(x))
    drop = keep("drop/output", F.dropout(keep("add/output", silu + tanh + elu + tanh), 0.3))
    se = keep("se1/output", F.relu6(conv("se1", keep("se/output", drop.mean((1, 2), keepdim=True)))))
    gates = keep("se2/output", torch.sigmoid(conv("se2", se))), keep("se3/output", F.hardsigmoid(conv("se3", se)))
    x = keep("mul/output", drop * gates[0] * gates[1])
    x = keep("sd/output", F.dropout2d(x.permute(0, 3, 1, 2), 0.25).permute(0, 2, 3, 1))
    x = keep("leaky/output", F.leaky_relu(x, 0.2))
    x = keep("mul2/output", keep("soft/output", torch.softmax(x, -1)) * x)
    x = keep("flat/output", keep("re/output", x.reshape(8, 9, -1, 4)).reshape(8, -1))
    logits = keep("out/logits", x @ own["out/kernel"] + own["out/bias"])
    loss = F.cross_entropy(logits, torch.tensor(a["labels"]).long())
    loss.backward()
    theirs = {name: a[name] for name in a if name in ("input", "labels") or name.split("/")[-1] in ("kernel", "bias", "mean", "variance")}
    theirs.update({"loss": loss.detach().numpy(), "out/output": torch.softmax(logits, -1).detach().numpy()})
    for name, value in list(o.items()) + list(own.items()):
        theirs.update({name: value.detach().numpy(), name + "_grad": value.grad.numpy()})
    return theirs


os.makedirs(FOLDER, exist_ok=True)
record("--inference")
arrays = record()
for name, value in engines(arrays):
    name += "/output"
    check("the type of " + name, value.dtype == F)
    got = verdicts(dict(arrays, **{name: value}))
    check("another engine's " + name, got[name] == "ok", got[name])
for unit, shorten in (("bf16", bf16), ("f16", lambda a: a.astype(np.float16).astype(F))):
    got = verdicts(stored_shorter(arrays, shorten), "--unit", unit)
    check("a record in " + unit, set(got.values()) == {"ok"}, {name: got[name] for name in got if got[name] != "ok"})
run = subprocess.run([FER64, "gradcheck", "--model", MODEL], capture_output=True, text=True)
check("gradients of the network", run.returncode == 0 and run.stdout.count("network ") == 5 and
      run.stdout.endswith("all gradients agree with finite differences\n"), run.stdout + run.stderr)
if torch:
    got = verdicts(pytorch(arrays))
    check("PyTorch's record", len(got) == 62 and set(got.values()) == {"ok"}, {name: got[name] for name in got if got[name] != "ok"})
for name, value in faults(arrays):
    got = verdicts(dict(arrays, **{name: value.astype(F)}))
    check("a fault in " + name, got[name] in ("WRONG", "suspect"), got[name])
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
