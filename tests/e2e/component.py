#!/usr/bin/python3
"""A small component: an HTTP server on loopback that can be slow, fat, deaf or mortal.

    component.py PORT [--delay S] [--mb N] [--deaf] [--exit-code N] [--fork] [--stubborn]

--delay      listens only after so many seconds
--mb         holds so many MiB
--deaf       never answers ready
--exit-code  ends at once with this status
--fork       leaves a double-forked, setsid child behind, as daemons do
--stubborn   ignores SIGTERM

GET /health 200; GET /pid its process id; POST /crash ends it with status 3.
"""

import argparse
import os
import signal
import socket
import sys
import time


def leave_a_grandchild():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(3600)
        os._exit(0)
    os.wait()


def answer(connection, options):
    connection.settimeout(10)
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return
        data += part
    method, path = data.split(b" ", 2)[:2]
    status, body = b"404 Not Found", b""
    if path == b"/health":
        status = b"503 Service Unavailable" if options.deaf else b"200 OK"
    elif path == b"/pid":
        status, body = b"200 OK", str(os.getpid()).encode()
    elif path == b"/crash" and method == b"POST":
        os._exit(3)
    connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: " +
                       str(len(body)).encode() + b"\r\nConnection: close\r\n\r\n" + body)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--mb", type=int, default=0)
    parser.add_argument("--deaf", action="store_true")
    parser.add_argument("--exit-code", type=int)
    parser.add_argument("--fork", action="store_true")
    parser.add_argument("--stubborn", action="store_true")
    options = parser.parse_args()
    print(f"starting on port {options.port}", flush=True)
    if options.exit_code is not None:
        print("this component was told to end", flush=True)
        sys.exit(options.exit_code)
    if options.stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if options.fork:
        leave_a_grandchild()
    held = bytearray(os.urandom(4096) * (256 * options.mb))
    time.sleep(options.delay)
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", options.port))
    server.listen(64)
    print(f"ready, holding {len(held)} bytes", flush=True)
    while True:
        connection, _ = server.accept()
        with connection:
            try:
                answer(connection, options)
            except OSError:
                pass


if __name__ == "__main__":
    main()
