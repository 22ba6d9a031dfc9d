"""Measures memory held and time taken, from outside: `sampler.py NAME=VALUE [PID ...]`.

Every 100 ms it sums the PSS and swapped PSS of all processes that have NAME=VALUE in their
environment or descend from one that has, or from a PID given. A line "mark TEXT" on standard
input notes the time; the end of the input ends it. Then it prints one JSON object:
{"samples": [[second, bytes], ...], "parts": {component: peak bytes}, "marks": [[second, text]],
"cpu": [[second, seconds of processors, wake-ups], ...]}, the last once a second and at the end: by
all of them together, those that have ended included, less what a thread did in its last 100 ms.
Seconds are of CLOCK_MONOTONIC. The sampler itself is not counted.
"""

import json
import os
import select
import sys
import time

PERIOD = 0.1
AGE_KNOWN = 2.0  # a process this old has done its exec: its environment stays


class Processes:
    """Which processes belong to the measurement."""

    def __init__(self, token, roots):
        self.token, self.roots = token.encode(), set(roots)
        self.known = {}  # pid: (start, member by its environment, component, when first seen)

    def look(self, pid, start, now):
        old = self.known.get(pid)
        if old and old[0] == start and (old[1] or now - old[3] > AGE_KNOWN):
            return old
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                values = file.read().split(b"\0")
        except OSError:
            values = []
        part = next((v[17:].decode() for v in values if v.startswith(b"HEARTH_COMPONENT=")), "")
        first = old[3] if old and old[0] == start else now
        self.known[pid] = found = (start, self.token in values, part, first)
        return found

    def members(self):
        """{pid: component} of all that belong, itself apart."""
        now, parents, parts = time.monotonic(), {}, {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            pid = int(entry)
            try:
                with open(f"/proc/{pid}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            parents[pid] = int(fields[1])
            _, member, part, _ = self.look(pid, fields[19], now)
            if member or pid in self.roots:
                parts[pid] = part
        for pid in self.known.keys() - parents.keys():
            del self.known[pid]
        for pid in parents:
            line, at = [], pid
            while at in parents and at not in parts and at > 1:
                line.append(at)
                at = parents[at]
            if at in parts:
                for each in line:
                    parts[each] = parts[at]
        return parts


def held(pid):
    """PSS and swapped PSS of one process in bytes; 0 where it has gone."""
    total = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith((b"Pss:", b"SwapPss:")):
                    total += int(line.split()[1]) * 1024
    except OSError:
        return 0
    return total


class Work:
    """What all of them together have taken of the processors, and how often they woke up."""

    TICKS = os.sysconf("SC_CLK_TCK")

    def __init__(self):
        self.seconds, self.switches = {}, {}  # of (process, start), of (process, start, thread)

    def look_at(self, pid):
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        life = pid, fields[19]
        self.seconds[life] = (int(fields[11]) + int(fields[12])) / Work.TICKS
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/status", "rb") as file:
                for line in file:
                    if line.startswith(b"voluntary_ctxt_switches:"):
                        self.switches[*life, task] = int(line.split()[1])

    def look(self, pids):
        for pid in pids:
            try:
                self.look_at(pid)
            except OSError:
                continue  # it, or a thread of it, has gone

    def row(self, now):
        return [round(now, 3), round(sum(self.seconds.values()), 3), sum(self.switches.values())]


def main(token, *roots):
    processes = Processes(token, map(int, roots))
    samples, peaks, marks, work, cpu = [], {}, [], Work(), []
    begin = time.monotonic()
    pending, open_input = b"", True
    while open_input:
        sums, total = {}, 0
        members = processes.members()
        work.look(members)
        for pid, part in members.items():
            size = held(pid)
            total += size
            sums[part] = sums.get(part, 0) + size
        for part, size in sums.items():
            peaks[part] = max(peaks.get(part, 0), size)
        now = time.monotonic()
        samples.append([round(now, 3), total])
        if not cpu or now - cpu[-1][0] >= 1:
            cpu.append(work.row(now))
        target = begin + ((now - begin) // PERIOD + 1) * PERIOD
        while (rest := target - time.monotonic()) > 0:
            if not select.select([0], [], [], rest)[0]:
                continue
            data = os.read(0, 4096)
            if not data:
                open_input = False
                break
            pending += data
            *lines, pending = pending.split(b"\n")
            marks += [[round(time.monotonic(), 3), line.decode()] for line in lines]
    cpu.append(work.row(time.monotonic()))
    json.dump({"samples": samples, "parts": peaks, "marks": marks, "cpu": cpu}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
