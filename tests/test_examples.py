#!/usr/bin/env python3
"""The Python examples that README shows, run as README runs them. (Those for PyTorch and Keras: test_pytorch.py,
test_keras.py.) Needs numpy."""
import os
import re
import subprocess
import sys

FOLDER = os.path.join("tests", "tmp", "examples")
passed = failed = 0


def check(what, fact, shown):
    global passed, failed
    passed += bool(fact)
    failed += not fact
    if not fact:
        print("FAILED: %s\n%s" % (what, shown))


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, **options)


def shell(text):
    """Exit status and output of commands that are run in FOLDER, with this folder's programs."""
    here = os.getcwd()
    environment = dict(os.environ, PATH=here + os.pathsep + os.environ["PATH"])
    text = re.sub(r"\bpython3\b", sys.executable, text).replace("tests/", os.path.join(here, "tests") + os.sep)
    done = run(["sh", "-c", text], cwd=FOLDER, env=environment)
    return done.returncode, done.stdout


def ctypes():
    done = run([sys.executable, "tests/examples/ctypes_layer.py"])
    match = re.fullmatch(r"y \(2, 3, 3, 4\), off by (\S+) in the middle; dkernel \(3, 3, 3, 4\)\n", done.stdout)
    check("ctypes_layer.py", done.returncode == 0 and match and float(match.group(1)) < 1e-13, done.stdout)


def exercise():
    """README's three commands; then the same with the student's mistake mended."""
    with open("README.md", encoding="utf-8") as file:
        readme = file.read()
    commands = r"^    fer record.*\n    python3 tests/examples/exercise.py.*\n    fer64 verify.*\n"
    blocks = re.findall(commands, readme, re.M)
    check("README has the exercise's three commands once", len(blocks) == 1, blocks)
    status, output = shell(blocks[0])
    last = "\nfirst at fault: batch_normalization_39/output, WRONG\n"
    check("the mistake is found", status == 1 and output.endswith(last), output)
    check("one array was checked", "\n1 arrays checked: 0 ok, 1 WRONG" in output, output)
    with open("tests/examples/exercise.py", encoding="utf-8") as file:
        text = file.read()
    check("the mistake is there once", text.count(", ddof=1") == 1, text)
    with open(os.path.join(FOLDER, "mended.py"), "w", encoding="utf-8") as file:
        file.write(text.replace(", ddof=1", ""))
    status, output = shell(blocks[0].replace("tests/examples/exercise.py", "mended.py"))
    check("mended, it is ok", status == 0 and output.endswith("\nno array is at fault\n"), output)


os.makedirs(FOLDER, exist_ok=True)
ctypes()
exercise()
for name in os.listdir(FOLDER):
    os.remove(os.path.join(FOLDER, name))
os.rmdir(FOLDER)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
