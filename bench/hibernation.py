#!/usr/bin/env python3
"""Back from hibernation against a cold load: to the first correct answer, and to the hundredth.

    bench/hibernation.py [--rounds N] [--hearth BINARY]

Two components behind one daemon, whose idle limit is a second:

  index   a word index over the source text of Python's own library, built at its start: it
          compresses;
  model   llama.cpp's server over random weights that it has read: they do not.

In each round each is asked twice through the gateway: once after it was unloaded by hand, and once
after it went idle, which hibernates it where that pays; which state it was in is printed. Every
answer is compared with the first one there was. Takes root, for a swap of zram (where the machine
has a swap already, that one is used). `./check llama` installs what `model` needs below
build/clients.
"""

import argparse
import contextlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
INDEX = os.path.join(HERE, "support", "word_index.py")
ANSWERS = 100
PATIENCE_S = 120
WORDS = ["return", "self", "import", "bytes", "encoding", "socket", "thread", "yield"]


@contextlib.contextmanager
def swap():
    """A swap of zram as long as it is needed."""
    with open("/proc/swaps", encoding="ascii") as file:
        if len(file.readlines()) > 1:
            yield "the machine's own swap"
            return
    with open("/sys/block/zram0/disksize", "w", encoding="ascii") as file:
        file.write(str(4 << 30))
    try:
        environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
        for command in (["mkswap", "/dev/zram0"], ["swapon", "/dev/zram0"]):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        try:
            yield "zram of 4 GiB"
        finally:
            subprocess.run(["swapoff", "/dev/zram0"], check=True, env=environment)
    finally:
        with open("/sys/block/zram0/reset", "w", encoding="ascii") as file:
            file.write("1")


def call(address, method, path, body=None):
    connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
    try:
        head = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, None if body is None else json.dumps(body), head)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def ask_index(address, number):
    word = WORDS[number % len(WORDS)]
    return call(address, "GET", f"/upstream/index/count/{word}")


def ask_model(address, number):
    del number
    status, body = call(address, "POST", "/v1/chat/completions", {
        "model": "model", "messages": [{"role": "user", "content": "hello there"}],
        "max_tokens": 1, "temperature": 0})
    text = json.loads(body)["choices"][0]["message"]["content"] if status == 200 else body
    return status, text


class Asked:
    """A component, how it is asked, and what it said the first time."""

    def __init__(self, address, name, ask):
        self.address = address
        self.name = name
        self.ask = ask
        self.known = {}

    def state(self):
        _, body = call(self.address, "GET", f"/v1/components/{self.name}")
        return json.loads(body)["state"]

    def wait_for(self, states):
        deadline = time.monotonic() + PATIENCE_S
        while self.state() not in states:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} is {self.state()}, never {states}")
            time.sleep(0.05)
        return self.state()

    def answers(self):
        """Milliseconds to the first and to the hundredth correct answer."""
        begun = time.perf_counter()
        first = None
        for number in range(ANSWERS):
            said = self.ask(self.address, number)
            if said[0] != 200:
                raise RuntimeError(f"{self.name}: {said}")
            key = number % len(WORDS) if self.ask is ask_index else 0
            if self.known.setdefault(key, said) != said:
                raise RuntimeError(f"{self.name}: {said}, and before {self.known[key]}")
            if first is None:
                first = (time.perf_counter() - begun) * 1000
        return first, (time.perf_counter() - begun) * 1000

    def unload(self):
        status, body = call(self.address, "POST", f"/v1/components/{self.name}/unload", {})
        if status not in (200, 409):
            raise RuntimeError(f"unload {self.name}: {status} {body}")
        return self.wait_for({"unloaded"})


def measure(component, rounds):
    """Of each round: what it came back from, and the figures of both ways."""
    found = []
    component.answers()
    for _ in range(rounds):
        component.unload()
        cold = component.answers()
        # Its limit is a second; what does not pay is unloaded then, and loaded as ever.
        state = component.wait_for({"hibernated", "unloaded"})
        found.append((state, cold, component.answers()))
    return found


def show(component, found):
    states = [state for state, _, _ in found]
    slept = [row for row in found if row[0] == "hibernated"]
    print(f"{component.name}: hibernated in {len(slept)} of {len(states)} rounds")
    if not slept:
        return
    print(f"  {'':24} {'cold':>10} {'resumed':>10} {'cold over resumed':>18}")
    for place, what in enumerate(("to the first answer", f"to answer {ANSWERS}")):
        cold = [row[1][place] for row in slept]
        resumed = [row[2][place] for row in slept]
        ratio = [a / b for a, b in zip(cold, resumed)]
        print(f"  {what:24} {statistics.median(cold):7.0f} ms {statistics.median(resumed):7.0f} ms"
              f" {statistics.median(ratio):18.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--hearth", default=os.environ.get(
        "HEARTH", os.path.join(ROOT, "build", "release", "hearth")))
    options = parser.parse_args()
    os.environ["HEARTH"] = os.path.abspath(options.hearth)
    sys.path.insert(0, os.path.join(ROOT, "tests", "clients"))
    from served import PYTHON, Daemon, llama, weights  # pylint: disable=import-outside-toplevel

    path = weights(options.width, options.layers)
    components = {
        "index": {"cmd": [PYTHON, INDEX, "${PORT}"], "ready": {"http": "/health"},
                  "memory": "1GiB"},
        "model": {**llama(path, "--load", "read"), "memory": "2GiB"},
    }
    with swap() as which:
        daemon = Daemon(components, memory={"budget": "6GiB"},
                        idle={"from": "low", "medium": "1s"})
        try:
            daemon.start()
            address = daemon.address()["http"].split("//")[1]
            print(f"{options.rounds} rounds, {which}, weights of {os.path.getsize(path) / 1e6:.0f}"
                  " MB")
            for name, ask in (("index", ask_index), ("model", ask_model)):
                component = Asked(address, name, ask)
                show(component, measure(component, options.rounds))
                _, body = call(address, "GET", f"/v1/components/{name}")
                row = json.loads(body)
                print(f"  freed by hibernating, as learnt: {row.get('freed_share', 0):.0%}")
            daemon.stop()
        finally:
            daemon.close()


if __name__ == "__main__":
    main()
