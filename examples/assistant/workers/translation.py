#!/usr/bin/python3
"""translation: English to Spanish, by Apertium's pipeline kept running."""

import re

from base import Worker, serve

MODE = "/usr/share/apertium/modes/eng-spa.mode"


class Translation(Worker):
    def load(self):
        with open(MODE, encoding="utf-8") as file:
            line = file.read().strip().splitlines()[-1]
        line = line.replace("$1", "-g").replace("$2", "")
        stages = [re.sub(r"^\s*(\S+)", r"\1 -z", stage) for stage in line.split("|")]
        self.pipeline = self.child(["sh", "-c", " | ".join(stages)])
        self.translate("the big red house of the old man")

    def translate(self, text):
        clean = re.sub(r"[\[\]{}\\/^$@<>\0]", " ", text)
        self.pipeline.stdin.write(clean.encode() + b"[][\n]\0")
        self.pipeline.stdin.flush()
        out = b""
        while not out.endswith(b"\0"):
            part = self.pipeline.stdout.read1(65536)
            if not part:
                raise RuntimeError("the pipeline ended")
            out += part
        return " ".join(out.rstrip(b"\0").decode().replace("[][", "").replace("]", "").split())

    def run(self, request):
        return {"text": self.translate(request["text"])}


serve(Translation())
