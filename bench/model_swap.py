#!/usr/bin/env python3
"""From one language model to another, through Hearth and by hand: the time to the first token.

    bench/model_swap.py [--rounds N] [--load mmap|read] [--width N] [--layers N] [--hearth BINARY]

Two models of random weights behind llama.cpp's server, which do not fit into the budget together,
are asked in turn (A, B, A, ...), with a stream. In each round, in one run:

  by hand  the other server is ended, this one started, asked for /health every 5 ms until it is
           ready, and asked;
  Hearth   the same question goes to the gateway, which does all that.

The weights are in the page cache. `./check llama` installs what this needs below build/clients.
"""

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BODY = {"messages": [{"role": "user", "content": "hello there"}], "max_tokens": 2,
        "temperature": 0, "stream": True}
PROBE_S = 0.005
PATIENCE_S = 60


def milliseconds_since(begun):
    return (time.perf_counter() - begun) * 1000


def first_token(address, model):
    """Asks for a stream and reads it to its end; milliseconds to its first text, and the head."""
    begun = time.perf_counter()
    connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps({**BODY, "model": model}),
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {answer.read()[:300]}")
        took = None
        for line in answer:
            if took is None and line.startswith(b"data: {"):
                choices = json.loads(line[6:])["choices"]
                if choices and choices[0]["delta"].get("content"):
                    took = milliseconds_since(begun)
        if took is None:
            raise RuntimeError("a stream without a token")
        return took, answer.headers
    finally:
        connection.close()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class ByHand:
    """One server at a time, started and ended by this program."""

    def __init__(self, commands):
        self.commands = commands
        self.process = None

    def end(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
            self.process = None

    def is_ready(self, port):
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended with {self.process.returncode}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def swap(self, name):
        """Milliseconds to end the other, to be ready, and from there to the first token."""
        begun = time.perf_counter()
        self.end()
        ended = milliseconds_since(begun)
        begun = time.perf_counter()
        port = free_port()
        command = [word.replace("${PORT}", str(port)) for word in self.commands[name]]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while not self.is_ready(port):
            if time.monotonic() > deadline:
                raise RuntimeError("the server never became ready")
            time.sleep(PROBE_S)
        ready = milliseconds_since(begun)
        return ended, ready, first_token(f"127.0.0.1:{port}", name)[0]


def measure(daemon, by_hand, rounds):
    """A list of (by hand, Hearth) for each round; each a dict of milliseconds.

    While one side is measured, the server of the other is there and idle.
    """
    gateway = daemon.address()["http"].split("//")[1]
    found = []
    # The first of each is not counted: it reads the files, and there is nothing to end.
    for number in range(-2, rounds):
        name = "AB"[number % 2]
        ended, ready, token = by_hand.swap(name)
        took, head = first_token(gateway, name)
        if head["X-Hearth-State"] != "cold":
            raise RuntimeError(f"{name} was there: nothing was swapped")
        wait = float(head["X-Hearth-Wait-Ms"])
        if number >= 0:
            found.append(({"end": ended, "ready": ready, "token": token,
                           "all": ended + ready + token},
                          {"wait": wait, "token": took - wait, "all": took}))
    return found


def show(found, size, load):
    def line(text, values, note=""):
        values = sorted(values)
        print(f"{text:44} {statistics.median(values):8.1f} ms"
              f" {values[len(values) * 9 // 10]:8.1f} ms{note}")

    hand, hearth = [pair[0] for pair in found], [pair[1] for pair in found]
    print(f"{len(found)} swaps, {size / 1e6:.0f} MB of weights, {load}, page-cached")
    print(f"{'':44} {'median':>11} {'p90':>11}")
    line("by hand: the other is ended", [row["end"] for row in hand])
    line("by hand: started until ready", [row["ready"] for row in hand])
    line("by hand: ready until the first token", [row["token"] for row in hand])
    line("by hand: all", [row["all"] for row in hand])
    line("by hand: all but the end of the other", [row["all"] - row["end"] for row in hand])
    line("Hearth: request until ready", [row["wait"] for row in hearth])
    line("Hearth: ready until the first token", [row["token"] for row in hearth])
    line("Hearth: all", [row["all"] for row in hearth])
    line("Hearth over by hand, round by round",
         [ours["all"] - theirs["all"] for theirs, ours in found])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--load", choices=["mmap", "read"], default="mmap")
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--hearth", default=os.environ.get(
        "HEARTH", os.path.join(ROOT, "build", "release", "hearth")))
    options = parser.parse_args()
    os.environ["HEARTH"] = os.path.abspath(options.hearth)
    sys.path.insert(0, os.path.join(ROOT, "tests", "clients"))
    from served import Daemon, llama, weights  # pylint: disable=import-outside-toplevel

    path = weights(options.width, options.layers)
    section = llama(path, "--load", options.load)
    # They conflict: what is mapped is not in the budget, and would stay beside the other.
    components = {"A": {**section, "memory": "2GiB", "conflicts": ["B"]},
                  "B": {**section, "memory": "2GiB"}}
    daemon = Daemon(components, memory={"budget": "3GiB"})
    by_hand = ByHand({"A": section["cmd"], "B": section["cmd"]})
    try:
        daemon.start()
        show(measure(daemon, by_hand, options.rounds), os.path.getsize(path), options.load)
        daemon.stop()
    finally:
        by_hand.end()
        daemon.close()


if __name__ == "__main__":
    main()
