"""The kinds of commands: for each, what the user says, and how its answer is got and checked.

A maker takes the day and a random source and returns a Command. Its act(call) does the work by
call(component, **request) -> answer and raises WrongAnswer where an answer is not right.
"""

import base64
import io
import re
import wave
import zipfile
from dataclasses import dataclass
from typing import Callable

import endgame
import inputs
from inputs import encode


class WrongAnswer(Exception):
    """A component answered, and the answer is not the right one."""


@dataclass
class Command:
    text: str
    asked: set
    act: Callable
    pause: float = 0.0


def expect(right, what, got, wanted):
    if not right:
        raise WrongAnswer(f"{what}: {got!r}, wanted {wanted!r}")


# --- the screen


def show(call, picture):
    """Draws a window on the virtual display and returns a screenshot of that part of it."""
    width, height, rgb = picture
    call("xvfb", op="show", width=width, height=height, rgb=encode(rgb))
    return call("xvfb", op="capture", width=width, height=height)["picture"]


def read_lines(call, lines):
    found = call("ocr", picture=show(call, inputs.text_picture(lines)))["lines"]
    # A space more or less between two words is no misreading.
    got, wanted = ([line.replace(" ", "") for line in text] for text in (found, lines))
    expect(got == wanted, "the text on the screen", found, lines)


def see(_day, random):
    lines = inputs.screen_lines(random)
    return Command("can you see my screen?", {"ocr"}, lambda call: read_lines(call, lines))


def read(_day, random):
    lines = inputs.screen_lines(random)
    text = random.choice(["what is written on my screen?", "read my screen, please"])
    return Command(text, {"ocr"}, lambda call: read_lines(call, lines))


def read_aloud(day, random):
    lines = inputs.screen_lines(random)[:1]

    def act(call):
        read_lines(call, lines)
        speak(call, day, lines[0])
    day.voice_of(lines[0])
    return Command("read my screen aloud", {"ocr", "voice"}, act)


def read_translated(_day, random):
    english, spanish = inputs.sentence_pair(random)

    def act(call):
        read_lines(call, [english])
        translate(call, english, spanish)
    return Command("translate the text on my screen", {"ocr", "translation"}, act)


def proofread(_day, random):
    sentences = inputs.proof_sentences(random)
    lines, wanted = [s[0] for s in sentences], [s[1] for s in sentences]

    def act(call):
        read_lines(call, lines)
        got = call("proofreader", sentences=lines)["correct"]
        expect(got == wanted, "which sentences are English", got, wanted)
    text = random.choice(["proofread what I have open", "check the grammar of this page"])
    return Command(text, {"proofreader"}, act)


def faces(_day, random):
    count, scene = inputs.face_scene(random)

    def act(call):
        found = call("faces", picture=show(call, scene))["faces"]
        expect(len(found) == count, "faces", len(found), count)
    text = random.choice(["how many faces are in this picture?", "how many people do you see?"])
    return Command(text, {"faces"}, act)


# --- speech


def samples(wav):
    with wave.open(io.BytesIO(wav)) as audio:
        return memoryview(audio.readframes(audio.getnframes())).cast("h"), audio.getframerate()


