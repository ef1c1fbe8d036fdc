#!/usr/bin/env python3
"""A second Philox, in NumPy, written from the text of fer.h and the paper that it names. Run as a program, it makes
anew what fer makes from a seed: every initial weight, and the order of images and batches in an epoch.

    python3 tests/philox.py FER FER64 ORDER     the programs, and what tests/order.c became
"""
import subprocess
import sys
import tempfile

import numpy

WEIGHTS, SHUFFLE, BATCH_ORDER = 1, 2, 3
LOW = 0xFFFFFFFF


def philox(counter, key):
    """Ten rounds; each of the counter's four words may be an array."""
    c, k = [numpy.uint64(word) for word in counter], list(key)
    for _ in range(10):
        a, b = c[0] * numpy.uint64(0xD2511F53), c[2] * numpy.uint64(0xCD9E8D57)
        c = [b >> numpy.uint64(32) ^ c[1] ^ numpy.uint64(k[0]), b & numpy.uint64(LOW),
             a >> numpy.uint64(32) ^ c[3] ^ numpy.uint64(k[1]), a & numpy.uint64(LOW)]
        k = [(k[0] + 0x9E3779B9) & LOW, (k[1] + 0xBB67AE85) & LOW]
    return c


def draws(seed, purpose, epoch, count, first=0):
    """Draws first ... first + count - 1, where first is a multiple of 4."""
    block = numpy.arange(first // 4, (first + count + 3) // 4, dtype=numpy.uint64)
    words = philox((block & numpy.uint64(LOW), block >> numpy.uint64(32), epoch, purpose), (seed & LOW, seed >> 32))
    return numpy.stack(words, axis=1).reshape(-1)[:count]


def shuffle(count, seed, purpose, epoch):
    order = list(range(count))
    for i, draw in zip(range(count - 1, 0, -1), draws(seed, purpose, epoch, count)):
        j = int(draw) * (i + 1) >> 32
        order[i], order[j] = order[j], order[i]
    return order


def initial(name, shape, seed, index, dtype):
    """The start of parameter number `index`."""
    if not name.endswith("/kernel"):
        return numpy.full(shape, name.endswith("moving_variance"), dtype)
    area = int(numpy.prod(shape[:-2]))
    limit = numpy.sqrt(6 / (area * shape[-2] + area * shape[-1]))
    u = (draws(seed, WEIGHTS, index, int(numpy.prod(shape))) + 0.5) / 2**32
    return ((2 * u - 1) * limit).astype(dtype).reshape(shape)


def check_weights(fer, seed, dtype):
    """How many parameters of a new run are bit for bit what they should be, and how many are not."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([fer, "train", "--epochs", "0", "--size", "48", "--seed", str(seed), "--out", folder + "/run"],
                       check=True, stdout=subprocess.DEVNULL)
        file = numpy.load(folder + "/run/last.npz")
        kinds = "kernel", "bias", "beta", "moving_mean", "moving_variance"
        names = [n for n in file.files if n.split("/")[-1] in kinds]
        wrong = [n for i, n in enumerate(names)
                 if file[n].tobytes() != initial(n, file[n].shape, seed, i, dtype).tobytes()]
    if len(names) != 162 or wrong:
        print("%s: %d parameters, of which other than expected: %s" % (fer, len(names), wrong[:3]))
    return len(names) == 162 and not wrong


def check_order(program, count, batch, seed, epoch):
    arguments = [str(x) for x in (count, batch, seed, epoch)]
    said = subprocess.run([program] + arguments, check=True, capture_output=True, text=True)
    images = shuffle(count, seed, SHUFFLE, epoch)
    batches = shuffle((count + batch - 1) // batch, seed, BATCH_ORDER, epoch)
    expected = [i for b in batches for i in images[b * batch:(b + 1) * batch]]
    return [int(x) for x in said.stdout.split()] == expected


def main():
    published = ((("0" * 8,) * 6, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
                 (("f" * 8,) * 6, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
                 ("243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0".split(),
                  "d16cfe09 94fdcceb 5001e420 24126ea1"))
    results = []
    for words, answer in published:
        words = [int(word, 16) for word in words]
        results.append(" ".join("%08x" % word for word in philox(words[:4], words[4:])) == answer)
    results += [check_weights(sys.argv[1], 0, "<f4"), check_weights(sys.argv[1], 0x123456789abcdef, "<f4"),
                check_weights(sys.argv[2], 0, "<f8")]
    for seed, epoch in ((0, 0), (0, 1), (0xfeedfacecafe, 399)):
        results.append(check_order(sys.argv[3], 100, 8, seed, epoch))
    print("%d passed, %d failed" % (sum(results), len(results) - sum(results)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
