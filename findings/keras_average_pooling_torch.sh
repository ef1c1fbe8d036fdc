#!/bin/sh
# Keras's AveragePooling2D(padding="same") on PyTorch averages other cells than on TensorFlow and JAX: there the border counts
# the pixels that are there, here the edge is repeated into the padding, so that border pixels count twice or four times.
#
# Seen with Keras 3.15.1, PyTorch 2.15.0, JAX 0.10.2, the numbers 1 to 16 as 4x4, pool 3, strides 2:
#     jax     6.0000  7.5000 12.0000 13.5000   pool 2, strides 2: 3.5 5.5 11.5 13.5
#     torch   6.0000  7.6667 12.6667 14.3333   pool 2, strides 2: 3.5 5.5 11.5 13.5
# The second window is (3+4+7+8+11+12)/6 = 7.5, or (3+4+4+7+8+8+11+12+12)/9 = 7.667.
#
# Why one would guess otherwise: one layer, one saved model, three backends that are promised to agree to rounding; the known
# question about average pooling is whether zeros count (they do not, in either), and nobody expects a third rule. Sizes that
# divide evenly show no difference: 2x2 with strides 2 on even maps agree.
# Who meets it: Inception networks (their pooled branch is 3x3, stride 1, same: every border cell of every block), trained on
# one backend and served or fine-tuned on another. Outputs are off in the second digit at borders; accuracy falls a little.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check 'keras==3.15.1' 'torch==2.15.0' 'jax==0.10.2' 'jaxlib==0.10.2'
cat > "$folder/look.py" <<'END'
import keras, numpy as np
x = np.arange(1, 17, dtype="float32").reshape(1, 4, 4, 1)
even = np.asarray(keras.layers.AveragePooling2D(2, 2, "same")(x)).ravel()
y = np.asarray(keras.layers.AveragePooling2D(3, 2, "same")(x)).ravel()
print("%-5s " % keras.backend.backend(), " ".join("%7.4f" % v for v in y), "  pool 2, strides 2:", *even)
END
cd "$folder"
for backend in jax torch; do
    KERAS_BACKEND=$backend JAX_PLATFORMS=cpu venv/bin/python -W ignore look.py 2>log || { tail -n 5 log; exit 1; }
done | tee seen
grep -q '^jax *6.0000 *7.5000 *12.0000 *13.5000 .* 3.5 5.5 11.5 13.5$' seen || { echo "CHANGED: on JAX"; exit 1; }
grep -q '^torch *6.0000 *7.6667 *12.6667 *14.3333 .* 3.5 5.5 11.5 13.5$' seen || { echo "CHANGED: on PyTorch"; exit 1; }
