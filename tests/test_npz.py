#!/usr/bin/env python3
"""Compares what fer reads and writes with NumPy, over all types, orders, versions and packings.

    python3 tests/test_npz.py [PROGRAM ...]

A PROGRAM is tests/npz_cat.c, compiled in either precision; without one, it is compiled with `cc`.
Ends with `N passed, N failed`."""
import io
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TYPES = ["f2", "f4", "f8", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
SHAPES = [(), (1,), (7,), (0,), (3, 0, 2), (2, 3), (3, 1, 4), (2, 3, 4, 5), (2, 1, 2, 1, 3, 2)]
random = np.random.RandomState(1)
count = {True: 0, False: 0}


def check(what, ok, more=""):
    count[bool(ok)] += 1
    if not ok:
        print("FAILED:", what, more)


def compile_program(folder):
    program = os.path.join(folder, "npz_cat")
    sources = ["data/" + name for name in sorted(os.listdir(os.path.join(ROOT, "data"))) if name.endswith(".c")]
    parts = "npz", "npy", "inflate", "file", "foreign", "platform"
    needed = ["layers/numbers/errors_memory.c", "layers/numbers/exp_log.c"] + [name for name in sources if any(part in name for part in parts)]
    subprocess.run(["cc", "-std=c99", "-O2", "-I.", "-o", program, "tests/npz_cat.c"] + needed, cwd=ROOT, check=True)
    return program


def run(*arguments):
    done = subprocess.run((PROGRAM,) + arguments, capture_output=True, text=True, errors="replace")
    return done.returncode, done.stdout, done.stderr


def read(path):
    """{name: (type, values as real)} as fer reads them, or the line that says why not."""
    status, out, line = run(path)
    if status:
        return line
    lines = out.split("\n")[:-1]
    arrays = {}
    for name, kind, values in zip(lines[0::3], lines[1::3], lines[2::3]):
        words = kind.split()
        shape = tuple(int(word) for word in words[1:])
        arrays[name] = words[0], np.array([float(word) for word in values.split()]).reshape(shape)
    return arrays


def as_type(a, kind):
    with np.errstate(invalid="ignore", over="ignore"):
        return a.astype(kind)


def same(a, b):
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=True) and np.array_equal(np.signbit(a), np.signbit(b))


def agrees(got, arrays):
    if isinstance(got, str) or sorted(got) != sorted(arrays):
        return False
    return all(got[name][0] == a.dtype.str[1:] and same(got[name][1], as_type(a, REAL)) for name, a in arrays.items())


def values_of(kind, shape):
    """Random bytes, so all numbers of a type are met, special ones included; and its extremes first."""
    if kind == "b1":
        return random.randint(0, 2, shape).astype("?")
    n = int(np.prod(shape))
    a = np.frombuffer(random.bytes(n * int(kind[1])), "<" + kind).copy()
    if kind[0] == "f":
        special = [0.0, -0.0, np.inf, -np.inf, np.nan, np.finfo(kind).tiny / 4, np.finfo(kind).max]
    else:
        special = [np.iinfo(kind).min, np.iinfo(kind).max, np.iinfo(kind).max - 1]
    if n > len(special):
        a[:len(special)] = special
    with np.errstate(invalid="ignore"):
        return a.reshape(shape)


def layouts(kind, shape):
    """The same values in either byte order, in C and Fortran order."""
    a = values_of(kind, shape)
    for order in "<>" if kind[1] != "1" else "|":
        for layout in "CF":
            yield np.array(a.astype(order + kind), order=layout)


def npy_bytes(a, version):
    file = io.BytesIO()
    np.lib.format.write_array(file, a, version=version)
    return file.getvalue()


def test_types(path):
    arrays = {"%s %s %d" % (kind, shape, i): a
              for kind in TYPES for shape in SHAPES for i, a in enumerate(layouts(kind, shape))}
    np.savez(path, **arrays)
    check("savez", agrees(read(path), arrays))
    np.savez_compressed(path, **arrays)
    check("savez_compressed", agrees(read(path), arrays))
    for a in arrays.values():
        np.save(path + ".npy", a)
        check("save %s %s" % (a.dtype.str, a.shape), agrees(read(path + ".npy"), {"": a}))
    for version in (1, 0), (2, 0), (3, 0):
        with zipfile.ZipFile(path, "w") as z:
            for name, a in arrays.items():
                z.writestr(name + ".npy", npy_bytes(a, version), zipfile.ZIP_DEFLATED)
        check("npy version %d.%d" % version, agrees(read(path), arrays))


def large_arrays():
    noise = random.randn(70000)
    return {"zeros": np.zeros(300000, "f4"), "noise": noise, "bytes": random.randint(0, 256, 100001).astype("u1"),
            "steps": np.arange(100000) // 7, "runs": np.repeat(random.randint(0, 9, 3000), 50).astype("i2"),
            "order": np.asfortranarray(noise.reshape(10, 70, 100)), "half": noise.astype("f2")}


