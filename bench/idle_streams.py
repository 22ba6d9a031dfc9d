#!/usr/bin/env python3
"""What thousands of event streams that say nothing cost the daemon that passes them on.

    bench/idle_streams.py [--streams N] [--hearth BINARY]

A component sends one event on each stream and then keeps it open; a client, a process of its own as
the component is, opens N of them through the gateway. Printed is the resident memory of the daemon
before, with all of them open, and after they are closed. Status 1 if a stream is lost, if one ends
early, or if the daemon keeps descriptors or leases of them.

The daemon has two descriptors for a stream: `ulimit -Hn` has to be more than twice N.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
from harness import PYTHON, Daemon, wait_for  # noqa: E402

GOAL_MB = 200
OPENING_AT_ONCE = 100
PATIENCE_S = 60
BODY = json.dumps({"model": "streams", "stream": True}).encode()
REQUEST = (b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
           b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)) + BODY
EVENT = b'data: {"first": true}\n\n'
STREAM = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
          b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(EVENT)) + EVENT + b"\r\n"
HEALTHY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Component(asyncio.Protocol):
    """A request with a body begins a stream; any other is answered with 200 and nothing."""

    def connection_made(self, transport):
        self.transport, self.received = transport, b""

    def data_received(self, data):
        self.received += data
        if self.received.startswith(b"GET"):
            if self.received.endswith(b"\r\n\r\n"):
                self.received = b""
                self.transport.write(HEALTHY)
        elif self.received.endswith(BODY):
            self.received = b""
            self.transport.write(STREAM)


async def serve(port):
    server = await asyncio.get_running_loop().create_server(
        Component, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


async def open_stream(host, port, limit):
    async with limit:
        reader, writer = await asyncio.open_connection(host, port, limit=4096)
        writer.write(REQUEST)
        await asyncio.wait_for(reader.readuntil(EVENT), PATIENCE_S)
        return reader, writer


async def client(address, count):
    """Opens the streams, says so, and closes them on a line of its input."""
    host, port = address.split(":")
    limit = asyncio.Semaphore(OPENING_AT_ONCE)
    streams = await asyncio.gather(*(open_stream(host, port, limit) for _ in range(count)),
                                   return_exceptions=True)
    lost = [stream for stream in streams if isinstance(stream, BaseException)]
    print(json.dumps({"open": count - len(lost), "lost": [repr(why) for why in lost[:3]]}),
          flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    held = [stream for stream in streams if not isinstance(stream, BaseException)]
    ended = sum(reader.at_eof() for reader, _ in held)
    for _, writer in held:
        writer.close()
    print(json.dumps({"ended": ended}), flush=True)


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in file
                    if line.startswith("VmRSS"))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Client:
    def __init__(self, daemon, count):
        self.process = subprocess.Popen(
            [PYTHON, os.path.abspath(__file__), "--client",
             daemon.address()["http"].split("//")[1], "--streams", str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.opened = json.loads(self.process.stdout.readline())

    def close(self):
        try:
            return json.loads(self.process.communicate("\n", timeout=PATIENCE_S)[0])["ended"]
        finally:
            self.process.kill()
            self.process.wait()


def measure(daemon, count):
    """Prints the table; returns what is wrong."""
    pid = daemon.process.pid
    Client(daemon, 10).close()
    wait_for(lambda: daemon.row("streams")["leases"] == 0, "the first streams have ended")
    before, descriptors_before = resident_mb(pid), descriptors(pid)
    begun = time.monotonic()
    streams = Client(daemon, count)
    took = time.monotonic() - begun
    leases = daemon.row("streams")["leases"]
    during, descriptors_during = resident_mb(pid), descriptors(pid)
    ended = streams.close()
    wrong = [*streams.opened["lost"]]
    if ended:
        wrong.append(f"{ended} streams ended early")
    if leases != count:
        wrong.append(f"{leases} leases for {count} streams")
    try:
        wait_for(lambda: daemon.row("streams")["leases"] == 0, "leases have ended")
        # A few more or less: the request that asks, a connection that is kept.
        wait_for(lambda: descriptors(pid) <= descriptors_before + 8, "descriptors went back")
    except AssertionError as error:
        wrong.append(str(error))
    after = resident_mb(pid)
    print(f"{streams.opened['open']} idle event streams, opened in {took:.1f} s")
    print(f"{'':10} {'resident':>10} {'descriptors':>12}")
    for name, memory, number in (("before", before, descriptors_before),
                                 ("open", during, descriptors_during),
                                 ("closed", after, descriptors(pid))):
        print(f"{name:10} {memory:7.1f} MB {number:12}")
    print(f"over idle: {during - before:.1f} MB, {(during - before) * 1000 / count:.1f} KB a stream"
          f" (goal for 9000: under {GOAL_MB} MB)")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--streams", type=int, default=9000)
    parser.add_argument("--hearth", default=os.environ.get(
        "HEARTH", os.path.join(ROOT, "build", "release", "hearth")))
    parser.add_argument("--component", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--client", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.component:
        return asyncio.run(serve(options.component))
    if options.client:
        return asyncio.run(client(options.client, options.streams))
    os.environ["HEARTH"] = os.path.abspath(options.hearth)
    # As many as are allowed, for the daemon and the other two as well.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    daemon = Daemon({"streams": {
        "cmd": [PYTHON, os.path.abspath(__file__), "--component", "${PORT}"],
        "ready": {"http": "/health"}, "memory": "500MiB"}})
    try:
        daemon.start()
        wrong = measure(daemon, options.streams)
        daemon.stop()
    finally:
        daemon.close()
    for line in wrong:
        print(f"idle_streams: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
