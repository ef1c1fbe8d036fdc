"""What real engines made of tests/engines/small.json (tests/vectors/engines, by `make engines`): fused float32 of somebody else.
`verify` finds it sound, and names the faults that are planted in it.

    python3 tests/test_engines.py FER64
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

FER64, HERE = os.path.abspath(sys.argv[1]), os.path.dirname(os.path.abspath(__file__))
VECTORS, MODEL = os.path.join(HERE, "vectors", "engines"), os.path.join(HERE, "engines", "small.json")
NCHW = ("onnxruntime", "openvino", "opencv", "ncnn")
folder = tempfile.TemporaryDirectory(dir=os.environ.get("SCRATCH"))
passed = failed = 0
parameters = dict(np.load(os.path.join(VECTORS, "parameters.npz")))


def check(what, right):
    global passed, failed
    passed, failed = passed + bool(right), failed + (not right)
    if not right:
        print("FAILED:", what)


def nchw(name, a):
    """A parameter, or the input, as PyTorch and ONNX have it."""
    if name == "input":
        return a.transpose(0, 3, 1, 2)
    if name == "depthwise/kernel":
        return a[..., 0].transpose(2, 0, 1)[:, None]
    return a.transpose(3, 2, 0, 1) if a.ndim == 4 else a.T


def record(engine):
    arrays = dict(np.load(os.path.join(VECTORS, engine + ".npz")))
    if "step" in engine:
        return arrays, ["--bn-moving-variance", "biased"]
    turned = engine in NCHW
    shared = {n: nchw(n, a) if turned else a for n, a in parameters.items()}
    return {**shared, **arrays}, ["--inference", "--layout", "nchw" if turned else "nhwc"]


def verify(arrays, options):
    path = os.path.join(folder.name, "record.npz")
    np.savez(path, **{n: np.ascontiguousarray(a) for n, a in arrays.items()})
    run = subprocess.run([FER64, "verify", path, "--model", MODEL, "--json"] + options, stdout=subprocess.PIPE)
    return run.returncode, json.loads(run.stdout)


engines = sorted(name[:-4] for name in os.listdir(VECTORS) if name.endswith(".npz") and name != "parameters.npz")
check("engines: %s" % engines, len(engines) >= 9)
for engine in engines:
    arrays, options = record(engine)
    status, result = verify(arrays, options)
    least = 120 if "step" in engine else 14
    rows = [r for r in result["arrays"] if r["verdict"] == "ok"]
    check("%s is sound: %s" % (engine, result["arrays_with_verdict"]), status == 0 and len(rows) >= least)
    check("%s: nothing is weak" % engine, not any(r.get("weak") for r in rows))


# ---- faults ----

def planted(engine, name, fault):
    """It is named, and so first at fault."""
    arrays, options = record(engine)
    spoilt = fault(arrays[name].copy(), arrays)
    check("%s: the fault changes %s" % (fault.__name__, name), spoilt is not None and not np.array_equal(spoilt, arrays[name]))
    status, result = verify({**arrays, name: np.asarray(spoilt, np.float32)}, options)
    check("%s, %s in %s: %s" % (engine, fault.__name__, name, result["first_at_fault"]),
          status == 1 and result["first_at_fault"] == name)


def right(a, kernel=None, epsilon=1e-3, beta=None, limit=np.inf, roll=0):
    """right_relu of an engine in NCHW, with something else than there is."""
    kernel = a["right/kernel"] if kernel is None else kernel
    scale = np.roll(1 / np.sqrt(a["right_bn/moving_variance"] + epsilon), roll)
    beta = a["right_bn/beta"] if beta is None else beta
    y = np.einsum("nchw,oc->nohw", a["right_pool/output"].astype(float), kernel[:, :, 0, 0])
    y = (y - a["right_bn/moving_mean"][:, None, None]) * scale[:, None, None] + beta[:, None, None]
    return np.clip(y, 0, limit)


def bfloat16(a):
    return (a.astype(np.float32).view(np.uint32) + 0x8000 & 0xffff0000).astype(np.uint32).view(np.float32)


def the_truth(y, a): return right(a)
def epsilon_of_pytorch(y, a): return right(a, epsilon=1e-5)
def scale_of_the_next_channel(y, a): return right(a, roll=1)
def beta_lost_in_folding(y, a): return right(a, beta=0 * a["right_bn/beta"])
def kernel_in_bfloat16(y, a): return right(a, kernel=bfloat16(a["right/kernel"]))
def kernel_in_float16(y, a): return right(a, kernel=a["right/kernel"].astype(np.float16))
def relu6_in_place_of_relu(y, a): return right(a, limit=np.quantile(right(a), 0.9))
def kernel_transposed(y, a): return right(a, kernel=np.resize(a["right/kernel"][:, :, 0, 0].T, (5, 12))[:, :, None, None])


def channel_tail(y, a):
    y[:, -2:] *= np.float32(1.0005)
    return y


def last_row(y, a):
    y[:, :, -1] = 0
    return y


def the_other_image(y, a): return y[::-1]
def one_pixel_to_the_right(y, a): return np.roll(y, 1, 3)
def nhwc_bytes(y, a): return y.transpose(0, 2, 3, 1).reshape(y.shape)
def border_counts_zeros(y, a): return y * cells_of(a) / 9


def cells_of(a):
    """How many cells of each 3x3 window are inside."""
    h, w = a["right_pool/output"].shape[2:]
    side = lambda n: np.array([2] + [3] * (n - 2) + [2])
    return (side(h)[:, None] * side(w)).astype(np.float32)


def padded_with_zeros(y, a): return np.where(cells_of(a) < 9, np.maximum(y, 0), y)
def order_of_concatenation(y, a): return np.concatenate([y[:, 16:], y[:, :16]], 1)
def average_of_one_cell_less(y, a): return y * np.float32(12 / 11)
def probabilities_in_float16(y, a): return y.astype(np.float16)
def one_mask_flipped(y, a): return y * (np.arange(y.size).reshape(y.shape) != np.abs(y).argmax())


for number, fault in enumerate((epsilon_of_pytorch, scale_of_the_next_channel, beta_lost_in_folding, kernel_in_bfloat16,
                                kernel_in_float16, relu6_in_place_of_relu, kernel_transposed)):
    planted(NCHW[number % 4], "right_relu/output", fault)
arrays, options = record("openvino")
status, result = verify({**arrays, "right_relu/output": right(arrays).astype(np.float32)}, options)
check("the same without a fault is sound", status == 0)
for engine, name, fault in (("onnxruntime", "stem_relu/output", channel_tail), ("openvino", "depthwise_relu/output", last_row),
                            ("opencv", "block1/output", the_other_image), ("ncnn", "left_relu/output", one_pixel_to_the_right),
                            ("onnxruntime", "block4/output", nhwc_bytes), ("openvino", "right_pool/output", border_counts_zeros),
                            ("opencv", "middle_pool/output", padded_with_zeros), ("ncnn", "block2/output", order_of_concatenation),
                            ("onnxruntime", "features/output", average_of_one_cell_less),
                            ("openvino", "predictions/output", probabilities_in_float16)):
    planted(engine, name, fault)


def unbiased(v, a):
    """n is 2*9*10."""
    old = a["stem_bn/moving_variance"]
    return old * 0.99 + (v - old * 0.99) * (180 / 179)


def of_the_next_channel(g, a): return np.roll(g, 1)
def height_and_width_exchanged(g, a): return g.transpose(1, 0, 2, 3)
def sum_in_place_of_mean(g, a): return g * 2


def epsilon_after_correction(p, a):
    g = a["last/kernel_grad"].astype(float)
    return a["last/kernel"] - 1e-3 * g / (np.abs(g) + 1e-5)


for engine in [e for e in engines if "step" in e]:
    for name, fault in (("stem_bn/moving_variance_new", unbiased), ("last_bn/gamma_grad", of_the_next_channel),
                        ("depthwise/kernel_grad", height_and_width_exchanged), ("predictions/logits_grad", sum_in_place_of_mean),
                        ("last/kernel_new", epsilon_after_correction), ("depthwise_bn/output_grad", one_mask_flipped)):
        planted(engine, name, fault)

print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