def test_deflate(path):
    arrays = large_arrays()
    get_compressor = zipfile._get_compressor
    ways = [(zlib.Z_DEFAULT_STRATEGY, level, 8) for level in (0, 1, 6, 9)]
    ways += [(strategy, 6, 8) for strategy in (zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED)] + [(0, 9, 1)]
    for strategy, level, memory in ways:
        zipfile._get_compressor = lambda *_: zlib.compressobj(level, zlib.DEFLATED, -15, memory, strategy)
        np.savez_compressed(path, **arrays)
        status, _, line = run(path, path + ".out.npz")
        check("deflate strategy %d level %d" % (strategy, level), status == 0 and all(
            same(a, as_type(arrays[name], "f8")) for name, a in np.load(path + ".out.npz").items()), line)
    zipfile._get_compressor = get_compressor


class Pipe:
    """A file that cannot go back, so that zipfile writes sizes behind the data."""
    def __init__(self, file):
        self.write, self.flush = file.write, file.flush


def test_zip(path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "conv2d/kernel": np.arange(5, dtype="i4"), "Größe": np.float32(2)}
    with open(path, "wb") as file:
        with zipfile.ZipFile(Pipe(file), "w") as z:
            for name, a in arrays.items():
                z.writestr(name + ".npy", npy_bytes(a, None), zipfile.ZIP_DEFLATED if name == "a" else zipfile.ZIP_STORED)
    check("data descriptors", agrees(read(path), arrays))
    for comment in b"x", b"PK\5\6" * 5000, b"c" * 65535:
        np.savez(path, **arrays)
        with zipfile.ZipFile(path, "a") as z:
            z.comment = comment
            z.writestr("folder/", "")
            z.writestr("read.me", "no array", zipfile.ZIP_BZIP2)
        check("comment of %d bytes" % len(comment), agrees(read(path), arrays))
    limit = zipfile.ZIP64_LIMIT
    zipfile.ZIP64_LIMIT = 100
    np.savez(path, **arrays)
    check("zip64 everywhere", agrees(read(path), arrays))
    np.savez_compressed(path, **arrays)
    check("zip64 everywhere, deflated", agrees(read(path), arrays))
    zipfile.ZIP64_LIMIT = limit
    np.savez(path)
    check("no array", read(path) == {})


