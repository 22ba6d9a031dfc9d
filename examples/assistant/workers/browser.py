#!/usr/bin/python3
"""browser: a headless Chromium, steered over its debugging pipe."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile

from base import BadRequest, Worker, serve

OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
    "--disable-extensions", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage", "--disable-breakpad", "--mute-audio",
    "--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider",
    "--password-store=basic", "--no-default-browser-check"]


def high_pipe():
    """A pipe away from the numbers 3, which Chromium reads, and 4, which it writes."""
    pipe = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in pipe]
    for end in pipe:
        os.close(end)
    return high


class Browser(Worker):
    def load(self):
        self.profile = tempfile.mkdtemp(prefix="hearth-browser-")
        self.number = 0
        read_end, self.to = high_pipe()
        self.out, write_end = high_pipe()
        script = f'exec 3<&{read_end} 4>&{write_end} {read_end}<&- {write_end}>&-; exec "$@"'
        command = ["bash", "-c", script, "bash", "/usr/bin/chromium", *OPTIONS,
                   "--user-data-dir=" + self.profile, "about:blank"]
        self.child(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   pass_fds=[read_end, write_end])
        os.close(read_end)
        os.close(write_end)
        self.answers = os.fdopen(self.out, "rb", buffering=0)
        self.rest = b""
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        self.session = self.call(
            "Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        self.call("Page.enable", self.session)
        self.visit("<p id=result>warm</p>", "document.getElementById('result').textContent")

    def message(self):
        while b"\0" not in self.rest:
            part = self.answers.read(65536)
            if not part:
                raise RuntimeError("chromium ended")
            self.rest += part
        text, _, self.rest = self.rest.partition(b"\0")
        return json.loads(text)

    def call(self, method, session=None, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if session:
            request["sessionId"] = session
        os.write(self.to, json.dumps(request).encode() + b"\0")
        while True:
            message = self.message()
            if message.get("id") == self.number:
                if "error" in message:
                    raise BadRequest(f"{method}: {message['error'].get('message')}")
                return message["result"]

    def visit(self, html, expression):
        address = "data:text/html;base64," + base64.b64encode(html.encode()).decode()
        self.call("Page.navigate", self.session, url=address)
        while True:
            if self.message().get("method") == "Page.loadEventFired":
                break
        result = self.call(
            "Runtime.evaluate", self.session, expression=expression, returnByValue=True)
        return result["result"].get("value")

    def run(self, request):
        return {"value": self.visit(request["html"], request["expression"])}

    def close(self):
        super().close()
        shutil.rmtree(self.profile, ignore_errors=True)


serve(Browser())
