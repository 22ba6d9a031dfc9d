#!/usr/bin/python3
"""voice: text to speech (Festival), as 16-bit WAV."""

import base64
import os

from base import BadRequest, Worker, serve, state_dir


class Voice(Worker):
    def load(self):
        self.festival = self.child(["festival", "--pipe"])
        self.path = os.path.join(state_dir(), "speech.wav")
        self.speak("a warm start")

    def speak(self, text):
        if not all(c.isalnum() or c in " ,.'?!" for c in text) or not text.strip():
            raise BadRequest("plain text is wanted")
        said = f'(utt.synth (eval (list (quote Utterance) (quote Text) "{text}")))'
        self.festival.stdin.write((
            f'(utt.save.wave {said} "{self.path}" (quote riff))\n'
            '(begin (format t "spoken\\n") (fflush nil))\n').encode())
        self.festival.stdin.flush()
        if b"spoken" not in self.festival.stdout.readline():
            raise RuntimeError("festival ended")
        with open(self.path, "rb") as file:
            return file.read()

    def run(self, request):
        return {"wav": base64.b64encode(self.speak(request["text"])).decode()}


serve(Voice())
