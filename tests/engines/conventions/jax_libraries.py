"""flax.linen, flax.nnx, Haiku and Equinox, with optax for Adam; jax.lax beneath them all.

# row flax_linen: LIBRARY=linen jax==0.10.2 flax==0.12.8 optax==0.2.8
# row flax_nnx: LIBRARY=nnx jax==0.10.2 flax==0.12.8 optax==0.2.8
# row haiku: LIBRARY=haiku jax==0.10.2 dm-haiku==0.0.17 optax==0.2.8
# row equinox: LIBRARY=equinox jax==0.10.2 equinox==0.13.8 optax==0.2.8
"""
import os
from importlib.metadata import version
import jax
import jax.numpy as jnp
import numpy as np
from probes import Missing, measure

given = lambda **options: {k: v for k, v in options.items() if v is not None}


def gradient(f, x, dy):
    return np.asarray(jax.vjp(f, jnp.asarray(x))[1](jnp.asarray(dy))[0])


def optax_adam(parameter, gradients, learning_rate, epsilon):
    import optax
    if learning_rate is None:
        raise Missing("no default learning rate")
    optimizer, p = optax.adam(learning_rate, **given(eps=epsilon)), jnp.asarray(parameter)
    state = optimizer.init(p)
    for gradient in gradients:
        step, state = optimizer.update(jnp.asarray(gradient), state, p)
        p = optax.apply_updates(p, step)
    return np.asarray(p)


def padding_of(padding):
    return padding.upper() if isinstance(padding, str) else ((padding, padding),) * 2


class Linen:
    def __init__(self):
        import flax.linen as nn
        self.nn, self.name, self.version = nn, "flax.linen, optax", version("flax")

    def conv(self, x, kernel, strides, padding):
        layer = self.nn.Conv(kernel.shape[3], kernel.shape[:2], strides, padding_of(padding), use_bias=False)
        return layer.apply({"params": {"kernel": kernel}}, x)

    def max_pool(self, x, size, strides, padding):
        return self.nn.max_pool(jnp.asarray(x), (size, size), (strides, strides), padding_of(padding))

    def average_pool(self, x, size, strides, padding):
        return self.nn.avg_pool(jnp.asarray(x), (size, size), (strides, strides), padding_of(padding))

    def relu(self, x): return self.nn.relu(x)
    def sigmoid(self, x): return self.nn.sigmoid(x)
    def hard_sigmoid(self, x): return self.nn.hard_sigmoid(x)
    def leaky_relu(self, x): return self.nn.leaky_relu(x)

    def batch_norm(self, x, training, gamma, beta, mean, variance, momentum, epsilon):
        layer = self.nn.BatchNorm(use_running_average=not training, **given(momentum=momentum, epsilon=epsilon))
        y, new = layer.apply({"params": {"scale": gamma, "bias": beta}, "batch_stats": {"mean": mean, "var": variance}},
                             jnp.asarray(x), mutable=["batch_stats"])
        return y, new["batch_stats"]["mean"], new["batch_stats"]["var"]


class Nnx(Linen):
    def __init__(self):
        from flax import nnx
        self.nn, self.name, self.version = nnx, "flax.nnx, optax", version("flax")

    def conv(self, x, kernel, strides, padding):
        layer = self.nn.Conv(kernel.shape[2], kernel.shape[3], kernel.shape[:2], strides, padding=padding_of(padding),
                             use_bias=False, rngs=self.nn.Rngs(0))
        layer.kernel = self.nn.Param(jnp.asarray(kernel))
        return layer(x)

    def max_pool(self, x, size, strides, padding):
        return self.nn.max_pool(jnp.asarray(x), (size, size), (strides, strides), padding_of(padding))

    def batch_norm(self, x, training, gamma, beta, mean, variance, momentum, epsilon):
        nnx = self.nn
        layer = nnx.BatchNorm(len(gamma), use_running_average=not training, rngs=nnx.Rngs(0),
                              **given(momentum=momentum, epsilon=epsilon))
        layer.scale, layer.bias = nnx.Param(jnp.asarray(gamma)), nnx.Param(jnp.asarray(beta))
        layer.mean, layer.var = nnx.BatchStat(jnp.asarray(mean)), nnx.BatchStat(jnp.asarray(variance))
        y = layer(jnp.asarray(x))
        return y, layer.mean[...], layer.var[...]


