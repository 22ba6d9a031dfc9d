#!/usr/bin/env python3
"""Real pressure: a program takes memory, at 1 GB/s, that is there once what is idle is gone.

    bench/real_pressure.py [--runs N] [--hearth BINARY]

All of it in one control group with a limit of 4 GiB (takes root): the daemon, with a reserve of
512 MiB; six idle components of 330 MiB and one of 200 MiB that is leased; and a program that takes
a fixed amount, which does not fit beside them, and does once the six are gone. For each run:

  onset    when what the group has left, less the reserve, passes the limit of pressure critical,
           by a look every 2 ms of this program;
  relief   when the first unload that was begun for the machine is told, after the take began;
  kills    of the kernel in that group, of whatever it was.

A run fails when something was killed, when the leased component went, or when the taker did not
get its memory.
"""

import argparse
import json
import mmap
import os
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
MIB = 1 << 20
LIMIT = 4096 * MIB
RESERVE = 512 * MIB
CRITICAL = LIMIT // 16
IDLE = 6
IDLE_MIB = 330
LEASED_MIB = 200
TAKES = LIMIT - RESERVE - (LEASED_MIB + 256) * MIB
RATE = 1_000_000_000
OF_THE_MACHINE = {"pressure", "own_limit", "stall", "swap", "foretold"}
FAILURES = ("killed by the kernel", "the leased component went", "the taker did not get it all",
            "no relief")


