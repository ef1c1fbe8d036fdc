"""remote.py - probes.py's functions where the library is of another language.

A program reads a call a line and answers with a line: the function's name and its arguments, which are n:NUMBER,
s:WORD, - (nothing), or arrays a:H,W:HEX, little-endian float32 in hexadecimal digits. The answer is `ok` and values
written alike, `missing WHY` (the library has no such thing), or `error WHY` (it refuses)."""
import os
import shutil
import subprocess
import numpy as np
from probes import Missing

FOLDER = os.path.join(os.environ["ENGINES"], "other")
SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "conventions")


def project(name, files):
    """A folder with these files; a file is a text, or the name of one in conventions/."""
    folder = os.path.join(FOLDER, name)
    for at, content in files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, at)), exist_ok=True)
        if "\n" not in content:
            shutil.copy(os.path.join(SOURCES, content), os.path.join(folder, at))
            continue
        with open(os.path.join(folder, at), "w") as file:
            file.write(content)
    return folder


def cargo(name, *dependencies):
    """NAME.rs, built; the debug build, which is sooner there and computes the same."""
    manifest = '[package]\nname = "%s"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n%s\n'
    program = name + "_conventions"
    folder = project(name, {"Cargo.toml": manifest % (program, "\n".join(dependencies)),
                            "src/main.rs": name + ".rs", "src/call.rs": "call.rs"})
    subprocess.run(["cargo", "build", "--quiet", "-j1"], cwd=folder, check=True)
    return [os.path.join(folder, "target", "debug", program)]


def go(name, *modules):
    """NAME.go, built with these modules, MODULE@VERSION."""
    module = "module conventions\ngo 1.21\n"
    folder = project(name, {"go.mod": module, "main.go": name + ".go", "call.go": "call.go"})
    for command in [["get"] + list(modules), ["mod", "tidy"], ["build", "-o", "program"]]:
        subprocess.run(["go"] + command, cwd=folder, check=True)
    return [os.path.join(folder, "program")]


def java(name, *jars):
    """NAME.java with these jars, GROUP:ARTIFACT:VERSION[:CLASSIFIER], and what they need."""
    tags = "groupId", "artifactId", "version", "classifier"
    wanted = ["".join("<%s>%s</%s>" % (t, part, t) for t, part in zip(tags, jar.split(":"))) for jar in jars]
    pom = "<project>\n<modelVersion>4.0.0</modelVersion><groupId>c</groupId><artifactId>c</artifactId>" \
          "<version>0</version><dependencies>%s</dependencies></project>"
    pom %= "".join("<dependency>%s</dependency>" % w for w in wanted)
    folder = project(name.lower(), {"pom.xml": pom, name + ".java": name + ".java"})
    if not os.path.exists(os.path.join(folder, "jars")):
        fetch = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"]
        subprocess.run(fetch, cwd=folder, check=True)
    subprocess.run(["javac", "-cp", "jars/*", name + ".java"], cwd=folder, check=True)
    return ["java", "-cp", "%s/jars/*:%s" % (folder, folder), name]


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
