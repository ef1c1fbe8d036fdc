"""Convolution, pooling, BatchNormalization and Adam of PyTorch, called as `fer op` has them. For cases_pytorch.py."""
import numpy as np, torch, torch.nn.functional as F

nchw, nhwc = (lambda x: x.permute(0, 3, 1, 2)), (lambda x: x.permute(0, 2, 3, 1))

def pair(o, name, default):
    return tuple(map(int, o.get(name, default).split(",")))

def padding(o, size, k, s, d=(1, 1)):                                                   # left, right, top, bottom: as F.pad has it
    p, sides = o.get("padding", "valid"), []
    if "," in p:
        return pair(o, "padding", "")[2:] + pair(o, "padding", "")[:2]
    for i in (1, 0):
        total = max((-(-size[i] // s[i]) - 1) * s[i] + (k[i] - 1) * d[i] + 1 - size[i], 0) if p != "valid" else 0
        sides += [total - total // 2, total // 2] if p == "same_lower" else [total // 2, total - total // 2]
    return tuple(sides)

def conv2d(o, x, kernel, bias=None, depthwise=False):
    s, d, x, k = pair(o, "strides", "1,1"), pair(o, "dilation", "1,1"), nchw(x), kernel
    weight = k.reshape(*k.shape[:2], 1, -1) if depthwise else k
    x = F.pad(x, padding(o, x.shape[2:], k.shape, s, d))
    return dict(y=nhwc(F.conv2d(x, weight.permute(3, 2, 0, 1), bias, s, 0, d, k.shape[2] if depthwise else int(o.get("groups", 1)))))

def pool2d(o, x, mean=False):
    k, x = pair(o, "pool", "2,2"), nchw(x)
    s, up, count = pair(o, "strides", "%d,%d" % k), o.get("ceil") == "1", o.get("count-include-pad") == "1"
    if o.get("ties", "first") != "first":
        raise ValueError("--ties %s: PyTorch's max pooling has the first" % o["ties"])
    left, right, top, bottom = sides = padding(o, x.shape[2:], k, s)
    if left == right and top == bottom and 2 * left <= k[1] and 2 * top <= k[0]:
        return dict(y=nhwc(F.avg_pool2d(x, k, s, (top, left), up, count) if mean else F.max_pool2d(x, k, s, (top, left), 1, up)))
    if not mean:
        return dict(y=nhwc(F.max_pool2d(F.pad(x, sides, value=-np.inf), k, s, ceil_mode=up)))
    inside = 1 if count else F.avg_pool2d(F.pad(torch.ones_like(x), sides), k, s)             # the share of cells that count
    return dict(y=nhwc(F.avg_pool2d(F.pad(x, sides), k, s) / inside))

def batch_norm(o, x, gamma=None, beta=None, moving_mean=None, moving_variance=None):
    training, c, n = o.get("training") != "0", x.shape[-1], x.numel() // x.shape[-1]
    mean, variance = (torch.full([c], float(i)) if v is None else v.detach().clone() for i, v in enumerate((moving_mean, moving_variance)))
    momentum, epsilon = 1 - float(o.get("momentum", 0.99)), float(o.get("epsilon", 1e-3))
    y = F.batch_norm(x.movedim(-1, 1), mean, variance, gamma, beta, training, momentum, epsilon)
    return dict(y=y.movedim(1, -1), moving_mean=mean, **({} if o.get("moving-variance") == "biased" else dict(moving_variance=variance)))

def adam(o, parameter, gradient, m=None, v=None):                      # fer's forms by PyTorch's: another epsilon, another rate
    f, t = {k: float(o.get(k, default)) for k, default in (("beta1", .9), ("beta2", .999), ("learning-rate", 1e-3), ("epsilon", 1e-7),
                                                           ("weight-decay", 0))}, int(o.get("step", 1))
    c1, c2, form = 1 - f["beta1"] ** t, (1 - f["beta2"] ** t) ** .5, o.get("form", "keras")
    rate = f["learning-rate"] * (c1 / c2 if form == "uncorrected" else 1)
    p, zeros = parameter.detach().clone().requires_grad_(), torch.zeros_like(parameter)
    p.grad = gradient.detach().clone()
    optimizer = torch.optim.AdamW([p], rate, (f["beta1"], f["beta2"]), f["epsilon"] / (1 if form == "pytorch" else c2),
                                  f["weight-decay"] * f["learning-rate"] / rate if rate else 0)
    state = optimizer.state[p]
    state.update(step=torch.tensor(float(t - 1)), exp_avg=(zeros if m is None else m.detach()).clone(),
                 exp_avg_sq=(zeros if v is None else v.detach()).clone())
    optimizer.step()
    return dict(parameter=p, m=state["exp_avg"], v=state["exp_avg_sq"])
