"""The published Python clients of OpenAI, Anthropic and Ollama, through the gateway."""

import unittest
from concurrent.futures import ThreadPoolExecutor

import anthropic
import ollama
import openai

from served import SAID, Hold, ServedTest, model, slow_model, wait_for

SPOKEN = SAID.format("llama")
HELLO = [{"role": "user", "content": "hello"}]
VECTOR = [0.5, -0.25, 0.125]


class OpenAI(ServedTest):
    components = {"llama": model("llama", aliases=["meta/llama:8b"]), "other": model("other")}

    def setUp(self):
        self.client = openai.OpenAI(base_url=self.base + "/v1", api_key="none", timeout=30)
        self.addCleanup(self.client.close)

    def chat(self, **fields):
        return self.client.chat.completions.create(
            **{"model": "llama", "messages": HELLO, **fields})

    def test_models_are_listed(self):
        listed = [found.id for found in self.client.models.list()]
        self.assertEqual(listed, ["llama", "meta/llama:8b", "other"])
        self.assertEqual(self.client.models.retrieve("meta/llama:8b").id, "meta/llama:8b")

    def test_chat(self):
        answer = self.chat()
        self.assertEqual(answer.choices[0].message.content, SPOKEN)
        self.assertEqual(answer.usage.total_tokens, 8)
        named = self.client.chat.completions.with_raw_response.create(
            model="meta/llama:8b", messages=HELLO)
        self.assertEqual(named.headers["X-Hearth-Component"], "llama")
        self.assertEqual(named.parse().choices[0].message.content, SPOKEN)

    def test_a_streamed_chat_comes_as_it_is_made(self):
        hold = Hold(self.base, "llama")
        with self.chat(stream=True, extra_body=hold.wish) as stream:
            pieces = hold.pieces(stream, lambda chunk: chunk.choices[0].delta.content)
        self.assertEqual((len(pieces), "".join(pieces)), (5, SPOKEN))

    def test_completions_whole_and_streamed(self):
        whole = self.client.completions.create(model="llama", prompt="hello")
        self.assertEqual(whole.choices[0].text, SPOKEN)
        hold = Hold(self.base, "llama")
        with self.client.completions.create(model="llama", prompt="hello", stream=True,
                                            extra_body=hold.wish) as stream:
            pieces = hold.pieces(stream, lambda chunk: chunk.choices[0].text)
        self.assertEqual("".join(pieces), SPOKEN)

    def test_embeddings(self):
        answer = self.client.embeddings.create(model="llama", input=["one", "two"])
        self.assertEqual([row.embedding for row in answer.data], [VECTOR, VECTOR])

    def test_a_recording_in_a_form(self):
        heard = self.client.audio.transcriptions.create(
            model="llama", file=("said.wav", b"RIFF" + bytes(100_000), "audio/wav"))
        self.assertEqual(heard.text, SPOKEN)

    def test_an_unknown_model_is_its_own_exception(self):
        with self.assertRaises(openai.NotFoundError) as raised:
            self.chat(model="lama")
        self.assertEqual(raised.exception.code, "model_not_found")
        self.assertEqual(raised.exception.status_code, 404)
        self.assertIn("`llama`", raised.exception.message)
        with self.assertRaises(openai.NotFoundError):
            self.chat(model="lama", stream=True)
        with self.assertRaises(openai.NotFoundError):
            self.client.models.retrieve("lama")

    def test_a_stream_that_is_closed_early_ends_at_the_component(self):
        stream = self.chat(model="other", stream=True,
                           extra_body=Hold(self.base, "other").wish)
        self.assertTrue(next(iter(stream)).choices)
        self.assertEqual(self.server.row("other")["leases"], 1)
        stream.close()
        wait_for(lambda: self.server.row("other")["leases"] == 0, "its lease has ended", 15)


class Anthropic(ServedTest):
    components = {"llama": model("llama")}

    def setUp(self):
        self.client = anthropic.Anthropic(base_url=self.base, api_key="none", timeout=30)
        self.addCleanup(self.client.close)

    def ask(self, **fields):
        return {"model": "llama", "max_tokens": 16, "messages": HELLO, **fields}

    def test_models_are_listed(self):
        self.assertEqual([found.id for found in self.client.models.list()], ["llama"])
        self.assertEqual(self.client.models.retrieve("llama").display_name, "llama")

    def test_messages(self):
        message = self.client.messages.create(**self.ask())
        self.assertEqual(message.content[0].text, SPOKEN)
        self.assertEqual((message.stop_reason, message.usage.output_tokens), ("end_turn", 5))

    def test_streamed_messages_come_as_they_are_made(self):
        hold = Hold(self.base, "llama")
        with self.client.messages.stream(**self.ask(), extra_body=hold.wish) as stream:
            pieces = hold.pieces(stream.text_stream, lambda text: text)
            whole = stream.get_final_message()
        self.assertEqual((len(pieces), "".join(pieces)), (5, SPOKEN))
        self.assertEqual(whole.content[0].text, SPOKEN)

    def test_tokens_are_counted(self):
        counted = self.client.messages.count_tokens(model="llama", messages=HELLO)
        self.assertEqual(counted.input_tokens, 3)

    def test_an_unknown_model_is_its_own_exception(self):
        with self.assertRaises(anthropic.NotFoundError) as raised:
            self.client.messages.create(**self.ask(model="lama"))
        self.assertEqual(raised.exception.body["error"]["type"], "not_found_error")
        self.assertIn("did you mean `llama`?", raised.exception.message)
        with self.assertRaises(anthropic.NotFoundError):
            with self.client.messages.stream(**self.ask(model="lama")) as stream:
                list(stream)


