#!/usr/bin/env python3
"""A stand-in for a model server: it holds memory and answers chats, with no sense at all.

    small_server.py --port PORT --name NAME --megabytes N [--wait SECONDS]

GET /health answers 200 once it is ready; POST /v1/chat/completions answers as OpenAI does, a stream
where one is asked for.
"""

import argparse
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name = ""

    def log_message(self, *_):
        pass

    def send_json(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        if self.path == "/health":
            self.send_json(200, {"status": "ok"})
        else:
            self.send_json(404, {"error": {"message": "no such path"}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        words = f"I am {self.name}, and I have no idea.".split(" ")
        if not body.get("stream"):
            message = {"role": "assistant", "content": " ".join(words)}
            self.send_json(200, {"id": "x", "object": "chat.completion", "model": self.name,
                                 "choices": [{"index": 0, "message": message,
                                              "finish_reason": "stop"}]})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for word in words:
            piece = {"choices": [{"index": 0, "delta": {"content": word + " "}}]}
            self.wfile.write(b"data: " + json.dumps(piece).encode() + b"\n\n")
            time.sleep(0.02)
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--wait", type=float, default=0.5, help="as if it read weights")
    options = parser.parse_args()
    weights = bytearray(b"w") * (options.megabytes * 1_000_000)
    time.sleep(options.wait)
    Handler.name = options.name
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.weights = weights
    server.serve_forever()


if __name__ == "__main__":
    main()
