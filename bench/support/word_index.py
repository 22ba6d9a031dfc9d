#!/usr/bin/env python3
"""A component for bench/hibernation.py: where each word of Python's own library stands.

    word_index.py PORT

GET /health answers 200 once the index is there, GET /count/WORD how often the word stands there,
and where last.
"""

import array
import http.server
import os
import re
import sys
import sysconfig


def build():
    index = {}
    folder = sysconfig.get_paths()["stdlib"]
    texts = []
    for place, folders, names in os.walk(folder):
        folders[:] = [one for one in folders if one not in ("site-packages", "dist-packages")]
        for name in sorted(names):
            if not name.endswith(".py"):
                continue
            with open(os.path.join(place, name), encoding="utf-8", errors="replace") as file:
                text = file.read()
            texts.append(text)
            for found in re.finditer(r"[A-Za-z_]\w*", text):
                positions = index.setdefault(found.group(), array.array("Q"))
                positions.append(len(texts) << 32 | found.start())
    return index, texts


class Answer(http.server.BaseHTTPRequestHandler):
    """One request."""

    index = {}
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes

    def do_GET(self):  # pylint: disable=invalid-name
        word = self.path.rpartition("/")[2]
        found = self.index.get(word, [0])
        body = f"{len(found)} {found[-1]}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def main():
    Answer.index, Answer.texts = build()
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()


if __name__ == "__main__":
    main()