class Ollama(ServedTest):
    components = {"llama": model("llama")}

    def setUp(self):
        self.client = ollama.Client(host=self.base, timeout=30)
        self.addCleanup(self.client.close)

    def test_models_are_listed(self):
        self.assertIn("llama", [found.model for found in self.client.list().models])

    def test_what_is_loaded_is_listed(self):
        self.client.chat("llama", HELLO)
        self.assertIn("llama", [found.model for found in self.client.ps().models])

    def test_a_model_is_shown(self):
        self.assertIsNotNone(self.client.show("llama"))
        with self.assertRaises(ollama.ResponseError):
            self.client.show("lama")

    def test_chat(self):
        answer = self.client.chat("llama", HELLO)
        self.assertEqual(answer.message.content, SPOKEN)
        self.assertEqual((answer.done_reason, answer.eval_count), ("stop", 5))

    def test_a_streamed_chat_comes_as_it_is_made(self):
        hold = Hold(self.base, "llama")
        stream = self.client.chat("llama", HELLO, stream=True, options=hold.wish)
        pieces = hold.pieces(stream, lambda piece: piece.message.content)
        self.assertEqual((len(pieces), "".join(pieces)), (5, SPOKEN))

    def test_generate_whole_and_streamed(self):
        self.assertEqual(self.client.generate("llama", "hello").response, SPOKEN)
        hold = Hold(self.base, "llama")
        stream = self.client.generate("llama", "hello", stream=True, options=hold.wish)
        self.assertEqual("".join(hold.pieces(stream, lambda piece: piece.response)), SPOKEN)

    def test_embeddings(self):
        answer = self.client.embed("llama", ["one", "two"])
        self.assertEqual([list(row) for row in answer.embeddings], [VECTOR, VECTOR])
        self.assertEqual(list(self.client.embeddings("llama", "one").embedding), VECTOR)

    def test_an_unknown_model_is_its_own_exception(self):
        with self.assertRaises(ollama.ResponseError) as raised:
            self.client.chat("lama", HELLO)
        self.assertEqual(raised.exception.status_code, 404)
        self.assertIn("did you mean `llama`?", raised.exception.error)
        with self.assertRaises(ollama.ResponseError):
            list(self.client.chat("lama", HELLO, stream=True))


class WhileItLoads(ServedTest):
    """A client gets comments of the event stream until the component is ready, or an error.

    Longer than the few seconds that a comment may take; the two clients wait at the same time.
    """

    components = {
        "patient": slow_model("patient", 5),
        "broken": {"cmd": "sleep 5; exit 1", "shell": True, "ready": {"tcp": True},
                   "memory": "20MiB"}}
    sections = {"gateway": {"keep_alive": "200ms"}, "loading": {"attempts": 1}}

    def openai_says(self, name):
        with openai.OpenAI(base_url=self.base + "/v1", api_key="none", timeout=30,
                           max_retries=0) as client:
            with client.chat.completions.create(model=name, messages=HELLO,
                                                stream=True) as stream:
                state = self.server.state_of(name)
                return state, "".join(chunk.choices[0].delta.content for chunk in stream)

    def anthropic_says(self, name):
        with anthropic.Anthropic(base_url=self.base, api_key="none", timeout=30,
                                 max_retries=0) as client:
            with client.messages.stream(model=name, max_tokens=16, messages=HELLO) as stream:
                state = self.server.state_of(name)
                return state, "".join(stream.text_stream)

    def ask_both(self, name):
        with ThreadPoolExecutor(2) as pool:
            return [pool.submit(say, name) for say in (self.openai_says, self.anthropic_says)]

    def test_comments_are_read_over(self):
        for found in self.ask_both("patient"):
            self.assertEqual(found.result(), ("loading", SAID.format("patient")))

    def test_a_load_that_fails_is_told_in_the_stream(self):
        by_openai, by_anthropic = [found.exception() for found in self.ask_both("broken")]
        # Not a status: the stream had begun.
        self.assertIs(type(by_openai), openai.APIError)
        self.assertIn("broken", by_openai.message)
        self.assertIsInstance(by_anthropic, anthropic.APIError)
        self.assertIn("broken", str(by_anthropic))


if __name__ == "__main__":
    unittest.main()
