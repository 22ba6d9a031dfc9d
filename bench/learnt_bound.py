#!/usr/bin/env python3
"""How close the learnt upper bound of a component's memory comes to what it really takes.

    bench/learnt_bound.py [--loads N] [--hold S] [--seed N] [--hearth BINARY]

Four components are loaded 3 times and then N (20) times by a real daemon, side by side. A quarter
of their memory comes with the load; the rest with a request, and goes with it, as scratch memory of
an inference does. How much that is depends on the load:

  steady   the same each time
  even     anything within 8 % of the middle, either way
  tail     mostly little, seldom much: exponential, 5 % on the average
  odd      one load of ten takes half as much again

The true peak is what the component reads of its anonymous memory and its supervisor's while it
holds it. For each: what a load reserves after the first three, over the highest peak of all; loads
after them whose peak was above what had been reserved; and how much of what was reserved was not
needed, on the average.
"""

import argparse
import http.server
import json
import os
import random
import sys
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests", "e2e"))

MIB = 1 << 20
BASE_MIB = 20
MIDDLE_MIB = 80
LEARNING = 3


def draws(kind, count, seed):
    """MiB at the peak of each load."""
    generator = random.Random(f"{kind} {seed}")
    if kind == "steady":
        return [MIDDLE_MIB] * count
    if kind == "even":
        return [MIDDLE_MIB * generator.uniform(0.92, 1.08) for _ in range(count)]
    if kind == "tail":
        return [MIDDLE_MIB * (1 + generator.expovariate(1 / 0.05)) for _ in range(count)]
    return [MIDDLE_MIB * (1.5 if generator.random() < 0.1 else 1) for _ in range(count)]


def held_bytes():
    """Of this process and of the supervisor above it, which counts as the component's."""
    total = 0
    for process in ("self", os.getppid()):
        with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith(("Pss_Anon:", "Pss_Shmem:", "SwapPss:")):
                    total += int(line.split()[1]) * 1024
    return total


def touched(mib):
    """So much memory, without the copy that an initial value would take for a moment."""
    memory = bytearray(int(mib * 256) * 4096)
    memory[::4096] = b"x" * (len(memory) // 4096)
    return memory


def component(port):
    """GET /health; POST /use {"mib": N, "hold": S}: holds N MiB in all for S seconds."""
    base = touched(BASE_MIB)

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, body):
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self):
            self.answer({"held": len(base)})

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            scratch = touched(asked["mib"] - BASE_MIB)
            peak = held_bytes()
            time.sleep(asked["hold"])
            del scratch
            self.answer({"peak": peak})

        def log_message(self, *_):
            pass

    http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()


def run_loads(daemon, kind, options, results):
    rows = []
    for mib in draws(kind, LEARNING + options.loads, options.seed):
        reserved = daemon.row(kind)["bound_bytes"]
        lease = daemon.lease(kind, timeout_ms=60000).json
        request = urllib.request.Request(
            daemon.row(kind)["endpoint"] + "/use", method="POST",
            data=json.dumps({"mib": mib, "hold": options.hold}).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            peak = json.load(answer)["peak"]
        for answer in (daemon.ask("DELETE", f"/v1/leases/{lease['lease']}"),
                       daemon.ask("POST", f"/v1/components/{kind}/unload")):
            if answer.status != 200:
                raise RuntimeError(f"{kind}: {answer.status} {answer.body}")
        rows.append((reserved, peak))
    results[kind] = rows


def report(kind, rows):
    true_peak = max(peak for _, peak in rows)
    after = rows[LEARNING:]
    exceeded = sum(peak > reserved for reserved, peak in after)
    spare = sum(reserved / peak - 1 for reserved, peak in after) / len(after)
    first = after[0][0]
    print(f"{kind:8} {first / MIB:10.1f} {true_peak / MIB:10.1f} {first / true_peak:8.3f}"
          f" {exceeded:6} of {len(after)} {spare:9.1%}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loads", type=int, default=20, help="after the three that teach")
    parser.add_argument("--hold", type=float, default=2.1, help="seconds at the peak")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hearth", default=os.path.join(os.path.dirname(HERE), "build/dev/hearth"))
    options = parser.parse_args()
    os.environ["HEARTH"] = options.hearth
    from harness import PYTHON, Daemon

    kinds = ("steady", "even", "tail", "odd")
    components = {kind: {"cmd": [PYTHON, os.path.abspath(__file__), "component", "${PORT}"],
                         "ready": {"http": "/health"}, "memory": "300MiB"} for kind in kinds}
    daemon = Daemon(components, memory={"budget": "1500MiB"}).start()
    results = {}
    try:
        threads = [threading.Thread(target=run_loads, args=(daemon, kind, options, results))
                   for kind in kinds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        daemon.close()
    if len(results) < len(kinds):
        return 1
    print(f"{'memory':8} {'after 3':>10} {'true peak':>10} {'ratio':>8} {'above it':>12}"
          f" {'spare':>9}")
    for kind in kinds:
        report(kind, results[kind])
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["component"]:
        component(int(sys.argv[2]))
    else:
        sys.exit(main())
