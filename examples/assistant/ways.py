"""One day run in one way, measured: by the reactive manager, or by Hearth."""

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field

import components as config
from manager import Manager

TOKEN = "HEARTH_EXAMPLE"
HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass
class Row:
    """One command, done."""
    text: str
    asked: list
    names: list
    cold: list
    wait: float
    service: float
    problem: str = ""


@dataclass
class Result:
    """One way's day."""
    name: str
    rows: list = field(default_factory=list)
    peak: int = 0
    mean: float = 0.0
    parts: dict = field(default_factory=dict)
    samples: int = 0
    loads: int = 0
    evictions: object = None
    seconds: float = 0.0
    cpu: float = 0.0  # seconds of processors in the day, of all processes
    wakes: int = 0
    budget: object = None  # of what may be held, where the way has one
    over: float = 0.0  # seconds: the longest time more than 2 % above it
    idle: object = None  # (seconds of processors, wake-ups) in an hour after it
    ttl: object = None
    load_seconds: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)

    def waits(self):
        return [row.wait for row in self.rows]

    def failed(self):
        return [row for row in self.rows if row.problem]


def rank(values, share):
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)] if ordered else 0.0


def request(endpoint, path, value, timeout=120):
    """POSTs JSON to a component."""
    sent = urllib.request.Request(
        endpoint + path, json.dumps(value).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(sent, timeout=timeout) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{path}: {error.code} {error.read().decode()[:300]}") from None


class Sampler:
    """The process that measures from outside."""

    def __init__(self, mark, roots=()):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "sampler.py"), f"{TOKEN}={mark}",
             *map(str, roots)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def end(self):
        return json.loads(self.process.communicate()[0])


def strays(mark):
    """The processes that still carry the mark: [(pid, name)]."""
    wanted, found = f"{TOKEN}={mark}".encode(), []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if wanted not in file.read().split(b"\0"):
                        continue
                with open(f"/proc/{entry}/comm", encoding="utf-8") as file:
                    found.append((int(entry), file.read().strip()))
            except OSError:
                continue
    return found


def sweep(mark, result):
    """Ends what was left running after two seconds, and says so."""
    end = time.monotonic() + 2
    while (left := strays(mark)) and time.monotonic() < end:
        time.sleep(0.05)
    for pid, name in left:
        result.problems.append(f"left running: {name} ({pid})")
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class ByManager:
    """The reactive manager as a way to serve commands."""

    def __init__(self, day, folder, environment, ttl, everything):
        self.day, self.everything = day, everything
        self.manager = Manager(
            day.components, os.path.join(folder, "components"), environment, ttl)
        if everything:
            self.manager.ensure(day.components, obey_conflicts=False)
            self.manager.release(day.components)

    def roots(self):
        return []

    def budget(self):
        return None

    def begin(self, command):
        asked = config.intents(self.day.components, command.text)
        ready = self.manager.ensure(asked, obey_conflicts=not self.everything)
        endpoints = {name: value[0] for name, value in ready.items()}
        return asked, endpoints, [name for name, value in ready.items() if value[1]]

    def end(self, command):
        self.manager.release(command.asked)

    def close(self, result):
        self.manager.close()
        result.loads, result.evictions = self.manager.loads, self.manager.evictions
        result.load_seconds = self.manager.load_seconds


