#!/usr/bin/python3
"""A component that speaks like a model server, for the tests of the gateway.

    model_server.py PORT NAME [--mb N] [--pause S]

Answers as OpenAI, Anthropic and Ollama do (model_shapes.py), with NAME and the nonce of the request
beside it; streams in five pieces, `--pause` apart. Any other path is echoed. GET /health 200.

In the body of a request, or in its `options`:
  die   ends this program in the middle of the stream;
  hold  the stream is held after its first piece until GET /go/TEXT comes, TEXT being the value: who
        sends that on seeing the first piece shows that it was not kept back. Nobody waits for ever.
"""

import argparse
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import model_shapes

HELD_MAX_S = 30


class Held:
    """Streams that wait for a word, by its text; the word may come first."""

    def __init__(self):
        self.lock = threading.Lock()
        self.events = {}

    def of(self, text):
        with self.lock:
            return self.events.setdefault(text, threading.Event())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are written apart: without this each answer waits 40 ms for a late ACK.
    disable_nagle_algorithm = True
    options = None
    held = Held()

    def log_message(self, *_):
        pass

    def give(self, body, content_type="application/json"):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def do_GET(self):
        if self.path.startswith("/go/"):
            self.held.of(self.path.removeprefix("/go/")).set()
        self.give(json.dumps({"name": self.options.name, "path": self.path}).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = json.loads(body) if body[:1] == b"{" else {}
        path = self.path.split("?")[0]
        if model_shapes.is_streamed(path, asked):
            self.stream(path, asked)
            return
        time.sleep(self.options.pause)
        self.give(json.dumps({**model_shapes.whole(path, asked, self.options.name),
                              "name": self.options.name, "nonce": asked.get("nonce"),
                              "path": self.path, "bytes": len(body)}).encode())

    def stream(self, path, asked):
        wishes = {**asked, **(asked.get("options") or {})}
        content_type, pieces = model_shapes.pieces(path, asked, self.options.name)
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, piece in enumerate(pieces):
            if wishes.get("die") and number == 2:
                os._exit(3)
            if wishes.get("hold") and number == 1 and \
                    not self.held.of(wishes["hold"]).wait(HELD_MAX_S):
                self.close_connection = True
                return
            self.chunk(piece)
            time.sleep(self.options.pause)
        self.wfile.write(b"0\r\n\r\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("name")
    parser.add_argument("--mb", type=int, default=0)
    parser.add_argument("--pause", type=float, default=0)
    Handler.options = parser.parse_args()
    kept = os.urandom(4096) * (256 * Handler.options.mb)
    server = ThreadingHTTPServer(("127.0.0.1", Handler.options.port), Handler)
    server.daemon_threads = True
    print(f"ready, holding {len(kept)} bytes", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
