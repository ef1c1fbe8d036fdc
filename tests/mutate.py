#!/usr/bin/env python3
"""Mutants: does a test fail for every small change of the code?  make mutate FILES="layers/relu.c ..."

One operator, constant or condition is changed at a time; the changed file alone is compiled (with tcc where there is one),
linked with the rest, and the C tests run, the quick ones first, until one fails. A mutant that no test kills is printed and,
at the end, looked up in tests/mutants.txt, which has those that change nothing, with the reason. Exit status 1 when one
survives that is not there.

    python3 tests/mutate.py [--jobs N] [--quick] [FILE ...]        all of layers/ without a FILE"""
import argparse
import concurrent.futures
import glob
import os
import re
import resource
import shutil
import subprocess
import sys
import threading

WORK = "build/mutate"
FLAGS = ["-std=c99", "-ffp-contract=off", "-fPIC", "-I.", "-w"]
PLAIN = ["layers/average_pooling2d.c", "layers/batch_normalization.c", "layers/conv2d.c", "layers/max_pooling2d.c"]
ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive")

# The tests that a file's mutants meet, those first that are quick and kill most: (bits, arguments, seconds of processor time at
# most). float64's come behind float32's, which few survive.
BITS = "has_the_plain_bits" # the tests with this in their names take seconds: of them the file's own
NOT_BITS = ["-s", "suite_layers", "-x", BITS]


def stages_of(path):
    if path.startswith("model/"):
        return CHECK
    first = ["-s suite_math"] if "numbers" in path else ["-t windows", "-t cell_number"] if "window" in path else []
    if "random" in path:
        first = ["-t philox", "-t draws", "-t shuffle", "-t initial_weights"]
    stages = [("32", test.split(), 3) for test in first + ["-s suite_vectors", "-s suite_kinds", "-s suite_op"]]
    own = [kind + BITS for kind in ("conv2d_", "pooling_", "batch_normalization_") if kind.rstrip("_") in path and "depthwise" not in path]
    own += [kind + BITS for kind in ("conv2d_", "pooling_", "batch_normalization_") if path.endswith((".h", "tile.c", "window.c"))]
    stages = [("32", ["-t", test], 30) for test in own] + stages + [("32", NOT_BITS, 8)]
    return stages + [("64", test.split(), 3) for test in first + ["-s suite_math", "-s suite_vectors", "-s suite_kinds"]]


CHECK = [("64", arguments.split(), seconds) for seconds, arguments in (
    (60, "-s suite_op"), (60, "-s suite_record"), (60, "-s suite_gradients"), (300, "-s suite_verify"), (60, "-s suite_network"))]

SWAPS = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==",
         "&&": "||", "||": "&&", "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "&": "|", "|": "&", "<<": ">>", ">>": "<<",
         "^": "&"}
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|^[ \t]*#(?:\\\n|[^\n])*'
                   r'|[A-Za-z_]\w*|0[xX][0-9a-fA-F.]+(?:[pP][+-]?\d+)?\w*|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\w*'
                   r'|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\S', re.S | re.M)


