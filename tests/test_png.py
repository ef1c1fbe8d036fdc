#!/usr/bin/env python3
"""Compares the PNG reader with Pillow over images of every kind that PNG has.

    python3 tests/test_png.py libfer.so

The images are made here, byte by byte: Pillow writes neither interlaced images nor every depth, and leaves the choice of
filters to zlib. Where Pillow reads a form in a way of its own (grey of 16 bits; a transparent value in other than 8 bits),
the samples that went in are the judge. Needs Pillow and NumPy; ends with `N passed, N failed`."""
import ctypes
import io
import os
import struct
import sys
import tempfile
import zlib

import numpy as np
from PIL import Image

fer = ctypes.CDLL(os.path.abspath(sys.argv[1]))
random = np.random.RandomState(1)
count = {True: 0, False: 0}
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def check(what, ok, more=""):
    count[bool(ok)] += 1
    if not ok:
        print("FAILED:", what, more)


def read(path):
    """The grey image that fer reads, or the line that says why not."""
    height, width, pixels, error = ctypes.c_int(), ctypes.c_int(), ctypes.POINTER(ctypes.c_uint8)(), ctypes.create_string_buffer(4096)
    if fer.fer_image_read(path.encode(), ctypes.byref(height), ctypes.byref(width), ctypes.byref(pixels), error):
        return error.value.decode()
    image = np.ctypeslib.as_array(pixels, (height.value, width.value)).copy()
    fer.fer_free(pixels)
    return image


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def paeth(left, above, corner):
    p = left + above - corner
    return min((abs(p - left), 0, left), (abs(p - above), 1, above), (abs(p - corner), 2, corner))[2]


