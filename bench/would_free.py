#!/usr/bin/env python3
"""What unloading a component gives back, beside what Hearth has said that it would.

    bench/would_free.py [--rounds N] [--mb N] [--width N --layers N] [--no-llama] [--hearth BINARY]

Each case is loaded by a daemon of its own, its figures are read when they have settled, and it is
unloaded; `MemAvailable` and `MemFree` are read right before and right after, with the free pages
that wait on the lists of single processors. A line a case: the median over the rounds (and the
quartiles of what came back) of

  available   by how much MemAvailable grew
  held        what Hearth calls `held_bytes`, and how far off that is
  emptied     by how much MemFree has grown once the kernel was told to drop what nobody has mapped
              any more of the files that it had mapped, libraries too
  would free  what Hearth calls `would_free_bytes`, and how far off emptied that is

  anonymous      a program that has taken so much
  mapped         a program that has mapped a file of that size and read all of it
  mapped, first  of two that have mapped the same file, the first to go
  mapped, last   and the other
  locked         that file by `kind: files` with `lock`
  llama read     llama.cpp's server that has read its weights
  llama mapped   the same that has mapped them

Memory is the whole machine's: what else runs on it is in the figures. `./check llama` installs what
llama.cpp's server needs; without it its cases are left out, and that is said.
"""

import argparse
import mmap
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
PAGE = mmap.PAGESIZE
SETTLED_S = 2.5  # longer than two samples
ASKED = {"messages": [{"role": "user", "content": "hello there"}], "max_tokens": 4}


def be_component(kind, what):
    """In the component: takes its memory, says so, and waits."""
    if kind == "anonymous":
        held = mmap.mmap(-1, int(what))
        for at in range(0, int(what), PAGE):
            held[at] = 1
    else:
        with open(what, "rb") as file:
            held = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        for at in range(0, len(held), PAGE):
            _ = held[at]
    print("ready", flush=True)
    while held:
        time.sleep(3600)


def meminfo():
    """Bytes available and free, once the kernel has summed up what each processor counts apart."""
    try:
        with open("/proc/sys/vm/stat_refresh", "w", encoding="ascii") as file:
            file.write("1")
    except OSError:
        time.sleep(1.1)  # it does so by itself every second
    found = {}
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            name, _, rest = line.partition(":")
            found[name] = int(rest.split()[0]) * 1024
    lists = on_lists()
    return found["MemAvailable"] + lists, found["MemFree"] + lists


