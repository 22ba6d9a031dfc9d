#!/usr/bin/env python3
"""Records how the machine's available memory falls while real programs take it.

    bench/record_ramps.py > bench/data/ramps.txt

One ramp after the other, MemAvailable every 50 ms: a line "ramp NAME", then lines of milliseconds
since its begin and KiB. bench/step_forecast judges the forecast on them. Two of them are no ramps,
to see what is said of those. What is written to /dev/shm is removed again. About six minutes, and
up to 3 GB of memory.
"""

import glob
import os
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
MIB = 1 << 20
STEP_S = 0.05
LONGEST_S = 45
SCRATCH = f"/dev/shm/hearth-ramp-{os.getpid()}"


def available():
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1])
    raise RuntimeError("no MemAvailable")


def python(text):
    return [sys.executable, "-c", text]


def growing(rate_of, seconds):
    """A program whose memory grows by rate_of(t) MiB a second, a MiB at a time."""
    return python(f"""
import time
held, begun = [], time.perf_counter()
while time.perf_counter() - begun < {seconds}:
    t = time.perf_counter() - begun
    held.append(b"x" * {MIB})
    time.sleep(1 / ({rate_of}))
""")


PROGRAMS = {
    "steady, 40 MiB/s": growing("40", 40),
    "steady, 150 MiB/s": growing("150", 15),
    "faster and faster": growing("10 + 8 * t", 25),
    "slower and slower": growing("max(5, 160 - 5 * t)", 28),
    "in steps of 200 MiB every 3 s": python(f"""
import time
held = []
for _ in range(10):
    held.append(b"x" * (200 * {MIB}))
    time.sleep(3)
"""),
    "up and down on its way": python(f"""
import time
kept, passing = [], []
for number in range(120):
    kept.append(b"x" * (12 * {MIB}))
    passing.append(b"x" * (40 * {MIB}))
    if number % 6 == 5:
        passing.clear()
    time.sleep(0.25)
"""),
    "a dictionary of words": python("""
words = {}
for number in range(9_000_000):
    words[f"word {number}"] = number
"""),
    "a sort of lines": ["sh", "-c", "seq 1 160000000 | shuf --random-source=/dev/zero | tail -1"],
    "files into a tmpfs": ["sh", "-c", f"""
mkdir -p {SCRATCH}
for n in $(seq 1 60); do
  dd if=/dev/urandom of={SCRATCH}/$n bs=1M count=25 2>/dev/null
  sleep 0.2
done"""],
    "nothing at all": ["sleep", "30"],
    "up and down in place": python(f"""
import time
for number in range(20):
    held = b"x" * ((100 + 37 * number % 300) * {MIB})
    time.sleep(1)
    held = None
    time.sleep(0.5)
"""),
    "compilers side by side": ["sh", "-c", """
for file in $FILES; do
  g++ -std=c++23 -O1 -Isrc -c "$file" -o /dev/null 2>/dev/null &
  sleep 1
done
wait"""],
}


def record(name, command):
    environment = {**os.environ, "FILES": " ".join(
        sorted(glob.glob(os.path.join(ROOT, "src", "core", "engine", "*.cpp")))[:12])}
    print(f"ramp {name}", flush=True)
    # The program is watched apart, so that no sample waits for its end.
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        ended = threading.Event()
        threading.Thread(target=lambda: (process.wait(), ended.set()), daemon=True).start()
        begun = time.perf_counter()
        while not ended.is_set():
            at = time.perf_counter() - begun
            print(f"{at * 1000:.0f} {available()}")
            if at > LONGEST_S:
                process.terminate()
                break
            time.sleep(STEP_S)
    subprocess.run(["rm", "-rf", SCRATCH], check=True)


def main():
    for name, command in PROGRAMS.items():
        record(name, command)
        time.sleep(3)


if __name__ == "__main__":
    main()
