#!/usr/bin/python3
"""Each worker by itself: it starts, says that it is ready, serves one request, ends on SIGTERM
and leaves no process. `test_workers.py [--full]`: the light set, or the full one (which wants
`prepare` to have run)."""

import base64
import os
import random
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import components as config  # noqa: E402
import endgame  # noqa: E402
import inputs  # noqa: E402
import ways  # noqa: E402
from manager import Instance  # noqa: E402

KIND = "full" if "--full" in sys.argv else "light"


class WorkerTest(unittest.TestCase):
    """One method a component; a method whose component is not in the set is not made."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hearth-workers-")
        self.mark = os.urandom(8).hex()
        self.components = config.load(KIND)
        self.instances = []
        self.random = random.Random(7)

    def tearDown(self):
        for instance in self.instances:
            instance.stop()
            self.assertEqual(instance.process.returncode, 0, instance.name)
        end = time.monotonic() + 10
        while ways.strays(self.mark) and time.monotonic() < end:
            time.sleep(0.02)
        left = ways.strays(self.mark)
        self.folder.cleanup()
        self.assertEqual(left, [])

    def start(self, name):
        """A ready worker: a function of one request."""
        environment = dict(os.environ)
        environment[ways.TOKEN] = self.mark
        instance = Instance(name, self.components[name], self.folder.name, environment)
        self.instances.append(instance)
        instance.wait_ready()
        return lambda **value: ways.request(instance.endpoint, "/run", value)

    def shown(self, picture):
        screen = self.start("xvfb")
        width, height, rgb = picture
        screen(op="show", width=width, height=height, rgb=inputs.encode(rgb))
        return screen(op="capture", width=width, height=height)["picture"]

    def test_screen_shows_a_window_and_takes_a_picture_of_it(self):
        from PIL import Image
        import io
        width, height, rgb = inputs.text_picture(["winter morning"])
        data = base64.b64decode(self.shown((width, height, rgb)))
        self.assertEqual(Image.open(io.BytesIO(data)).convert("RGB").tobytes(), rgb)

    def test_ocr_reads_the_lines_of_a_picture(self):
        lines = inputs.screen_lines(self.random)
        picture = self.shown(inputs.text_picture(lines))
        self.assertEqual(self.start("ocr")(picture=picture)["lines"], lines)

    def test_proofreader_tells_sentences_from_other_words(self):
        answer = self.start("proofreader")(
            sentences=["a soldier paints the green door", "the the soldier of a"])
        self.assertEqual(answer["correct"], [True, False])

    def test_voice_speaks_and_hearing_understands_it(self):
        wav = self.start("voice")(text="turn off the kitchen radio")["wav"]
        self.assertEqual(
            self.start("hearing")(wav=wav)["text"], "turn off the kitchen radio")

    def test_translation_translates(self):
        english, spanish = inputs.sentence_pair(self.random)
        answer = self.start("translation")(text=english)["text"]
        self.assertEqual(answer.lower().rstrip("."), spanish)

    def test_a_wrong_request_is_answered_and_the_worker_goes_on(self):
        run = self.start("proofreader")
        with self.assertRaisesRegex(RuntimeError, "400"):
            run(nothing="useful")
        self.assertEqual(run(sentences=["a soldier paints the green door"])["correct"], [True])

    def test_a_worker_that_is_ended_while_it_loads_leaves_nothing(self):
        environment = dict(os.environ)
        environment[ways.TOKEN] = self.mark
        instance = Instance("voice", self.components["voice"], self.folder.name, environment)
        end = time.monotonic() + 30
        while len(ways.strays(self.mark)) < 2 and time.monotonic() < end:
            time.sleep(0.002)
        instance.stop()
        self.instances.append(instance)


class FullWorkerTest(WorkerTest):
    """The components that only the full set has."""

    def test_faces_counts_faces(self):
        count, scene = inputs.face_scene(self.random)
        self.assertEqual(len(self.start("faces")(picture=self.shown(scene))["faces"]), count)

    def test_search_finds_a_meaning_by_its_words(self):
        word, _, gloss = self.random.choice(inputs.wordnet_nouns())
        found = self.start("search")(text=f"{word}: {gloss}")["found"]
        self.assertIn(f"{word}: {gloss}", [entry["gloss"] for entry in found])

    def test_vectors_find_the_closest_word(self):
        near = self.start("vectors")(word="mountains", others=["mountain", "hospital"])["near"]
        self.assertGreater(near["mountain"], near["hospital"])

    def test_model_gives_chances_that_add_up(self):
        self.assertAlmostEqual(self.start("model")(text="some words")["sum"], 1.0, places=3)

    def test_browser_runs_a_page(self):
        value = self.start("browser")(
            html="<p id=p></p><script>p.textContent=6*7</script>", expression="p.textContent")
        self.assertEqual(value, {"value": "42"})

    def test_documents_writes_an_opendocument_text(self):
        data = base64.b64decode(self.start("documents")(html="<p>a page</p>")["odt"])
        self.assertIn(b"application/vnd.oasis.opendocument.text", data[:100])

    def test_chess_finds_a_mate(self):
        king, pieces, black = endgame.position(self.random)
        move = self.start("chess")(fen=endgame.fen(king, pieces, black))["move"]
        self.assertIn(move, endgame.mates(king, pieces, black))

    def test_algebra_expands_and_goes_on_after_an_error(self):
        run = self.start("algebra")
        self.assertEqual(run(expression="expand((x+2)^2*(x-1))")["value"], "x^3+3*x^2-4")
        with self.assertRaisesRegex(RuntimeError, "400"):
            run(expression="1/0")
        self.assertEqual(run(expression="6*7")["value"], "42")

    def test_dictionary_defines_a_word(self):
        found = self.start("dictionary")(word="hearth")["definitions"]
        self.assertIn("chimney", found[0]["text"])

    def test_memory_keeps_a_note_over_its_end(self):
        self.start("memory")(op="remember", text="the code is 1234")
        self.instances[-1].stop()
        found = self.start("memory")(op="recall", text="code", count=1)["found"]
        self.assertEqual(found, ["the code is 1234"])


def load_tests(loader, _tests, _pattern):
    made = [WorkerTest] if KIND == "light" else [FullWorkerTest]
    return unittest.TestSuite(loader.loadTestsFromTestCase(one) for one in made)


if __name__ == "__main__":
    unittest.main(argv=[a for a in sys.argv if a != "--full"], verbosity=2)