def loudness(values, parts=40):
    """How loud each part of the sound is, the parts being of equal length."""
    size = max(1, len(values) // parts)
    return [sum(abs(v) for v in values[i * size:(i + 1) * size]) / size for i in range(parts)]


def alike(one, two):
    """The correlation of two rows of figures."""
    mean_one, mean_two = sum(one) / len(one), sum(two) / len(two)
    one, two = [v - mean_one for v in one], [v - mean_two for v in two]
    size = (sum(v * v for v in one) * sum(v * v for v in two)) ** 0.5
    return sum(a * b for a, b in zip(one, two)) / size if size else 0.0


def speak(call, day, text):
    got, rate = samples(base64.b64decode(call("voice", text=text)["wav"]))
    wanted, wanted_rate = samples(day.voice_of(text))
    expect(rate == wanted_rate and abs(len(got) - len(wanted)) < 0.05 * len(wanted),
           "the length of the speech", len(got), len(wanted))
    likeness = alike(loudness(got), loudness(wanted))
    expect(likeness > 0.8, "the likeness of the speech", likeness, "over 0.8")


def say(day, random):
    english, _ = inputs.sentence_pair(random)
    day.voice_of(english)
    return Command(f"pronounce: {english}", {"voice"}, lambda call: speak(call, day, english))


def heard(call, day, phrase):
    got = call("hearing", wav=encode(day.voice_of(phrase)))["text"]
    expect(got == phrase, "the words heard", got, phrase)


def hear(day, random):
    phrase = inputs.spoken_phrase(random)
    day.voice_of(phrase)
    text = random.choice(["listen to me", "listen, here is an order", "what did I say?"])
    return Command(text, {"hearing"}, lambda call: heard(call, day, phrase))


def hear_noted(day, random):
    phrase = inputs.spoken_phrase(random)
    day.voice_of(phrase)

    def act(call):
        heard(call, day, phrase)
        note(call, f"{phrase} {random.randint(10**8, 10**9)}")
    return Command("listen and remember what I say", {"hearing", "memory"}, act)


# --- language


def translate(call, english, spanish):
    got = call("translation", text=english)["text"].lower().rstrip(".")
    expect(got == spanish, "the translation", got, spanish)


def translation(_day, random):
    english, spanish = inputs.sentence_pair(random)
    return Command(f"translate: {english}", {"translation"},
                   lambda call: translate(call, english, spanish))


def hear_translated(day, random):
    phrase = inputs.spoken_phrase(random)
    english, spanish = inputs.sentence_pair(random)
    day.voice_of(phrase)

    def act(call):
        heard(call, day, phrase)
        translate(call, english, spanish)
    return Command("listen to the order and put this in Spanish", {"hearing", "translation"}, act)


def translate_aloud(day, random):
    english, spanish = inputs.sentence_pair(random)
    day.voice_of(english)

    def act(call):
        translate(call, english, spanish)
        speak(call, day, english)
    return Command(f"say aloud and translate: {english}", {"translation", "voice"}, act)


def normal(text):
    return " ".join(re.findall(r"[a-z]+", text.lower()))


def defined(call, word, meaning):
    found = call("dictionary", word=word)["definitions"]
    expect(any(normal(meaning) in normal(entry["text"]) for entry in found),
           f"the definition of {word}", [entry["text"][:60] for entry in found], meaning)


def define(day, random):
    word, meaning, _ = random.choice(day.nouns)
    return Command(f"define {word}", {"dictionary"}, lambda call: defined(call, word, meaning))


def define_noted(day, random):
    word, meaning, _ = random.choice(day.nouns)

    def act(call):
        defined(call, word, meaning)
        note(call, f"{word} {random.randint(10**8, 10**9)} {meaning}")
    return Command(f"define {word} and remember it", {"dictionary", "memory"}, act)


def search(day, random):
    word, _, gloss = random.choice(day.nouns)
    line = f"{word}: {gloss}"
    words = line.split()
    random.shuffle(words)

    def act(call):
        found = call("search", text=" ".join(words), count=10)["found"]
        expect(line in [f["gloss"] for f in found] and found[0]["score"] > 0.98,
               "the meaning found", found[0], line)
    return Command("search for what I have in mind", {"search"}, act)


def search_aloud(day, random):
    inner = search(day, random)
    word = random.choice(inputs.SCREEN_WORDS)
    day.voice_of(word)

    def act(call):
        inner.act(call)
        speak(call, day, word)
    return Command("search for this and say it aloud", {"search", "voice"}, act)


def related(_day, random):
    base, *others = inputs.pick(random, inputs.LONG_WORDS, 4)

    def act(call):
        near = call("vectors", word=base + "s", others=[base, *others])["near"]
        best = max(near, key=near.get)
        expect(best == base, f"the closest word to {base}s", near, base)
    return Command(f"which is the closest word to {base}s?", {"vectors"}, act)


def likely(_day, random):
    words = inputs.pick(random, inputs.SCREEN_WORDS, 10)
    start = " ".join(words[:5])
    one, two = (f"{start} {words[5]} {words[6]}", f"{start} {words[7]} {words[8]}")

    def act(call):
        a, b = call("model", text=one), call("model", text=two)
        kept = len(start)
        expect(abs(a["sum"] - 1) < 1e-3, "the sum of the chances", a["sum"], 1)
        apart = max(abs(x - y) for x, y in zip(a["scores"][:kept], b["scores"][:kept]))
        expect(apart < 1e-3, "scores of the same beginning differ by", apart, 0)
        expect(a["scores"][kept:] != b["scores"][kept:], "scores of the rest", "equal", "other")
    return Command("how likely is this sentence?", {"model"}, act)


# --- work


def web_page(random):
    values = [random.randint(100, 999) for _ in range(random.randint(5, 12))]
    html = ("<ul>" + "".join(f"<li>{v}</li>" for v in values) + "</ul><p id=result></p><script>"
            "const all=[...document.querySelectorAll('li')].map(e=>+e.textContent)"
            ".sort((a,b)=>a-b);document.getElementById('result').textContent="
            "all.join(',')+'='+all.reduce((a,b)=>a+b);</script>")
    return html, ",".join(map(str, sorted(values))) + "=" + str(sum(values))


def visited(call, html, wanted):
    got = call("browser", html=html,
               expression="document.getElementById('result').textContent")["value"]
    expect(got == wanted, "the page's result", got, wanted)


def browse(_day, random):
    html, wanted = web_page(random)
    text = random.choice(["open the web page", "what does the website say?"])
    return Command(text, {"browser"}, lambda call: visited(call, html, wanted))


def browse_translated(_day, random):
    html, wanted = web_page(random)
    english, spanish = inputs.sentence_pair(random)

    def act(call):
        visited(call, html, wanted)
        translate(call, english, spanish)
    return Command("open the web page and translate it", {"browser", "translation"}, act)


def written(call, title, rows):
    html = (f"<h1>{title}</h1><table>" + "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
        + "</table>")
    data = base64.b64decode(call("documents", html=html)["odt"])
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        content = file.read("content.xml").decode()
    got = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", content))
    for value in [title, *(str(cell) for row in rows for cell in row)]:
        expect(f" {value} " in f" {got} ", "the document's text", got[:200], value)
    expect("<table:table-row" in content, "the document", content[:80], "a table")


def document(_day, random):
    title = " ".join(inputs.pick(random, inputs.SCREEN_WORDS, 3))
    rows = [(random.choice(inputs.SCREEN_WORDS), random.randint(1000, 9999))
            for _ in range(random.randint(2, 6))]
    text = random.choice(["write a report", "make a document of this"])
    return Command(text, {"documents"}, lambda call: written(call, title, rows))


def chess(_day, random):
    king, pieces, black = endgame.position(random)

    def act(call):
        move = call("chess", fen=endgame.fen(king, pieces, black))["move"]
        then = endgame.after(king, pieces, move)
        expect(then and endgame.mated(*then, black), "the mating move", move,
               endgame.mates(king, pieces, black))
    return Command("what would you play in this chess position?", {"chess"}, act)


def value(expression, x):
    expect(re.fullmatch(r"[0-9x+*/^() -]+", expression), "an expression", expression, "plain")
    return eval(expression.replace("^", "**"), {"__builtins__": {}}, {"x": x})


def product(random):
    return "*".join(f"({random.randint(1, 9)}*x{random.choice('+-')}{random.randint(1, 99)})"
                    for _ in range(random.randint(2, 4)))


def expanded(call, expression):
    got = call("algebra", expression=f"expand({expression})")["value"]
    expect("(" not in got, "the expansion", got, "no bracket")
    for x in (-7, -1, 0, 2, 5, 11):
        expect(value(got, x) == value(expression, x), "the expansion", got, expression)
    return got


def expand(_day, random):
    expression = product(random)
    return Command(f"expand {expression}", {"algebra"}, lambda call: expanded(call, expression))


def differentiate(_day, random):
    terms = [(random.randint(1, 50), power) for power in range(random.randint(2, 6))]
    expression = "+".join(f"{factor}*x^{power}" for factor, power in terms)

    def act(call):
        got = call("algebra", expression=f"diff({expression},x)")["value"]
        for x in (-3, 1, 4, 10):
            wanted = sum(f * p * x ** (p - 1) for f, p in terms if p)
            expect(value(got, x) == wanted, "the derivative", got, expression)
    return Command(f"differentiate {expression}", {"algebra"}, act)


def expand_written(_day, random):
    expression = product(random)

    def act(call):
        got = expanded(call, expression)
        written(call, "expansion", [("result", got)])
    return Command(f"expand {expression} in a document", {"algebra", "documents"}, act)


def note(call, text):
    call("memory", op="remember", text=text)
    found = call("memory", op="recall", text=text, count=1)["found"]
    expect(found == [text], "the note", found, text)


def remember(day, random):
    """Every second one asks for a note of before, which must have been kept."""
    if day.kept and random.random() < 0.6:
        key, text = random.choice(day.kept)

        def act(call):
            found = call("memory", op="recall", text=key, count=1)["found"]
            expect(found == [text], "the note of before", found, text)
        return Command("remind me of what I told you", {"memory"}, act)
    key = f"code{random.randint(10**8, 10**9)}"
    text = f"{key} is for the {random.choice(inputs.SCREEN_WORDS)}"
    day.kept.append((key, text))
    return Command("remember this for me", {"memory"}, lambda call: note(call, text))


def look_up(day, random):
    word, _, gloss = random.choice(day.nouns)
    entry = f"{word}: {gloss}"

    def act(call):
        found = call("memory", op="entries", text=entry, count=10)["found"]
        expect(entry in found, "the entry", found[:2], entry)
    return Command(f"look up {word}", {"memory"}, act)


def talk(_day, random):
    text = random.choice([
        "good morning", "thank you", "how are you today?", "never mind", "that is all for now",
        "you are very kind", "what a nice day", "let me think for a moment", "well done",
        "I shall have some tea", "tell me when you are tired", "good night"])
    return Command(text, set(), lambda call: None)
