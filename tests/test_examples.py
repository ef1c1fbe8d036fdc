#!/usr/bin/env python3
"""The READMEs, held to their word. Needs numpy.

Every README.md of the repository is read.
  - A block marked ```console is run, command by command, and must show what comes out. A command follows `$ ` (and goes
    on after a backslash); the lines below it are its output, in which `...` stands for any text. The commands of one
    README run in one scratch folder, which shows the repository's files.
  - In every block a line `fer COMMAND ...` must name a command and options that `fer help COMMAND` knows; each
    `make TARGET` must name a target.
  - Files that are named between backticks, and links, must lead to something; a README with a table of its folder's
    files (`| file |`) must name each .c file.
Blocks that use run-of-drawn-faces, the folder that `make run` leaves behind, are run where it is there.

And the programs of tests/examples/ (for PyTorch and Keras see test_pytorch.py and test_keras.py)."""
import os
import re
import shutil
import subprocess
import sys

ROOT = os.getcwd()
SCRATCH = os.path.join(ROOT, os.environ.get("SCRATCH", "build/tmp"), "examples")
DRAWN = "run-of-drawn-faces"
passed = failed = 0


def check(what, fact, shown=""):
    global passed, failed
    passed += bool(fact)
    failed += not fact
    if not fact:
        print("FAILED: %s\n%s" % (what, shown))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


# ---- a scratch folder that shows the repository ----

def begin_scratch():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    os.makedirs(os.path.join(SCRATCH, "bin"))
    for name in os.listdir(ROOT):
        if name != DRAWN and not name.startswith("."):
            os.symlink(os.path.join(ROOT, name), os.path.join(SCRATCH, name))
    os.symlink(os.path.join(ROOT, "fer"), os.path.join(SCRATCH, "bin", "fer"))
    os.symlink(os.path.join(ROOT, "fer64"), os.path.join(SCRATCH, "bin", "fer64"))
    with open(os.path.join(SCRATCH, "bin", "python3"), "w", encoding="utf-8") as file: # the Python that has numpy
        file.write('#!/bin/sh\nexec "%s" "$@"\n' % sys.executable)
    os.chmod(os.path.join(SCRATCH, "bin", "python3"), 0o755)
    if drawn_faces_are_there():
        os.makedirs(os.path.join(SCRATCH, DRAWN))
        for name in os.listdir(os.path.join(ROOT, DRAWN)):
            if name != "pits.csv":
                os.symlink(os.path.join(ROOT, DRAWN, name), os.path.join(SCRATCH, DRAWN, name))


def drawn_faces_are_there():
    log = os.path.join(ROOT, DRAWN, "log.csv")
    return os.path.exists(log) and len(read(log).splitlines()) == 8


def shell(command):
    """Exit status and output of a command in the scratch folder."""
    path = os.path.join(SCRATCH, "bin") + os.pathsep + os.environ["PATH"]
    environment = dict(os.environ, OMP_WAIT_POLICY="passive", PATH=path)
    done = subprocess.run(["sh", "-c", command], cwd=SCRATCH, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True)
    return done.returncode, done.stdout


# ---- what a README says ----

