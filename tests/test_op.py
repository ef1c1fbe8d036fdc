#!/usr/bin/env python3
"""`fer op` from another language: files that NumPy writes, in many types and layouts, against PyTorch in float64.

    test_op.py FER FER64

Sums are of small integers, so that both programs must agree with PyTorch to the last bit; what takes roots, exponentials or quotients has
a tolerance of some units in the last place. Needs numpy and torch."""
import os
import subprocess
import sys

import numpy as np
import torch
import torch.nn.functional as F

import philox

PROGRAMS = {sys.argv[1]: np.float32, sys.argv[2]: np.float64}
FOLDER = os.path.join(os.environ.get("SCRATCH", "build/tmp"), "op_py")
IN, OUT = os.path.join(FOLDER, "in.npz"), os.path.join(FOLDER, "out.npz")
TYPES = ["<f2", ">f4", "<f8", "|i1", ">i2", "<i4", ">i8", "|i1"]
DROPOUT = 6 # FER_FOR_DROPOUT
random = np.random.RandomState(7)
passed = failed = 0


def integers(*shape, low=-3, high=4):
    """Small integers, each time in another type and layout."""
    a = random.randint(low, high, shape).astype(TYPES[random.randint(len(TYPES))])
    return np.asfortranarray(a) if random.randint(2) else a


def normal(*shape):
    return random.standard_normal(shape).astype(np.float32)


def fer(program, name, options, arrays):
    if os.path.exists(OUT):
        os.remove(OUT)
    (np.savez_compressed if random.randint(2) else np.savez)(IN, **arrays)
    run = subprocess.run([program, "op", name, IN, OUT] + options, capture_output=True, text=True)
    if run.returncode or ("unknown" in arrays) != ("1 array is not used: unknown" in run.stderr):
        sys.exit("%s %s %s: %d: %s" % (program, name, options, run.returncode, run.stderr))
    with np.load(OUT) as results:
        return {key: results[key] for key in results.files}


def check(name, options, arrays, expected, ulps=0):
    """expected: by name, in the file's order. ulps: of the largest value of each array."""
    global passed, failed
    for program, real in PROGRAMS.items():
        got = fer(program, name, options, arrays)
        faults = [] if list(got) == list(expected) else ["arrays %s, expected %s" % (list(got), list(expected))]
        for key in [key for key in expected if key in got]:
            want = np.asarray(expected[key], np.float64)
            room = ulps * np.finfo(real).eps * np.abs(want).max()
            if got[key].dtype != real or got[key].shape != want.shape:
                faults.append("%s: %s %s, expected %s %s" % (key, got[key].dtype, got[key].shape, np.dtype(real), want.shape))
            elif not np.all(np.abs(got[key] - want) <= room):
                faults.append("%s: off by %g, %g allowed" % (key, np.abs(got[key] - want).max(), room))
        passed += not faults
        failed += bool(faults)
        for fault in faults:
            print("FAILED: %s %s %s: %s" % (program, name, " ".join(options), fault))


def tensor(a):
    return torch.tensor(np.asarray(a, np.float64), requires_grad=True)


def nchw(a):
    return a.permute(0, 3, 1, 2)


def nhwc(a):
    return a.permute(0, 2, 3, 1)


def number(a):
    return a.detach().numpy()


