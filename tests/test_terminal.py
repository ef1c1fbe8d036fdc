#!/usr/bin/env python3
"""What training shows on a terminal and on a pipe. Linux's pseudo-terminals; nothing but Python itself.

A small screen is kept as a terminal would: what is drawn again and again must stay on its line, whatever the width, and
leave nothing behind."""
import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios

SCRATCH = os.path.join(os.environ.get("SCRATCH", "build/tmp"), "terminal")
ENVIRONMENT = dict(os.environ, OMP_WAIT_POLICY="passive")
TRAIN = ["./fer", "train", "--data", "tests/tiny.csv", "--size", "48", "--batch", "4"]
passed = failed = 0


def check(what, fact, shown=""):
    global passed, failed
    passed += bool(fact)
    failed += not fact
    if not fact:
        print("FAILED: %s\n%s" % (what, shown))


def on_terminal(columns, command):
    """Exit status and all bytes that a program writes to a terminal of that width."""
    process, terminal = pty.fork()
    if process == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.execve(command[0], command, ENVIRONMENT)
    output = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError: # Linux's end of a pseudo-terminal
            break
        if not piece:
            break
        output += piece
    os.close(terminal)
    return os.WEXITSTATUS(os.waitpid(process, 0)[1]), output.decode()


def screen_of(output, columns):
    """The lines that are to be seen in the end; whether a line that was drawn over had wrapped before."""
    lines, row, column, wrapped, first = [{}], 0, 0, False, 0
    for character in output:
        if character == "\r":
            wrapped |= row > first
            column = 0
        elif character == "\n":
            row, column = row + 1, 0
            first = row
        else:
            if column == columns:
                row, column = row + 1, 0
            while row >= len(lines):
                lines.append({})
            lines[row][column] = character
            column += 1
    return ["".join(line.get(i, " ") for i in range(columns)).rstrip() for line in lines], wrapped


def widths():
    for columns in (200, 80, 40, 20, 8, 1):
        run = "%s/%d" % (SCRATCH, columns)
        status, output = on_terminal(columns, TRAIN + ["--epochs", "2", "--precise-bn", "1", "--out", run])
        check("%d columns: exit status" % columns, status == 0, output)
        for piece in re.findall(r"\r([^\r\n]*)(?=\r)", output.replace("\r\n", "\n")):
            check("%d columns: a line fits" % columns, len(piece) < columns or not piece, piece)
        lines, wrapped = screen_of(output.replace("\r\n", "\n"), columns)
        text = "".join(lines)
        check("%d columns: no line that is drawn again has wrapped" % columns, not wrapped, "\n".join(lines))
        if columns >= 8:
            check("%d columns: progress was drawn" % columns, re.search(r"\r *\d+/\d+", output), output)
            check("%d columns: and is gone" % columns, "ETA" not in text and "[=" not in text, "\n".join(lines))
            check("%d columns: a line an epoch" % columns, "Epoch 1/2 - " in text and "Epoch 2/2 - " in text, text)
        if columns == 80:
            check("a bar, the time and both figures at 80 columns",
                  re.search(r"\r *\d+/\d+ \[=+>?\.*\] - ETA: [0-9:]+s? - loss: \d\.\d{4} - accuracy: \d\.\d{4} *\r", output), output)
        if columns == 40:
            check("the time and the loss at 40 columns", re.search(r"\r *\d+/\d+(?: \[.*?\])? - ETA: [0-9:]+s? - loss: \d\.\d{4} *\r", output),
                  output)


def pits():
    """The progress of experiments, too."""
    status, output = on_terminal(40, ["./fer", "pits", SCRATCH + "/80", "--epoch", "1", "--experiments", "exact,batch"])
    check("pits: exit status", status == 0, output)
    for piece in re.findall(r"\r([^\r\n]*)(?=\r)", output.replace("\r\n", "\n")):
        check("pits: a line fits", len(piece) < 40, piece)


def pipe():
    done = subprocess.run(TRAIN + ["--epochs", "2", "--out", SCRATCH + "/pipe"], env=ENVIRONMENT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True)
    check("pipe: exit status", done.returncode == 0, done.stdout)
    check("pipe: nothing is drawn", "\r" not in done.stdout and "ETA" not in done.stdout, done.stdout)
    speed = r"\nat this speed: \d+ \w+(?: \d+ \w+)? for 2 epochs, [0-9:]+s? each; validation \d+ %, Conv2D \d+ %, .*the rest \d+ %\n"
    found = re.search(speed, done.stdout)
    check("how long it will take, and where the time goes", found and done.stdout.count("at this speed") == 1, done.stdout)
    shares = [int(share) for share in re.findall(r"(\d+) %", found.group(0))] if found else []
    check("the shares are of a whole", 95 <= sum(shares) <= 105, shares)
    last = subprocess.run(TRAIN + ["--epochs", "1", "--out", SCRATCH + "/last"], env=ENVIRONMENT, stdout=subprocess.PIPE,
                          universal_newlines=True)
    check("of the last epoch the rest", re.search(r"\nat this speed: \d+ seconds? to the end, [0-9:]+s? an epoch; validation",
                                                  last.stdout), last.stdout)
    check("before the first epoch is done", done.stdout.find("at this speed") < done.stdout.find("Epoch 1/2"), done.stdout)


def one_way_to_count():
    """Epochs and batches are counted from 1 wherever a line has N/M."""
    run = SCRATCH + "/stopped"
    process = subprocess.Popen(TRAIN + ["--epochs", "9000", "--out", run], env=ENVIRONMENT, stdout=subprocess.PIPE,
                               universal_newlines=True)
    shown = ""
    while not shown.endswith("\n") or "Epoch 2/" not in shown:
        shown += process.stdout.read(1)
    process.terminate()
    shown += process.stdout.read()
    check("stopped: exit status", process.wait() == 1, shown)
    stop = re.search(r"\nstopped at epoch (\d+)/9000, batch \d+/\d+; to go on: fer train --resume %s\n$" % run, shown)
    last = re.findall(r"^Epoch (\d+)/9000", shown, re.M)[-1]
    check("the epoch after the last that was shown", stop and int(stop.group(1)) == int(last) + 1, shown)


shutil.rmtree(SCRATCH, ignore_errors=True)
os.makedirs(SCRATCH)
widths()
pits()
pipe()
one_way_to_count()
shutil.rmtree(SCRATCH)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
