"""ctypes_layer.py - a layer of libfer from Python, without a file in between: a convolution, forward and backward."""
import ctypes
import numpy as np

fer = ctypes.CDLL("./libfer64.so") # libfer.so: the same in float32


class Window(ctypes.Structure): # struct fer_window
    _fields_ = [(name, ctypes.c_int) for name in (
        "n", "in_h", "in_w", "in_c", "out_h", "out_w", "out_c",
        "kernel_h", "kernel_w", "stride_h", "stride_w", "pad_top", "pad_left")]


def pointer(array):
    assert array.dtype == np.float64 and array.flags.c_contiguous
    return ctypes.c_void_p(array.ctypes.data)


VALID, SAME = 0, 1
g, error = Window(), ctypes.create_string_buffer(1600) # struct fer_error: a text
# 2 images of 5x5x3, 4 filters of 3x3, strides 2
if fer.fer_window_set(ctypes.byref(g), 2, 5, 5, 3, 4, 3, 3, 2, 2, SAME, error):
    raise ValueError(error.value.decode())
x, kernel = np.random.randn(2, 5, 5, 3), np.random.randn(3, 3, 3, 4)
y, dkernel = np.empty((g.n, g.out_h, g.out_w, g.out_c)), np.empty_like(kernel)
fer.fer_conv2d_forward(ctypes.byref(g), pointer(x), pointer(kernel), pointer(y))
fer.fer_conv2d_backward_kernel(ctypes.byref(g), pointer(x), pointer(np.ones_like(y)), pointer(dkernel))

wanted = np.einsum("nhwc,hwco->no", x[:, 1:4, 1:4], kernel) # what the middle cell sees
print("y %s, off by %.0e in the middle; dkernel %s" % (y.shape, np.abs(y[:, 1, 1] - wanted).max(), dkernel.shape))
