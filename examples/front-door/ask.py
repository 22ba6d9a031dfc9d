#!/usr/bin/env python3
"""One chat, as any client of OpenAI or Ollama would have it, and what Hearth says of it.

    ask.py BASE_URL MODEL TEXT [--ollama]
"""

import json
import sys
import urllib.request


def main():
    url, model, text = sys.argv[1:4]
    is_ollama = "--ollama" in sys.argv
    path = "/api/chat" if is_ollama else "/v1/chat/completions"
    body = {"model": model, "messages": [{"role": "user", "content": text}], "stream": False}
    request = urllib.request.Request(url + path, json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        told = json.load(answer)
        message = told["message"] if is_ollama else told["choices"][0]["message"]
        print(f"{model}: {message['content']}")
        print(f"  ({answer.headers['X-Hearth-Component']} was {answer.headers['X-Hearth-State']}, "
              f"ready after {answer.headers['X-Hearth-Wait-Ms']} ms)")


if __name__ == "__main__":
    main()
