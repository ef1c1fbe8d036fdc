#!/bin/sh
# flax and Haiku take a batch's variance as mean(x*x) - mean(x)**2 in float32. Where a channel's mean is large
# beside its deviation, BatchNormalization's output is wrong by a factor of a hundred in flax, and NaN in Haiku.
#
# Seen with flax 0.12.8, dm-haiku 0.0.17, equinox 0.13.8, JAX 0.10.2 on x86-64, epsilon 1e-5 (correct: deviation 1):
#     deviation of the output, and largest error in brackets:
#     mean   255 +- 1     flax 0.9976 (1e-02)   flax slow 1 (7e-07)   haiku 0.9976 (1e-02)   equinox 1 (2e-05)
#     mean  1000 +- 0.1   flax 31.55 (1e+02)   flax slow 0.9995 (3e-04)   haiku nan (nan)   equinox 0.9995 (4e-04)
#     mean 10000 +- 1     flax 315.5 (1e+03)   flax slow 1 (5e-04)   haiku nan (nan)   equinox 1 (5e-04)
#
# Why one would guess otherwise: normalising is what makes a network indifferent to the scale and offset of its
# inputs, and x - mean is no problem here: Equinox, Keras and NumPy subtract the mean before they square. flax says
# of its default only that it is faster and less stable; a negative variance becomes 0 there without a word, so that
# the output is divided by the root of epsilon, and Haiku takes its root as it is. LayerNorm and GroupNorm of flax
# do the same.
# Who meets it: images of 0 to 255 that go in unscaled, heights, times or temperatures in kelvin as inputs, a
# checkpoint whose biases have drifted. In flax training goes on, with noise instead of features, and
# use_fast_variance=False ("slow" above) mends it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'flax==0.12.8' 'dm-haiku==0.0.17' 'equinox==0.13.8' 'jax==0.10.2' 'jaxlib==0.10.2' 'numpy==2.4.6'
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'END'
import sys
from importlib.metadata import version
import equinox, flax.linen, haiku, jax, numpy as np

def on_flax(x, fast=True):
    layer = flax.linen.BatchNorm(use_running_average=False, use_fast_variance=fast)
    return layer.init_with_output(jax.random.key(0), x)[0]

def on_haiku(x):
    layer = haiku.transform_with_state(lambda x: haiku.BatchNorm(True, True, 0.99, eps=1e-5)(x, is_training=True))
    return layer.apply(*layer.init(jax.random.key(0), x), None, x)[0]

def on_equinox(x):
    layer, state = equinox.nn.make_with_state(equinox.nn.BatchNorm)(1, axis_name="batch", mode="batch")
    images = x.transpose(0, 3, 1, 2)
    y = jax.vmap(layer, axis_name="batch", in_axes=(0, None), out_axes=(0, None))(images, state)[0]
    return y.transpose(0, 2, 3, 1)

ways = {"flax": on_flax, "flax slow": lambda x: on_flax(x, False),
        "haiku": on_haiku, "equinox": on_equinox}
found = {}
print(*(name + " " + version(name) for name in ("flax", "dm-haiku", "equinox", "jax")))
print("deviation of the output, and largest error in brackets:")
for mean, deviation in ((255, 1), (1000, 0.1), (10000, 1)):
    x = (mean + deviation * np.random.default_rng(0).standard_normal((64, 8, 8, 1))).astype("float32")
    x64 = x.astype("float64")
    truth = (x64 - x64.mean()) / np.sqrt(x64.var() + 1e-5)
    print("mean %5g +- %-3g" % (mean, deviation), end="")
    for name, way in ways.items():
        y = np.asarray(way(x), "float64")
        found[name, mean] = np.abs(y - truth).max()
        print("   %s %.4g (%.0e)" % (name, y.std(), found[name, mean]), end="")
    print()
if not found["flax", 10000] > 1 or not np.isnan(found["haiku", 10000]):
    sys.exit("CHANGED: flax or Haiku at mean 10000")
if max(found[name, mean] for name, mean in found if name in ("equinox", "flax slow")) > 0.01:
    sys.exit("CHANGED: the two-pass variance is not accurate")
END