class Group:
    """A control group of memory with the limit, which this program enters and leaves."""

    def __init__(self):
        name = f"hearth-bench-{os.getpid()}"
        if os.path.exists("/sys/fs/cgroup/memory/memory.limit_in_bytes"):
            self.parent, self.files = "/sys/fs/cgroup/memory", {
                "limit": "memory.limit_in_bytes", "used": "memory.usage_in_bytes",
                "kills": "memory.oom_control", "inactive": "total_inactive_file"}
        else:
            self.parent, self.files = "/sys/fs/cgroup", {
                "limit": "memory.max", "used": "memory.current",
                "kills": "memory.events", "inactive": "inactive_file"}
        self.path = os.path.join(self.parent, name)
        os.mkdir(self.path)
        self.write("limit", LIMIT)

    def write(self, what, value):
        with open(os.path.join(self.path, self.files[what]), "w", encoding="ascii") as file:
            file.write(str(value))

    def read(self, what):
        with open(os.path.join(self.path, self.files.get(what, what)), encoding="ascii") as file:
            return file.read()

    def enter(self, path=None):
        with open(os.path.join(path or self.path, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write(str(os.getpid()))

    def row(self, file, key):
        for line in self.read(file).splitlines():
            name, _, value = line.partition(" ")
            if name == key:
                return int(value)
        return 0

    def kills(self):
        return self.row("kills", "oom_kill")

    def left(self):
        used = int(self.read("used")) - self.row("memory.stat", self.files["inactive"])
        return LIMIT - used - RESERVE

    def close(self):
        self.enter(self.parent)
        for _ in range(100):
            try:
                return os.rmdir(self.path)
            except OSError:
                time.sleep(0.1)  # whoever has just ended is in it still
        return os.rmdir(self.path)


def take():
    """What the taker does, in a process of its own: exit status 0 once it had all of it."""
    step = 4 * MIB
    piece = b"\1" * step
    memory = mmap.mmap(-1, TAKES)
    begun = time.perf_counter()
    for at in range(0, TAKES - step + 1, step):
        memory[at:at + step] = piece
        ahead = (at + step) / RATE - (time.perf_counter() - begun)
        if ahead > 0:
            time.sleep(ahead)
    time.sleep(0.2)


class Events:
    """Of the daemon's stream: when each unload for the machine was told of, and why."""

    def __init__(self, daemon):
        self.connection = daemon.connection(timeout=600)
        self.connection.request("GET", "/v1/events")
        self.answer = self.connection.getresponse()
        self.unloads = []
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        try:
            for line in self.answer:
                at = time.perf_counter()
                if not line.startswith(b"data: {"):
                    continue
                said = json.loads(line[6:])
                is_relief = said.get("kind") in ("unload_started", "hibernate_started")
                if is_relief and said.get("reason") in OF_THE_MACHINE:
                    self.unloads.append((at, said["reason"]))
        except (OSError, ValueError):
            pass  # the daemon has ended


def load_all(daemon, wait_for):
    for number in range(IDLE):
        answer = daemon.ask("POST", f"/v1/components/idle{number}/load", {"wait": "ready"})
        if answer.status != 200:
            raise RuntimeError(f"load: {answer.status} {answer.body}")
    wait_for(lambda: all(daemon.get(f"/v1/components/idle{n}")["state"] == "ready"
                         for n in range(IDLE)), f"all are ready: {daemon.get('/v1/status')}")


def run_once(daemon, group, events, wait_for):
    """Milliseconds from onset to relief, how many went, what was left at least, what failed, and
    whether the first of them went before the onset because it was foretold."""
    load_all(daemon, wait_for)
    time.sleep(0.3)
    kills, told = group.kills(), len(events.unloads)
    onset, least = None, LIMIT
    with subprocess.Popen([sys.executable, __file__, "--take"]) as taker:
        while taker.poll() is None:
            left = group.left()
            least = min(least, left)
            if onset is None and left < CRITICAL:
                onset = time.perf_counter()
            time.sleep(0.002)
        status = taker.returncode
    went = events.unloads[told:]
    failed = []
    if group.kills() > kills:
        failed.append(FAILURES[0])
    if status != 0:
        failed.append(FAILURES[2])
    if daemon.get("/v1/components/leased")["state"] != "ready":
        failed.append(FAILURES[1])
    if not went:
        failed.append(FAILURES[3])
    delay = (went[0][0] - onset) * 1000 if went and onset else None
    is_foretold = bool(went) and went[0][1] == "foretold"
    return delay, len(went), least, failed, is_foretold


def main():
    if sys.argv[1:] == ["--take"]:
        return take()
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--hearth", default=os.environ.get(
        "HEARTH", os.path.join(ROOT, "build", "release", "hearth")))
    options = parser.parse_args()
    os.environ["HEARTH"] = os.path.abspath(options.hearth)
    sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
    from harness import PYTHON, Daemon, wait_for  # pylint: disable=import-outside-toplevel

    def component(mib, **keys):
        return {"cmd": [PYTHON, os.path.join(ROOT, "tests", "e2e", "component.py"), "${PORT}",
                        "--mb", str(mib)], "ready": {"http": "/health"},
                "memory": f"{mib + 30}MiB", **keys}

    components = {f"idle{n}": component(IDLE_MIB) for n in range(IDLE)}
    components["leased"] = component(LEASED_MIB)
    group = Group()
    group.enter()
    daemon = Daemon(components, memory={"budget": "3GiB", "reserve": "512MiB"},
                    idle={"from": "emergency"})
    found = []
    try:
        daemon.start()
        lease = daemon.ask("POST", "/v1/leases", {"components": ["leased"], "lease_ms": 3600000})
        if lease.status not in (200, 201):
            raise RuntimeError(f"lease: {lease.status} {lease.body}")
        events = Events(daemon)
        for number in range(options.runs):
            found.append(run_once(daemon, group, events, wait_for))
            if found[-1][3]:
                print(f"run {number}: {', '.join(found[-1][3])}", flush=True)
    finally:
        daemon.close()
        group.close()
    delays = sorted(row[0] for row in found if row[0] is not None)
    failed = [row for row in found if row[3]]
    print(f"{len(found)} runs: {TAKES // MIB} MiB taken at 1 GB/s beside {IDLE} x {IDLE_MIB} MiB"
          f" idle and {LEASED_MIB} MiB leased, in {LIMIT // MIB} MiB with a reserve of"
          f" {RESERVE // MIB} MiB")
    for what in FAILURES:
        print(f"{what}: {sum(what in row[3] for row in found)} of {len(found)} runs")
    print(f"the first unload was foretold: {sum(row[4] for row in found)} of {len(found)} runs")
    if delays:
        print(f"onset to relief: median {statistics.median(delays):.0f} ms, longest"
              f" {delays[-1]:.0f} ms, earliest {delays[0]:.0f} ms; within 200 ms in"
              f" {sum(1 for delay in delays if delay <= 200)} of {len(found)}")
    print(f"left above the reserve at least: {min(row[2] for row in found) / MIB:.0f} MiB;"
          f" unloaded in a run: {statistics.median(row[1] for row in found):.0f} of {IDLE}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