def test_headers(path):
    """Headers as other programs set them, and npz entries without .npy: fer opens what numpy.load opens."""
    values = np.arange(6, dtype="<f4")
    texts = ["{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }", "{'descr':'<f4','fortran_order':True,'shape':(2,3)}",
             '{"descr": "<f4", "fortran_order": True, "shape": (3, 2), }', "{u'descr': u'<f4', u'fortran_order': False, u'shape': (6L,)}",
             "{\n'shape':\t(1,\n6),\r\n'fortran_order': False, 'descr': 'f4'\n}\n\n"]
    texts += ["{'descr': '%s%s', 'fortran_order': False, 'shape': (%d,), }" % (order, kind, 24 // np.dtype(order + kind).itemsize)
              for order in ("", "<", ">", "=", "|") for kind in TYPES + list("efd?bhiqBHIQ")]
    texts += ["{'descr': '%s', 'fortran_order': False, 'shape': (%d,), }" % (name, 24 // np.dtype(name).itemsize)
              for name in ("float16", "float32", "float64", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")]
    files = {}
    for version in (1, 2):
        for text in texts:
            head = b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2 * version, "little") + text.encode()
            files["%d %s" % (version, text)] = head + values.tobytes()
    for text, data in files.items():
        with open(path, "wb") as file:
            file.write(data)
        with np.errstate(all="ignore"):
            check("header " + text, agrees(read(path), {"": np.load(path)}), read(path))
    with open(path, "wb") as file, zipfile.ZipFile(Pipe(file), "w") as z:
        for i, data in enumerate(files.values()):
            z.writestr("a/%d" % i, data, zipfile.ZIP_DEFLATED if i % 2 else zipfile.ZIP_STORED)
        z.writestr("notes.txt", "no array")
        z.writestr("folder/", "")
    with np.load(path) as arrays:
        check("names without .npy", agrees(read(path), {name: arrays[name] for name in arrays.files if name[0] == "a"}))
    with open(path, "wb") as file:
        np.save(file, values)
        np.save(file, values + 1)
    check("two arrays in one npy file", agrees(read(path), {"": values}))


def test_refused(path):
    dates = np.array(["2013-07-01"], "M8[D]")
    for a in (np.array(["a"]), np.array([b"a"]), np.array([None]), np.array([1j]), dates, np.zeros(2, "f4,i4"),
              np.zeros(2, "V3"), np.zeros(2, np.longdouble)):
        np.savez(path, thing=a)
        line = read(path)
        check("refuses " + str(a.dtype), isinstance(line, str) and line.count("\n") == 1 and
              (line.startswith(path + ": thing: type '") or line.startswith(path + ": thing: its elements are not")), line)
    for method in zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA:
        with zipfile.ZipFile(path, "w", method) as z:
            z.writestr("a.npy", npy_bytes(np.zeros(100), None))
        check("refuses method %d" % method, read(path) ==
              path + ": a: it is packed by method %d; 0 (stored) or 8 (deflated) was expected\n" % method)


def test_damage(path):
    """Whatever single byte is wrong: the arrays as they were, or one line; and every cut is noticed."""
    arrays = {"a": np.arange(50, dtype="f4"), "b": random.randn(20)}
    originals = [as_type(a, REAL) for a in arrays.values()]
    for save in np.savez, np.savez_compressed:
        save(path, **arrays)
        with open(path, "rb") as file:
            good = file.read()
        bad = 0
        for i in range(0, len(good), 2):
            with open(path, "wb") as file:
                file.write(good[:i] + bytes([good[i] ^ (1 << i % 8)]) + good[i + 1:])
            got = read(path)
            if isinstance(got, str):
                bad += not (got.startswith(path + ": ") and got.count("\n") == 1)
            else:  # the byte says nothing about the values (a time, a version), or an array is no longer called .npy
                bad += not all(any(same(a, b) for b in originals) for _, a in got.values())
        check("one wrong byte, " + save.__name__, bad == 0, "%d not noticed" % bad)
        bad = 0
        for i in range(0, len(good), 7):
            with open(path, "wb") as file:
                file.write(good[:i])
            bad += not isinstance(read(path), str)
        check("cut off, " + save.__name__, bad == 0)


def rewrite(what, path, arrays):
    """fer writes all as f8; NumPy reads it."""
    out = path + ".out.npz"
    np.savez(path, **arrays)
    status, _, line = run(path, out)
    if status:
        return check(what, False, line)
    with zipfile.ZipFile(out) as z:
        check(what + ": zip", z.testzip() is None)
        check(what + ": time", all(info.date_time == (1980, 1, 1, 0, 0, 0) for info in z.infolist()))
    with np.load(out) as got:
        check(what + ": names", got.files == list(arrays))
        check(what, all(got[name].dtype.str == "<f8" and got[name].flags.c_contiguous and same(got[name], as_type(a, "f8"))
                        for name, a in arrays.items()))
    with open(out, "rb") as file:
        first = file.read()
    run(path, out)
    with open(out, "rb") as file:
        check(what + ": the same bytes again", file.read() == first)
    check(what + ": no .part", not os.path.exists(out + ".part"))
    os.remove(out)


def test_writing(path):
    rewrite("writing types", path, {"%s %s" % (kind, shape): values_of(kind, shape) for kind in TYPES for shape in SHAPES})
    rewrite("writing large", path, large_arrays())
    one = np.ones(1)
    rewrite("writing names", path, {"conv2d/kernel": np.zeros(3), "Größe": one, "a b.npy": one, "x" * 1000: one})
    rewrite("writing nothing", path, {})
    deep = np.arange(8.0).reshape((1,) * 29 + (2, 2, 2))
    rewrite("writing long shapes", path, {"deep": deep, "none": np.zeros((10**17, 0))})
    many = {str(i): np.int8(i % 100) for i in range(65536)}
    np.savez(path, **many)
    status, _, line = run(path, path + ".out.npz")
    with np.load(path + ".out.npz") as got:
        check("writing 65536 arrays", status == 0 and got.files == list(many) and got["65535"] == 35, line)


def test_full_disk(path):
    """/dev/full takes no byte: the old file stays, .part goes."""
    if not os.path.exists("/dev/full"):
        return
    out = path + ".out.npz"
    for arrays in {"small": np.zeros(1)}, {"large": np.zeros(100000), "next": np.zeros(10)}:
        np.savez(path, **arrays)
        with open(out, "wb") as file:
            file.write(b"old")
        os.symlink("/dev/full", out + ".part")
        status, _, line = run(path, out)
        check("full disk", status == 1 and line == out + ": cannot be written: No space left on device\n", line)
        check("full disk: no .part", not os.path.lexists(out + ".part"))
        with open(out, "rb") as file:
            check("full disk: old file", file.read() == b"old")
    os.remove(out)


with tempfile.TemporaryDirectory() as folder:
    for PROGRAM in [os.path.abspath(name) for name in sys.argv[1:]] or [compile_program(folder)]:
        REAL = run()[1].strip()
        for test in test_types, test_deflate, test_zip, test_headers, test_refused, test_damage, test_writing, test_full_disk:
            test(os.path.join(folder, "t.npz"))
print("%d passed, %d failed" % (count[True], count[False]))
sys.exit(1 if count[False] or not count[True] else 0)
