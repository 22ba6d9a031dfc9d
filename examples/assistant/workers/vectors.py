#!/usr/bin/python3
"""vectors: how near words are to each other (fastText, trained on WordNet's definitions)."""

import math
import os

from base import BadRequest, Worker, models_dir, serve


class Vectors(Worker):
    def load(self):
        model = os.path.join(models_dir(), "vectors", "model.bin")
        if not os.path.exists(model):
            raise RuntimeError("there is no " + model)
        self.program = self.child(["stdbuf", "-oL", "fasttext", "print-word-vectors", model])
        self.vector("start")

    def vector(self, word):
        if not word.isalpha():
            raise BadRequest("one word of letters is wanted")
        self.program.stdin.write(word.encode() + b"\n")
        self.program.stdin.flush()
        line = self.program.stdout.readline().split()
        if not line:
            raise RuntimeError("fasttext ended")
        return [float(value) for value in line[1:]]

    def run(self, request):
        word = self.vector(request["word"])
        near = {}
        for other in request["others"]:
            vector = self.vector(other)
            size = math.hypot(*word) * math.hypot(*vector)
            near[other] = sum(a * b for a, b in zip(word, vector)) / size if size else 0.0
        return {"near": near}


serve(Vectors())
