"""verify on what backends show: layers fused, so that nothing between is recorded; inference; arrays in the order NCHW.
The records are fer's own in float32, with arrays taken out, moved or spoilt.

    python3 tests/test_chains.py FER FER64
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

fer, fer64 = (os.path.abspath(p) for p in sys.argv[1:3])
folder = tempfile.TemporaryDirectory(dir=os.environ.get("SCRATCH"))
path = lambda name: os.path.join(folder.name, name)
passed = failed = 0


def check(what, right):
    global passed, failed
    passed, failed = passed + bool(right), failed + (not right)
    if not right:
        print("FAILED:", what)


def record(name, *options):
    subprocess.run([fer, "record", *options, "-o", path(name)], check=True, stdout=subprocess.DEVNULL)
    return dict(np.load(path(name)))


def verify(arrays, *options):
    """Exit status, the rows by name, and the summary."""
    np.savez(path("claimed.npz"), **arrays)
    done = subprocess.run([fer64, "verify", "--json", *options, path("claimed.npz")], stdout=subprocess.PIPE)
    result = json.loads(done.stdout)
    return done.returncode, {row["array"]: row for row in result["arrays"]}, result


def without(arrays, hidden):
    """The record of a backend that shows no outputs of layers whose names begin so, and no gradients."""
    kept = {}
    for name, values in arrays.items():
        layer = name.rsplit("/", 1)[0]
        if name.endswith(("_grad", "_new")) or (name.endswith("/output") and layer.startswith(hidden)):
            continue
        kept[name] = values
    return kept


BETWEEN = ("conv2d", "batch_normalization")
inference = record("inference.npz", "--size", "48", "--batch", "3", "--seed", "5", "--inference")
training = record("training.npz", "--size", "48", "--batch", "3", "--seed", "5")
check("an inference record has no gradients", not any(n.endswith(("_grad", "_new")) for n in inference))

for name, whole, options in (("inference", inference, ["--inference"]), ("training", training, [])):
    fused = without(whole, BETWEEN)
    status, rows, result = verify(fused, *options)
    bad = [r["array"] for r in rows.values() if r["verdict"] in ("WRONG", "suspect", "not checkable")]
    check("%s, fused: %s" % (name, bad[:3]), status == 0 and not bad)
    row = rows["activation_3/output"]
    check("what it went through", row["through"] == "conv2d_3, batch_normalization_3" and row["layers_through"] == 2)
    check("it sees small faults: %g" % row["sees"], 0 < row["sees"] < 1e-2)
    status, rows, result = verify(fused, "--no-chains", *options)
    check("without chains there is nothing to compare with",
          rows["activation_3/output"]["verdict"] == "not checkable" and "through" not in rows["activation_3/output"])

# Whole blocks hidden, and all but the end.
blocks = without(inference, BETWEEN + ("activation", "max_pooling2d", "average_pooling2d"))
status, rows, result = verify(blocks, "--inference")
check("blocks alone", status == 0 and rows["mixed3/output"]["verdict"] == "ok" and rows["mixed3/output"]["layers_through"] > 10)
end = {n: v for n, v in inference.items() if "/output" not in n and "/logits" not in n and n != "loss"}
end["predictions/output"] = inference["predictions/output"]
status, rows, result = verify(end, "--inference")
check("the end alone", status == 0 and rows["predictions/output"]["layers_through"] > 100)

# Faults of the kinds that backend writers make: the array is named, and it is the first at fault.
fused = without(inference, BETWEEN)


def last_row(y):
    y[:, -1] = 0


def channel_tail(y):
    y[..., -3:] = 0


def one_image(y):
    y[1] = y[0]


def scale_of_next_channel(y):
    y[..., 5] *= 1.01


def bias_lost(y):
    y[...] = np.where(y > 0, y - 0.01 * y.mean(), y)


def shifted(y):
    y[:, :, 1:] = y[:, :, :-1].copy()


def transposed(y):
    y[...] = y.swapaxes(1, 2).copy()


def permuted(y):
    y[..., [2, 3]] = y[..., [3, 2]]


def one_element(y):
    y.reshape(-1)[np.argmax(y)] *= 1.01


def relu_forgotten(y):
    y[y == 0] = -0.01


for fault in (last_row, channel_tail, one_image, scale_of_next_channel, bias_lost, shifted, transposed, permuted, one_element,
              relu_forgotten):
    for array in ("activation_1/output", "activation_12/output", "activation_30/output"):
        spoilt = dict(fused)
        spoilt[array] = spoilt[array].copy()
        before = spoilt[array].copy()
        fault(spoilt[array])
        if np.array_equal(before, spoilt[array]):
            continue
        status, rows, result = verify(spoilt, "--inference")
        check("%s in %s: first at fault is %s" % (fault.__name__, array, result["first_at_fault"]),
              status == 1 and result["first_at_fault"] == array)

# An output that a compiler computed twice, rounded differently, is sound; one that is further off is not.
twice = dict(inference)
y = twice["activation_2/output"].copy()
twice["activation_2/output"] = np.where(y > 0, np.nextafter(y, np.float32(9)), y)
status, rows, result = verify(twice, "--inference")
check("computed anew", rows["activation_2/output"]["verdict"] == "ok" and "anew" in rows["activation_2/output"]["reason"])
status, rows, result = verify(twice, "--inference", "--no-chains")
check("but not by its input alone", rows["activation_2/output"]["verdict"] == "WRONG")
twice["activation_2/output"] = y * np.float32(1.001)
status, rows, result = verify(twice, "--inference")
check("not anew: too far off", rows["activation_2/output"]["verdict"] == "WRONG" and "through" not in rows["activation_2/output"])

# Inference judged as training, and the other way round.
status, rows, result = verify(inference)
row = rows["batch_normalization/output"]
check("inference is not training", status == 1 and result["first_at_fault"] == row["array"])
check("and --inference is hinted at", row["reason"] == "with --inference every array behind BatchNormalization is ok")
status, rows, result = verify(dict(inference, **{"activation_7/output": inference["activation_7/output"] * np.float32(1.001)}))
check("also beside a fault", rows["batch_normalization/output"]["reason"] == row["reason"])
status, rows, result = verify({n: v for n, v in training.items() if not n.endswith(("_grad", "_new"))}, "--inference")
check("training is not inference", rows["batch_normalization/output"]["reason"] ==
      "without --inference every array behind BatchNormalization is ok")


def to_nchw(arrays):
    moved = {}
    for name, values in arrays.items():
        what = name.rsplit("/", 1)[-1]
        if values.ndim == 4 and what.startswith("kernel"):
            values = values.transpose(3, 2, 0, 1)
        elif values.ndim == 4:
            values = values.transpose(0, 3, 1, 2)
        elif values.ndim == 2 and what.startswith("kernel"):
            values = values.T
        moved[name] = np.ascontiguousarray(values)
    return moved


status, rows, result = verify(to_nchw(training), "--layout", "nchw")
counts = result["arrays_with_verdict"]
check("NCHW: %s" % counts, counts["WRONG"] == counts["suspect"] == counts["not checkable"] == 0 and counts["ok"] > 500)
spoilt = to_nchw(training)
spoilt["conv2d_3/output"][1, 4, 2, 3] += 1
status, rows, result = verify(spoilt, "--layout", "nchw")
check("the element is told as the file has it", rows["conv2d_3/output"]["index"] == [1, 4, 2, 3])
claimed = to_nchw(training)
np.savez(path("claimed.npz"), **claimed)
done = subprocess.run([fer64, "verify", path("claimed.npz")], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
check("NCHW taken for NHWC is refused in one line", done.returncode == 2 and done.stderr.count(b"\n") == 1)

# Flatten: in NCHW it lists channel by channel, and so do the rows of the kernel behind it.
model = path("flatten.json")
layers = [{"class_name": "InputLayer", "config": {"shape": [6, 5, 2]}},
          {"class_name": "Conv2D", "config": {"filters": 3, "kernel_size": 3, "activation": "tanh"}},
          {"class_name": "Flatten"}, {"class_name": "Dense", "config": {"units": 4, "activation": "softmax"}}]
json.dump({"class_name": "Sequential", "config": {"layers": layers}}, open(model, "w"))
small = record("small.npz", "--model", model, "--batch", "3")
other = to_nchw(small)
for name in ("flatten/output", "flatten/output_grad"):
    other[name] = small[name].reshape(3, 4, 3, 3).transpose(0, 3, 1, 2).reshape(3, -1)
for name in ("dense/kernel", "dense/kernel_grad", "dense/kernel_new"):
    other[name] = small[name].reshape(4, 3, 3, 4).transpose(3, 2, 0, 1).reshape(4, -1)
for arrays, options in ((small, []), (other, ["--layout", "nchw"])):
    status, rows, result = verify(arrays, "--model", model, *options)
    check("flatten %s: %s" % (options, result["first_at_fault"]), status == 0)

# A convolution with a ReLU of its own, as Keras shows it: no preactivation, and yet its kernel's gradient is judged.
layers = [{"class_name": "InputLayer", "config": {"shape": [8, 8, 2]}},
          {"class_name": "Conv2D", "config": {"filters": 4, "kernel_size": 3, "activation": "relu"}},
          {"class_name": "Conv2D", "config": {"filters": 5, "kernel_size": 3, "activation": "relu6"}},
          {"class_name": "GlobalAveragePooling2D"}, {"class_name": "Dense", "config": {"units": 4, "activation": "softmax"}}]
json.dump({"class_name": "Sequential", "config": {"layers": layers}}, open(model, "w"))
own = record("own.npz", "--model", model, "--batch", "3")
shown = {n: v for n, v in own.items() if "preactivation" not in n}
check("there is a preactivation to hide", len(shown) < len(own))
status, rows, result = verify(shown, "--model", model)
check("own activations: %s" % result["arrays_with_verdict"],
      status == 0 and result["arrays_with_verdict"]["not checkable"] == 0 and rows["conv2d/kernel_grad"]["verdict"] == "ok")
shown["conv2d/kernel_grad"] = shown["conv2d/kernel_grad"] * np.float32(1.001)
status, rows, result = verify(shown, "--model", model)
check("and found wrong", status == 1 and result["first_at_fault"] == "conv2d/kernel_grad")

# Frozen layers, and Dropout: no gradients, no updates, moving statistics; the mask that is seen is the one used backward.
layers = [{"class_name": "InputLayer", "config": {"shape": [8, 8, 2]}},
          {"class_name": "Conv2D", "config": {"name": "open", "filters": 4, "kernel_size": 3}},
          {"class_name": "Conv2D", "config": {"name": "shut", "filters": 5, "kernel_size": 3, "trainable": False}},
          {"class_name": "BatchNormalization", "config": {"name": "norm", "trainable": False}},
          {"class_name": "ReLU", "config": {"name": "relu"}}, {"class_name": "Dropout", "config": {"name": "drop", "rate": 0.4}},
          {"class_name": "GlobalAveragePooling2D", "config": {"name": "mean"}},
          {"class_name": "Dense", "config": {"name": "out", "units": 4, "activation": "softmax"}}]
json.dump({"class_name": "Sequential", "config": {"layers": layers}}, open(model, "w"))
step = record("frozen.npz", "--model", model, "--batch", "3")
PARAMETERS = ("shut/kernel", "shut/bias", "norm/gamma", "norm/beta", "norm/moving_mean", "norm/moving_variance")
check("no gradients, no updates", all(p in step and p + "_grad" not in step and p + "_new" not in step for p in PARAMETERS))
random = np.random.RandomState(1)
F = np.float32
for name in PARAMETERS[2:]:  # statistics unlike the batch's
    step[name] = random.uniform(0.5, 2, step[name].shape).astype(F)
x, dy = step["shut/output"], step["relu/output_grad"]
scale = step["norm/gamma"] / np.sqrt(step["norm/moving_variance"] + F(1e-3))
step["norm/output"] = (x - step["norm/moving_mean"]) * scale + step["norm/beta"]
step["relu/output"] = np.maximum(step["norm/output"], 0)
kept = random.uniform(size=dy.shape) < 0.6
step["drop/output"] = np.where(kept, step["relu/output"] / F(0.6), 0)
step["mean/output"] = step["drop/output"].mean((1, 2))
step["relu/output_grad"] = np.where(kept, step["drop/output_grad"] / F(0.6), 0)
step["norm/output_grad"] = np.where(step["relu/output"] > 0, step["relu/output_grad"], 0)
step["shut/output_grad"] = step["norm/output_grad"] * scale
kernel = step["shut/kernel"].astype(float)
step["open/output_grad"] = sum(np.pad(step["shut/output_grad"].astype(float) @ kernel[i, j].T, ((0, 0), (i, 2 - i), (j, 2 - j), (0, 0)))
                               for i in range(3) for j in range(3)).astype(F)
# What stands behind this is as it was, and does not follow from it.
for name in [n for n in step if n.startswith(("out/", "loss")) or n.endswith("_new") or n in ("open/kernel_grad", "open/bias_grad")]:
    del step[name]


def frozen(what, expected, put=None, leave=(), options=()):
    arrays = {n: v for n, v in dict(step, **(put or {})).items() if n not in leave}
    status, rows, result = verify(arrays, "--model", model, *options)
    got = result["first_at_fault"]
    check("%s: %s, expected %s" % (what, got, expected), got == expected and status == (expected is not None))
    return rows


rows = frozen("frozen layers and Dropout", None)
JUDGED = ("norm/output", "relu/output", "drop/output", "relu/output_grad", "norm/output_grad", "shut/output_grad", "open/output_grad")
check("they are judged", all(rows[n]["verdict"] == "ok" for n in JUDGED))
mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
batch = (x - mean) / np.sqrt(variance + F(1e-3)) * step["norm/gamma"] + step["norm/beta"]
frozen("statistics of the batch", "norm/output", {"norm/output": batch})
dx = step["shut/output_grad"]
frozen("the gradient of the batch's statistics", "shut/output_grad", {"shut/output_grad": dx - dx.mean((0, 1, 2))})
frozen("an update of a frozen kernel", "shut/kernel_new", {"shut/kernel_new": step["shut/kernel"] * F(0.999)})
frozen("a frozen kernel as it was", None, {"shut/kernel_new": step["shut/kernel"]})
frozen("an update of frozen statistics", "norm/moving_mean_new", {"norm/moving_mean_new": step["norm/moving_mean"] * F(0.99) + mean * F(0.01)})
rows = frozen("fused, through what is frozen", None, leave=("shut/output", "norm/output"))
check("it is judged through it", rows["relu/output"]["verdict"] == "ok" and rows["relu/output"]["through"] == "shut, norm")
frozen("the mean is not kept", "drop/output", {"drop/output": np.where(kept, step["relu/output"], 0)})
frozen("nothing is dropped", "drop/output", {"drop/output": step["relu/output"]})
frozen("another mask backward", "relu/output_grad", {"relu/output_grad": np.where(~kept, step["drop/output_grad"] / F(0.6), 0)})
frozen("no mask backward", "relu/output_grad", {"relu/output_grad": step["drop/output_grad"] / F(0.6)})
flipped = step["relu/output_grad"].copy()
at = tuple(np.argwhere(kept & (step["relu/output"] > 0))[7])
flipped[at] = 0
frozen("one flipped mask", "relu/output_grad", {"relu/output_grad": flipped})
rows = frozen("its output is not shown", None, leave=("drop/output", "mean/output"))
check("then its mask is not known", rows["relu/output_grad"]["verdict"] == "not checkable")

# One array of another implementation in a record of fer: it is ok, what is computed from it is not, and that is told.
def convolve(x, kernel):
    """SAME, stride 1, 3x3, in float32, tap by tap."""
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    h, w = x.shape[1] - 2, x.shape[2] - 2
    return sum((x[:, i:i + h, j:j + w] @ kernel[i, j] for i in range(3) for j in range(3)), F(0)).astype(F)


theirs = dict(inference, **{"conv2d_2/output": convolve(inference["activation_1/output"], inference["conv2d_2/kernel"])})
told = "only what is computed from conv2d_2/output is at fault, and that is ok: it may be another implementation's"
status, rows, result = verify(theirs, "--inference")
check("another's convolution is ok, what is behind it not: %s" % result["first_at_fault"], status == 1 and
      result["first_at_fault"] == "batch_normalization_2/output" and rows["conv2d_2/output"]["verdict"] == "ok")
check("and that is told", rows["batch_normalization_2/output"]["reason"] == told and result["only_consumers_of"] == "conv2d_2/output")
status, rows, result = verify(theirs, "--inference", "--no-chains")
check("not without chains, which tell it from a fault", result["only_consumers_of"] is None)
y = theirs["batch_normalization_2/output"]
status, rows, result = verify(dict(theirs, **{"batch_normalization_2/output": y * F(1.001)}), "--inference")
check("a fault is none of that", status == 1 and result["only_consumers_of"] is None)
status, rows, result = verify(dict(theirs, **{"activation_9/output": inference["activation_9/output"] * F(1.001)}), "--inference")
check("nor is another fault elsewhere", status == 1 and result["only_consumers_of"] is None)
noise = 1 + F(3e-6) * random.uniform(-1, 1, training["conv2d_30/output_grad"].shape).astype(F)
theirs = dict(training, **{"conv2d_30/output_grad": training["conv2d_30/output_grad"] * noise})
status, rows, result = verify(theirs)
bad = {n: (r["verdict"], r["likely_ratio"]) for n, r in rows.items() if r["verdict"] != "ok"}
check("another's gradient: %s" % bad, status == 1 and result["only_consumers_of"] == "conv2d_30/output_grad")
theirs["conv2d_30/kernel_grad"] = training["conv2d_30/kernel_grad"] * F(2)
status, rows, result = verify(theirs)
check("a fault is larger", status == 1 and result["only_consumers_of"] is None)

print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