def same_padding(size, kernel, stride):
    """TensorFlow's: what is odd goes behind."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def padded(x, kernel, strides, value=0.0):
    rows, columns = (same_padding(x.shape[2 + i], kernel[i], strides[i]) for i in (0, 1))
    return F.pad(x, columns + rows, value=value)


def conv2d():
    for kernel, strides, padding in [((3, 3), (1, 1), "valid"), ((2, 3), (2, 1), "same"), ((1, 1), (1, 1), "same"),
                                     ((5, 2), (3, 2), "same"), ((1, 7), (1, 1), "same"), ((3, 3), (2, 2), "valid")]:
        a = dict(x=integers(2, 9, 8, 3), kernel=integers(*kernel, 3, 5))
        x, k = tensor(a["x"]), tensor(a["kernel"])
        image = nchw(x) if padding == "valid" else padded(nchw(x), kernel, strides)
        y = nhwc(F.conv2d(image, k.permute(3, 2, 0, 1), stride=strides))
        options = [] if padding == "valid" and strides == (1, 1) else ["--strides=%d,%d" % strides, "--padding", padding]
        check("conv2d", options, a, dict(y=number(y)))
        a["dy"] = integers(*y.shape)
        y.backward(tensor(a["dy"]))
        check("conv2d", options, a, dict(y=number(y), dx=number(x.grad), dkernel=number(k.grad)))


def nchw_layout():
    """PyTorch's own arrays, as they are."""
    a = dict(x=integers(2, 3, 9, 8), kernel=integers(5, 3, 3, 2), bias=integers(5))
    x, k, b = tensor(a["x"]), tensor(a["kernel"]), tensor(a["bias"])
    y = F.conv2d(x, k, b, stride=(2, 1))
    a["dy"] = integers(*y.shape)
    y.backward(tensor(a["dy"]))
    check("conv2d", ["--layout", "nchw", "--strides", "2,1"], a,
          dict(y=number(y), dx=number(x.grad), dkernel=number(k.grad), dbias=number(b.grad)))
    a = dict(x=integers(4, 9), kernel=integers(6, 9), bias=integers(6), dy=integers(4, 6))
    x, k, b = tensor(a["x"]), tensor(a["kernel"]), tensor(a["bias"])
    y = F.linear(x, k, b)
    y.backward(tensor(a["dy"]))
    check("dense", ["--layout=nchw"], a, dict(y=number(y), dx=number(x.grad), dkernel=number(k.grad), dbias=number(b.grad)))
    x = tensor(integers(2, 5, 9, 8))
    y = F.max_pool2d(x, 3, 2)
    a = dict(x=number(x), dy=integers(*y.shape))
    y.backward(tensor(a["dy"]))
    check("max_pooling2d", ["--pool=3,3", "--strides=2", "--layout", "nchw"], a, dict(y=number(y), dx=number(x.grad)))
    x, gamma, beta = tensor(normal(4, 5, 3, 2)), tensor(normal(5)), tensor(normal(5))
    moving = [torch.zeros(5, dtype=torch.float64), torch.ones(5, dtype=torch.float64)]
    y = F.batch_norm(x, moving[0], moving[1], gamma, beta, True, 0.25, 0.01)
    a = dict(x=number(x), gamma=number(gamma), beta=number(beta), dy=normal(4, 5, 3, 2))
    y.backward(tensor(a["dy"]))
    check("batch_normalization", ["--layout", "nchw", "--momentum", "0.75", "--epsilon", "0.01"], a,
          dict(y=number(y), mean=number(x).mean((0, 2, 3)), variance=number(x).var((0, 2, 3)), moving_mean=number(moving[0]),
               moving_variance=number(moving[1]), dx=number(x.grad), dgamma=number(gamma.grad), dbeta=number(beta.grad)), ulps=32)
    parts = [integers(2, c, 3) for c in (4, 1, 2)]
    check("concatenate", ["--layout", "nchw"], dict(x0=parts[0], x1=parts[1], x2=parts[2]), dict(y=np.concatenate(parts, 1)))


def pooling():
    for pool, strides, padding in [((2, 2), (2, 2), "valid"), ((3, 3), (1, 1), "same"), ((3, 2), (2, 2), "same"), ((3, 3), (2, 2), "valid")]:
        options = [] if pool == strides and padding == "valid" else ["--pool", "%d,%d" % pool, "--strides", "%d,%d" % strides,
                                                                     "--padding", padding]
        a = dict(x=integers(2, 9, 8, 5))
        x = tensor(a["x"])
        image = nchw(x) if padding == "valid" else padded(nchw(x), pool, strides, -np.inf)
        y = nhwc(F.max_pool2d(image, pool, strides))
        a["dy"] = integers(*y.shape)
        y.backward(tensor(a["dy"]))
        check("max_pooling2d", options, a, dict(y=number(y), dx=number(x.grad)))
        a["x"] = integers(2, 9, 8, 5)
        x = tensor(a["x"])
        ones = torch.ones(1, 1, 9, 8, dtype=torch.float64)
        cells = F.avg_pool2d(padded(ones, pool, strides) if padding == "same" else ones, pool, strides) # the share inside the image
        image = nchw(x) if padding == "valid" else padded(nchw(x), pool, strides)
        y = nhwc(F.avg_pool2d(image, pool, strides) / cells)
        y.backward(tensor(a["dy"]))
        check("average_pooling2d", options, a, dict(y=number(y), dx=number(x.grad)), ulps=8)
    x = tensor(integers(3, 4, 5, 6))
    y = x.mean((1, 2))
    a = dict(x=number(x), dy=integers(3, 6))
    y.backward(tensor(a["dy"]))
    check("global_average_pooling2d", [], a, dict(y=number(y), dx=number(x.grad)), ulps=4)