def on_lists():
    """Bytes of free pages on the lists of single processors, which MemFree does not count: a newer
    kernel leaves hundreds of MB there for a second or two after a process has ended."""
    pages = 0
    with open("/proc/zoneinfo", encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[:1] == ["count:"]:
                pages += int(words[1])
    return pages * PAGE


def program(kind, what, **keys):
    command = [sys.executable, os.path.abspath(__file__), "--component", kind, str(what)]
    return {"cmd": command, "ready": {"line": "ready"}, "memory": "100MB", **keys}


class Case:
    """What is measured over the rounds: (available, emptied, held, would free) in bytes."""

    def __init__(self, name, path=None):
        self.name = name
        self.path = path  # of a file that no process of it has mapped
        self.rounds = []

    def line(self):
        available, emptied, held, would = (statistics.median(row[i] for row in self.rounds)
                                           for i in range(4))
        spread = sorted(row[0] for row in self.rounds)
        low, high = spread[len(spread) // 4], spread[len(spread) * 3 // 4]

        def off(said, truth):
            share = f"{100 * (said - truth) / truth:+.1f} %" if truth > 5e6 else "-"
            return f"{said / 1e6:6.1f} MB {share:>8}"

        return (f"{self.name:14} available {available / 1e6:6.1f} MB ({low / 1e6:.1f} to "
                f"{high / 1e6:.1f}), held {off(held, available)}; emptied {emptied / 1e6:6.1f} MB, "
                f"would free {off(would, emptied)}")


def mapped_by(pid):
    """The files that a process has mapped."""
    if not pid:
        return set()
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
        paths = {line.split(None, 5)[5].rstrip("\n") for line in file if line.count("/")}
    return {path for path in paths if os.path.isfile(path)}


def unload(daemon, name, case):
    row = daemon.row(name)
    memory, files = row["memory"], mapped_by(row["pid"])
    if case.path:
        files.add(case.path)
    before = meminfo()
    answer = daemon.ask("POST", f"/v1/components/{name}/unload")
    assert answer.status == 200, answer.body
    while daemon.state_of(name) != "unloaded":
        time.sleep(0.01)
    after = meminfo()
    for path in files:
        with open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    emptied = meminfo()
    case.rounds.append((after[0] - before[0], emptied[1] - before[1], memory["held_bytes"],
                        memory["would_free_bytes"]))


def load(daemon, name):
    answer = daemon.ask("POST", f"/v1/components/{name}/load", {"wait": "ready"}, timeout=120)
    assert answer.status == 200, answer.body


def measure(case, section, rounds, use=None):
    daemon = start({"one": section})
    try:
        for _ in range(rounds):
            load(daemon, "one")
            if use:
                use(daemon)
            time.sleep(SETTLED_S)
            unload(daemon, "one", case)
    finally:
        daemon.stop()
        daemon.close()
    print(case.line(), flush=True)


def measure_shared(first, last, section, rounds):
    daemon = start({"one": section, "two": section})
    try:
        for _ in range(rounds):
            load(daemon, "one")
            load(daemon, "two")
            # How a page is shared is seen by a full look alone.
            settle(daemon, ("one", "two"))
            unload(daemon, "one", first)
            settle(daemon, ("two",))
            unload(daemon, "two", last)
    finally:
        daemon.stop()
        daemon.close()
    print(first.line(), flush=True)
    print(last.line(), flush=True)


def settle(daemon, names, patience=30):
    """Until all of them have been looked at whole: the shares of a file then sum up to it."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        rows = [daemon.row(name)["memory"] for name in names]
        alone = len(names) == 1
        parts = [(row["file_exclusive_bytes"], row["file_shared_bytes"]) for row in rows]
        if all((e > s) if alone else (s > e) for e, s in parts):
            return
        time.sleep(0.5)
    raise AssertionError(f"the shares never settled: {parts}")


def start(components, **sections):
    from served import Daemon  # pylint: disable=import-outside-toplevel
    daemon = Daemon(components, memory={"budget": "8GiB"}, **sections)
    daemon.start()
    return daemon


def speak(daemon):
    answer = daemon.ask("POST", "/v1/chat/completions", {"model": "one", **ASKED}, timeout=120)
    assert answer.status == 200, answer.body
    deadline = time.monotonic() + 20
    while daemon.row("one")["leases"] and time.monotonic() < deadline:
        time.sleep(0.1)


def write_file(path, size):
    with open(path, "wb") as file:
        for _ in range(size >> 20):
            file.write(os.urandom(1 << 20))
        file.flush()
        os.fsync(file.fileno())


def main():
    if sys.argv[1:2] == ["--component"]:
        be_component(*sys.argv[2:4])
        return
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--mb", type=int, default=300)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--no-llama", action="store_true")
    parser.add_argument("--hearth", default=os.environ.get(
        "HEARTH", os.path.join(ROOT, "build", "release", "hearth")))
    options = parser.parse_args()
    os.environ["HEARTH"] = os.path.abspath(options.hearth)
    sys.path.insert(0, os.path.join(ROOT, "tests", "clients"))
    from served import VENV_PYTHON, llama, weights  # pylint: disable=import-outside-toplevel

    size = options.mb * 1_000_000
    path = os.path.join(ROOT, "build", f"would_free-{os.getpid()}")
    rounds = options.rounds
    try:
        write_file(path, size)
        measure(Case("anonymous"), program("anonymous", size), rounds)
        measure(Case("mapped"), program("mapped", path), rounds)
        measure_shared(Case("mapped, first"), Case("mapped, last"), program("mapped", path), rounds)
        measure(Case("locked", path), {"kind": "files", "files": [path], "lock": True}, rounds)
    finally:
        if os.path.exists(path):
            os.remove(path)
    if options.no_llama or not os.access(VENV_PYTHON, os.X_OK):
        print("llama.cpp's server is left out: " +
              ("--no-llama" if options.no_llama else "`./check llama` installs it"))
        return
    model = weights(options.width, options.layers)
    print(f"weights of {os.path.getsize(model) / 1e6:.0f} MB")
    measure(Case("llama read"), llama(model, "--load", "read"), rounds, speak)
    measure(Case("llama mapped"), llama(model, "--load", "mmap"), rounds, speak)


if __name__ == "__main__":
    main()
