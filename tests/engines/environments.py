"""environments.py - the rows that scripts in a folder announce, and the packages they run with.

A line of a script, `# row NAME: [VARIABLE=VALUE ...] packages`, says with which settings it is run and what pip installs
for it, into a folder under ENGINES (an environment variable; else a temporary folder, which is removed)."""
import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LOG = None if os.environ.get("TRACE") else subprocess.DEVNULL
TROUBLE = (subprocess.SubprocessError, ValueError, IndexError, OSError)


@contextlib.contextmanager
def folder():
    if os.environ.get("ENGINES"):
        yield os.path.abspath(os.environ["ENGINES"])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            yield temporary


def rows(where, chosen):
    """Name, script, settings, packages."""
    for file in sorted(os.listdir(os.path.join(HERE, where))):
        if file.endswith(".py"):
            path = os.path.join(HERE, where, file)
            with open(path) as text:
                for name, words in re.findall(r"^# row (\S+): (.*)$", text.read(), re.M):
                    if not chosen or name in chosen:
                        settings = dict(w.split("=", 1) for w in words.split() if re.match(r"[A-Z_]+=", w))
                        yield name, path, settings, [w for w in words.split() if not re.match(r"[A-Z_]+=", w)]


def python_with(packages, within):
    """A Python that has these packages, installed once."""
    venv = os.path.join(within, hashlib.sha1(" ".join(sorted(packages)).encode()).hexdigest()[:12])
    python = os.path.join(venv, "bin", "python")
    if not os.path.exists(os.path.join(venv, "complete")):
        subprocess.run([sys.executable, "-m", "venv", venv], check=True, stderr=LOG)
        pip = [python, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
        subprocess.run(pip + ["setuptools==69.5.1", "wheel"], check=True, stderr=LOG)
        subprocess.run(pip + ["--no-build-isolation"] + packages, check=True, stderr=LOG)
        open(os.path.join(venv, "complete"), "w").close()
    return python


def told(path, settings, packages, within):
    """The JSON of the last line that the script writes."""
    fer = {name.upper(): os.path.abspath(os.environ.get(name.upper(), name)) for name in ("fer", "fer64")}
    environment = dict(os.environ, PYTHONPATH=HERE, ENGINES=within, **fer, **settings)
    run = subprocess.run([python_with(packages, within), "-P", "-W", "ignore", path], env=environment, stdout=subprocess.PIPE,
                         stderr=LOG, timeout=1800, universal_newlines=True)
    return json.loads(run.stdout.strip().splitlines()[-1])