class ByHearth:
    """The daemon as a way to serve commands."""

    def __init__(self, day, folder, environment, binary):
        self.day, self.folder = day, folder
        self.log = open(os.path.join(folder, "daemon.log"), "wb")
        self.process = subprocess.Popen(
            [binary, "serve", "--config", config.path_of(day.kind)], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, env=environment)
        try:
            self.address = self.wait_address()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        self.connection = http.client.HTTPConnection(self.address, timeout=90)

    def roots(self):
        return [self.process.pid]

    def budget(self):
        """Of memory and of cached files together: what is held is the PSS of both. None where one
        of them has no budget."""
        sizes = [row["budget_bytes"] for row in self.talk("GET", "/v1/status")["budgets"]
                 if row["name"] in ("ram", "page_cache")]
        return None if None in sizes or len(sizes) < 2 else sum(sizes)

    def wait_address(self):
        path, end = os.path.join(self.folder, "hearth", "address.json"), time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with open(path, encoding="utf-8") as file:
                    address = json.load(file)["http"]
                return urllib.parse.urlsplit("//" + address.split("//")[-1]).netloc
            except (OSError, ValueError):
                time.sleep(0.02)
        raise RuntimeError("the daemon did not start: " + self.read_log())

    def read_log(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            return file.read()[-2000:]

    def talk(self, method, path, value=None):
        """One request to the daemon: the JSON answered; an error is raised."""
        body = None if value is None else json.dumps(value).encode()
        headers = {} if value is None else {"content-type": "application/json"}
        self.connection.request(method, path, body, headers)
        reply = self.connection.getresponse()
        data = reply.read()
        if reply.status >= 300:
            raise RuntimeError(f"{method} {path}: {reply.status} {data.decode()[:500]}")
        return json.loads(data) if data.strip() else {}

    def begin(self, command):
        answer = self.talk("POST", "/v1/commands", {
            "text": command.text, "session": "day", "wait": "ready", "timeout_ms": 60000,
            "lease_ms": 60000})
        self.answer = answer
        asked = {i["component"] for i in answer["intents"] if i["probability"] >= 0.5}
        cold = [c["name"] for c in answer["components"] if c["cold"]]
        return asked, {c["name"]: c["endpoint"] for c in answer["components"]}, cold

    def end(self, command):
        self.talk("POST", f"/v1/commands/{self.answer['id']}/used",
                  {"used": sorted(command.asked)})
        if self.answer.get("lease"):
            self.talk("DELETE", f"/v1/leases/{self.answer['lease']}")

    def close(self, result):
        try:
            totals = self.talk("GET", "/v1/status")["totals"]
            result.loads, result.evictions = totals["loads"], totals["evictions"]
        finally:
            self.connection.close()
            self.process.terminate()
            try:
                code = self.process.wait(30)
                if code != 0:
                    result.problems.append(f"the daemon ended with {code}: {self.read_log()}")
            except subprocess.TimeoutExpired:
                result.problems.append("the daemon did not end within 30 s of SIGTERM")
                self.process.kill()
                self.process.wait()
            self.log.close()


def serve_one(way, command):
    """One command through a way: its row."""
    started = time.monotonic()
    row = Row(command.text, sorted(command.asked), [], [], 0.0, 0.0)
    try:
        asked, endpoints, row.cold = way.begin(command)
        ready = time.monotonic()
        row.wait, row.names = ready - started, sorted(endpoints)
        if asked != command.asked:
            row.problem = f"understood as {sorted(asked)}, meant {sorted(command.asked)}"
        else:
            command.act(lambda name, **value: request(endpoints[name], "/run", value))
        row.service = time.monotonic() - ready
        way.end(command)
    except Exception as error:  # the day goes on: a failed command is a result
        row.problem = f"{type(error).__name__}: {error}"
    return row


def work_between(rows, begin, end):
    """(seconds of processors, wake-ups) of what the sampler told, and the time between its rows."""
    first = max((row for row in rows if row[0] <= begin), default=rows[0])
    last = min((row for row in rows if row[0] >= end), default=rows[-1])
    return last[1] - first[1], last[2] - first[2], last[0] - first[0]


def longest_above(samples, limit):
    """Seconds: the longest time in which every sample was above the limit."""
    longest, since = 0.0, None
    for at, size in samples:
        since = None if size <= limit else at if since is None else since
        longest = max(longest, at - since if since is not None else 0.0)
    return longest


def live(name, day, start_way, models, on_row=None, ttl=None, idle=0):
    """Runs the day in one way: its Result. start_way(folder, environment) -> the way. After it
    nothing is asked for `idle` seconds."""
    mark, result = secrets.token_hex(8), Result(name, ttl=ttl)
    with tempfile.TemporaryDirectory(prefix="hearth-day-") as folder:
        environment = dict(
            os.environ, ASSISTANT_MODELS=models, HEARTH_ASSISTANT=HERE, ASSISTANT_STATE=folder)
        environment[TOKEN] = mark
        sampler = way = None
        try:
            sampler = Sampler(mark)
            way = start_way(folder, environment)
            begin = time.monotonic()
            for command in day.commands:
                time.sleep(command.pause)
                row = serve_one(way, command)
                result.rows.append(row)
                if on_row:
                    on_row(row)
            end = time.monotonic()
            result.seconds = end - begin
            time.sleep(idle)
            # Before anything is ended, so that the end of the day is not part of it.
            figures = sampler.end()
            sampler = None
            result.peak = max(size for at, size in figures["samples"] if at <= end)
            result.budget = way.budget()
            if result.budget:
                result.over = longest_above(figures["samples"], 1.02 * result.budget)
            result.cpu, result.wakes, _ = work_between(figures["cpu"], begin, end)
            if idle:
                # What falls idle first unloads, or hibernates: the second half is the rest.
                cpu, wakes, took = work_between(figures["cpu"], end + idle / 2, end + idle)
                result.idle = (cpu * 3600 / took, wakes * 3600 / took)
            within = [size for at, size in figures["samples"] if begin <= at <= end]
            result.mean = sum(within) / max(1, len(within))
            result.samples, result.parts = len(figures["samples"]), figures["parts"]
        finally:
            if sampler:
                sampler.end()
            try:
                if way:
                    way.close(result)
            finally:
                sweep(mark, result)
    return result