def blocks_of(text):
    """[(kind, block)]: kind `console`, `c`, ..., or "" of an indented one."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    rest = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return found + [("", re.sub("^    ", "", block, flags=re.M)) for block in re.findall(r"(?:^    .*\n)+", rest, re.M)]


def commands_of(block):
    """[(command, output)] of a console block."""
    return [(command.replace("\\\n", ""), output)
            for command, output in re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block, re.M)]


def fits(shown, output):
    output = re.sub(" +$", "", output, flags=re.M)
    pattern = "".join(".*" if part == "..." else re.escape(part) for part in re.split(r"(\.\.\.)", shown))
    return re.fullmatch(pattern, output, re.S)


def consoles(readme, blocks):
    begin_scratch()
    for kind, block in blocks:
        if kind != "console" or (DRAWN in block and not drawn_faces_are_there()):
            continue
        check("%s: a console block has commands" % readme, commands_of(block), block)
        for command, shown in commands_of(block):
            output = shell(command)[1]
            check("%s: $ %s\n---- it shows\n%s---- out comes" % (readme, command, shown), fits(shown, output), output)


def help_of(command, known={}):
    if command not in known:
        known[command] = subprocess.run(["./fer", "help", command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        universal_newlines=True).stdout
    return known[command]


def commands_exist(readme, blocks):
    lines = "\n".join(block for kind, block in blocks)
    for line in re.findall(r"^(?:\$ )?fer(?:64)? [a-z].*", lines, re.M):
        line = line.split("#")[0]
        words = line.lstrip("$ ").split()
        check("%s: %s: a command" % (readme, line), help_of(words[1]))
        for option in re.findall(r" (--?[a-z][a-z0-9-]*)", line):
            known = re.search(r"(?<![\w-])%s(?![\w-])" % re.escape(option), help_of(words[1]) + help_of("train"))
            check("%s: %s: option %s" % (readme, line, option), known)


def targets_exist(readme, text):
    makefile = read("Makefile")
    for target in sorted(set(re.findall(r"(?:^    |^\$ |`)make ([a-z][a-z0-9-]*)", text, re.M))):
        check("%s: make %s" % (readme, target), re.search(r"^[\w -]*\b%s\b[\w -]*:" % target, makefile, re.M))


def files_exist(readme, text):
    folder = os.path.dirname(readme)
    for link in re.findall(r"\]\(([^)#]+)", text):
        check("%s: link to %s" % (readme, link), "://" in link or os.path.exists(os.path.join(folder, link)))
    for name in re.findall(r"`((?:layers|model|data|tests|findings)/[\w./]*|[\w/]+\.[chy]+|[\w/]+\.sh)`", text):
        if "softsign" in name: # the layer that layers/README.md has its reader add
            continue
        near = os.path.join(folder, name)
        check("%s: file %s" % (readme, name), os.path.exists(name) or os.path.exists(near))


def every_file_is_named(readme, text):
    folder = os.path.dirname(readme)
    if "| file |" not in text or folder == "tests":
        return
    for name in sorted(os.listdir(folder)):
        check("%s: it names %s" % (readme, name), not name.endswith(".c") or "`%s`" % name in text)


def readmes():
    found = []
    for folder, folders, files in os.walk("."):
        folders[:] = sorted(name for name in folders if name[0] != "." and name not in ("build", "tmp", DRAWN))
        if "README.md" in files:
            found.append(os.path.join(folder, "README.md")[2:])
    check("the repository has READMEs", len(found) > 1, found)
    for readme in found:
        text = read(readme)
        blocks = blocks_of(text)
        consoles(readme, blocks)
        commands_exist(readme, blocks)
        targets_exist(readme, text)
        files_exist(readme, text)
        every_file_is_named(readme, text)


# ---- tests/examples ----

def ctypes_layer():
    begin_scratch()
    status, output = shell("python3 tests/examples/ctypes_layer.py")
    match = re.fullmatch(r"y \(2, 3, 3, 4\), off by (\S+) in the middle; dkernel \(3, 3, 3, 4\)\n", output)
    check("ctypes_layer.py", status == 0 and match and float(match.group(1)) < 1e-13, output)


def exercise():
    """With the student's mistake the array is WRONG; without it, it is ok."""
    begin_scratch()
    commands = ("fer record --seed 1 --size 48 --batch 4 -o ours.npz && python3 %s ours.npz theirs.npz && "
                "fer64 verify theirs.npz")
    status, output = shell(commands % "tests/examples/exercise.py")
    last = "\nfirst at fault: batch_normalization_39/output, WRONG: 3072 of 3072: normalised with the unbiased variance\n"
    check("the mistake is found", status == 1 and output.endswith(last), output)
    check("one array was checked", "\n1 arrays checked: 0 ok, 1 WRONG" in output, output)
    text = read("tests/examples/exercise.py")
    check("the mistake is there once", text.count(", ddof=1") == 1, text)
    with open(os.path.join(SCRATCH, "corrected.py"), "w", encoding="utf-8") as file:
        file.write(text.replace(", ddof=1", ""))
    status, output = shell(commands % "corrected.py")
    check("corrected, it is ok", status == 0 and output.endswith("\nno array is at fault\n"), output)


readmes()
ctypes_layer()
exercise()
shutil.rmtree(SCRATCH)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
