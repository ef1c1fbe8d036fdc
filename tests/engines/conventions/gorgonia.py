"""gorgonia: graphs on its tape machine. Its program is gorgonia.go. BatchNorm has no default epsilon; where training is
asked for with the default it gets 1e-5.

# row gorgonia: numpy==2.4.6
"""
from probes import measure
import remote

VERSION = "0.9.18"
names = ["conv", "max_pool", "average_pool", "max_pool_grad", "relu", "relu_grad", "sigmoid", "leaky_relu",
         "batch_norm", "adam", "conv_bn"]
program = remote.go("gorgonia", "gorgonia.org/gorgonia@v" + VERSION,
                    "go4.org/unsafe/assume-no-moving-gc@v0.0.0-20231121144256-b99613f794b6") # or it refuses Go 1.26
measure("gorgonia", VERSION, remote.functions(program, names))