def filtered(rows, step):
    """The rows, each behind the number of a filter that is drawn."""
    out, above = b"", None
    for row in rows:
        above = above or bytes(len(row))
        kind = random.randint(5)
        out += bytes([kind])
        for i, byte in enumerate(row):
            left, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
            out += bytes([(byte - (0, left, above[i], (left + above[i]) // 2, paeth(left, above[i], corner))[kind]) % 256])
        above = row
    return out


def packed(samples, depth):
    """A row of samples as bytes, the high bits first."""
    if depth == 16:
        return samples.astype(">u2").tobytes()
    bits = "".join(format(int(s), "0%db" % depth) for s in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def png(image, kind, depth, interlaced, more=(), pieces=1, level=6):
    """image[height][width][samples]; more: chunks before the rows."""
    height, width = image.shape[:2]
    step = max(1, SAMPLES[kind] * depth // 8)
    data = b""
    for x, y, dx, dy in PASSES if interlaced else [(0, 0, 1, 1)]:
        part = image[y::dy, x::dx]
        if part.size:
            data += filtered([packed(row.reshape(-1), depth) for row in part], step)
    data = zlib.compress(data, level)
    cuts = sorted(random.randint(0, len(data) + 1, pieces - 1)) + [len(data)]
    rows = [chunk(b"IDAT", data[a:b]) for a, b in zip([0] + cuts, cuts)]
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    return b"".join([b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), *more, *rows, chunk(b"IEND", b"")])


def grey(rgb):
    r, g, b = (rgb[..., i].astype(int) for i in range(3))
    return ((19595 * r + 38470 * g + 7471 * b + 32768) >> 16).astype(np.uint8)


def by_pillow(data):
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    return np.array(Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image).convert("L"))


def by_samples(image, kind, depth, key):
    high = (image >> 8 if depth == 16 else image * 255 // ((1 << depth) - 1)).astype(np.uint8)
    if kind in (0, 4):
        value = np.repeat(high[..., :1], 3, axis=2)
    else:
        value = high[..., :3]
    if kind in (4, 6):
        value = np.round(value * (high[..., -1:] / 255.0)).astype(np.uint8)
    if key is not None:
        value = value * ~np.all(image == key, axis=2, keepdims=True)
    return grey(value)


def case(path, kind, depth, interlaced, size, transparent):
    height, width = size
    image = random.randint(0, 1 << depth, (height, width, SAMPLES[kind])).astype(int)
    if random.randint(2):  # few values, smooth, so that every filter and matches of any length are met
        image = image // 7 * 0 + (np.arange(width)[None, :, None] * 3 + np.arange(height)[:, None, None]) % (1 << depth)
        image = np.repeat(image, SAMPLES[kind], axis=2)[..., :SAMPLES[kind]]
    more, key = [chunk(b"gAMA", struct.pack(">I", 45455)), chunk(b"tEXt", b"Title\0face")], None
    if kind == 3:
        entries = 1 << depth
        more.append(chunk(b"PLTE", random.bytes(3 * entries)))
        if transparent:
            more.append(chunk(b"tRNS", random.bytes(random.randint(1, entries + 1))))
    elif kind in (0, 2) and transparent:
        key = image[0, 0]
        more.append(chunk(b"tRNS", struct.pack(">%dH" % len(key), *key)))
    data = png(image, kind, depth, interlaced, more, random.randint(1, 5), random.randint(0, 10))
    with open(path, "wb") as file:
        file.write(data)
    unlike = depth == 16 or (depth < 8 and key is not None)  # what Pillow reads in its own way
    want = by_samples(image, kind, depth, key) if unlike else by_pillow(data)
    got = read(path)
    check("kind %d, %d bits, interlaced %d, %dx%d, transparent %d" % (kind, depth, interlaced, height, width, transparent),
          not isinstance(got, str) and np.array_equal(got, want), got)
    if depth == 16 and kind != 0 and key is None:
        check("... and Pillow agrees", np.array_equal(want, by_pillow(data)))


def test_kinds(path):
    sizes = [(1, 1), (1, 9), (9, 1), (2, 3), (5, 4), (8, 8), (7, 17), (48, 48)]
    for kind, depths in DEPTHS.items():
        for depth in depths:
            for interlaced in 0, 1:
                for size in sizes:
                    for transparent in 0, 1:
                        case(path, kind, depth, interlaced, size, transparent)


def test_pillow_writes(path):
    """What people have: files by Pillow itself."""
    face = Image.fromarray(random.randint(0, 256, (48, 48)).astype(np.uint8))
    for mode in "1", "L", "LA", "P", "RGB", "RGBA":
        for options in {}, {"optimize": True}, {"compress_level": 0}:
            face.convert(mode).save(path, "PNG", **options)
            with open(path, "rb") as file:
                check("Pillow's %s %s" % (mode, options), np.array_equal(read(path), by_pillow(file.read())))
    face.convert("RGB").quantize(7).save(path, "PNG", bits=4)
    with open(path, "rb") as file:
        check("Pillow's palette of 7", np.array_equal(read(path), by_pillow(file.read())))


def test_damage(path):
    """Whatever single byte is wrong, and wherever the file ends: the image as it was, or one line."""
    image = random.randint(0, 256, (6, 5, 3))
    data = png(image, 2, 8, 1, [chunk(b"tEXt", b"Title\0face")], 3)
    right, bad = by_pillow(data), 0
    for i in range(len(data)):
        for wrong in (data[:i] + bytes([data[i] ^ (1 << i % 8)]) + data[i + 1:], data[:i]):
            with open(path, "wb") as file:
                file.write(wrong)
            got = read(path)
            bad += (not got.startswith(path + ": ") or "\n" in got) if isinstance(got, str) else not np.array_equal(got, right)
    check("damage", bad == 0, "%d not noticed" % bad)


with tempfile.TemporaryDirectory() as folder:
    for test in test_kinds, test_pillow_writes, test_damage:
        test(os.path.join(folder, "t.png"))
print("%d passed, %d failed" % (count[True], count[False]))
sys.exit(1 if count[False] or not count[True] else 0)
