"""ctypes_layer.py - calls a convolution of libfer64 from Python, forward and backward, with no file in between.

    make && python3 tests/examples/ctypes_layer.py

from the repository's root, where `make` leaves the library. Needs numpy."""
import ctypes
import numpy as np

fer = ctypes.CDLL("./libfer64.so") # libfer.so is the same in float32


class Window(ctypes.Structure): # struct fer_window of fer.h
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "n", "in_h", "in_w", "in_c", "out_h", "out_w", "out_c",
        "kernel_h", "kernel_w", "stride_h", "stride_w", "pad_top", "pad_left", "pad_bottom", "pad_right",
        "dilation_h", "dilation_w", "groups")] + [("count_padding", ctypes.c_int)]


VALID, SAME = 0, 1
# int fer_window_set(struct fer_window *g, nine sizes, enum fer_padding padding, struct fer_error *e)
fer.fer_window_set.argtypes = [ctypes.c_void_p] + 9 * [ctypes.c_size_t] + [ctypes.c_int, ctypes.c_void_p]


def pointer(array):
    assert array.dtype == np.float64 and array.flags.c_contiguous
    return ctypes.c_void_p(array.ctypes.data)


window = Window()
error = ctypes.create_string_buffer(1600) # struct fer_error holds a text of this length
# 2 images of 5x5x3, 4 filters of 3x3, strides 2,2
if fer.fer_window_set(ctypes.byref(window), 2, 5, 5, 3, 4, 3, 3, 2, 2, SAME, error):
    raise ValueError(error.value.decode())

x, kernel = np.random.randn(2, 5, 5, 3), np.random.randn(3, 3, 3, 4)
y, dkernel = np.empty((window.n, window.out_h, window.out_w, window.out_c)), np.empty_like(kernel)
dy = np.ones_like(y)
fer.fer_conv2d_forward(ctypes.byref(window), pointer(x), pointer(kernel), pointer(y))
fer.fer_conv2d_backward_kernel(ctypes.byref(window), pointer(x), pointer(dy), pointer(dkernel))

expected = np.einsum("nhwc,hwco->no", x[:, 1:4, 1:4], kernel) # what the cell in the middle sees
print("y %s, off by %.0e in the middle; dkernel %s" % (y.shape, np.abs(y[:, 1, 1] - expected).max(), dkernel.shape))
