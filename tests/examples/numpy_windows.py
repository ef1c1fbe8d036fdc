"""Layers that move a window over an image, forward and backward, in NumPy: one output cell after the other. For cases_numpy.py."""
import numpy as np

def axis(size, out, k, o, i, strides):               # of every output: rows of the image, taps on them, how many taps count
    s, d = int(o.get("strides", strides).split(",")[i]), int(o.get("dilation", "1,1").split(",")[i])
    total, p = max((out - 1) * s + (k - 1) * d + 1 - size, 0), o.get("padding", "valid")
    before = int(p.split(",")[2 * i]) if "," in p else {"valid": 0, "same": total // 2, "same_lower": total - total // 2}[p]
    after = int(p.split(",")[2 * i + 1]) if "," in p else 0 if p == "valid" else total - before
    for rows in (np.arange(k) * d + first for first in range(-before, out * s - before, s)):
        inside = (rows >= 0) & (rows < size)
        yield rows[inside], np.arange(k)[inside], (rows < size + after).sum()

def windows(x, y, k, o, strides="1,1"):
    for i, (rows, kh, nh) in enumerate(axis(x.shape[1], y.shape[1], k[0], o, 0, strides)):
        for j, (columns, kw, nw) in enumerate(axis(x.shape[2], y.shape[2], k[1], o, 1, strides)):
            yield (slice(None), i, j), np.ix_(range(len(x)), rows, columns), np.ix_(kh, kw), nh * nw

def convolution(o, x, kernel, dy, bias=None, depthwise=False):
    g, y, dx = x.shape[3] if depthwise else int(o.get("groups", 1)), np.zeros_like(dy), np.zeros_like(x)
    k = kernel[:, :, None] if depthwise else kernel.reshape(*kernel.shape[:3], g, -1)
    dk = np.zeros_like(k)
    for out, at, tap, _ in windows(x, dy, kernel.shape, o):
        w, d = x[at].reshape(*x[at].shape[:3], g, x.shape[3] // g), dy[out].reshape(len(dy), g, -1)
        y[out] = np.einsum("nijgc,ijcgo->ngo", w, k[tap]).reshape(len(y), -1)
        dx[at] += np.einsum("ngo,ijcgo->nijgc", d, k[tap]).reshape(x[at].shape)
        dk[tap] += np.einsum("nijgc,ngo->ijcgo", w, d)
    more = {} if bias is None else dict(y=y + bias, dbias=dy.sum((0, 1, 2)))
    return dict(dict(y=y, dx=dx, dkernel=dk.reshape(kernel.shape)), **more)

def pooling(o, x, dy, mean=False):
    y, dx, pool, ties = np.zeros_like(dy), np.zeros_like(x), eval(o.get("pool", "2,2")), o.get("ties")
    for out, at, _, count in windows(x, dy, pool, o, "%d,%d" % pool):
        w = x[at].reshape(len(x), -1, x.shape[3])
        n = np.float32(count if o.get("count-include-pad") == "1" else w.shape[1])
        y[out] = w.sum(1) / n if mean else w.max(1)
        hit = (w == y[out][:, None]) | (w != w)
        first = hit & ((hit[:, ::-1].cumsum(1)[:, ::-1] if ties == "last" else hit.cumsum(1)) == 1)
        share = np.full_like(w, 1 / n) if mean else hit / hit.sum(1, keepdims=True) if ties == "split" else hit if ties == "all" else first
        dx[at] += np.where(share, share * dy[out][:, None], 0).reshape(x[at].shape)
    return dict(y=y, dx=dx)

def of_image(o, x, dy, mean):
    answer = pooling({"pool": "%d,%d" % x.shape[1:3]}, x, dy[:, None, None], mean)
    return dict(answer, y=answer["y"][:, 0, 0])
