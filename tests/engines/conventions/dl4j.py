"""Deeplearning4j on its CPU backend: layers of networks, activations, updaters. Its program is Dl4j.java.

# row dl4j: numpy==2.4.6
"""
from probes import measure
import remote

VERSION = "1.0.0-M2.1"
JARS = ["org.deeplearning4j:deeplearning4j-nn:" + VERSION, "org.nd4j:nd4j-native:" + VERSION,
        "org.nd4j:nd4j-native:%s:linux-x86_64" % VERSION, "org.bytedeco:openblas:0.3.19-1.5.7:linux-x86_64",
        "org.bytedeco:javacpp:1.5.7:linux-x86_64", "org.slf4j:slf4j-nop:1.7.36"]
names = ["conv", "max_pool", "average_pool", "max_pool_grad", "relu", "relu_grad", "sigmoid", "hard_sigmoid",
         "leaky_relu", "batch_norm", "adam", "conv_bn"]
measure("Deeplearning4j", VERSION, remote.functions(remote.java("Dl4j", *JARS), names))
