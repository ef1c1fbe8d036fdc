"""Layers forward and backward in NumPy, as short as they can be said. For cases_numpy.py."""
from functools import reduce
import numpy as np

def normalization(o, x, dy, gamma=1, beta=0, moving_mean=0, moving_variance=1):
    axes, m, n = tuple(range(x.ndim - 1)), np.float32(o.get("momentum", 0.99)), x.size // x.shape[-1]
    zeros, training = np.zeros(x.shape[-1], "f4"), o.get("training") != "0"
    mean, variance = (x.mean(axes), x.var(axes)) if training else (zeros + moving_mean, zeros + moving_variance)
    scale = 1 / np.sqrt(variance + np.float32(o.get("epsilon", 0.001)))
    h = (x - mean) * scale
    d = dy - dy.mean(axes) - h * (dy * h).mean(axes) if training else dy
    unbiased = variance * np.float32(n / max(n - 1, 1) if training and o.get("moving-variance") != "biased" else 1)
    return dict(y=h * gamma + beta, mean=mean, variance=variance, moving_mean=moving_mean * m + mean * (1 - m), dbeta=dy.sum(axes),
                moving_variance=moving_variance * m + unbiased * (1 - m), dx=d * (gamma * scale), dgamma=(dy * h).sum(axes))

def relu(o, x, dy):
    most, slope = np.float32(o.get("max-value", "inf")), np.float32(o.get("negative-slope", 0))
    return dict(y=np.where(x <= 0, slope * x, np.minimum(x, most)) if slope else np.minimum(np.maximum(x, 0), most),
                dx=np.where(x <= 0, slope * dy if slope else 0, np.where(x > most, 0, dy)))

def curve(y, slope):
    return lambda o, x, dy: dict(y=y(x), dx=dy * slope(x))

def hard_sigmoid(o, x, dy):
    slope = np.float32(eval(o.get("slope", "1/6")))
    y = np.clip(x * slope + np.float32(0.5), 0, 1)
    return dict(y=y, dx=np.where((y <= 0) | (y >= 1), 0, slope * dy))

def softmax(o, x, dy):
    e = np.exp(x - x.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    return dict(y=p, dx=p * (dy - (dy * p).sum(-1, keepdims=True)))

def edges(o, x, dy, name="padding"):
    t, b, l, r = map(int, o.get(name, "1,1,1,1").split(","))
    inner = lambda a: a[:, t:a.shape[1] - b, l:a.shape[2] - r]
    outer = lambda a: np.pad(a, ((0, 0), (t, b), (l, r), (0, 0)))
    return dict(y=outer(x), dx=inner(dy)) if name == "padding" else dict(y=inner(x), dx=outer(dy))

def dropout(o, x, dy, spatial=False):
    rate = float(o.get("rate", 0.5)) if o.get("training") != "0" else 0
    kept = np.random.random(x[:, :1, :1].shape if spatial else x.shape) >= rate
    return dict(y=np.where(kept, x / np.float32(1 - rate), 0), dx=np.where(kept, dy / np.float32(1 - rate), 0))

def dense(o, x, kernel, dy, bias=0):
    rows, d = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    return dict(y=x @ kernel + bias, dx=dy @ kernel.T, dkernel=rows.T @ d, dbias=d.sum(0))

def add(o, dy, **x):
    return dict({"d" + name: dy for name in x}, y=sum(x.values()))

def multiply(o, dy, **x):
    answer = dict(y=reduce(np.multiply, x.values()))
    for name in x:
        dx = reduce(np.multiply, [x[k] for k in x if k != name], dy)
        answer["d" + name] = dx if dx.shape == x[name].shape else dx.sum((1, 2), keepdims=True)
    return answer

def concatenate(o, dy, **x):
    ends = np.cumsum([a.shape[-1] for a in x.values()])[:-1]
    return dict(zip(["d" + name for name in x], np.split(dy, ends, -1)), y=np.concatenate(list(x.values()), -1))
