"""What a model server answers, in the shapes of OpenAI, Anthropic and Ollama.

`whole(path, asked, name)` is one answer, as a dict; `pieces(path, asked, name)` the same in a
stream, as its content type and a list of bytes. What is said is `said(name)`, in as many pieces as
it has words.
"""

import base64
import json
import struct

VECTOR = [0.5, -0.25, 0.125]
CREATED = 1700000000
USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
OLLAMA_END = {"done": True, "done_reason": "stop", "total_duration": 9, "load_duration": 1,
              "prompt_eval_count": 3, "prompt_eval_duration": 4, "eval_count": 5,
              "eval_duration": 4}


def said(name):
    return f"{name} says five words here"


def words(name):
    """Its pieces; they join to the whole."""
    first, *more = said(name).split(" ")
    return [first, *(" " + word for word in more)]


def is_streamed(path, asked):
    """Ollama streams unless it is told not to; the others only if they are told to."""
    is_default = path in ("/api/chat", "/api/generate")
    return asked.get("stream", is_default)


def inputs(asked):
    given = asked.get("input", asked.get("prompt", ""))
    return given if isinstance(given, list) else [given]


def vector(asked):
    if asked.get("encoding_format") != "base64":
        return VECTOR
    return base64.b64encode(struct.pack(f"<{len(VECTOR)}f", *VECTOR)).decode()


def embeddings(asked, model):
    data = [{"object": "embedding", "index": number, "embedding": vector(asked)}
            for number, _ in enumerate(inputs(asked))]
    return {"object": "list", "data": data, "model": model,
            "usage": {"prompt_tokens": 3, "total_tokens": 3}}


def chat_choice(name):
    return {"index": 0, "finish_reason": "stop", "logprobs": None,
            "message": {"role": "assistant", "content": said(name)}}


def anthropic_message(model, content, usage):
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": model,
            "content": content, "stop_reason": "end_turn" if content else None,
            "stop_sequence": None, "usage": usage}


def ollama(model, **fields):
    return {"model": model, "created_at": "2024-01-01T00:00:00Z", **fields}


def whole(path, asked, name):
    model = asked.get("model", name)
    opened = {"created": CREATED, "model": model}
    shapes = {
        "/v1/chat/completions": lambda: {"id": "chatcmpl-1", "object": "chat.completion", **opened,
                                         "choices": [chat_choice(name)], "usage": USAGE},
        "/v1/completions": lambda: {"id": "cmpl-1", "object": "text_completion", **opened,
                                    "choices": [{"index": 0, "text": said(name), "logprobs": None,
                                                 "finish_reason": "stop"}], "usage": USAGE},
        "/v1/embeddings": lambda: embeddings(asked, model),
        "/v1/audio/transcriptions": lambda: {"text": said(name)},
        "/v1/messages": lambda: anthropic_message(
            model, [{"type": "text", "text": said(name)}],
            {"input_tokens": 3, "output_tokens": 5}),
        "/v1/messages/count_tokens": lambda: {"input_tokens": 3},
        "/api/chat": lambda: ollama(
            model, message={"role": "assistant", "content": said(name)}, **OLLAMA_END),
        "/api/generate": lambda: ollama(model, response=said(name), **OLLAMA_END),
        "/api/embed": lambda: {"model": model, "embeddings": [VECTOR for _ in inputs(asked)],
                               "total_duration": 9, "load_duration": 1, "prompt_eval_count": 3},
        "/api/embeddings": lambda: {"embedding": VECTOR},
    }
    return shapes.get(path, dict)()


def event(data, kind=None):
    head = f"event: {kind}\n" if kind else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def openai_pieces(asked, name):
    texts = words(name)
    for number, text in enumerate(texts):
        choice = {"index": 0, "logprobs": None, "delta": {"role": "assistant", "content": text},
                  "finish_reason": "stop" if number + 1 == len(texts) else None}
        yield event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": CREATED,
                     "model": asked.get("model", name), "choices": [choice],
                     "name": name, "number": number})
    yield b"data: [DONE]\n\n"


def completion_pieces(asked, name):
    for text in words(name):
        yield event({"id": "cmpl-1", "object": "text_completion", "created": CREATED,
                     "model": asked.get("model", name),
                     "choices": [{"index": 0, "text": text, "logprobs": None,
                                  "finish_reason": None}]})
    yield b"data: [DONE]\n\n"


def anthropic_pieces(asked, name):
    begun = anthropic_message(asked.get("model", name), [],
                              {"input_tokens": 3, "output_tokens": 0})
    first, *more = words(name)

    def delta(text):
        return event({"type": "content_block_delta", "index": 0,
                      "delta": {"type": "text_delta", "text": text}}, "content_block_delta")

    yield (event({"type": "message_start", "message": begun}, "message_start") +
           event({"type": "content_block_start", "index": 0,
                  "content_block": {"type": "text", "text": ""}}, "content_block_start") +
           event({"type": "ping"}, "ping") + delta(first))
    for text in more:
        yield delta(text)
    yield event({"type": "content_block_stop", "index": 0}, "content_block_stop")
    yield event({"type": "message_delta", "usage": {"output_tokens": 5},
                 "delta": {"stop_reason": "end_turn", "stop_sequence": None}}, "message_delta")
    yield event({"type": "message_stop"}, "message_stop")


def ollama_pieces(path, asked, name):
    model = asked.get("model", name)

    def line(text, **fields):
        what = ({"message": {"role": "assistant", "content": text}} if path == "/api/chat"
                else {"response": text})
        return json.dumps(ollama(model, **what, **fields)).encode() + b"\n"

    for text in words(name):
        yield line(text, done=False)
    yield line("", **OLLAMA_END)


def pieces(path, asked, name):
    if path in ("/api/chat", "/api/generate"):
        return "application/x-ndjson", ollama_pieces(path, asked, name)
    if path == "/v1/messages":
        return "text/event-stream", anthropic_pieces(asked, name)
    if path == "/v1/completions":
        return "text/event-stream", completion_pieces(asked, name)
    return "text/event-stream", openai_pieces(asked, name)
