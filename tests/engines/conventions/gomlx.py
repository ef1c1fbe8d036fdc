"""gomlx on its backend in Go (XLA's plugin is fetched from elsewhere than a registry). Its program is gomlx.go.

# row gomlx: numpy==2.4.6
"""
from probes import measure
import remote

VERSION = "0.26.0"
names = ["conv", "max_pool", "average_pool", "max_pool_grad", "relu", "relu_grad", "sigmoid", "leaky_relu",
         "batch_norm", "adam", "conv_bn"]
program = remote.go("gomlx", "github.com/gomlx/gomlx@v" + VERSION)
measure("gomlx, backend in Go", VERSION, remote.functions(program, names))