class Haiku(Linen):
    def __init__(self):
        import haiku
        self.hk, self.nn, self.name, self.version = haiku, jax.nn, "Haiku, optax", version("dm-haiku")

    def conv(self, x, kernel, strides, padding):
        where = padding_of(padding)
        make = lambda x: self.hk.Conv2D(kernel.shape[3], kernel.shape[:2], strides, padding=where, with_bias=False, name="c")(x)
        return self.hk.transform(make).apply({"c": {"w": kernel}}, None, x)

    def max_pool(self, x, size, strides, padding):
        return self.hk.max_pool(jnp.asarray(x), (size, size, 1), (strides, strides, 1), word(padding))

    def average_pool(self, x, size, strides, padding):
        return self.hk.avg_pool(jnp.asarray(x), (size, size, 1), (strides, strides, 1), word(padding))

    def batch_norm(self, x, training, gamma, beta, mean, variance, momentum, epsilon):
        if momentum is None and training:
            raise Missing("no default decay rate")
        row = lambda v: jnp.asarray(v).reshape((1,) * (x.ndim - 1) + (-1,))
        make = lambda x: self.hk.BatchNorm(True, True, **given(decay_rate=momentum or 0.5, eps=epsilon), name="b")(x, training)
        state = {"b/~/%s_ema" % n: {"average": row(v), "hidden": row(v), "counter": jnp.asarray(0)}
                 for n, v in (("mean", mean), ("var", variance))}
        y, state = self.hk.transform_with_state(make).apply({"b": {"scale": row(gamma), "offset": row(beta)}}, state, None,
                                                            jnp.asarray(x))
        return y, state["b/~/mean_ema"]["hidden"].ravel(), state["b/~/var_ema"]["hidden"].ravel()


def word(padding):
    if padding not in ("same", "valid"):
        raise Missing("no padding in numbers")
    return padding.upper()


class Equinox(Linen):
    def __init__(self):
        import equinox
        self.eqx, self.nn, self.name, self.version = equinox, jax.nn, "Equinox, optax", version("equinox")

    def images(self, layer, x):
        return jax.vmap(layer)(jnp.asarray(x).transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)

    def conv(self, x, kernel, strides, padding):
        where = padding if isinstance(padding, int) else padding.upper()
        layer = self.eqx.nn.Conv2d(*kernel.shape[2:], kernel.shape[0], strides, where, use_bias=False, key=jax.random.key(0))
        layer = self.eqx.tree_at(lambda l: l.weight, layer, jnp.asarray(kernel.transpose(3, 2, 0, 1)))
        return self.images(layer, x)

    def max_pool(self, x, size, strides, padding):
        return self.images(self.eqx.nn.MaxPool2d(size, strides, 0 if padding == "valid" else padding), x)

    def average_pool(self, x, size, strides, padding):
        return self.images(self.eqx.nn.AvgPool2d(size, strides, 0 if padding == "valid" else padding), x)

    def average_pool_ceil(self, x, size, strides, padding):
        return self.images(self.eqx.nn.AvgPool2d(size, strides, padding, use_ceil=True), x)

    def batch_norm(self, x, training, gamma, beta, mean, variance, momentum, epsilon):
        nn = self.eqx.nn
        layer, state = nn.make_with_state(nn.BatchNorm)(len(gamma), "batch", mode="batch",
                                                        **given(momentum=momentum, eps=epsilon))
        layer = self.eqx.tree_at(lambda l: (l.weight, l.bias), layer, (jnp.asarray(gamma), jnp.asarray(beta)))
        index = layer.batch_state_index if hasattr(layer, "batch_state_index") else layer.state_index
        state = state.set(index, (jnp.asarray(mean), jnp.asarray(variance)))
        run = jax.vmap(lambda x, s: layer(x, s, inference=not training), axis_name="batch", in_axes=(0, None), out_axes=(0, None))
        x = jnp.asarray(x)
        y, state = run(x.transpose(0, 3, 1, 2) if x.ndim == 4 else x, state)
        return (y.transpose(0, 2, 3, 1) if x.ndim == 4 else y, *state.get(index))


which = os.environ["LIBRARY"]
lib = {"linen": Linen, "nnx": Nnx, "haiku": Haiku, "equinox": Equinox}[which]()


def conv_bn(x, kernel, gamma, beta, mean, variance):
    both = lambda x: lib.batch_norm(np.zeros(1) if x is None else lib.conv(x, kernel, 1, "valid"), False, gamma, beta, mean,
                                    variance, None, None)[0]
    return np.asarray(jax.jit(both)(x))


functions = {k: getattr(lib, k) for k in dir(lib) if not k.startswith("_")}
functions.update(adam=optax_adam, conv_bn=conv_bn, relu_grad=lambda x, dy: gradient(lib.relu, x, dy),
                 max_pool_grad=lambda x, dy, size, strides: gradient(lambda t: lib.max_pool(t, size, strides, "valid"), x, dy))
for missing in {"nn", "name", "version", "hk", "eqx", "images"} & set(functions):
    functions.pop(missing)
measure(lib.name, lib.version, functions)
