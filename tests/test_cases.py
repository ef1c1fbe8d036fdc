#!/usr/bin/env python3
"""`fer cases` and `fer64 verify DIR ANSWERS`: the cases are what they promise; answers of fer and of NumPy pass, planted faults of
every layer do not, conventions are told apart, hostile folders are refused.

    test_cases.py FER FER64 LIBRARY [torch|onnxruntime]

LIBRARY is libfer.so: all cases in one process. With a word behind it, the examples' runner for that library instead. Needs numpy."""
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np

FER, FER64, LIBRARY = (os.path.abspath(path) for path in sys.argv[1:4])
EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "examples")
ROOT = tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else os.environ.get("SCRATCH"))
DIR, OWN = os.path.join(ROOT, "cases"), os.path.join(ROOT, "own")
passed = failed = 0


def check(what, fact, shown=""):
    global passed, failed
    passed += bool(fact)
    failed += not fact
    if not fact:
        print("FAILED: %s\n%s" % (what, shown))


def call(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def refused(what, message, *command):
    status, out, err = call(*command)
    check(what, status == 2 and message in err and err.count("\n") == 1, "%d: %s%s" % (status, out, err))


def rows_of(folder):
    with open(os.path.join(folder, "cases.csv"), encoding="utf-8") as file:
        return [line.split(";") for line in file.read().splitlines()]


def judge(folder, answers):
    """{case: verdict} and the whole."""
    status, out, err = call(FER64, "verify", folder, answers, "--json")
    if status == 2:
        sys.exit(err)
    whole = json.loads(out)
    return {row["case"]: row for row in whole["verdicts"]}, whole, status


# ---- answers ----

class Option(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("text", ctypes.c_char_p)]


def fer_answers(folder, answers):
    """`fer op` on every case, float32."""
    library, result, error = ctypes.CDLL(LIBRARY), ctypes.create_string_buffer(4096), ctypes.create_string_buffer(8192)
    os.makedirs(answers)
    for case, layer, options, _ in rows_of(folder)[1:]:
        words = [word.encode() for word in options.split()]
        given = (Option * (len(words) // 2 + 1))(*(Option(words[i][2:], words[i + 1]) for i in range(0, len(words), 2)))
        paths = [os.path.join(where, case + ".npz").encode() for where in (folder, answers)]
        if library.fer_op(layer.encode(), *paths, given, len(words) // 2, result, error):
            sys.exit("%s: %s" % (case, error.value.decode()))


def run_example(name, folder, answers):
    done = call(sys.executable, os.path.join(EXAMPLES, name), folder, answers)
    check("%s runs" % name, done[0] == 0, done[2])


def load(folder, case):
    with np.load(os.path.join(folder, case + ".npz")) as arrays:
        return dict(arrays)


def answer_alone(case, **arrays):
    """A folder with this answer to one case; its verdict."""
    answers = tempfile.mkdtemp(dir=ROOT)
    np.savez(os.path.join(answers, case), **arrays)
    verdicts, _, status = judge(DIR, answers)
    shutil.rmtree(answers)
    return verdicts[case], status


# ---- tests ----

def the_cases():
    status, out, _ = call(FER64, "cases", "-o", DIR)
    rows = rows_of(DIR)
    check("cases says how many", status == 0 and "%d cases" % (len(rows) - 1) in out, out)
    check("the header", rows[0] == ["case", "layer", "options", "why"], rows[0])
    check("four columns, each case with its reason", all(len(row) == 4 and row[3] for row in rows))
    layers = [row[1] for row in rows[1:]]
    check("20 to 60 cases a layer", all(20 <= layers.count(layer) <= 60 for layer in layers), {l: layers.count(l) for l in layers})
    check("26 layers", len(set(layers)) == 26, set(layers))
    check("a few MB", sum(os.path.getsize(os.path.join(DIR, name)) for name in os.listdir(DIR)) < 5e6)
    check("a file for each", set(os.listdir(DIR)) == {"cases.csv"} | {row[0] + ".npz" for row in rows[1:]})
    types = {array.dtype for row in rows[1:] for array in load(DIR, row[0]).values()}
    check("float32, labels int64", types == {np.dtype("<f4"), np.dtype("<i8")}, types)
    values = np.concatenate([a.ravel() for row in rows[1:] for a in load(DIR, row[0]).values() if a.dtype == "f4"])
    tiny = np.finfo("f4").tiny
    for what, found in (("NaN", np.isnan(values)), ("infinity", values == np.inf), ("-infinity", values == -np.inf), ("-0", (values == 0) & np.signbit(values)),
                        ("subnormal", (values != 0) & (np.abs(values) < tiny)), ("near the end", np.isfinite(values) & (np.abs(values) > 3e38))):
        check("some are %s" % what, found.any())
    other = os.path.join(ROOT, "other")
    call(FER, "cases", "-o", other)
    check("fer writes the same bytes as fer64", call("diff", "-r", DIR, other)[0] == 0)
    call(FER, "cases", "dense", "adam", "--seed", "1", "-o", os.path.join(ROOT, "seed"))
    check("another seed, other numbers", not np.array_equal(load(DIR, "dense_plain")["x"], load(os.path.join(ROOT, "seed"), "dense_plain")["x"]))
    check("layers that are asked for", {row[1] for row in rows_of(os.path.join(ROOT, "seed"))[1:]} == {"dense", "adam"})
    call(FER, "cases", "dense", "-o", os.path.join(ROOT, "dense"))
    check("a layer's cases are the same alone", np.array_equal(load(DIR, "dense_plain")["x"], load(os.path.join(ROOT, "dense"), "dense_plain")["x"]))


def sound(what, answers, conventions):
    verdicts, whole, status = judge(DIR, answers)
    bad = [row for row in verdicts.values() if row["verdict"] in ("suspect", "WRONG")]
    check("%s: no case is at fault" % what, status == 0 and not bad, bad)
    check("%s: all are answered" % what, whole["all"]["no answer"] == 0, whole["all"])
    marked = {row[0] for row in rows_of(DIR)[1:] if row[3].startswith("convention (")}
    found = {case for case, row in verdicts.items() if row["verdict"] == "convention"}
    check("%s: conventions are those that are marked" % what, found <= marked and len(found) == conventions, (len(found), found ^ marked))
    check("%s: each names one" % what, all(verdicts[case]["convention"] for case in found))
    text = call(FER64, "verify", DIR, answers)[1]
    check("%s: the text's last line has the same sums" % what,
          text.splitlines()[-1].split() == ["all"] + [str(n) for n in (len(verdicts), len(verdicts), whole["all"]["ok"], 0, 0, conventions)], text[-200:])


def a_function_in_c():
    """tests/examples/cases_c.c: a convolution, forward."""
    answers = os.path.join(ROOT, "c")
    os.makedirs(answers)
    check("cases_c runs", call("build/cases_c", DIR, answers)[0] == 0)
    _, whole, status = judge(DIR, answers)
    cases = sum(row[1] == "conv2d" for row in rows_of(DIR))
    check("cases_c: its convolution is right", status == 0 and whole["all"]["ok"] == whole["layers"]["conv2d"]["ok"] == cases, whole["all"])


def faults():
    """In the plain case of every layer: one element, the last channel, one shifted, in every result."""
    for layer in sorted({row[1] for row in rows_of(DIR)[1:]}):
        case = layer + "_plain"
        answer = load(OWN, case)
        for name, a in answer.items():
            planted = [("one element", a + np.where(np.arange(a.size).reshape(a.shape) == a.size // 2, 0.01 * np.abs(a).max(), 0))]
            if a.ndim and a.size > 1:
                planted += [("the last channel", np.where(np.arange(a.shape[-1]) == a.shape[-1] - 1, 0.5 * a + 1e-3, a)), ("shifted", np.roll(a, 1))]
                planted += [("NaN", np.where(np.arange(a.size).reshape(a.shape) == 0, np.nan, a))]
            for what, spoilt in planted:
                row, status = answer_alone(case, **{name: spoilt.astype("f4")})
                check("%s: %s in %s" % (case, what, name), row["verdict"] in ("suspect", "WRONG") and row["array"] == name and status == 1, row)
    a = load(OWN, "max_pooling2d_all_equal")
    row, _ = answer_alone("max_pooling2d_all_equal", dx=2 * a["dx"])
    check("a convention excuses no other fault", row["verdict"] == "WRONG", row)
    row, _ = answer_alone("relu_infinity", y=np.where(np.isinf(load(OWN, "relu_infinity")["y"]), np.nan, load(OWN, "relu_infinity")["y"]))
    check("NaN is no infinity", row["verdict"] == "WRONG", row)
    row, _ = answer_alone("add_infinity", y=-load(OWN, "add_infinity")["y"])
    check("-infinity is no infinity", row["verdict"] == "WRONG", row)
    row, _ = answer_alone("conv2d_near_the_end", y=load(OWN, "conv2d_near_the_end")["y"] * np.float32(np.inf))
    check("infinity is no large number", row["verdict"] == "WRONG", row)
    row, status = answer_alone("conv2d_plain", y=load(OWN, "conv2d_plain")["y"][:1])
    check("another shape is WRONG", row["verdict"] == "WRONG" and "shape [1,6,6,4]: expected [2,6,6,4]" in row["reason"] and status == 1, row)


def conventions():
    answer, x = load(OWN, "relu_zeros"), load(DIR, "relu_zeros")
    for slope, words in ((1, "at-zero 1"), (0.5, "mean of both")):
        row, status = answer_alone("relu_zeros", y=answer["y"], dx=np.where(x["x"] == 0, slope * x["dy"], answer["dx"]).astype("f4"))
        check("slope %g at 0" % slope, row["verdict"] == "convention" and words in row["convention"] and status == 0, row)
    row, _ = answer_alone("relu_zeros", y=answer["y"])
    check("where the answer does not show it, it is ok", row["verdict"] == "ok", row)
    for ties in ("last", "all", "split"):
        for layer in ("max_pooling2d", "global_max_pooling2d"):
            path, case = os.path.join(ROOT, "ties.npz"), layer + "_all_equal"
            call(FER, "op", layer, os.path.join(DIR, case + ".npz"), path, "--ties", ties, *(["--pool", "3,3", "--strides", "2,2"] if layer[0] == "m" else []))
            row, _ = answer_alone(case, **load(ROOT, "ties"))
            word = {"last": "last", "all": "whole", "split": "share"}[ties]
            check("%s: %s" % (case, ties), row["verdict"] == "convention" and word in row["convention"], row)
    answer = load(OWN, "max_pooling2d_nan")
    x = load(DIR, "max_pooling2d_nan")["x"].reshape(2, 4, 2)
    lost = np.nanmax(x, (0, 2)).reshape(answer["y"].shape)
    mixed = np.where(np.arange(4).reshape(lost.shape) % 2, lost, np.nan).astype("f4")
    for y, words in ((lost, "lost to any"), (mixed, "by its place"), (answer["y"], "is kept")):
        row, _ = answer_alone("max_pooling2d_nan", y=y)
        check("NaN in a maximum: %s" % words, row["verdict"] == "convention" and words in row["convention"], row)
    row, _ = answer_alone("max_pooling2d_nan", y=np.zeros_like(lost))
    check("0 is no maximum of numbers and NaN", row["verdict"] == "WRONG", row)


def exact():
    folder, answers = os.path.join(ROOT, "exact"), os.path.join(ROOT, "exact_answers")
    check("exact cases", call(FER64, "cases", "--exact", "-o", folder)[0] == 0)
    layers = {row[1] for row in rows_of(folder)[1:]}
    check("of layers that can be exact", layers == {"conv2d", "depthwise_conv2d", "dense", "max_pooling2d", "average_pooling2d", "relu",
          "global_max_pooling2d", "zero_padding2d", "cropping2d", "concatenate"}, layers)
    run_example("cases_numpy.py", folder, answers)
    verdicts, whole, status = judge(folder, answers)
    check("whole numbers: NumPy makes no error", status == 0 and whole["all"]["ok"] == len(verdicts) > 150, whole["all"])
    check("the bound is 0", all(row["proven_bound"] == 0 for row in verdicts.values()),
          [row for row in verdicts.values() if row["proven_bound"] != 0][:3])
    for case in ("conv2d_plain", "average_pooling2d_overlapping", "dense_plain"):
        a = load(answers, case)
        a["y"][tuple(0 for _ in a["y"].shape)] += 1e-3
        np.savez(os.path.join(answers, case), **a)
    verdicts, whole, status = judge(folder, answers)
    check("and the smallest is found", status == 1 and whole["all"]["WRONG"] == 3, whole["all"])
    refused("a layer that cannot be exact", "softmax: has no exact cases", FER64, "cases", "softmax", "--exact", "-o", os.path.join(ROOT, "none"))


def some_answers():
    answers = os.path.join(ROOT, "some")
    os.makedirs(answers)
    status, out, _ = call(FER64, "verify", DIR, answers)
    check("nothing answered is no pass", status == 1 and out.splitlines()[-1].split()[:3] == ["all", "792", "0"], out[-300:])
    for case in ("dense_plain", "relu_zeros"):
        np.savez(os.path.join(answers, case), y=load(OWN, case)["y"])
    np.savez(os.path.join(answers, "dense_plane"), y=[1.0])
    np.savez(os.path.join(answers, "dense_square"), z=[1.0])
    status, out, _ = call(FER64, "verify", DIR, answers)
    check("any subset will do", status == 0 and "1 file is no case's answer: dense_plane.npz" in out and " 2      2 " in out.splitlines()[-2], out[-400:])
    os.rename(os.path.join(answers, "dense_plane.npz"), os.path.join(answers, "dense\n\x1b[2J.npz"))
    out = call(FER64, "verify", DIR, answers)[1]
    check("a name of control characters is shown on one line", "1 file is no case's answer: dense??[2J.npz\n" in out, out[-400:])
    latin = os.fsencode(ROOT) + b"/caf\xe9"
    os.rename(answers, latin)
    check("JSON is UTF-8, whatever a path is", json.loads(call(FER64, "verify", DIR, os.fsdecode(latin), "--json")[1])["answers"].endswith("caf\ufffd"))
    status, out, _ = call(FER64, "verify", DIR, OWN, "--unit", "f64")
    check("float32 is not float64", status == 1, out[-300:])


def refusals():
    folder = os.path.join(ROOT, "hostile")
    refused("cases without -o", "expected -o", FER64, "cases")
    refused("an unknown layer", "conv3d: no such layer", FER64, "cases", "conv3d", "-o", folder)
    check("nothing is left of it", not os.path.exists(folder))
    refused("a folder that holds files", "holds files already", FER64, "cases", "-o", DIR)
    refused("float32 does not judge", "use fer64", FER, "verify", DIR, OWN)
    refused("an option of records", "--unit and --accumulate alone", FER64, "verify", DIR, OWN, "--ties", "any")
    for option in (["--inference"], ["--no-chains"], ["--bn-epsilon", "1"], ["--unit", "relu=f16"]):
        refused("an option of records, %s" % option[0], "--unit and --accumulate alone", FER64, "verify", DIR, OWN, *option)
    np.savez(os.path.join(ROOT, "complex"), y=np.zeros((2, 9), "c8"))
    os.makedirs(os.path.join(ROOT, "complex"))
    os.rename(os.path.join(ROOT, "complex.npz"), os.path.join(ROOT, "complex", "relu_all_negative.npz"))
    refused("answers of another type", "relu_all_negative.npz: y: type '<c8'; one of", FER64, "verify", DIR, os.path.join(ROOT, "complex"))
    refused("answers that are no folder", "is no folder", FER64, "verify", DIR, os.path.join(ROOT, "nowhere"))
    refused("a path that is too long", "cases.csv: the path is too long", FER64, "verify", "x" * 4090, OWN)
    refused("cases that are no folder", "cases.csv: cannot be opened", FER64, "verify", os.path.join(ROOT, "nowhere"), OWN)
    os.makedirs(folder)
    head, line = "case;layer;options;why\n", "dense_plain;dense;;why\n"
    for text, message in (("", ":1: expected the header"), ("a;b\n" + line, ":1: expected the header"), (head, "holds no case"),
                          (head + "../own/dense_plain;dense;;why\n", ":2: ../own/dense_plain: expected a name of letters"),
                          (head + ".hidden;dense;;why\n", ":2: .hidden: expected a name"), (head + ";dense;;\n", ":2: : expected a name"),
                          (head + "a" * 200 + ";dense;;\n", "expected a name of letters"), (head + "a;dense\n", ":2: expected case;layer;options;why"),
                          (head + line + "a;conv3d;;\n", ":3: conv3d: no such operation"), (head + "a;dense;--ties first;\n", ":2: --ties: not an option of dense"),
                          (head + "a;dense;--groups;\n", ":2: --groups: expected a value"), (head + "a;dense;groups 2;\n", ":2: groups: expected an option"),
                          (head + "a;conv2d;" + "--groups 1 " * 9 + ";\n", "expected at most 8 options"), (head + "a;conv2d;" + "-" * 500 + ";\n", "options of more than"),
                          (head + line + line, ":3: dense_plain: stands there twice"), (head + "a;dense;;convention (ties): x\n", "dense has none of this name"),
                          (head + "a;relu;;convention (ties\n", "relu has none of this name"), (head + "a\0b;dense;;\n", "is no text"),
                          (head + "relu_plain;relu;--max-value x;\n", "cases.csv: relu_plain: --max-value x: expected a number"),
                          (head + "dense_plain;conv2d;;why\n", "dense_plain.npz: x: shape"), (head + "dense_square;dense;;why\n", "dense_square.npz: cannot be opened")):
        with open(os.path.join(folder, "cases.csv"), "w", encoding="utf-8") as file:
            file.write(text)
        for case in ("dense_plain", "relu_plain"):
            shutil.copy(os.path.join(DIR, case + ".npz"), folder)
        refused("hostile: %r" % text[-60:], message, FER64, "verify", folder, OWN)
    with open(os.path.join(folder, "cases.csv"), "w", encoding="utf-8", newline="") as file:
        file.write("case;layer;options\r\ndense_plain;dense;\r\n\r\n")
    check("three columns and CR LF will do", call(FER64, "verify", folder, OWN)[0] == 0)
    answers = os.path.join(ROOT, "broken")
    os.makedirs(answers)
    with open(os.path.join(answers, "dense_plain.npz"), "w", encoding="utf-8") as file:
        file.write("no zip")
    refused("an answer that is no npz", "dense_plain.npz", FER64, "verify", folder, answers)
    read_only = os.path.join(ROOT, "file")
    open(read_only, "w").close()
    refused("cases into a file", "file", FER64, "cases", "-o", read_only)


def other_library(name):
    """The examples' runner for a library, over all cases."""
    call(FER64, "cases", "-o", DIR)
    run_example("cases_%s.py" % {"torch": "pytorch"}.get(name, name), DIR, OWN)
    verdicts, whole, _ = judge(DIR, OWN)
    print(whole["all"])
    wrong = {case for case, row in verdicts.items() if row["verdict"] in ("suspect", "WRONG")}
    known = {"torch": {"softmax_cross_entropy_masked"}, "onnxruntime": {"global_max_pooling2d_minus_infinity"}}[name]
    check("%s: at fault are the cases that model/check/README.md names" % name, wrong == known, [verdicts[case] for case in wrong ^ known])
    check("%s: nearly all are answered" % name, whole["all"]["no answer"] <= 26, whole["all"])


if len(sys.argv) > 4:
    other_library(sys.argv[4])
else:
    the_cases()
    fer_answers(DIR, OWN)
    sound("fer", OWN, 24)
    run_example("cases_numpy.py", DIR, os.path.join(ROOT, "numpy"))
    sound("NumPy", os.path.join(ROOT, "numpy"), 26)
    a_function_in_c()
    faults()
    conventions()
    exact()
    some_answers()
    refusals()
shutil.rmtree(ROOT)
print("%d passed, %d failed" % (passed, failed))
sys.exit(failed > 0)
