#!/bin/sh
# ncnn keeps the weights of a float32 dense layer in float16, on x86 processors too, and cuts the bits off instead
# of rounding.
#
# The .bin file holds float32, the file's flag says float32, the arithmetic is float32; the weights are shortened
# when the model is loaded. Convolutions keep theirs.
#
# Seen with ncnn 1.0.20261020 on x86-64, 256 inputs, outputs of deviation 1:
#     dense layer: error 1.5e-03   against weights rounded to float16 1.6e-03, cut off to float16 3.0e-07
#     dense layer, use_fp16_storage off: error 2.1e-07
#     the weights' mean magnitude shrinks by 3.5e-04, by rounding it would change by 5e-06
#     the same weights as a 1x1 convolution: error 6.8e-07
#
# Why one would guess otherwise: half precision on a processor is something that one switches on, and x86 has no
# float16 arithmetic that would make it natural; one layer type in full and the next in half precision is stranger
# still. Of the three options called fp16, all on by default, one matters: use_fp16_storage.
# Who meets it: whoever compares logits with the framework's and finds 1e-3 in the last layer only; cutting off
# makes every weight smaller in magnitude, so that all logits shrink a little together: a bias, which does not
# average out as rounding does.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    'ncnn==1.0.20261020' 'numpy==2.4.6'
cd "$folder"
venv/bin/python - <<'END'
import sys
import ncnn, numpy as np

inputs, outputs = 256, 16
rng = np.random.default_rng(0)
x = rng.standard_normal(inputs).astype("float32")
dense = (rng.standard_normal((outputs, inputs)) / 16).astype("float32")

def run(layer, x, weights, options=()):
    with open("one.param", "w") as file:
        file.write("7767517\n2 2\nInput in 0 1 x\n" + layer + "\n")
    with open("one.bin", "wb") as file:
        file.write(bytes(4) + weights.tobytes())        # four zero bytes: "float32"
    net = ncnn.Net()
    for option in options:
        setattr(net.opt, option, False)
    net.load_param("one.param")
    net.load_model("one.bin")
    extractor = net.create_extractor()
    extractor.input("x", ncnn.Mat(x).clone())
    return np.array(extractor.extract("y")[1], "float64").ravel()

def cut_off(weights):
    """to float16 towards zero: the 13 last bits cleared (no weight here is subnormal in float16)"""
    return (weights.view("uint32") & np.uint32(0xFFFFE000)).view("float32")

def error(y, weights):
    return np.abs(y - weights.astype("float64") @ x.astype("float64")).max()

print("ncnn", ncnn.__version__)
layer = "InnerProduct dense 1 1 x y 0=%d 2=%d" % (outputs, dense.size)
default = run(layer, x, dense)
full = run(layer, x, dense, ["use_fp16_storage"])
found = (error(default, dense), error(default, dense.astype("float16")), error(default, cut_off(dense)),
         error(full, dense))
print("dense layer: error %.1e   against weights rounded to float16 %.1e, cut off to float16 %.1e" % found[:3])
print("dense layer, use_fp16_storage off: error %.1e" % found[3])
as_convolution = run("Convolution conv 1 1 x y 0=%d 1=1 6=%d" % (outputs, dense.size), x.reshape(inputs, 1, 1), dense)
shrunk = 1 - np.abs(cut_off(dense)).sum() / np.abs(dense).sum()
print("the weights' mean magnitude shrinks by %.1e, by rounding it would change by %.0e"
      % (shrunk, abs(1 - np.abs(dense.astype("float16").astype("float32")).sum() / np.abs(dense).sum())))
print("the same weights as a 1x1 convolution: error %.1e" % error(as_convolution, dense))
if not (found[0] > 1e-4 and found[3] < 2e-6):
    sys.exit("CHANGED: the dense layer is in float32, or use_fp16_storage has no effect")
END
