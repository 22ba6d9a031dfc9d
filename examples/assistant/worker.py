"""The base of every component of the example: a small, long-running HTTP server.

A worker is a class with load(), run(request) and close(). serve() loads it, exercises it once
and only then listens on 127.0.0.1:$PORT, so whoever can connect finds it ready and warm:

    GET  /health   200 {"ready": true}
    POST /run      a JSON object, answered by a JSON object (400: the request, 500: the worker)

SIGTERM ends the worker and the programs that it started, also in the middle of load().
Programs started by child() die with the worker, whatever ends it.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading

BODY_LIMIT = 32 * 1024 * 1024


def models_dir():
    """The folder of what `prepare` made."""
    given = os.environ.get("ASSISTANT_MODELS")
    if given:
        return given
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "hearth-assistant")


def state_dir():
    """A folder of this component's own, kept between its lives."""
    folder = (sys.argv[1] if len(sys.argv) > 1 else os.environ.get("STATE_DIR")
              or os.path.join(models_dir(), "state"))
    os.makedirs(folder, exist_ok=True)
    return folder


class BadRequest(Exception):
    """The request cannot be served; the worker is well."""


class Worker:
    """One component; a subclass overrides load, run and, where it owns programs, nothing else."""

    def __init__(self):
        self.children = []

    def load(self):
        """Everything that a first request would otherwise wait for."""

    def run(self, request):
        """Serves one request; called by one thread at a time."""
        raise NotImplementedError

    def warmup(self):
        """A request like those to come; None where load() has done it."""
        return None

    def child(self, argv, **options):
        """Starts a program that ends with this worker, in a process group of its own."""
        options.setdefault("stdin", subprocess.PIPE)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.DEVNULL)
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *argv], process_group=0, **options)
        self.children.append(process)
        return process

    def end_child(self, process, grace=1.0):
        """Ends one program: end of input, SIGTERM to its group, then SIGKILL."""
        if process.stdin and not process.stdin.closed:
            try:
                process.stdin.close()
            except OSError:
                pass
        signal_group(process, signal.SIGTERM)
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            pass
        signal_group(process, signal.SIGKILL)
        process.wait()
        if process in self.children:
            self.children.remove(process)

    def close(self):
        """Ends every program that was started."""
        for process in list(reversed(self.children)):
            self.end_child(process)


def signal_group(process, number):
    """Signals a child's whole group, whose leader may have ended already."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def read_head(stream):
    """One request's method, path and headers, or None at the end of the stream."""
    line = stream.readline(8192)
    if not line.strip():
        return None
    method, path = line.decode("latin-1").split()[:2]
    headers = {}
    while True:
        line = stream.readline(8192)
        if line in (b"\r\n", b"\n", b""):
            return method, path, headers
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()


def answer(worker, lock, method, path, body):
    """The status and JSON value for one request."""
    if method == "GET" and path == "/health":
        return 200, {"ready": True}
    if method != "POST" or path != "/run":
        return 404, {"error": f"no {method} {path} here: GET /health or POST /run"}
    try:
        request = json.loads(body or b"{}")
        if not isinstance(request, dict):
            raise BadRequest("the body must be a JSON object")
        with lock:
            if request.get("warmup"):
                request = worker.warmup()
                return 200, {"warm": True} if request is None else worker.run(request)
            return 200, worker.run(request)
    except (BadRequest, KeyError, ValueError) as error:
        return 400, {"error": f"{type(error).__name__}: {error}"}
    except Exception as error:  # a fault of one request must not end the worker
        return 500, {"error": f"{type(error).__name__}: {error}"}


def converse(connection, worker, lock):
    """Serves one keep-alive connection until it closes."""
    with connection, connection.makefile("rb") as stream:
        try:
            while head := read_head(stream):
                method, path, headers = head
                length = int(headers.get("content-length", "0"))
                if length > BODY_LIMIT:
                    return
                body = stream.read(length)
                status, value = answer(worker, lock, method, path, body)
                data = json.dumps(value).encode()
                closing = headers.get("connection", "").lower() == "close"
                connection.sendall(
                    b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\n"
                    b"content-length: %d\r\nconnection: %s\r\n\r\n" % (
                        status, b"OK" if status == 200 else b"Error", len(data),
                        b"close" if closing else b"keep-alive") + data)
                if closing:
                    return
        except (OSError, ValueError):
            return


def serve(worker):
    """Loads the worker, exercises it, serves it until SIGTERM, then ends what it started."""
    def leave(_number, _frame):
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    status = 0
    try:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", int(os.environ.get("PORT", "0"))))
        worker.load()
        request = worker.warmup()
        if request is not None:
            worker.run(request)
        listener.listen(64)
        print(f"ready on {listener.getsockname()[1]}", flush=True)
        lock = threading.Lock()
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(
                target=converse, args=(connection, worker, lock), daemon=True).start()
    except SystemExit:
        pass
    except Exception as error:
        print(f"{type(worker).__name__}: {type(error).__name__}: {error}", file=sys.stderr)
        status = 1
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # no wait for the libraries' own farewells
