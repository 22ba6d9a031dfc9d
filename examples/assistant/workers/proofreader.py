#!/usr/bin/python3
"""proofreader: tells whether English sentences can be parsed (Link Grammar)."""

from base import Worker, serve


class Proofreader(Worker):
    def load(self):
        self.parser = self.child(
            ["stdbuf", "-oL", "link-parser", "en", "-graphics=0", "-batch=0", "-echo=0",
             "-timeout=20", "-islands-ok=0", "-null=0", "-verbosity=1"])
        self.parse("the cat sees a dog")
        self.parse("the young doctor who lives in the old house near the river said that he had"
                   " never been asked whether it was true, but he knew why they wanted to hear it")

    def parse(self, sentence):
        clean = "".join(c for c in sentence if c.isalnum() or c in " ,.'")
        self.parser.stdin.write(clean.encode() + b"\n")
        self.parser.stdin.flush()
        while True:
            line = self.parser.stdout.readline().decode()
            if not line:
                raise RuntimeError("link-parser ended")
            if line.startswith("Found "):
                return True
            if "No complete linkages found" in line:
                return False

    def run(self, request):
        return {"correct": [self.parse(sentence) for sentence in request["sentences"]]}


serve(Proofreader())
