"""Interfaces of Ollama, llama-swap and llama.cpp; and a server that is not ours."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import HERE, PYTHON, DaemonTest, wait_for  # noqa: E402

SERVER = os.path.join(HERE, "model_server.py")
HELLO = [{"role": "user", "content": "hello"}]
STAND_IN = os.path.join(HERE, "stand_in_ollama.py")


def model(name, *options, **keys):
    command = [PYTHON, SERVER, "${PORT}", name, *map(str, options)]
    return {"cmd": command, "ready": {"http": "/health"}, "memory": "60MiB", **keys}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Compatible(DaemonTest):
    def chat(self, daemon, name, **fields):
        return daemon.ask("POST", "/api/chat",
                          {"model": name, "messages": HELLO, "stream": False, **fields})

    def test_lists_and_properties_wake_nothing(self):
        daemon = self.daemon({"llama": model("llama", aliases=["meta/llama:8b"])})
        for path in ("/api/tags", "/api/ps", "/api/version", "/running", "/health", "/props",
                     "/models", "/v1/models"):
            self.assert_status(daemon.ask("GET", path), 200)
        self.assert_status(daemon.ask("POST", "/api/show", {"model": "meta/llama:8b"}), 200)
        self.assertEqual(daemon.state_of("llama"), "unloaded")
        tags = [entry["model"] for entry in daemon.get("/api/tags")["models"]]
        self.assertEqual(tags, ["llama", "meta/llama:8b"])
        self.assertEqual(daemon.get("/api/ps"), {"models": []})
        self.assertEqual(daemon.get("/running"), {"running": []})
        self.assertEqual(daemon.get("/models")["data"][0]["status"]["value"], "unloaded")
        unknown = self.assert_status(daemon.ask("POST", "/api/show", {"model": "lama"}), 404)
        self.assertIn("llama", unknown.json["error"])

    def test_what_runs_is_told_in_their_words_and_unloaded_by_them(self):
        daemon = self.daemon({"llama": model("llama"), "other": model("other")})
        for name in ("llama", "other"):
            self.assert_status(self.chat(daemon, name), 200)
        running = {entry["model"]: entry for entry in daemon.get("/running")["running"]}
        self.assertEqual({name: entry["state"] for name, entry in running.items()},
                         {"llama": "ready", "other": "ready"})
        self.assertTrue(running["llama"]["proxy"].startswith("http://127.0.0.1:"))
        shown = {entry["name"]: entry["size"] for entry in daemon.get("/api/ps")["models"]}
        self.assertEqual(set(shown), {"llama", "other"})
        self.assert_status(daemon.ask("POST", "/api/models/unload/llama"), 200)
        self.assertEqual(daemon.state_of("llama"), "unloaded")
        self.assertEqual(daemon.state_of("other"), "ready")
        self.assert_status(daemon.ask("GET", "/unload"), 200)
        self.assertEqual(daemon.state_of("other"), "unloaded")

    def test_a_command_line_client_need_not_say_that_it_is_json(self):
        daemon = self.daemon({"llama": model("llama")})
        connection = daemon.connection()
        for path, body in (("/api/show", '{"model":"llama"}'), ("/api/models/unload", "")):
            connection.request("POST", path, body,
                               {"Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            self.assertEqual((answer.status, path), (200, path), answer.read())
            answer.read()
        connection.close()

    def test_keep_alive_is_a_wish(self):
        daemon = self.daemon({"llama": model("llama", ttl="400ms"), "other": model("other")})
        self.assert_status(self.chat(daemon, "llama", keep_alive="10m"), 200)
        wait_for(lambda: daemon.row("llama")["leases"] == 1, "it is held after the answer")
        time.sleep(0.8)
        self.assertEqual(daemon.state_of("llama"), "ready")
        self.assert_status(self.chat(daemon, "llama", keep_alive=-1), 200)
        wait_for(lambda: daemon.row("llama")["leases"] == 1, "by one lease, not by two")
        self.assert_status(self.chat(daemon, "other", keep_alive=-1), 200)
        self.assert_status(self.chat(daemon, "other", keep_alive=0), 200)
        wait_for(lambda: daemon.state_of("other") == "unloaded", "0 is: gone after the answer")
        self.assert_status(self.chat(daemon, "llama", keep_alive=-1), 200)
        self.assert_status(daemon.ask("GET", "/unload"), 200)
        self.assertEqual(daemon.state_of("llama"), "unloaded", "what is kept alive is not in use")

    def test_to_come_and_to_go_is_asked_without_a_prompt(self):
        daemon = self.daemon({"llama": model("llama")})
        went = self.assert_status(self.chat(daemon, "llama", messages=[], keep_alive=0), 200)
        self.assertEqual(went.json["done_reason"], "unload")
        self.assertEqual(daemon.state_of("llama"), "unloaded", "nothing is loaded to be unloaded")
        came = self.assert_status(daemon.ask("POST", "/api/generate", {"model": "llama"}), 200)
        self.assertEqual(came.json["done_reason"], "load")
        self.assertEqual(daemon.state_of("llama"), "ready")
        self.assert_status(self.chat(daemon, "llama", messages=[], keep_alive=0), 200)
        wait_for(lambda: daemon.state_of("llama") == "unloaded", "it is gone")

    def test_to_go_while_another_speaks_is_done_when_that_one_has_ended(self):
        daemon = self.daemon({"llama": model("llama")})
        lease = self.assert_status(
            daemon.ask("POST", "/v1/leases", {"components": ["llama"]}), 200).json["lease"]
        self.assert_status(self.chat(daemon, "llama", messages=[], keep_alive=0), 200)
        time.sleep(0.3)
        self.assertEqual(daemon.state_of("llama"), "ready", "somebody holds it")
        self.assert_status(daemon.ask("DELETE", "/v1/leases/" + lease), 200)
        wait_for(lambda: daemon.state_of("llama") == "unloaded", "the wish is remembered")
        self.assert_status(daemon.ask("POST", "/v1/leases",
                                      {"components": ["llama"], "owner": "keep_alive"}), 400)

    def test_a_client_does_not_send_a_core_component_away(self):
        daemon = self.daemon({"llama": model("llama", priority="core")})
        wait_for(lambda: daemon.state_of("llama") == "ready", "it is core")
        self.assert_status(self.chat(daemon, "llama", keep_alive=0), 200)
        time.sleep(0.5)
        self.assertEqual(daemon.state_of("llama"), "ready")

    def test_what_is_kept_alive_goes_when_its_room_is_needed(self):
        daemon = self.daemon({"llama": model("llama"), "other": model("other")},
                             memory={"budget": "65MiB"})
        self.assert_status(self.chat(daemon, "llama", keep_alive=-1), 200)
        wait_for(lambda: daemon.row("llama")["leases"] == 1, "it is held")
        got = self.assert_status(self.chat(daemon, "other"), 200)
        self.assertEqual(got.headers["X-Hearth-Component"], "other")
        self.assertEqual(daemon.state_of("llama"), "unloaded")

    def test_a_shutdown_does_not_wait_for_what_is_kept_alive(self):
        daemon = self.daemon({"llama": model("llama")}, drain="60s")
        self.assert_status(self.chat(daemon, "llama", keep_alive=-1), 200)
        wait_for(lambda: daemon.row("llama")["leases"] == 1, "it is held")
        began = time.monotonic()
        daemon.stop()
        self.assertLess(time.monotonic() - began, 20)


class NotOurs(DaemonTest):
    """Models of a server that runs by itself: a stand-in of Ollama."""

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.server = subprocess.Popen([PYTHON, STAND_IN, str(self.port), "small", "large"])
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        wait_for(self.is_up, "the stand-in is up")

    def is_up(self):
        try:
            return self.ask("GET", "/api/version") is not None
        except OSError:
            return False

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, json.dumps(body) if body else None)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def loaded(self):
        return sorted(entry["name"] for entry in self.ask("GET", "/api/ps")["models"])

    def component(self, name):
        return {"kind": "http", "preset": "ollama", "url": f"http://127.0.0.1:{self.port}",
                "model": name}

    def test_one_goes_for_the_other_inside_the_budget(self):
        daemon = self.daemon({"a": {**self.component("small"), "memory": "64MiB"},
                              "b": {**self.component("large"), "memory": "64MiB"}},
                             memory={"budget": "100MiB"})
        for name, model_name in (("a", "small"), ("b", "large"), ("a", "small")):
            answer = self.assert_status(
                daemon.ask("POST", "/api/chat",
                           {"model": model_name + ":latest", "messages": HELLO}),
                200)
            self.assertEqual(answer.json["message"]["content"], f"I am {model_name}:latest")
            self.assertEqual(self.loaded(), [model_name + ":latest"])
            self.assertEqual(daemon.state_of(name), "ready")
        self.assertEqual(daemon.row("a")["memory"]["anonymous_bytes"], 64 << 20)
        daemon.stop()
        self.assertEqual(self.loaded(), [])

    def test_it_is_called_as_its_server_calls_it(self):
        daemon = self.daemon({"a": self.component("small")})
        for path, key in (("/api/tags", "models"), ("/v1/models", "data")):
            listed = [entry.get("model", entry.get("id")) for entry in daemon.get(path)[key]]
            self.assertEqual(listed, ["small:latest"], "`a` is not known there")
        for name in ("small", "small:latest"):
            shown = self.assert_status(daemon.ask("POST", "/api/show", {"model": name}), 200)
            self.assertEqual(shown.json["template"], "of small:latest", "the server has told it")
        self.assertEqual(daemon.state_of("a"), "unloaded")
        self.assertEqual(self.loaded(), [])

    def test_what_was_loaded_past_hearth_is_taken_over(self):
        daemon = self.daemon({"a": self.component("small")})
        self.assertEqual(daemon.state_of("a"), "unloaded")
        self.ask("POST", "/api/generate", {"model": "small", "keep_alive": 300})
        wait_for(lambda: daemon.state_of("a") == "ready", "it is seen and taken over")
        self.ask("POST", "/api/generate", {"model": "small", "keep_alive": 0})
        wait_for(lambda: daemon.state_of("a") != "ready", "that it was unloaded there is seen")

    def test_a_killed_daemon_leaves_a_model_that_the_next_one_finds(self):
        daemon = self.daemon({"a": self.component("small")})
        self.assert_status(daemon.ask("POST", "/v1/components/a/load", {}), 200)
        daemon.kill()
        self.assertEqual(self.loaded(), ["small:latest"])
        daemon.start()
        self.assertEqual(daemon.state_of("a"), "ready")
        daemon.stop()
        self.assertEqual(self.loaded(), [])


if __name__ == "__main__":
    unittest.main()
