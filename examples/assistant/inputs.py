"""What the commands of the day are about: pictures, speech, positions and sentences, all drawn
from a random source, together with what is known about the right answer."""

import base64
import os
import re
import shutil
import subprocess
import tempfile

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
WORDNET = "/usr/share/wordnet/data.noun"

SCREEN_WORDS = (
    "garden window yellow bridge summer winter morning evening river mountain market paper "
    "station teacher doctor farmer kitchen dinner orange banana button carpet copper desert "
    "forest guitar hammer island jacket ladder magnet needle ocean pencil pepper planet rabbit "
    "sailor saddle silver spider stone tiger tunnel valley velvet wagon water wonder").split()

ROOMS = ["kitchen", "bedroom", "bathroom", "garden"]
THINGS = ["lights", "radio", "heating", "television"]
MINUTES = ["two", "five", "ten", "twenty", "thirty", "forty"]

NOUNS = {
    "house": "la casa", "book": "el libro", "table": "la mesa", "tree": "el árbol",
    "window": "la ventana", "bridge": "el puente", "garden": "el jardín", "door": "la puerta",
    "kitchen": "la cocina", "dog": "el perro", "horse": "el caballo", "shirt": "la camisa",
    "hat": "el sombrero", "flower": "la flor", "car": "el coche", "church": "la iglesia",
    "river": "el río"}
ADJECTIVES = {
    "red": "rojo", "white": "blanco", "black": "negro", "yellow": "amarillo",
    "small": "pequeño", "clean": "limpio", "expensive": "caro", "cheap": "barato",
    "old": "viejo", "new": "nuevo", "strange": "extraño"}

SUBJECTS = ["the doctor", "the old farmer", "my neighbour", "the young teacher", "a soldier"]
VERBS = ["reads", "carries", "buys", "finds", "paints", "opens"]
OBJECTS = ["a book", "the heavy box", "a letter", "the green door", "an apple"]
TAILS = ["in the garden", "before lunch", "every morning", "at home", "with great care"]

LONG_WORDS = (
    "mountain television instrument philosopher government restaurant elephant telescope "
    "newspaper university cathedral butterfly professor chemical diamond hospital language "
    "merchant ornament passenger quarter republic triangle vegetable").split()


def pick(random, values, count):
    """So many different values, in random order."""
    return random.sample(list(values), count)


def screen_lines(random):
    return [" ".join(pick(random, SCREEN_WORDS, random.randint(3, 5)))
            for _ in range(random.randint(2, 4))]


def text_picture(lines):
    """A window's contents: (width, height, RGB bytes)."""
    from PIL import Image, ImageDraw, ImageFont
    font = ImageFont.truetype(FONT, 32)
    picture = Image.new("RGB", (1200, 80 + 60 * len(lines)), "white")
    draw = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        draw.text((40, 40 + 60 * row), line, font=font, fill="black")
    return picture.width, picture.height, picture.tobytes()


def draw_face(random, size):
    """One drawn face and its outline, in grey."""
    from PIL import Image, ImageDraw, ImageFilter
    whole = 400
    face, outline = Image.new("L", (whole, whole), 0), Image.new("L", (whole, whole), 0)
    draw = ImageDraw.Draw(face)
    ImageDraw.Draw(outline).ellipse((50, 10, 350, 395), fill=255)
    skin = random.randint(180, 215)
    draw.rectangle((0, 0, whole, whole), fill=skin)
    draw.pieslice((50, -30, 350, 170), 180, 360, fill=50)
    draw.rectangle((50, 0, 350, 70), fill=50)
    for x in (130, 270):
        draw.ellipse((x - 52, 135, x + 52, 205), fill=skin - 70)
        draw.rectangle((x - 48, 130, x + 48, 148), fill=60)
        draw.ellipse((x - 34, 158, x + 34, 192), fill=120)
        draw.ellipse((x - 18, 157, x + 18, 193), fill=30)
    draw.polygon([(190, 170), (210, 170), (235, 270), (165, 270)], fill=min(255, skin + 25))
    draw.ellipse((165, 258, 235, 282), fill=skin - 60)
    draw.ellipse((140, 305, 260, 345), fill=skin - 80)
    draw.line((145, 325, 255, 325), fill=60, width=8)
    draw.ellipse((60, 230, 130, 330), fill=skin + 10)
    draw.ellipse((270, 230, 340, 330), fill=skin + 10)
    return (face.filter(ImageFilter.GaussianBlur(9)).resize((size, size)),
            outline.filter(ImageFilter.GaussianBlur(3)).resize((size, size)))


def face_scene(random):
    """A picture of one to four faces: (their number, (width, height, RGB bytes))."""
    from PIL import Image
    count = random.randint(1, 4)
    scene = Image.new("L", (960, 540), random.randint(100, 140))
    for place in range(count):
        size = random.randint(110, 190)
        corner = (240 * place + random.randint(5, 230 - size), random.randint(10, 520 - size))
        face, outline = draw_face(random, size)
        scene.paste(face, corner, outline)
    scene = scene.convert("RGB")
    return count, (scene.width, scene.height, scene.tobytes())


def spoken_phrase(random):
    if random.random() < 0.2:
        return f"set a timer for {random.choice(MINUTES)} minutes"
    return f"turn {random.choice(['on', 'off'])} the {random.choice(ROOMS)} {random.choice(THINGS)}"


def sentence_pair(random):
    """An English sentence and its Spanish translation."""
    noun, (first, second) = random.choice(list(NOUNS)), pick(random, ADJECTIVES, 2)
    spanish = NOUNS[noun]
    ending = "a" if spanish.startswith("la ") else "o"
    one, two = (ADJECTIVES[a][:-1] + ending for a in (first, second))
    return f"the {first} {noun} is {second}", f"{spanish} {one} es {two}"


def proof_sentences(random):
    """Sentences, each with whether it is English."""
    made = []
    for _ in range(3):
        subject, verb = random.choice(SUBJECTS), random.choice(VERBS)
        thing, tail = random.choice(OBJECTS), random.choice(TAILS)
        if random.random() < 0.5:
            made.append((f"{subject} {verb} {thing} {tail}", True))
        else:
            made.append((f"{thing} {verb} the {subject} of {tail} the", False))
    return made


def wordnet_nouns():
    """Nouns with their definitions: [(word, gloss)], of plain words and a fair length."""
    found = []
    with open(WORDNET, encoding="utf-8") as file:
        for line in file:
            head, _, gloss = line.partition(" | ")
            words = head.split()
            if len(words) > 4 and re.fullmatch(r"[a-z]{4,12}", words[4]):
                gloss = gloss.strip()
                meaning = re.split(r'; "', gloss)[0]
                if 30 <= len(meaning) <= 90 and re.fullmatch(r"[a-z ,]+", meaning):
                    found.append((words[4], meaning, gloss))
    return found


class Speech:
    """Festival, run apart from the components, for what is to be heard or compared."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="hearth-speech-")
        self.process = subprocess.Popen(
            ["festival", "--pipe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)

    def say(self, text):
        """The text as a WAV file's bytes."""
        path = os.path.join(self.folder, "speech.wav")
        self.process.stdin.write((
            f'(utt.save.wave (utt.synth (eval (list (quote Utterance) (quote Text) "{text}")))'
            f' "{path}" (quote riff))\n(begin (format t "done\\n") (fflush nil))\n').encode())
        self.process.stdin.flush()
        if b"done" not in self.process.stdout.readline():
            raise RuntimeError("festival ended")
        with open(path, "rb") as file:
            return file.read()

    def close(self):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def encode(data):
    return base64.b64encode(data).decode()
