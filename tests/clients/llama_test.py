"""llama.cpp's real server behind the gateway: what it says, what it holds, how two take turns.

The models are of random weights: what they say means nothing, but the same model asked the same,
without chance, says the same.
"""

import time
import unittest

import anthropic
import openai

from served import ServedTest, held_by, llama, wait_for, weights

SMALL = (128, 2)
LARGE = (1024, 5)
ASKED = {"messages": [{"role": "user", "content": "hello there"}], "max_tokens": 24}
MIB = 1 << 20


class LlamaTest(ServedTest):
    def setUp(self):
        self.openai = openai.OpenAI(base_url=self.base + "/v1", api_key="none", timeout=60)
        self.addCleanup(self.openai.close)

    def say(self, name, **fields):
        answer = self.openai.chat.completions.create(
            **{"model": name, "temperature": 0, **ASKED, **fields})
        return answer.choices[0].message.content

    def unload(self, name):
        wait_for(lambda: self.server.row(name)["leases"] == 0, f"{name} is not held")
        self.assert_status(
            self.server.ask("POST", f"/v1/components/{name}/unload"), 200)


class Speaks(LlamaTest):
    @classmethod
    def setUpClass(cls):
        path = weights(*SMALL)
        cls.components = {"small": llama(path), "vectors": llama(path, "--embeddings")}
        super().setUpClass()

    def test_chat_whole_and_streamed(self):
        whole = self.say("small")
        with self.openai.chat.completions.create(model="small", temperature=0, stream=True,
                                                 **ASKED) as stream:
            pieces = [chunk.choices[0].delta.content for chunk in stream if chunk.choices]
        pieces = [piece for piece in pieces if piece]
        self.assertEqual("".join(pieces), whole)
        self.assertEqual(len(pieces), ASKED["max_tokens"], "a piece for each token")

    def test_completion(self):
        answer = self.openai.completions.create(model="small", prompt="hello", max_tokens=8)
        self.assertEqual(answer.usage.completion_tokens, 8)
        self.assertTrue(answer.choices[0].text)

    def test_responses_whole_and_streamed(self):
        asked = {"model": "small", "input": "hello", "max_output_tokens": 8, "temperature": 0}
        whole = self.openai.responses.create(**asked).output_text
        self.assertTrue(whole)
        with self.openai.responses.create(stream=True, **asked) as stream:
            pieces = [event.delta for event in stream
                      if event.type == "response.output_text.delta"]
        self.assertEqual("".join(pieces), whole)

    def test_embeddings(self):
        answer = self.openai.embeddings.create(model="vectors", input=["hello", "there", "hello"])
        first, other, again = [row.embedding for row in answer.data]
        self.assertEqual(len(first), SMALL[0])
        self.assertNotEqual(first, other)
        self.assertLess(max(abs(a - b) for a, b in zip(first, again)), 1e-3)

    def test_anthropic_messages_whole_and_streamed(self):
        with anthropic.Anthropic(base_url=self.base, api_key="none", timeout=60) as client:
            asked = {"model": "small", "extra_body": {"temperature": 0}, **ASKED}
            whole = client.messages.create(**asked)
            self.assertEqual(whole.usage.output_tokens, ASKED["max_tokens"])
            with client.messages.stream(**asked) as stream:
                self.assertEqual("".join(stream.text_stream), whole.content[0].text)

    def test_it_says_the_same_after_it_was_away(self):
        said = self.say("small")
        loads = self.server.row("small")["loads"]
        self.unload("small")
        self.assertEqual(self.server.state_of("small"), "unloaded")
        self.assertEqual(self.say("small"), said)
        self.assertEqual(self.server.row("small")["loads"], loads + 1)

    def test_an_error_of_the_server_is_passed_on(self):
        with self.assertRaises(openai.BadRequestError) as raised:
            self.say("small", messages=[{"role": "user", "content": "hello " * 2000}])
        self.assertIn("context", raised.exception.message)


class Holds(LlamaTest):
    """One maps its weights, one reads them; Hearth's figures against the kernel's."""

    @classmethod
    def setUpClass(cls):
        cls.path = weights(*LARGE)
        cls.size = cls.path_size()
        cls.components = {"mapped": llama(cls.path, "--load", "mmap", memory="250MiB"),
                          "read": llama(cls.path, "--load", "read", memory="250MiB")}
        super().setUpClass()

    @classmethod
    def path_size(cls):
        with open(cls.path, "rb") as file:
            return file.seek(0, 2)

    def compare(self, name):
        """Hearth's figures of a component once they agree with smaps, to a tenth and 4 MiB."""
        def figures():
            row = self.server.row(name)
            memory = row["memory"]
            anonymous, backed = held_by([row["pid"], row["supervisor_pid"]])
            shown = memory["file_exclusive_bytes"] + memory["file_shared_bytes"]
            seen = (memory["anonymous_bytes"], anonymous, shown, backed)
            self.seen = seen
            near = all(abs(a - b) < 4 * MIB + b / 10 for a, b in ((seen[0], seen[1]),
                                                                 (seen[2], seen[3])))
            return memory if near else None
        try:
            return wait_for(figures, "its figures agree", 30)
        except AssertionError:
            self.fail(f"anonymous, by smaps, file-backed, by smaps: {self.seen}")

    def test_mapped_and_read_weights_are_told_apart(self):
        said = self.say("mapped", max_tokens=8)
        self.assertEqual(self.say("read", max_tokens=8), said)
        self.assertGreater(self.size, 100_000_000)
        mapped, read = self.compare("mapped"), self.compare("read")
        self.assertGreater(read["anonymous_bytes"], self.size * 0.9)
        self.assertLess(mapped["anonymous_bytes"], self.size * 0.5)
        self.assertGreater(mapped["file_exclusive_bytes"] + mapped["file_shared_bytes"],
                           self.size * 0.9)
        self.assertGreater(self.server.row("read")["peak_bytes"], self.size * 0.9)


class TakeTurns(LlamaTest):
    @classmethod
    def setUpClass(cls):
        path = weights(*LARGE)
        cls.components = {name: llama(path, "--load", "read", memory="190MiB")
                          for name in ("first", "second")}
        cls.sections = {"memory": {"budget": "200MiB"}}
        super().setUpClass()

    def test_two_that_do_not_fit_together_come_and_go(self):
        said = self.say("first", max_tokens=4)
        for round_number in (1, 2):
            for name, other in (("second", "first"), ("first", "second")):
                begun = time.monotonic()
                self.assertEqual(self.say(name, max_tokens=4), said)
                self.assertLess(time.monotonic() - begun, 30)
                self.assertEqual(self.server.state_of(other), "unloaded")
            self.assertEqual(self.server.row("second")["loads"], round_number)
        self.assertEqual(self.server.row("first")["loads"], 3)
        self.assertEqual(self.server.row("first")["failures"], 0)


if __name__ == "__main__":
    unittest.main()
