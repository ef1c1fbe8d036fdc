"""ncnn, by pnnx from ONNX, which folds BatchNormalization. Weights stay float32; convolutions are direct (--winograd else).

# row ncnn: NETWORKS=MobileNetV2,incv3v1,small WINOGRAD=0 ncnn==1.0.20261020 pnnx==20261020 onnx==1.23.2 numpy==2.4.6
# row ncnn_winograd: NETWORKS=incv3v1,small WINOGRAD=1 ncnn==1.0.20261020 pnnx==20261020 onnx==1.23.2 numpy==2.4.6
"""
import os
import subprocess
import sys
import ncnn
import numpy as np
from networks import judge, network
from to_onnx import to_onnx

net, winograd = network(), os.environ["WINOGRAD"] == "1"
path = lambda name: os.path.join(net.folder, name)
with open(path("one.onnx"), "wb") as file:
    file.write(to_onnx(net, 1))
h, w, c = net.x.shape[1:]
pnnx = os.path.join(os.path.dirname(sys.executable), "pnnx")
subprocess.run([pnnx, "one.onnx", "inputshape=[1,%d,%d,%d]" % (c, h, w), "fp16=0"], cwd=net.folder, check=True,
               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
loaded = ncnn.Net()
loaded.opt.use_winograd_convolution = winograd
loaded.opt.use_fp16_storage = loaded.opt.use_fp16_packed = loaded.opt.use_fp16_arithmetic = False
assert loaded.load_param(path("one.ncnn.param")) == 0 and loaded.load_model(path("one.ncnn.bin")) == 0
images = []
for image in np.ascontiguousarray(net.x.transpose(0, 3, 1, 2)): # ncnn.Mat does not keep what it looks at
    extractor = loaded.create_extractor()
    extractor.input("in0", ncnn.Mat(image).clone())
    images.append([np.array(extractor.extract("out%d" % i)[1]) for i in range(len(net.shown))])
outputs = {name: np.stack([image[i] for image in images]) for i, name in enumerate(net.shown)}
judge("ncnn" + (", Winograd" if winograd else ""), ncnn.__version__, net, outputs, *(["--winograd", "4"] if winograd else []),
      layout="nchw")
