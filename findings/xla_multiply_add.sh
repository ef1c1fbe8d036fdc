#!/bin/sh
# Under jax.jit a*a - b*b with a = b is not 0, the variance of four equal cells can be negative, and their square
# roots NaN: XLA fuses a product and a subtraction into one operation that rounds once.
#
# The difference is 0 in IEEE arithmetic, in NumPy and in JAX outside of jit. Compiled for a processor with fused
# multiply-add it becomes fma(a, a, -(b*b)): the exact square minus the rounded one, that is the rounding error of
# b*b.
#
# Seen with JAX 0.10.2 on x86-64, 1000 random numbers, float32:
#     outside jit  a*a - b*b: not 0    0, smallest        0, root NaN   0   variance of equal cells: < 0  0, root NaN  0
#     jit          a*a - b*b: not 0 1000, smallest -3.2e-07, root NaN 485   variance of equal cells: < 0 77, root NaN 77
#     NumPy        a*a - b*b: not 0    0
#
# Why one would guess otherwise: NumPy never does this, nor does JAX line by line; jit is expected to change speed;
# and "x minus itself is zero" is the one identity that floating-point arithmetic is trusted with.
# Who meets it: variances in one pass, with groups of equal cells (InstanceNorm on a small map, a dead channel with
# a bias), distances, 1 - cosine, discriminants, wherever a square root or a logarithm follows: NaN under jit only,
# on some machines only. A check "jit equals eager to the bit" fails for the same reason.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
if [ "$(uname -m)" = x86_64 ] && ! grep -q -w fma /proc/cpuinfo; then
    echo "this processor has no fused multiply-add: nothing to see"
    exit 0
fi
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'jax==0.10.2' 'jaxlib==0.10.2' 'numpy==2.4.6'
JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'END'
import sys
import jax, jax.numpy as jnp, numpy as np

def difference(a, b):
    return a * a - b * b

def variance(x):                                # over the first axis, in one pass
    return jnp.mean(x * x, axis=0) - jnp.mean(x, axis=0) ** 2

def root(f):
    return lambda *arguments: jnp.sqrt(f(*arguments))

x = np.random.default_rng(0).standard_normal(1000).astype("float32")
cells = np.repeat(x[None], 4, axis=0)           # 1000 channels of four equal cells
print("jax", jax.__version__)
count = {}
for name, how in (("outside jit", lambda f: f), ("jit", jax.jit)):
    d, nan_d = (np.asarray(how(f)(jnp.asarray(x), jnp.asarray(x))) for f in (difference, root(difference)))
    v, nan_v = (np.asarray(how(f)(jnp.asarray(cells))) for f in (variance, root(variance)))
    count[name] = np.count_nonzero(d), np.isnan(nan_d).sum(), np.count_nonzero(v < 0), np.isnan(nan_v).sum()
    print("%-12s a*a - b*b: not 0 %4d, smallest %8.2g, root NaN %3d   variance of equal cells: < 0 %2d, root NaN %2d"
          % (name, count[name][0], d.min(), *count[name][1:]))
print("NumPy        a*a - b*b: not 0 %4d" % np.count_nonzero(difference(x, x)))
if any(count["outside jit"]):
    sys.exit("CHANGED: not 0 outside jit either")
if count["jit"][0] == 0 or count["jit"][1] == 0:
    sys.exit("CHANGED: jit no longer contracts a*a - b*b")
END
