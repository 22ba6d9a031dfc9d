"""What the tests beside this file have in common: a daemon, and whoever speaks to it."""

import os
import subprocess
import sys
import urllib.request
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILT = os.path.join(ROOT, "build", "clients")
VENV_PYTHON = os.path.join(BUILT, "python", "bin", "python")
E2E = os.path.join(ROOT, "tests", "e2e")

sys.path.insert(0, E2E)
from harness import PYTHON, Daemon, DaemonTest, wait_for  # noqa: E402,F401

# A step of ./check has built it: none is a fault, no reason to pass over everything.
if not os.access(os.environ.get("HEARTH", ""), os.X_OK):
    sys.exit("HEARTH does not name the binary")

SERVER = os.path.join(E2E, "model_server.py")
SAID = "{} says five words here"


def model(name, *options, **keys):
    """The section of a component that speaks like a model server."""
    command = [PYTHON, SERVER, "${PORT}", name, *map(str, options)]
    return {"cmd": command, "ready": {"http": "/health"}, "memory": "60MiB", **keys}


def slow_model(name, seconds, **keys):
    line = f"sleep {seconds}; exec {PYTHON} {SERVER} $PORT {name}"
    return {**model(name), "cmd": line, "shell": True, **keys}


class Hold:
    """A stream that stops after its first piece until it is let go.

    Who lets it go only on seeing that piece, and then gets the others, has shown that pieces come
    as they are made. `wish` goes into the request.
    """

    def __init__(self, base, name):
        self.text = uuid.uuid4().hex
        self.url = f"{base}/upstream/{name}/go/{self.text}"
        self.wish = {"hold": self.text}

    def let_go(self):
        with urllib.request.urlopen(self.url, timeout=20) as answer:
            assert answer.status == 200

    def pieces(self, stream, text_of):
        """The texts of a stream that is held, which is let go at the first."""
        found = []
        for item in stream:
            text = text_of(item)
            if not text:
                continue
            found.append(text)
            if len(found) == 1:
                self.let_go()
        return found


class ServedTest(DaemonTest):
    """One daemon for a class of tests, as `components` and `sections` say."""

    components = {}
    sections = {}
    server = None

    @classmethod
    def setUpClass(cls):
        cls.server = Daemon(cls.components, **cls.sections)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.base = cls.server.address()["http"]


def weights(width, layers):
    """A model file of that size, written once."""
    folder = os.path.join(BUILT, "models")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{width}x{layers}.gguf")
    writer = os.path.join(HERE, "tiny_model.py")
    if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(writer):
        subprocess.run([VENV_PYTHON, writer, path, "--width", str(width), "--layers",
                        str(layers)], check=True, stdout=subprocess.DEVNULL)
    return path


def llama(path, *options, **keys):
    """The section of a component that is llama.cpp's server over the model at `path`."""
    command = [VENV_PYTHON, os.path.join(HERE, "llama_server.py"), "${PORT}", path,
               *map(str, options)]
    return {"cmd": command, "ready": {"http": "/health"}, "memory": "100MiB", **keys}


def held_by(pids):
    """Anonymous (with its swap) and file-backed memory of processes, in bytes of PSS."""
    names = {"Pss_Anon": 0, "Pss_File": 0, "SwapPss": 0}
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                name, _, rest = line.partition(":")
                if name in names:
                    names[name] += int(rest.split()[0]) * 1024
    return names["Pss_Anon"] + names["SwapPss"], names["Pss_File"]
