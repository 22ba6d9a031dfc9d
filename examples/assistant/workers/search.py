#!/usr/bin/python3
"""search: the meanings nearest to a description (latent semantic analysis over WordNet)."""

import os
import pickle

from base import Worker, models_dir, serve

import numpy


class Search(Worker):
    def load(self):
        folder = os.path.join(models_dir(), "search")
        with open(os.path.join(folder, "vectorizer.pickle"), "rb") as file:
            self.vectorizer = pickle.load(file)
        self.components = numpy.load(os.path.join(folder, "components.npy"))
        self.vectors = numpy.load(os.path.join(folder, "vectors.npy"))
        with open(os.path.join(folder, "glosses.txt"), encoding="utf-8") as file:
            self.glosses = file.read().splitlines()
        self.find("a small domestic animal that catches mice", 5)

    def find(self, text, count):
        vector = self.vectorizer.transform([text]) @ self.components.T
        vector = numpy.asarray(vector).ravel()
        vector = vector / (numpy.linalg.norm(vector) or 1.0)
        scores = self.vectors @ vector.astype(numpy.float32)
        best = numpy.argpartition(-scores, count)[:count]
        best = best[numpy.argsort(-scores[best])]
        return [{"score": round(float(scores[i]), 4), "gloss": self.glosses[i]} for i in best]

    def run(self, request):
        return {"found": self.find(request["text"], int(request.get("count", 5)))}


serve(Search())
