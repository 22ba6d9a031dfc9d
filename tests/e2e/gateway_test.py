"""Requests for components, through the gateway of a real daemon."""

import json
import os
import socket
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import HERE, PYTHON, DaemonTest, wait_for  # noqa: E402

SERVER = os.path.join(HERE, "model_server.py")
CHAT = "/v1/chat/completions"


def model(name, *options, **keys):
    command = [PYTHON, SERVER, "${PORT}", name, *map(str, options)]
    return {"cmd": command, "ready": {"http": "/health"}, "memory": "60MiB", **keys}


class Gateway(DaemonTest):
    def chat(self, daemon, name, headers=None, path=CHAT, **fields):
        return daemon.ask("POST", path, {"model": name, "messages": [], **fields}, headers)

    def test_the_model_that_is_named_answers(self):
        daemon = self.daemon({"llama": model("llama", aliases=["meta/llama:8b"]),
                              "other": model("other")})
        cold = self.assert_status(self.chat(daemon, "llama", nonce=1), 200)
        self.assertEqual((cold.json["name"], cold.json["nonce"]), ("llama", 1))
        self.assertEqual(cold.headers["X-Hearth-State"], "cold")
        self.assertGreater(int(cold.headers["X-Hearth-Wait-Ms"]), 0)
        warm = self.assert_status(self.chat(daemon, "meta/llama:8b", nonce=2), 200)
        self.assertEqual((warm.json["name"], warm.json["nonce"]), ("llama", 2))
        self.assertEqual(warm.headers["X-Hearth-State"], "warm")
        self.assertEqual(daemon.state_of("other"), "unloaded")
        row = daemon.row("llama")
        self.assertEqual((row["uses"], row["warm_uses"]), (2, 1))
        wait_for(lambda: daemon.row("llama")["leases"] == 0, "the lease ends with the answer")
        listed = [entry["id"] for entry in daemon.get("/v1/models")["data"]]
        self.assertEqual(listed, ["llama", "meta/llama:8b", "other"])

    def test_any_path_is_reached_below_upstream(self):
        daemon = self.daemon({"llama": model("llama")})
        answer = self.assert_status(daemon.ask("GET", "/upstream/llama/slots?x=1"), 200)
        self.assertEqual(answer.json, {"name": "llama", "path": "/slots?x=1"})

    def test_a_stream_comes_whole_and_holds_its_component(self):
        daemon = self.daemon({"llama": model("llama", "--pause", 0.05)})
        got = self.assert_status(self.chat(daemon, "llama", stream=True), 200)
        events = [line for line in got.body.decode().split("\n") if line.startswith("data: ")]
        self.assertEqual(len(events), 6)
        self.assertEqual(events[-1], "data: [DONE]")

    def test_a_component_that_dies_in_a_stream_is_told_and_comes_back(self):
        daemon = self.daemon({"llama": model("llama"), "other": model("other")})
        got = self.assert_status(self.chat(daemon, "llama", stream=True, die=True), 200)
        last = got.body.decode().strip().split("\n")[-1]
        error = json.loads(last.removeprefix("data: "))["error"]
        self.assertIn("middle of its answer", error["message"])
        self.assert_status(self.chat(daemon, "other"), 200)
        again = wait_for(lambda: (lambda a: a if a.status == 200 else None)(
            self.chat(daemon, "llama")), "it is loaded again")
        self.assertEqual(again.json["name"], "llama")

    def test_a_client_that_hangs_up_frees_its_component(self):
        daemon = self.daemon({"llama": model("llama", "--pause", 30)})
        self.assert_status(daemon.ask("POST", "/v1/components/llama/load"), 200)
        address = daemon.address()["http"].split("//")[1]
        host, port = address.split(":")
        body = json.dumps({"model": "llama"})
        with socket.create_connection((host, int(port))) as client:
            client.sendall((f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                            f"{len(body)}\r\n\r\n{body}").encode())
            wait_for(lambda: daemon.row("llama")["leases"] == 1, "it is leased")
        wait_for(lambda: daemon.row("llama")["leases"] == 0, "the lease has ended")

    def test_two_that_do_not_fit_together_take_turns(self):
        daemon = self.daemon({name: model(name, "--mb", 60, "--pause", 0.02, memory="100MiB")
                              for name in ("one", "two")},
                             memory={"budget": "150MiB"})
        wrong, served = [], {"one": 0, "two": 0}
        lock = threading.Lock()

        def client(name, number):
            for turn in range(12):
                nonce = number * 1000 + turn
                answer = self.chat(daemon, name, nonce=nonce)
                with lock:
                    if answer.status != 200 or answer.json["name"] != name \
                            or answer.json["nonce"] != nonce:
                        wrong.append((name, answer.status, answer.body))
                    served[name] += 1

        threads = [threading.Thread(target=client, args=(name, number))
                   for number, name in enumerate(["one", "two"] * 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(served, {"one": 48, "two": 48})
        loads = sum(daemon.row(name)["loads"] for name in served)
        self.assertLess(loads, 48, "they come and go with every request")

    def test_what_is_unknown_is_told_in_the_shape_of_each_api(self):
        daemon = self.daemon({"llama": model("llama")})
        openai = self.assert_status(self.chat(daemon, "lama"), 404).json["error"]
        self.assertEqual((openai["code"], openai["near"]), ("model_not_found", ["llama"]))
        anthropic = self.assert_status(self.chat(daemon, "lama", path="/v1/messages"), 404)
        self.assertEqual(anthropic.json["error"]["type"], "not_found_error")
        ollama = self.assert_status(self.chat(daemon, "lama", path="/api/chat"), 404).json
        self.assertIn("did you mean `llama`?", ollama["error"])

    def test_auto_follows_what_is_said(self):
        daemon = self.daemon({"llama": model("llama", keywords=["poem"]),
                              "coder": model("coder", keywords=["compile"])})
        said = [{"role": "user", "content": "why does this not compile?"}]
        answer = self.assert_status(self.chat(daemon, "auto", messages=said), 200)
        self.assertEqual(answer.json["name"], "coder")
        self.assertEqual(daemon.row("coder")["uses"], 0, "what auto chose is no use")
        self.assertEqual(self.chat(daemon, "auto", messages=[
            {"role": "user", "content": "hello"}]).status, 404)

    def test_a_large_body_is_passed_on(self):
        daemon = self.daemon({"llama": model("llama")})
        answer = self.assert_status(self.chat(daemon, "llama", padding="x" * 30_000_000), 200)
        self.assertGreater(answer.json["bytes"], 30_000_000)

    def test_warming_alone_answers_at_once(self):
        daemon = self.daemon({"llama": model("llama")})
        answer = self.assert_status(
            self.chat(daemon, "llama", headers={"X-Hearth-Preload": "only"}), 202)
        self.assertEqual(answer.json, {"component": "llama", "preload": True})
        daemon.wait_state("llama", "ready")


if __name__ == "__main__":
    unittest.main()
