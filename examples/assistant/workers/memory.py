#!/usr/bin/python3
"""memory: notes and an encyclopaedia of short entries, searched by their words (SQLite FTS5).

The entries are held in memory; the notes also on disk, so that they outlive the component.
"""

import os
import sqlite3

from base import BadRequest, Worker, models_dir, serve, state_dir


class Memory(Worker):
    def load(self):
        self.entries = sqlite3.connect(":memory:", check_same_thread=False)
        path = os.path.join(models_dir(), "memory", "entries.sqlite")
        if not os.path.exists(path):
            raise RuntimeError("there is no " + path)
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as kept:
            kept.backup(self.entries)
        self.notes = sqlite3.connect(
            os.path.join(state_dir(), "notes.sqlite"), check_same_thread=False)
        self.notes.execute("create virtual table if not exists notes using fts5(text)")
        self.find(self.notes, "notes", "OR", "start", 1)
        self.find(self.entries, "entries", "AND", "start", 1)

    @staticmethod
    def find(base, table, joined, text, count):
        words = "".join(c if c.isalnum() else " " for c in text).split()
        query = f" {joined} ".join(f'"{word}"' for word in words)
        if not query:
            raise BadRequest("some words are wanted")
        rows = base.execute(
            f"select text from {table} where {table} match ? order by rank limit ?",
            (query, count))
        return [row[0] for row in rows]

    def run(self, request):
        if request["op"] == "remember":
            with self.notes:
                self.notes.execute("insert into notes(text) values (?)", (request["text"],))
            return {"remembered": True}
        if request["op"] in ("recall", "entries"):
            where = ((self.notes, "notes", "OR") if request["op"] == "recall"
                     else (self.entries, "entries", "AND"))
            return {"found": self.find(*where, request["text"], int(request.get("count", 3)))}
        raise BadRequest("op must be remember, recall or entries")


serve(Memory())
