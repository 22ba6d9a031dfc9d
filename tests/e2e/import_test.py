"""What `hearth import` prints is what a daemon runs by, and says what it could not carry over."""

import http.server
import json
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import COMPONENT, PYTHON, DaemonTest  # noqa: E402

SWAP = f"""
healthCheckTimeout: 60
macros:
  server: {PYTHON} {COMPONENT} ${{PORT}}
models:
  one:
    cmd: |
      # what follows is one command
      ${{server}} \\
        --mb 1
    aliases: [gpt-4o]
  org/two:8b:
    cmd: ${{server}}
    cmdStop: kill -TERM ${{PID}}
  embed: {{cmd: "${{server}}", unlisted: true}}
groups:
  small: {{swap: false, exclusive: false, persistent: true, members: [embed]}}
hooks: {{on_startup: {{preload: [embed]}}}}
"""


class Imports(DaemonTest):
    def file(self, daemon, name, text):
        path = os.path.join(daemon.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_a_daemon_runs_by_what_llama_swap_had(self):
        # Room for all of them, as nobody has said yet how little they take.
        daemon = self.daemon({}, is_started=False, memory={"budget": "8GiB"})
        done = daemon.cli("import", "llama-swap", self.file(daemon, "swap.yaml", SWAP))
        self.assertIn("embed: `unlisted` is left out", done.stderr)
        own = "".join(f"{key}: {json.dumps(value)}\n" for key, value in daemon.sections.items())
        self.file(daemon, "hearth.yaml", own + done.stdout)
        checked = daemon.cli("config", "check", daemon.config)
        self.assertIn("valid", checked.stdout)
        daemon.start()
        daemon.wait_state("embed", "ready")
        for model in ("gpt-4o", "org/two:8b"):
            self.assert_status(daemon.lease(model, lease_ms=100), 200)
        daemon.wait_state("org-two-8b", "ready")
        self.assertNotEqual(daemon.state_of("one"), "ready")
        self.assertEqual(daemon.state_of("embed"), "ready")

    def test_a_file_that_is_wrong_writes_nothing(self):
        daemon = self.daemon({}, is_started=False)
        path = self.file(daemon, "swap.yaml", "models:\n  a: [x]\n")
        done = daemon.cli("import", "llama-swap", path, is_ok=False)
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn(f"{path}:2:6: error: a: expected a section", done.stderr)

    def test_the_models_of_a_running_ollama_become_components(self):
        answers = {"/api/tags": {"models": [{"name": "tiny:latest", "size": 5_000_000}]},
                   "/api/version": {"version": "0.12.3"}}

        class Ollama(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(answers.get(self.path)).encode()
                self.send_response(200 if self.path in answers else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ollama)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        daemon = self.daemon({}, is_started=False)
        printed = json.loads(daemon.cli("import", "ollama", "--url", url, "--json").stdout)
        self.assertEqual(printed["components"], ["tiny"])
        for line in ("kind: http", "preset: ollama", f'url: "{url}"', 'model: "tiny:latest"',
                     "memory: 5MB", 'aliases: ["tiny:latest"]'):
            self.assertIn(line, printed["yaml"])
        server.shutdown()
        server.server_close()
        refused = daemon.cli("import", "ollama", "--url", url, is_ok=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no Ollama answers", refused.stderr)


if __name__ == "__main__":
    unittest.main()
