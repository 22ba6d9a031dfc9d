#!/usr/bin/python3
"""A component that speaks like a model server, for the tests of the gateway.

    model_server.py PORT NAME [--mb N] [--pause S]

POST /v1/chat/completions answers with NAME and the nonce of the request; with `stream` as five
events, `--pause` apart. `die: true` in the body ends it in the middle of the stream. Any other path
is echoed. GET /health 200.
"""

import argparse
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    options = None

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
        self.give(json.dumps({"name": self.options.name, "path": self.path}).encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = json.loads(body) if body[:1] == b"{" else {}
        if not asked.get("stream"):
            time.sleep(self.options.pause)
            self.give(json.dumps({"name": self.options.name, "nonce": asked.get("nonce"),
                                  "path": self.path, "bytes": len(body)}).encode())
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(5):
            if asked.get("die") and number == 2:
                os._exit(3)
            self.chunk(b"data: " + json.dumps({"name": self.options.name,
                                               "number": number}).encode() + b"\n\n")
            time.sleep(self.options.pause)
        self.chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("name")
    parser.add_argument("--mb", type=int, default=0)
    parser.add_argument("--pause", type=float, default=0)
    Handler.options = parser.parse_args()
    held = os.urandom(4096) * (256 * Handler.options.mb)
    server = ThreadingHTTPServer(("127.0.0.1", Handler.options.port), Handler)
    server.daemon_threads = True
    print(f"ready, holding {len(held)} bytes", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
