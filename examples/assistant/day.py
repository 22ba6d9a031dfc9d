"""An assistant's day: which commands, in which order, after which pauses; drawn from a seed.

The order is the same each day; what the commands are about and the pauses are drawn. The pauses
stand for a day of ten hours: SCALE seconds of it pass in one of ours.
"""

import random

import components as config
import inputs
import tasks

SCALE = 300  # 5 minutes of the day last one second

# One episode a line: commands follow each other shortly within it, after a longer pause between;
# a star: a busy hour, without that pause.
LIGHT = """
see talk read
translation translation read_translated
talk hear hear hear_translated
proofread talk proofread
say translate_aloud
see read talk read_aloud
hear talk hear
translation translate_aloud say
proofread read talk
hear hear_translated
say read_aloud talk
translation read_translated
hear talk
proofread see
say talk translate_aloud
hear translation talk
read proofread
"""

FULL = """
see talk read talk
remember remember look_up
browse browse talk browse_translated browse talk
document talk document document
hear talk hear_noted
browse document remember
* hear hear_translated translation
document browse talk browse
hear talk hear talk
browse talk document expand_written
proofread talk proofread
read expand document talk

search search talk define define_noted
document look_up search
* differentiate talk expand
search talk search define
document search talk
say translate_aloud talk translation
search document document
define talk look_up search
document talk expand_written
remember talk remember
expand differentiate talk

* chess chess faces hear
* faces translation search document
* talk faces chess read
* faces proofread talk hear
talk faces read faces talk
* faces say talk chess
chess talk chess talk
hear translation talk hear
look_up talk define

likely talk likely likely
document likely talk
* faces hear hear_noted
likely talk remember
likely document likely
chess chess talk
faces likely talk likely
document talk document remember
read likely talk
hear talk hear translation
expand talk differentiate
chess talk define

related talk related related
* define related talk related
related define_noted
* related expand talk related
differentiate talk
chess talk chess
document talk expand_written
translation talk translation talk
proofread read_aloud see
say talk read_translated
look_up remember talk
differentiate expand talk
chess talk chess talk
hear talk translation
remember remember talk
"""

EPISODES = {"light": LIGHT, "full": FULL}


class Day:
    """The commands, made when the day is made; speech is prepared then too."""

    def __init__(self, kind, seed):
        self.kind, self.seed = kind, seed
        self.components = config.load(kind)
        self.kept, self.spoken = [], {}
        self.nouns = inputs.wordnet_nouns() if kind == "full" else []
        self.speech = inputs.Speech()
        try:
            self.commands = list(self.make())
        finally:
            self.speech.close()

    def voice_of(self, text):
        """The text as speech, by a Festival of our own."""
        if text not in self.spoken:
            self.spoken[text] = self.speech.say(text)
        return self.spoken[text]

    def make(self):
        pauses = random.Random(f"{self.seed}/pauses")
        number = 0
        for episode in EPISODES[self.kind].split("\n"):
            for place, name in enumerate(episode.replace("*", "").split()):
                command = self.draw(name, number)
                if place or episode.startswith("*"):
                    command.pause = pauses.uniform(0.05, 0.35)
                elif number:
                    command.pause = pauses.choice([0.5, 0.8, 1.2, 1.8, 2.8])
                number += 1
                yield command

    def draw(self, name, number):
        """One command; drawn again where its text would ask for something else too."""
        for attempt in range(1000):
            source = random.Random(f"{self.seed}/{number}/{attempt}")
            kept = len(self.kept)
            command = getattr(tasks, name)(self, source)
            if config.intents(self.components, command.text) == command.asked:
                return command
            del self.kept[kept:]
        raise RuntimeError(f"the keywords do not fit the command {name}: {command.text}")

    def shape(self):
        """What the day has of each sort, counted."""
        foes = config.conflicts(self.components)
        deep = sum(any(self.components[need].get("needs") for name in command.asked
                       for need in self.components[name].get("needs", []))
                   for command in self.commands)
        resident, met = set(), 0
        for command in self.commands:
            wanted = config.with_needs(self.components, command.asked)
            enemies = set().union(*(foes[name] for name in wanted)) if wanted else set()
            met += bool(resident & enemies)
            resident = (resident - enemies) | wanted
        return {"commands": len(self.commands),
                "need nothing": sum(not c.asked for c in self.commands),
                "need two components": sum(len(c.asked) > 1 for c in self.commands),
                "need a need of a need": deep, "meet a conflict": met}
