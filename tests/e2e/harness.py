"""A real daemon over small real components, for the tests beside this file.

HEARTH names the binary. Every daemon has its own folder, a free port and a mark in its environment,
by which what it started is found again. Waiting is polling with a generous end, never a sleep.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else "python3"
COMPONENT = os.path.join(HERE, "component.py")
PATIENCE = 60


def binary():
    path = os.environ.get("HEARTH")
    if not path or not os.access(path, os.X_OK):
        raise unittest.SkipTest("HEARTH does not name the binary")
    return path


def wait_for(claim, what, patience=PATIENCE):
    """Polls `claim` until it is true and returns what it returned."""
    end = time.monotonic() + patience
    while True:
        found = claim()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"after {patience} s still not: {what}")
        time.sleep(0.02)


def marked(mark):
    """Processes, by id, in whose environment `mark` stands."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                if mark.encode() not in file.read():
                    continue
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                if file.read().rsplit(")", 1)[1].split()[0] not in "ZX":
                    found.append(int(entry))
        except OSError:
            pass
    return found


def component(*options, **keys):
    """The section of one component.py."""
    command = [PYTHON, COMPONENT, "${PORT}", *map(str, options)]
    section = {"cmd": command, "ready": {"http": "/health"}, "memory": "40MiB"}
    section.update(keys)
    return section


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def detail(self):
        return self.json.get("detail", "")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """One state folder and, while it runs, the daemon on it."""

    def __init__(self, components, **sections):
        self.folder = tempfile.mkdtemp(prefix="hearth-e2e-")
        self.state = os.path.join(self.folder, "state")
        self.config = os.path.join(self.folder, "hearth.yaml")
        self.mark = "HEARTH_E2E=" + uuid.uuid4().hex
        self.sections = {"listen": {"http": "127.0.0.1:0"}, "state": self.state,
                         "memory": {"budget": "1GiB"}, **sections}
        self.process = None
        self.output = os.path.join(self.folder, "output")
        self.write_config(components)

    # JSON is YAML.
    def write_config(self, components):
        text = json.dumps({**self.sections, "components": components}, indent=1)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text + "\n")

    def environment(self):
        name, value = self.mark.split("=")
        kept = {k: v for k, v in os.environ.items()
                if k == "HEARTH_SNAPSHOT_EVENTS"
                or not k.startswith("HEARTH") and k != "NOTIFY_SOCKET"}
        return {**kept, name: value, "HOME": self.folder, "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, is_waiting=True):
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(
                [binary(), "serve", "--config", self.config], env=self.environment(),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        if is_waiting:
            wait_for(self.address, f"the daemon listens: {self.said()}")
        return self

    def said(self):
        with open(self.output, encoding="utf-8", errors="replace") as file:
            return file.read()[-3000:]

    def address(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the daemon ended with {self.process.returncode}: {self.said()}")
        try:
            with open(os.path.join(self.state, "address.json"), encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError):
            return None
        return found if found["pid"] == self.process.pid else None

    def connection(self, timeout=PATIENCE, is_unix=False):
        address = self.address()
        if is_unix:
            return UnixConnection(address["socket"], timeout)
        return http.client.HTTPConnection(address["http"].split("//")[1], timeout=timeout)

    def ask(self, method, path, body=None, headers=None, timeout=PATIENCE, is_unix=False):
        connection = self.connection(timeout, is_unix)
        try:
            sent = dict(headers or {})
            data = body
            if method != "GET" and not isinstance(body, (bytes, str)):
                data = json.dumps(body if body is not None else {})
                sent.setdefault("content-type", "application/json")
            connection.request(method, path, data, sent)
            got = connection.getresponse()
            return Answer(got.status, got.headers, got.read())
        finally:
            connection.close()

    def get(self, path):
        answer = self.ask("GET", path)
        assert answer.status == 200, (path, answer.status, answer.body)
        return answer.json

    def command(self, text, **fields):
        return self.ask("POST", "/v1/commands", {"text": text, "lease_ms": 0, **fields})

    def lease(self, *names, **fields):
        return self.ask("POST", "/v1/leases", {"components": list(names), **fields})

    def row(self, name):
        return self.get(f"/v1/components/{name}")

    def state_of(self, name):
        return self.row(name)["state"]

    def wait_state(self, name, *states):
        wait_for(lambda: self.state_of(name) in states, f"{name} is {' or '.join(states)}")

    def cli(self, *arguments, is_ok=True, timeout=PATIENCE):
        done = subprocess.run([binary(), *arguments, "--config", self.config],
                              env=self.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout, check=False)
        if is_ok:
            assert done.returncode == 0, (arguments, done.returncode, done.stdout, done.stderr)
        return done

    def kill(self):
        """kill -9 of the daemon alone; then nothing of it may be left after 2 s."""
        self.process.kill()
        self.process.wait()
        return time.monotonic()

    def stop(self, patience=PATIENCE):
        if self.process is None or self.process.poll() is not None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"SIGTERM did not end it: {self.said()}") from None

    def close(self):
        """Ends all that is left, by process id, and removes the folder."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in marked(self.mark):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)


class DaemonTest(unittest.TestCase):
    def daemon(self, components, is_started=True, **sections):
        daemon = Daemon(components, **sections)
        self.addCleanup(daemon.close)
        if is_started:
            daemon.start()
        return daemon

    def assert_status(self, answer, status):
        self.assertEqual(answer.status, status, answer.body[:2000])
        return answer
