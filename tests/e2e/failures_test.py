"""What a component does wrong is a clear error, and everything else goes on."""

import json
import os
import resource
import socket
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import DaemonTest, component, marked, wait_for  # noqa: E402

QUICK = {"attempts": 1, "timeout": "2s"}


class Failures(DaemonTest):
    def expect_refused(self, daemon, text, *words, statuses=(502, 503, 504)):
        answer = daemon.command(text, timeout_ms=20000)
        self.assertIn(answer.status, statuses, answer.body)
        for word in words:
            self.assertIn(word, answer.detail)
        self.assert_status(daemon.command("good"), 200)
        return answer

    def test_a_missing_binary_is_named(self):
        daemon = self.daemon({"bad": {"cmd": ["/nonexistent/engine"], "keywords": ["bad"],
                                      "memory": "10MiB"},
                              "good": component(keywords=["good"])}, loading=QUICK)
        self.expect_refused(daemon, "bad", "bad", "/nonexistent/engine")
        self.assertEqual(daemon.state_of("bad"), "failed")
        self.assertIn("/nonexistent/engine", daemon.cli("why", "bad").stdout)

    def test_a_port_that_is_taken_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            daemon = self.daemon({"bad": component(keywords=["bad"], port=port),
                                  "good": component(keywords=["good"])}, loading=QUICK)
            self.expect_refused(daemon, "bad", "bad", str(port))

    def test_what_never_becomes_ready_is_ended(self):
        daemon = self.daemon({"bad": component("--deaf", keywords=["bad"]),
                              "good": component(keywords=["good"])}, loading=QUICK)
        before = len(marked(daemon.mark))
        self.expect_refused(daemon, "bad", "bad")
        daemon.ask("POST", "/v1/components/good/unload")
        wait_for(lambda: len(marked(daemon.mark)) <= before, "nothing of it runs")

    def test_what_ends_at_once_says_its_last_word(self):
        daemon = self.daemon({"bad": component("--exit-code", 7, keywords=["bad"]),
                              "good": component(keywords=["good"])}, loading=QUICK)
        answer = self.expect_refused(daemon, "bad", "bad")
        self.assertIn("7", answer.detail + str(daemon.row("bad")["last_error"]))
        self.assertIn("this component was told to end", daemon.cli("logs", "bad").stdout)

    def test_a_failed_load_is_tried_again(self):
        daemon = self.daemon({"bad": component("--exit-code", 7, keywords=["bad"])},
                             loading={"attempts": 3, "retry_delay": "50ms", "timeout": "5s"})
        daemon.command("bad", timeout_ms=20000)
        wait_for(lambda: daemon.row("bad")["failures"] >= 3, "three attempts")

    def test_a_crash_while_leased_is_told_and_it_comes_back(self):
        daemon = self.daemon({"ocr": component(keywords=["screen"]),
                              "good": component(keywords=["good"])})
        held = self.assert_status(daemon.lease("ocr"), 200).json
        endpoint = held["components"][0]["endpoint"]
        pid = daemon.row("ocr")["pid"]
        self.crash(endpoint)
        wait_for(lambda: daemon.row("ocr")["state"] == "ready" and daemon.row("ocr")["pid"] != pid,
                 "it is back as another process")
        kinds = [d["kind"] for d in daemon.get("/v1/decisions?component=ocr")["decisions"]]
        self.assertIn("exited", kinds)
        self.assert_status(daemon.command("good"), 200)

    @staticmethod
    def crash(endpoint):
        host, port = endpoint.split("//")[1].split("/")[0].rsplit(":", 1)
        with socket.create_connection((host, int(port)), 30) as sock:
            sock.sendall(b"POST /crash HTTP/1.1\r\nHost: x\r\n\r\n")
            sock.recv(10)

    def test_a_journal_that_cannot_grow_stops_loads_and_ends_nothing(self):
        daemon = self.daemon({"ocr": component(keywords=["screen"])})
        pid = daemon.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, limits[1]))
        self.assert_status(daemon.command("screen"), 500)
        self.assertIn("nothing new is loaded", str(daemon.get("/v1/status")["troubles"]))
        self.assert_status(daemon.command("hello"), 200)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
        wait_for(lambda: daemon.command("screen").status == 200, "it is written again")

    def test_grandchildren_end_with_their_component(self):
        daemon = self.daemon({"ocr": component("--fork", keywords=["screen"])})
        alone = len(marked(daemon.mark))
        self.assert_status(daemon.command("screen"), 200)
        self.assertGreaterEqual(len(marked(daemon.mark)), alone + 2)
        self.assert_status(daemon.ask("POST", "/v1/components/ocr/unload"), 200)
        wait_for(lambda: len(marked(daemon.mark)) == alone, "nothing of it runs")

    def test_the_stubborn_are_killed_after_their_grace(self):
        daemon = self.daemon({"ocr": component("--stubborn", keywords=["screen"],
                                               stop={"grace": "300ms"})})
        self.assert_status(daemon.command("screen"), 200)
        self.assert_status(daemon.ask("POST", "/v1/components/ocr/unload"), 200)
        self.assertEqual(daemon.state_of("ocr"), "unloaded")

    def test_what_can_never_fit_is_refused_at_the_start(self):
        daemon = self.daemon({"huge": component(keywords=["huge"], memory="2GiB")},
                             is_started=False)
        checked = daemon.cli("config", "check", is_ok=False)
        self.assertEqual(checked.returncode, 3, checked.stdout)
        self.assertIn("huge", checked.stdout)

    def test_events_tell_of_a_failure_as_it_happens(self):
        daemon = self.daemon({"bad": component("--exit-code", 7, keywords=["bad"])}, loading=QUICK)
        connection = daemon.connection()
        after = daemon.get("/v1/status")["journal_sequence"]
        connection.request("GET", f"/v1/events?after={after}")
        stream = connection.getresponse()
        daemon.command("bad", timeout_ms=20000)
        kinds, end = [], time.monotonic() + 60
        while "load_failed" not in kinds and time.monotonic() < end:
            line = stream.readline().decode()
            if line.startswith("data: "):
                kinds.append(json.loads(line[6:])["kind"])
        connection.close()
        self.assertIn("load_started", kinds)
        self.assertIn("load_failed", kinds)


if __name__ == "__main__":
    unittest.main()
