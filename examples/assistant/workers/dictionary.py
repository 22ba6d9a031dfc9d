#!/usr/bin/python3
"""dictionary: definitions of English words (WordNet and GCIDE, in the DICT format)."""

import os

from base import Worker, models_dir, serve

DIGITS = {c: i for i, c in enumerate(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}
BOOKS = ["wn", "gcide"]


def number(text):
    value = 0
    for c in text:
        value = value * 64 + DIGITS[c]
    return value


class Dictionary(Worker):
    def load(self):
        self.books = []
        for name in BOOKS:
            with open(os.path.join(models_dir(), "dictionary", name + ".dict"), "rb") as file:
                text = file.read()
            with open(f"/usr/share/dictd/{name}.index", "rb") as file:
                places = b"\n" + file.read()
            self.books.append((name, text, places, places.lower()))
        self.define("hearth")

    def define(self, word):
        found = []
        key = b"\n" + word.lower().encode() + b"\t"
        for name, text, places, lower in self.books:
            at = lower.find(key)
            while at >= 0:
                begin = at + len(key)
                line = places[begin:places.index(b"\n", begin)].decode()
                offset, length = map(number, line.split("\t")[:2])
                entry = text[offset:offset + length].decode("utf-8", "replace")
                found.append({"book": name, "text": entry})
                at = lower.find(key, begin)
        return found

    def run(self, request):
        return {"definitions": self.define(request["word"])}


serve(Dictionary())
