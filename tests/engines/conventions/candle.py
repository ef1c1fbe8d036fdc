"""candle: candle_core and candle_nn, eager, on the processor. Its program is candle.rs, built with cargo.

# row candle: numpy==2.4.6
"""
from probes import measure
import remote

VERSION = "0.11.1"
names = ["conv", "max_pool", "average_pool", "max_pool_grad", "relu", "relu_grad", "sigmoid", "hard_sigmoid",
         "leaky_relu", "batch_norm", "adam", "conv_bn"]
program = remote.cargo("candle", 'candle-core = "=%s"' % VERSION, 'candle-nn = "=%s"' % VERSION)
measure("candle", VERSION, remote.functions(program, names))
