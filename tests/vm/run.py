#!/usr/bin/env python3
"""Runs the tests of control groups version 2 in a virtual machine of their own.

    tests/vm/run.py [--deadline SECONDS] [--kernels DIR] [--keep]

Debian's cloud kernel boots in qemu with an initramfs of busybox, the daemon and the tests, all of
build/dev. The serial console goes to build/vm/console.log, with the seconds since the start. What
a test in the guest prints counts: `ok NAME`, `not ok NAME: why` or `skipped NAME: why`. The last
line is a sum; the status is 0 when something passed, nothing failed and the guest came to its end
in time. The deadline leaves room for a machine that is busy: 100 to 130 s are usual.
"""

import argparse
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import image

RESULT = re.compile(r"(ok|not ok|skipped) (\S+?)(?:: (.*))?$")
THE_END = "vm: the end"
MEMORY = "768M"


def machine(kernel, initramfs):
    # Never KVM: where the host is itself a guest, its guest may hang. Translated code is the same
    # everywhere and quick enough.
    return [image.program("qemu-system-x86_64", "qemu-system-x86"), "-accel", "tcg,thread=multi",
            "-cpu", "max", "-smp", "2", "-m", MEMORY, "-kernel", str(kernel), "-initrd",
            str(initramfs), "-append", "console=ttyS0 quiet loglevel=1 panic=-1 psi=1",
            "-no-reboot", "-nodefaults", "-display", "none", "-monitor", "none",
            "-serial", "stdio"]


class Results:
    """Counts the lines of tests, and shows them as they come."""

    def __init__(self):
        self.counts = {"ok": 0, "not ok": 0, "skipped": 0}
        self.is_complete = False

    def take(self, line):
        if line.startswith(THE_END):
            self.is_complete = True
        match = RESULT.match(line)
        if match:
            self.counts[match[1]] += 1
        if match or line.startswith("vm: "):
            print(line, flush=True)

    def fail(self, name, why):
        self.take(f"not ok {name}: {why}")

    def end(self):
        passed, failed, skipped = (self.counts[k] for k in ("ok", "not ok", "skipped"))
        print(f"{passed} passed, {failed} failed, {skipped} skipped")
        return 0 if passed and not failed else 1


def boot(command, log_path, deadline, results):
    """Runs the machine to its end, or until the deadline."""
    begun = time.monotonic()
    with open(log_path, "w", encoding="utf-8") as log, subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT) as qemu:
        alarm = threading.Timer(deadline, qemu.kill)
        alarm.start()
        try:
            for raw in qemu.stdout:
                line = raw.decode("utf-8", "replace").rstrip()
                print(f"{time.monotonic() - begun:7.1f} {line}", file=log, flush=True)
                results.take(line)
        finally:
            alarm.cancel()
            qemu.kill()
    took = time.monotonic() - begun
    if not results.is_complete:
        late = took >= deadline
        results.fail("guest/comes-to-its-end", f"{'too late' if late else 'it died'} after "
                     f"{took:.0f} s; its console is in {log_path}")
    return took


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--deadline", type=float, default=400, help="of the guest, in seconds")
    parser.add_argument("--kernels", type=Path, default=image.ROOT / "build/vm/kernels")
    parser.add_argument("--keep", action="store_true", help="leave the initramfs unpacked too")
    options = parser.parse_args()
    # As an exception, so that the machine is ended and the folder removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    place = image.ROOT / "build/vm"
    place.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="root-", dir=place))
    initramfs, console = place / "initramfs.cpio", place / "console.log"
    results = Results()
    try:
        kernel, binary = image.newest_kernel(options.kernels)
        image.make(folder, kernel, initramfs)
        took = boot(machine(binary, initramfs), console, options.deadline, results)
    except image.Missing as missing:
        print(f"vm: {missing}")
        return results.end()
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"figure: {binary.name} ran for {took:.0f} s; its console: {console}")
    return results.end()


if __name__ == "__main__":
    sys.exit(main())
