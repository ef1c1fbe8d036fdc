"""remote.py - probes.py's functions where the library is of another language.

A program reads a call a line and answers with a line: the function's name and its arguments, which are n:NUMBER, s:WORD, -
(nothing), or arrays a:H,W:HEX, little-endian float32 in hexadecimal digits. The answer is `ok` and values written alike,
`missing WHY` (the library has no such thing), or `error WHY` (it refuses)."""
import os
import subprocess
import numpy as np
from probes import Missing

FOLDER = os.path.join(os.environ["ENGINES"], "other")


def written(value):
    if value is None:
        return "-"
    if isinstance(value, (str, bool)):
        return "s:%s" % value
    if np.ndim(value) == 0:
        return "n:%.9g" % value
    return "a:%s:%s" % (",".join(map(str, np.shape(value))), np.ascontiguousarray(value, "<f4").tobytes().hex())


def read(word):
    kind, _, rest = word.partition(":")
    if kind != "a":
        return None
    shape, _, digits = rest.partition(":")
    return np.frombuffer(bytes.fromhex(digits), "<f4").reshape([int(n) for n in shape.split(",") if n])


def functions(command, names, **options):
    program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True, **options)

    def call(name, *values):
        print(name, *map(written, values), file=program.stdin, flush=True)
        while True:
            answer = program.stdout.readline()
            word, _, rest = answer.strip().partition(" ")
            if word == "missing":
                raise Missing(rest)
            if word == "error" or not answer:
                raise RuntimeError(rest or "the program ended")
            if word == "ok": # what else libraries print is passed over
                result = [read(w) for w in rest.split()]
                return result if len(result) > 1 else result[0]

    made = {name: lambda *values, _name=name: call(_name, *values) for name in names}
    if "adam" in made:
        made["adam"] = lambda p, gradients, rate, epsilon: call("adam", p, np.stack(gradients), rate, epsilon)
    return made
