"""A stand-in of Ollama, written from its published interface; it is not Ollama.

    stand_in_ollama.py PORT MODEL...

Knows /api/tags, /api/ps, /api/version, /api/generate, /api/chat, /api/show and keep_alive; a model
takes 64 MiB by what it says, and answers with its own name.
"""

import datetime
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SIZE = 64 << 20
LOCK = threading.Lock()
MODELS = {}  # loaded: name -> expires_at


def expiry(keep_alive):
    if isinstance(keep_alive, int) and keep_alive < 0:
        return "2318-03-11T06:42:17Z"
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)
    return later.strftime("%Y-%m-%dT%H:%M:%SZ")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    known = []

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        with LOCK:
            if self.path == "/api/ps":
                self.answer(200, {"models": [
                    {"name": name, "model": name, "size": SIZE, "size_vram": 0,
                     "expires_at": until} for name, until in MODELS.items()]})
            elif self.path == "/api/tags":
                self.answer(200, {"models": [{"name": name, "model": name, "size": SIZE}
                                             for name in self.known]})
            elif self.path == "/api/version":
                self.answer(200, {"version": "0.12.0"})
            else:
                self.answer(404, {"error": "not found"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        name = body.get("model", "")
        name = name if ":" in name else name + ":latest"
        with LOCK:
            if name not in self.known:
                self.answer(404, {"error": f"model '{name}' not found"})
                return
            if self.path == "/api/show":
                self.answer(200, {"template": "of " + name, "details": {}, "model_info": {},
                                  "capabilities": ["completion"]})
                return
            if body.get("keep_alive") == 0:
                MODELS.pop(name, None)
            else:
                MODELS[name] = expiry(body.get("keep_alive"))
            self.answer(200, {"model": name, "done": True,
                              "message": {"role": "assistant", "content": "I am " + name}})


if __name__ == "__main__":
    Handler.known = [name if ":" in name else name + ":latest" for name in sys.argv[2:]]
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
