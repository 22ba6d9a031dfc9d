#!/usr/bin/python3
"""hearing: speech recognition (PocketSphinx): a grammar of commands, or free dictation."""

import base64
import io
import wave

from base import BadRequest, Worker, serve

from pocketsphinx import Decoder

MODEL = "/usr/share/pocketsphinx/model/en-us/"
ROOMS = ["kitchen", "bedroom", "bathroom", "garden"]
THINGS = ["lights", "radio", "heating", "television"]
NUMBERS = ["two", "five", "ten", "twenty", "thirty", "forty"]
GRAMMAR = f"""#JSGF V1.0;
grammar home;
public <command> = turn (on | off) the <room> <thing> | set a timer for <number> minutes;
<room> = {" | ".join(ROOMS)};
<thing> = {" | ".join(THINGS)};
<number> = {" | ".join(NUMBERS)};
"""


class Hearing(Worker):
    def load(self):
        config = Decoder.default_config()
        config.set_string("-hmm", MODEL + "en-us")
        config.set_string("-dict", MODEL + "cmudict-en-us.dict")
        config.set_string("-logfn", "/dev/null")
        config.set_string("-lm", MODEL + "en-us.lm.bin")
        self.decoder = Decoder(config)
        self.decoder.set_jsgf_string("home", GRAMMAR)
        self.hear(bytes(32000), "home")

    def hear(self, samples, search):
        self.decoder.set_search(search)
        self.decoder.start_utt()
        self.decoder.process_raw(samples, False, True)
        self.decoder.end_utt()
        found = self.decoder.hyp()
        return found.hypstr if found else ""

    def run(self, request):
        with wave.open(io.BytesIO(base64.b64decode(request["wav"]))) as audio:
            if (audio.getframerate(), audio.getsampwidth(), audio.getnchannels()) != (16000, 2, 1):
                raise BadRequest("16-bit mono audio of 16 kHz is wanted")
            samples = audio.readframes(audio.getnframes())
        search = "_default" if request.get("dictation") else "home"
        return {"text": self.hear(samples, search)}


serve(Hearing())
