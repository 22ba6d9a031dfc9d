"""The examples run as a new user would run them, and show what they say that they show."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import HERE, binary  # noqa: E402

EXAMPLES = os.path.join(os.path.dirname(os.path.dirname(HERE)), "examples")


class Examples(unittest.TestCase):
    def run_example(self, name):
        environment = {**os.environ, "HEARTH": binary(), "PYTHONDONTWRITEBYTECODE": "1"}
        # Where a real Ollama listens it is left alone.
        environment["OLLAMA_HOST"] = "http://127.0.0.1:1"
        done = subprocess.run([os.path.join(EXAMPLES, name, "run")], env=environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_llama_swap_from_its_file_to_an_eviction(self):
        said = self.run_example("llama-swap")
        self.assertIn("hearth.yaml: valid", said)
        self.assertIn("gpt-4o-mini: I am qwen", said)
        self.assertIn("(gemma was cold", said)
        self.assertIn("it conflicts with gemma", said)

    def test_ollama_or_a_stand_in_of_it(self):
        said = self.run_example("ollama")
        self.assertIn("this is a stand-in", said)
        self.assertIn("large:latest: I am large:latest", said)
        last = said[said.rindex("$ hearth ps"):]
        self.assertRegex(last, r"small +unloaded")
        self.assertRegex(last, r"large +ready")

    def test_plain_programs_by_command_and_by_name(self):
        said = self.run_example("processes")
        self.assertIn("chat needs its memory", said)
        self.assertIn("auto: I am vision", said)


if __name__ == "__main__":
    unittest.main()
