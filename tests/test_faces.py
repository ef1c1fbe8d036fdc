#!/usr/bin/env python3
"""Prints the constants of tests/test_faces.c that come from elsewhere: Pillow's answers, and those of tests/philox.py.

Needs Pillow and NumPy (python3-pil, python3-numpy); the constants were made with 9.4.0. Run it again to see that they still hold:
    python3 tests/test_faces.py && grep -n PILLOW_ tests/test_faces.c
"""
import io
import sys
import zlib

from PIL import Image

from philox import draws, shuffle


def pgm_scale():
    """CRC-32 of every value under every maxval below 256, as Pillow reads them from P5 files."""
    crc = 0
    for maxval in range(1, 256):
        data = b"P5 %d 1 %d\n" % (maxval + 1, maxval) + bytes(range(maxval + 1))
        crc = zlib.crc32(Image.open(io.BytesIO(data)).convert("L").tobytes(), crc)
    return crc


def pgm_scale_16():
    """The same beyond 255, by Pillow's formula with 255 in place of its 65535."""
    crc = 0
    for maxval in (256, 257, 510, 1000, 4095, 32766, 65535):
        crc = zlib.crc32(bytes(round(value / maxval * 255) for value in range(maxval + 1)), crc)
    return crc


def resize():
    """CRC-32 of images of many shapes, resized by nearest neighbour to many sizes."""
    crc = 0
    for height, width in ((1, 1), (2, 3), (7, 5), (48, 48), (49, 48), (64, 100), (200, 31)):
        pixels = bytes((37 * i + 11 * (i // width)) % 256 for i in range(height * width))
        image = Image.frombytes("L", (width, height), pixels)
        for size in range(1, 150):
            crc = zlib.crc32(image.resize((size, size), Image.NEAREST).tobytes(), crc)
    return crc


order = ", ".join(map(str, shuffle(12, 0xfeedfacecafe, 2, 3)))
expected = ["#define PILLOW_PGM 0x%08xu" % pgm_scale(), "#define PILLOW_PGM_16 0x%08xu" % pgm_scale_16(),
            "#define PILLOW_RESIZE 0x%08xu" % resize(), "0x%08xu" % draws(0x123456789abcdef0, 4, 7, 3, first=0x500000004)[2],
            "expected[12] = {%s}" % order]
source = open("tests/test_faces.c").read()
missing = [text for text in expected if text not in source]
for text in missing:
    print("tests/test_faces.c should say: " + text)
print("%d passed, %d failed" % (len(expected) - len(missing), len(missing)))
sys.exit(len(missing) > 0)