def closing(text, at):
    """Where the bracket that opens at `at` closes."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0:
            return i
    return -1


def mutants_of(text):
    """[(line, what, changed text)]"""
    found = []

    def add(start, end, new):
        line = text.count("\n", 0, start) + 1
        old = re.sub(r"\s+", " ", text[start:end])
        context = re.sub(r"\s+", " ", text.split("\n")[line - 1]).strip()
        what = "%s -> %s in `%s`" % (old, new, context)
        same = sum(other == what or other.startswith(what + " (") for _, other, _ in found)
        found.append((line, what + (" (%d)" % (same + 1) if same else ""), text[:start] + new + text[end:]))

    before = ""
    for match in TOKEN.finditer(text):
        token, start, end = match.group(), match.start(), match.end()
        if token[0] == "#" or token.startswith(("/*", "//")):
            continue
        if text[:end].endswith("return -") or text[:end].endswith("return -1"): # that is: failed
            pass
        elif token in SWAPS:
            add(start, end, SWAPS[token])
        elif re.match(r"\d", token) or token.startswith("."):
            if re.fullmatch(r"\d+u?", token):
                add(start, end, str(int(token.rstrip("u")) + 1) + ("u" if token.endswith("u") else ""))
                if token == "1":
                    add(start, end, "0")
            elif re.fullmatch(r"0[xX][0-9a-fA-F]+u?", token):
                add(start, end, "(%s ^ 1)" % token)
            else:
                add(start, end, "(%s * 1.25)" % token)
        elif token == "(" and before in ("if", "while"):
            close = closing(text, start)
            if close > 0:
                add(start, close + 1, "(!%s)" % text[start:close + 1])
        before = token
    return found


class Mutator:
    def __init__(self, path, number):
        self.path, self.number = path, number
        self.tree = os.path.join(WORK, "tree%d" % number)
        shutil.rmtree(self.tree, ignore_errors=True)
        for name in [path for pattern in ("*.h", "*/*.h", "*/*/*.h", "layers/*.c", "tests/plain.c") for path in glob.glob(pattern)]:
            os.makedirs(os.path.dirname(os.path.join(self.tree, name)) or self.tree, exist_ok=True)
            os.symlink(os.path.abspath(name), os.path.join(self.tree, name))
        os.makedirs(os.path.dirname(os.path.join(self.tree, path)), exist_ok=True)
        if path.endswith(".h"):
            self.units = [unit for unit in sorted(glob.glob("layers/*.c") + glob.glob("layers/*/*.c")) + ["tests/plain.c"]]
        else:
            self.units = ["tests/plain.c"] if path in PLAIN else [path]
        self.program = os.path.join(WORK, "test%d" % number)

    def write(self, path, text):
        to = os.path.join(self.tree, path)
        if os.path.lexists(to):
            os.unlink(to)
        with open(to, "w", encoding="utf-8") as file:
            file.write(text)

    def build(self, bits):
        objects = []
        for unit in self.units:
            at = os.path.join(self.tree, unit)
            if not os.path.lexists(at):
                os.makedirs(os.path.dirname(at), exist_ok=True)
                os.symlink(os.path.abspath(unit), at)
            objects.append(os.path.join(WORK, "%d-%s.o" % (self.number, unit.replace("/", "-"))))
            fast = unit.startswith("layers/fast/") # slow without an optimiser
            command = (["gcc", "-O1"] if fast else [COMPILER]) + FLAGS + (["-DFER_DOUBLE"] if bits == "64" else []) + ["-c", at, "-o", objects[-1]]
            if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
                return "does not compile"
        tests = [name for name in glob.glob("build/%s/tests/*.o" % bits) if re.fullmatch(r"(test_.*|main|plain|backend)\.o", os.path.basename(name))]
        tests = [name for name in tests if not ("tests/plain.c" in self.units and name.endswith("/plain.o"))]
        command = ["cc", "-fopenmp"] + GOLD + ["-o", self.program] + objects + tests + [WORK + "/no_fsync.o", "libfer%s.a" % ("" if bits == "32" else "64")] + RUNTIME + ["-lm"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        return done.stdout if done.returncode else None

    def killed_by(self, text, stages):
        self.write(self.path, text)
        built = None
        for bits, arguments, seconds in stages:
            if built != bits:
                wrong = self.build(bits)
                if wrong:
                    return wrong if wrong == "does not compile" else "does not link: " + wrong[-300:]
                built = bits
            done = subprocess.run([self.program, "-f"] + arguments, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds)))
            if done.returncode: # it fails, crashes or does not end
                return "%s %s" % (bits, " ".join(arguments))
            if b"Pass: 0, fail: 0" in done.stdout:
                return "no such test: " + " ".join(arguments)
        return None


def known_equivalents():
    known = {}
    if os.path.exists("tests/mutants.txt"):
        with open("tests/mutants.txt", encoding="utf-8") as file:
            for line in file:
                if ": " in line and not line.startswith("#"):
                    known[line.split(" -- ")[0].strip()] = True
    return known


parser = argparse.ArgumentParser()
parser.add_argument("--jobs", type=int, default=2)
parser.add_argument("--quick", action="store_true", help="leave out the tests that take seconds")
parser.add_argument("files", nargs="*")
options = parser.parse_args()
files = options.files or sorted(glob.glob("layers/*.c") + glob.glob("layers/*/*.c"))
COMPILER = os.environ.get("MUTANT_CC") or ("tcc" if shutil.which("tcc") else "gcc")
shutil.rmtree(WORK, ignore_errors=True)
os.makedirs(WORK)
with open(WORK + "/no_fsync.c", "w", encoding="utf-8") as stub: # files of tests need not reach the disk
    stub.write("int fsync(int file) { (void)file; return 0; }\n")
GOLD = ["-fuse-ld=gold"] if shutil.which("ld.gold") else []
RUNTIME = glob.glob("/usr/lib/*/tcc/libtcc1.a") + glob.glob("/usr/*/lib/tcc/libtcc1.a") if COMPILER == "tcc" else []
subprocess.run(["cc", "-c", WORK + "/no_fsync.c", "-o", WORK + "/no_fsync.o"], check=True)
known, total, counts, survivors = known_equivalents(), 0, {"killed": 0, "compile": 0, "equivalent": 0}, []
local, numbers = threading.local(), iter(range(1000))


def judge(job):
    path, line, what, text = job
    if not hasattr(local, "mutators"):
        local.mutators, local.number = {}, next(numbers)
    if path not in local.mutators:
        local.mutators = {path: Mutator(path, local.number)}
    stages = [stage for stage in stages_of(path) if stage[2] <= 3 or not options.quick]
    return path, line, what, local.mutators[path].killed_by(text, stages)


jobs = []
for path in files:
    with open(path, encoding="utf-8") as source:
        jobs += [(path,) + mutant for mutant in mutants_of(source.read())]
with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
    for path, line, what, killer in pool.map(judge, jobs):
        name = "%s: %s" % (path, what)
        if killer == "does not compile":
            counts["compile"] += 1
        elif killer and killer.startswith(("does not link", "no such test")):
            print("%s:%d: %s: %s" % (path, line, what, killer), flush=True)
            survivors.append(name)
        elif killer:
            counts["killed"] += 1
        elif name in known:
            counts["equivalent"] += 1
        else:
            print("%s:%d: survives: %s" % (path, line, what), flush=True)
            survivors.append(name)
print("%d mutants: %d killed, %d do not compile, %d known to change nothing, %d survive" %
      (len(jobs), counts["killed"], counts["compile"], counts["equivalent"], len(survivors)))
sys.exit(bool(survivors))
