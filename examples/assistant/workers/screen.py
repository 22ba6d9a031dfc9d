#!/usr/bin/python3
"""screen: a virtual display (Xvfb), a picture shown on it in a window, and screenshots of it."""

import base64
import os
import subprocess

from base import BadRequest, Worker, serve

from xwindow import Display

SIZE = "1600x1200"


class Screen(Worker):
    def load(self):
        reader, writer = os.pipe()
        self.child(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", SIZE + "x24", "-nolisten", "tcp",
             "-noreset"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader) as lines:
            number = lines.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start")
        self.display = Display(number)
        self.window = None
        self.display.capture(1200, 320)

    def run(self, request):
        if request["op"] == "show":
            if self.window is not None:
                self.display.hide(self.window)
            self.window = self.display.show(
                request["width"], request["height"], base64.b64decode(request["rgb"]))
            return {"shown": True}
        if request["op"] == "capture":
            picture = self.display.capture(
                int(request.get("width", 65535)), int(request.get("height", 65535)))
            return {"picture": base64.b64encode(picture).decode()}
        raise BadRequest("op must be show or capture")


serve(Screen())