def convolutions():
    """Dilation, groups, padding of any size and a bias, in both layouts; depthwise is a group for each channel."""
    for ci, co, groups, kernel, strides, dilation, sides in [
            (3, 4, 1, (3, 2), (1, 1), (2, 1), (2, 2, 0, 1)), (6, 4, 2, (2, 3), (2, 1), (1, 2), (0, 1, 3, 0)),
            (4, 4, 4, (3, 3), (1, 2), (1, 1), (1, 1, 1, 1)), (3, 6, 3, (2, 3), (2, 2), (3, 1), (5, 0, 0, 4))]:
        x, k, b = tensor(integers(2, ci, 7, 8)), tensor(integers(co, ci // groups, *kernel)), tensor(integers(co))
        y = F.conv2d(F.pad(x, sides[2:] + sides[:2]), k, b, strides, 0, dilation, groups)
        dy = tensor(integers(*y.shape))
        y.backward(dy)
        options = ["--strides", "%d,%d" % strides, "--dilation", "%d,%d" % dilation, "--padding", "%d,%d,%d,%d" % sides]
        results = dict(y=y, dx=x.grad, dkernel=k.grad, dbias=b.grad)
        files = dict(x=x, kernel=k, bias=b, dy=dy)
        for name, more in [("conv2d", ["--groups", str(groups)])] + ([("depthwise_conv2d", [])] if groups == ci else []):
            check(name, options + more + ["--layout", "nchw"], {n: number(t) for n, t in files.items()},
                  {n: number(t) for n, t in results.items()})

            def laid_out(n, t):
                if t.dim() == 1:
                    return number(t)
                if "kernel" not in n:
                    return number(nhwc(t))
                t = number(t.permute(2, 3, 1, 0))  # [KH,KW,CI,CO]
                return t if name == "conv2d" else t.reshape(t.shape[:2] + (ci, co // ci))
            check(name, options + more, {n: laid_out(n, t) for n, t in files.items()},
                  {n: laid_out(n, t) for n, t in results.items()})
    x, k = tensor(integers(1, 6, 5, 2)), tensor(integers(2, 2, 2, 3))  # ONNX's SAME_LOWER
    y = nhwc(F.conv2d(F.pad(nchw(x), (1, 0, 1, 0)), k.permute(3, 2, 0, 1)))
    check("conv2d", ["--padding", "same_lower"], dict(x=number(x), kernel=number(k)), dict(y=number(y)))


def padded_pooling():
    """Padding, ceil, what counts, and equal maxima."""
    for pool, strides, sides, ceil in [((3, 3), (2, 2), (1, 1, 1, 1), 0), ((3, 2), (2, 3), (1, 1, 0, 0), 1), ((2, 2), (2, 2), (0, 0, 0, 0), 1)]:
        a = dict(x=integers(2, 6, 7, 3, low=-1, high=2))
        options = ["--pool", "%d,%d" % pool, "--strides", "%d,%d" % strides, "--padding", "%d,%d,%d,%d" % sides, "--ceil", str(ceil)]
        own = dict(padding=(sides[0], sides[2]), ceil_mode=bool(ceil))
        x = tensor(a["x"])
        y = nhwc(F.max_pool2d(nchw(x), pool, strides, **own))
        a["dy"] = 12 * integers(*y.shape).astype(np.float32)
        y.backward(tensor(a["dy"]))
        check("max_pooling2d", options, a, dict(y=number(y), dx=number(x.grad)))
        x = tensor(a["x"])
        big = F.pad(nchw(x), (sides[2], sides[3] + pool[1], sides[0], sides[1] + pool[0]), value=-np.inf)
        windows = big.unfold(2, pool[0], strides[0]).unfold(3, pool[1], strides[1])[:, :, :y.shape[1], :y.shape[2]]
        nhwc(windows.amax((4, 5))).backward(tensor(a["dy"]))  # shared among equal maxima
        check("max_pooling2d", options + ["--ties", "split"], a, dict(y=number(y), dx=number(x.grad)), ulps=4)
        for count in (0, 1):
            x = tensor(a["x"])
            y = nhwc(F.avg_pool2d(nchw(x), pool, strides, count_include_pad=bool(count), **own))
            y.backward(tensor(a["dy"]))
            check("average_pooling2d", options + ["--count-include-pad", str(count)], a, dict(y=number(y), dx=number(x.grad)), ulps=8)
    a = dict(x=np.array([[[[2.0], [2], [1], [2]]]]), dy=np.full((1, 1, 1, 1), 6.0))
    for ties, dx in (("first", [6, 0, 0, 0]), ("last", [0, 0, 0, 6]), ("all", [6, 6, 0, 6]), ("split", [2, 2, 0, 2])):
        check("max_pooling2d", ["--pool", "1,4", "--ties", ties], a, dict(y=[[[[2]]]], dx=np.reshape(dx, (1, 1, 4, 1))))
    x = tensor(normal(3, 4, 5, 6))
    y = F.adaptive_max_pool2d(x, 1)[:, :, 0, 0]
    a = dict(x=number(x), dy=integers(3, 4))
    y.backward(tensor(a["dy"]))
    check("global_max_pooling2d", ["--layout", "nchw"], a, dict(y=number(y), dx=number(x.grad)))


def dense_on_a_map():
    a = dict(x=integers(2, 3, 4, 5), kernel=integers(5, 6), dy=integers(2, 3, 4, 6))
    x, k = tensor(a["x"]), tensor(a["kernel"])
    y = x @ k
    y.backward(tensor(a["dy"]))
    check("dense", [], a, dict(y=number(y), dx=number(x.grad), dkernel=number(k.grad)))


def batch_normalization():
    for training in (1, 0):
        for given in ((), ("gamma", "beta"), ("gamma", "beta", "moving_mean", "moving_variance")):
            start = dict(gamma=normal(5), beta=normal(5), moving_mean=normal(5), moving_variance=normal(5) ** 2)
            a = dict(x=normal(4, 3, 2, 5), dy=normal(4, 3, 2, 5), **{key: start[key] for key in given})
            x, gamma, beta = tensor(a["x"]), tensor(a.get("gamma", np.ones(5))), tensor(a.get("beta", np.zeros(5)))
            moving = [torch.tensor(np.asarray(a.get("moving_mean", np.zeros(5)), np.float64)),
                      torch.tensor(np.asarray(a.get("moving_variance", np.ones(5)), np.float64))]
            mean = number(x).mean((0, 1, 2)) if training else number(moving[0]).copy()
            variance = number(x).var((0, 1, 2)) if training else number(moving[1]).copy()
            y = nhwc(F.batch_norm(nchw(x), moving[0], moving[1], gamma, beta, bool(training), 0.25, 0.01))
            y.backward(tensor(a["dy"]))
            expected = dict(y=number(y), mean=mean, variance=variance, moving_mean=number(moving[0]), moving_variance=number(moving[1]),
                            dx=number(x.grad))
            if given:
                expected.update(dgamma=number(gamma.grad), dbeta=number(beta.grad))
            check("batch_normalization", ["--training", str(training), "--momentum", "0.75", "--epsilon", "0.01"], a, expected, ulps=16)


def merged():
    a = dict(x0=integers(2, 3, 4, 5), x1=integers(2, 3, 4, 5), x2=integers(2, 3, 4, 5), dy=integers(2, 3, 4, 5))
    check("add", [], a, dict(y=sum(np.asarray(a[k], float) for k in ("x0", "x1", "x2")), dx0=a["dy"], dx1=a["dy"], dx2=a["dy"]))
    for layout, one in ((nhwc, (2, 1, 1, 5)), (lambda x: x, (2, 5, 1, 1))):
        shape = (2, 3, 4, 5) if layout is nhwc else (2, 5, 3, 4)
        a = dict(x0=integers(*one), x1=integers(*shape), x2=integers(*one), dy=integers(*shape))
        x = [tensor(a[k]) for k in ("x0", "x1", "x2")]
        y = x[0] * x[1] * x[2]
        y.backward(tensor(a["dy"]))
        check("multiply", [] if layout is nhwc else ["--layout", "nchw"], a,
              dict(y=number(y), **{"dx%d" % k: number(x[k].grad) for k in range(3)}))
    a = dict(x=integers(2, 3, 4, 5), scale=normal(5), offset=normal(5), dy=integers(2, 3, 4, 5))
    check("rescaling", [], a, dict(y=a["x"] * a["scale"].astype(float) + a["offset"], dx=a["dy"] * a["scale"].astype(float)), ulps=2)
    check("rescaling", [], dict(x=[[1, 2]], scale=[3, 4]), dict(y=[[3, 8]]))
    a = dict(x=normal(2, 3, 5), mean=normal(5), variance=normal(5) ** 2, dy=normal(2, 3, 5))
    deviation = np.maximum(np.sqrt(a["variance"].astype(float)), 1e-7)
    check("normalization", [], a, dict(y=(a["x"].astype(float) - a["mean"]) / deviation, dx=a["dy"] / deviation), ulps=4)
    check("normalization", [], dict(x=[[1, 2]], variance=[0, 4]), dict(y=[[1e7, 1]]), ulps=1)


def edges():
    a = dict(x=integers(2, 3, 4, 5), dy=integers(2, 6, 9, 5))
    check("zero_padding2d", ["--padding", "1,2,0,5"], a, dict(y=np.pad(np.asarray(a["x"], float), ((0, 0), (1, 2), (0, 5), (0, 0))),
                                                             dx=a["dy"][:, 1:4, 0:4]))
    a = dict(x=integers(2, 5, 6, 9), dy=integers(2, 5, 3, 4))
    check("cropping2d", ["--cropping", "1,2,0,5", "--layout", "nchw"], a,
          dict(y=a["x"][:, :, 1:4, 0:4], dx=np.pad(np.asarray(a["dy"], float), ((0, 0), (0, 0), (1, 2), (0, 5)))))


def dropout():
    """The masks anew from the text of fer.h, by the second Philox."""
    a = dict(x=normal(3, 4, 5, 2), dy=normal(3, 4, 5, 2))
    uniform = (philox.draws(9, DROPOUT, 0, 120) + 0.5) / 2**32
    mask = (uniform >= 0.3).reshape(3, 4, 5, 2) / 0.7
    options = ["--rate", "0.3", "--seed", "9"]
    check("dropout", options, a, dict(y=a["x"] * mask, dx=a["dy"] * mask), ulps=2)
    mask = (uniform[:6] >= 0.3).reshape(3, 1, 1, 2) / 0.7
    check("spatial_dropout2d", options, a, dict(y=a["x"] * mask, dx=a["dy"] * mask), ulps=2)
    check("dropout", options + ["--training", "0"], a, dict(y=a["x"], dx=a["dy"]))


def others():
    a = dict(x=integers(4, 3, 2, 1, 5), dy=integers(4, 3, 2, 1, 5))
    check("relu", [], a, dict(y=np.maximum(a["x"], 0), dx=np.where(np.asarray(a["x"]) > 0, a["dy"], 0)))
    a = dict(x=np.array([[True, False]]), unknown=np.zeros(3))
    check("relu", [], a, dict(y=[[1, 0]]))
    for name, function in (("sigmoid", torch.sigmoid), ("tanh", torch.tanh), ("silu", F.silu), ("elu", F.elu),
                           ("hard_sigmoid", lambda x: torch.clamp(x / 6 + 0.5, 0, 1)), # F.hardsigmoid's gradient has 1/6 in float32
                           ("softmax", lambda x: torch.softmax(x, -1))):
        a = dict(x=3 * normal(4, 3, 5), dy=normal(4, 3, 5))
        x = tensor(a["x"])
        y = function(x)
        y.backward(tensor(a["dy"]))
        check(name, [], a, dict(y=number(y), dx=number(x.grad)), ulps=16)
    a = dict(x=normal(2, 5, 3, 4), dy=normal(2, 5, 3, 4))
    x = tensor(a["x"])
    y = torch.softmax(x, 1)
    y.backward(tensor(a["dy"]))
    check("softmax", ["--layout", "nchw"], a, dict(y=number(y), dx=number(x.grad)), ulps=16)
    check("hard_sigmoid", ["--slope", "1/5"], dict(x=[-3, -2.5, 0, 1, 2.5, 9]), dict(y=[0, 0, 0.5, 0.7, 1, 1]), ulps=1)
    merged()
    edges()
    dropout()
    parts = [integers(2, 3, c) for c in (4, 1, 2)]
    whole = integers(2, 3, 7)
    check("concatenate", [], dict(x0=parts[0], x1=parts[1], x2=parts[2], dy=whole),
          dict(y=np.concatenate(parts, 2), dx0=whole[..., :4], dx1=whole[..., 4:5], dx2=whole[..., 5:]))
    a = dict(x=integers(4, 9), kernel=integers(9, 6), bias=integers(6), dy=integers(4, 6))
    f = {key: np.asarray(value, np.float64) for key, value in a.items()}
    check("dense", [], a, dict(y=f["x"] @ f["kernel"] + f["bias"], dx=f["dy"] @ f["kernel"].T, dkernel=f["x"].T @ f["dy"],
                               dbias=f["dy"].sum(0)))
    logits, labels = tensor(8 * normal(6, 7)), np.array([0, 6, 3, 3, 1, 5])
    loss = F.cross_entropy(logits, torch.tensor(labels))
    loss.backward()
    expected = dict(probabilities=number(F.softmax(logits, 1)), loss=number(loss), dlogits=number(logits.grad))
    for form in (labels.astype(">u2"), labels.astype(np.float32), np.eye(7)[labels], np.eye(7)[labels] > 0):
        check("softmax_cross_entropy", [], dict(logits=number(logits), labels=form), expected, ulps=4)
    soft = np.random.dirichlet(np.ones(7), 6).astype(np.float32)
    for target, smoothing in ((soft, 0.0), (soft, 0.25), (labels, 0.25)):
        logits.grad = None
        want = torch.tensor(np.asarray(target, np.float64) if target.ndim == 2 else target)
        loss = F.cross_entropy(logits, want, label_smoothing=smoothing)
        loss.backward()
        check("softmax_cross_entropy", ["--label-smoothing", str(smoothing)] if smoothing else [], dict(logits=number(logits), labels=target),
              dict(probabilities=number(F.softmax(logits, 1)), loss=number(loss), dlogits=number(logits.grad)), ulps=8)
    for decay in (0.0, 0.5):
        p = tensor(normal(3, 4))
        g = normal(3, 4)
        a = dict(parameter=number(p).copy(), gradient=g)
        optimizer = torch.optim.AdamW([p], lr=0.01, betas=(0.75, 0.875), eps=0.125, weight_decay=decay)
        p.grad = torch.tensor(g.astype(np.float64))
        optimizer.step()
        state = optimizer.state[p]
        check("adam", ["--form", "pytorch", "--weight-decay", str(decay), "--learning-rate", "0.01", "--beta1", "0.75", "--beta2", "0.875",
                       "--epsilon", "0.125"], a, dict(parameter=number(p), m=number(state["exp_avg"]), v=number(state["exp_avg_sq"])), ulps=8)
    for options, f in ((["--max-value", "6"], lambda x: F.hardtanh(x, 0, 6)), (["--negative-slope", "0.25"], lambda x: F.leaky_relu(x, 0.25))):
        x = tensor(4 * normal(5, 6))
        a = dict(x=number(x), dy=normal(5, 6))
        y = f(x)
        y.backward(tensor(a["dy"]))
        check("relu", options, a, dict(y=number(y), dx=number(x.grad)), ulps=1)
    a = dict(parameter=normal(3, 4), gradient=normal(3, 4), m=normal(3, 4), v=normal(3, 4) ** 2)
    f = {key: np.asarray(value, np.float64) for key, value in a.items()}
    m, v = f["m"] * 0.8 + f["gradient"] * 0.2, f["v"] * 0.9 + f["gradient"] ** 2 * 0.1
    rate = 0.01 * np.sqrt(1 - 0.9 ** 5) / (1 - 0.8 ** 5)
    check("adam", ["--step", "5", "--learning-rate=1e-2", "--beta1", "0.8", "--beta2", "0.9", "--epsilon", "0.001"], a,
          dict(parameter=f["parameter"] - rate * m / (np.sqrt(v) + 0.001), m=m, v=v), ulps=8)


os.makedirs(FOLDER, exist_ok=True)
for part in (conv2d, nchw_layout, pooling, convolutions, padded_pooling, dense_on_a_map, batch_normalization, others):
    part()
for path in (IN, OUT):
    os.remove(path)
os.rmdir(FOLDER)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
