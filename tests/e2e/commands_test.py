"""Commands, needs, conflicts, leases and the budget, against a real daemon."""

import json
import os
import socket
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import DaemonTest, component, wait_for  # noqa: E402


def names(answer, **wanted):
    return sorted(row["name"] for row in answer.json["components"]
                  if all(row[k] == v for k, v in wanted.items()))


class Commands(DaemonTest):
    def test_the_first_is_cold_and_the_second_warm(self):
        daemon = self.daemon({"ocr": component(keywords=["screen"])})
        cold = self.assert_status(daemon.command("can you see my screen?"), 200)
        self.assertEqual(names(cold, cold=True, state="ready"), ["ocr"])
        endpoint = cold.json["components"][0]["endpoint"]
        self.assertTrue(endpoint.startswith("http://127.0.0.1:"), endpoint)
        warm = self.assert_status(daemon.command("and my screen now?"), 200)
        for answer in (cold, warm):  # the harness asks for no lease
            self.assertEqual((answer.json["lease"], answer.json["lease_expires_at"]), (None, None))
        self.assertEqual(names(warm, cold=False, state="ready"), ["ocr"])
        self.assertLess(warm.json["wait_ms"], cold.json["wait_ms"])
        self.assertGreater(daemon.row("ocr")["memory"]["pss_bytes"], 0)

    def test_nothing_needed_loads_nothing(self):
        daemon = self.daemon({"ocr": component(keywords=["screen"])})
        answer = self.assert_status(daemon.command("thank you"), 200)
        self.assertEqual(answer.json["components"], [])
        self.assertEqual(daemon.state_of("ocr"), "unloaded")

    def test_needs_of_needs_come_along(self):
        daemon = self.daemon({
            "reader": component(keywords=["read"], needs=["ocr"]),
            "ocr": component(needs=["display"]),
            "display": component(),
            "other": component()})
        answer = self.assert_status(daemon.command("read it"), 200)
        self.assertEqual(names(answer), ["display", "ocr", "reader"])
        self.assertEqual(names(answer, asked=True), ["reader"])
        self.assertEqual(daemon.state_of("other"), "unloaded")
        held = self.assert_status(daemon.lease("reader"), 200).json
        refused = self.assert_status(
            daemon.ask("POST", "/v1/components/display/unload"), 409)
        self.assertIn("display", refused.detail)
        self.assert_status(daemon.ask("DELETE", f"/v1/leases/{held['lease']}"), 200)
        daemon.ask("POST", "/v1/components/display/unload")
        # Whatever the answer is: nothing that needs it is there without it.
        if daemon.state_of("display") != "ready":
            self.assertNotEqual(daemon.state_of("reader"), "ready")

    def test_rivals_are_never_both_there(self):
        daemon = self.daemon({
            "dictation": component(keywords=["dictate"], conflicts=["voice"]),
            "voice": component(keywords=["say"])})
        self.assert_status(daemon.command("dictate"), 200)
        self.assert_status(daemon.command("say hello"), 200)
        self.assertEqual(daemon.state_of("voice"), "ready")
        self.assertNotEqual(daemon.state_of("dictation"), "ready")

    def test_a_leased_rival_is_a_conflict_that_names_it(self):
        daemon = self.daemon({
            "dictation": component(conflicts=["voice"]),
            "voice": component(keywords=["say"])})
        self.assert_status(daemon.lease("dictation"), 200)
        answer = daemon.command("say hello", timeout_ms=500)
        self.assertIn(answer.status, (409, 504), answer.body)
        self.assertIn("dictation", answer.detail)

    def test_what_is_leased_is_not_unloaded(self):
        daemon = self.daemon({"ocr": component()})
        held = self.assert_status(daemon.lease("ocr", owner="editor"), 200).json
        refused = self.assert_status(daemon.ask("POST", "/v1/components/ocr/unload"), 409)
        self.assertIn("ocr", refused.detail)
        self.assertEqual(daemon.get("/v1/leases")["leases"][0]["owner"], "editor")
        self.assert_status(daemon.ask("DELETE", f"/v1/leases/{held['lease']}"), 200)
        self.assert_status(daemon.ask("POST", "/v1/components/ocr/unload"), 200)
        self.assertEqual(daemon.state_of("ocr"), "unloaded")

    def test_a_lease_ends_by_itself(self):
        daemon = self.daemon({"ocr": component()})
        self.assert_status(daemon.lease("ocr", lease_ms=300), 200)
        wait_for(lambda: not daemon.get("/v1/leases")["leases"], "the lease has ended")
        self.assert_status(daemon.ask("POST", "/v1/components/ocr/unload"), 200)

    def test_the_idle_make_room_inside_the_budget(self):
        parts = {n: component("--mb", 60, keywords=[n], memory="90MiB") for n in ("one", "two",
                                                                                 "three")}
        daemon = self.daemon(parts, memory={"budget": "200MiB"})
        for name in parts:
            self.assert_status(daemon.command(name), 200)
            ram = daemon.get("/v1/status")["budgets"][0]
            self.assertLessEqual(ram["used_bytes"], ram["budget_bytes"])
        states = [daemon.state_of(n) for n in parts]
        self.assertEqual(states[2], "ready")
        self.assertIn("unloaded", states)
        self.assertGreaterEqual(daemon.get("/v1/status")["totals"]["evictions"], 1)
        why = daemon.cli("why", list(parts)[states.index("unloaded")]).stdout
        self.assertIn("three", why)

    def test_a_pinned_component_is_loaded_and_stays(self):
        daemon = self.daemon({"ocr": component()})
        self.assert_status(daemon.ask("POST", "/v1/components/ocr/pin"), 200)
        daemon.wait_state("ocr", "ready")
        self.assert_status(daemon.ask("POST", "/v1/components/ocr/unload"), 409)
        self.assert_status(daemon.ask("POST", "/v1/components/ocr/unpin"), 200)
        self.assert_status(daemon.ask("POST", "/v1/components/ocr/unload"), 200)

    def test_what_is_not_lazy_is_loaded_at_start(self):
        daemon = self.daemon({"core": component(priority="core"), "eager": component(lazy=False),
                              "lazy": component()})
        daemon.wait_state("core", "ready")
        daemon.wait_state("eager", "ready")
        wait_for(lambda: daemon.ask("GET", "/readyz").status == 200, "ready")
        self.assertEqual(daemon.state_of("lazy"), "unloaded")

    def test_use_is_counted_when_it_is_reported(self):
        daemon = self.daemon({"ocr": component(keywords=["screen"])})
        answer = self.assert_status(daemon.command("screen"), 200).json
        self.assertEqual(daemon.row("ocr")["uses"], 0)
        used = daemon.ask("POST", f"/v1/commands/{answer['id']}/used", {"used": ["ocr"]})
        self.assert_status(used, 200)
        self.assertEqual(daemon.row("ocr")["uses"], 1)

    def test_many_at_once_join_one_load(self):
        daemon = self.daemon({"ocr": component("--delay", 0.3, keywords=["screen"])})
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(daemon.command("screen")))
                   for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([a.status for a in answers], [200] * 12)
        self.assertEqual(daemon.row("ocr")["loads"], 1)


class Input(DaemonTest):
    def setUp(self):
        self.hearth = self.daemon({"ocr": component(keywords=["screen"], aliases=["a/b:c"]),
                                   "slow": component("--delay", 30, keywords=["slow"])})

    def still_works(self):
        self.assert_status(self.hearth.command("screen"), 200)

    def test_an_unknown_name_is_told_with_near_ones(self):
        answer = self.assert_status(self.hearth.ask("POST", "/v1/components/ocd/load"), 404)
        self.assertIn("ocr", answer.json.get("near", []) + [answer.detail])
        said = self.hearth.cli("load", "ocd", is_ok=False)
        self.assertEqual(said.returncode, 1)
        self.assertIn("ocr", said.stderr)

    def test_an_alias_may_hold_slashes(self):
        self.assert_status(self.hearth.lease("a/b:c"), 200)

    def test_a_body_of_100_megabytes_is_refused_without_being_read(self):
        with socket.create_connection(
                self.hearth.address()["http"].split("//")[1].rsplit(":", 1), 60) as sock:
            sock.sendall(b"POST /v1/commands HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Type: application/json\r\nContent-Length: 100000000\r\n\r\n")
            try:
                for _ in range(100):
                    sock.sendall(b"x" * 1_000_000)
            except OSError:
                pass   # it need not listen to all of it
            try:
                head = sock.recv(64)
            except OSError:
                head = b""   # a reset may overtake the answer
        self.assertIn(head[:12], (b"HTTP/1.1 413", b""))
        self.still_works()
        answer = self.hearth.command("x" * 2_000_000)
        self.assert_status(answer, 413)

    def test_a_foreign_host_and_a_foreign_origin_are_refused(self):
        answer = self.hearth.ask("GET", "/v1/status", headers={"Host": "evil.example"})
        self.assertIn(answer.status, (403, 421))
        answer = self.hearth.ask("POST", "/v1/commands", {"text": "screen"},
                                 headers={"Origin": "http://evil.example",
                                          "content-type": "application/json"})
        self.assert_status(answer, 403)
        self.assertEqual(self.hearth.state_of("ocr"), "unloaded")

    def test_a_write_that_is_not_json_is_refused(self):
        answer = self.hearth.ask("POST", "/v1/commands", '{"text": "screen"}',
                                 headers={"content-type": "text/plain"})
        self.assert_status(answer, 415)

    def test_broken_text_is_an_answer_and_no_end(self):
        answer = self.hearth.ask("POST", "/v1/commands", b'{"text": "\xff\xfe screen"}',
                                 headers={"content-type": "application/json"})
        self.assert_status(answer, 400)
        self.assertIn("not UTF-8 at byte 11", answer.detail)
        said = self.hearth.cli("command", b"a\xff", is_ok=False)
        self.assertEqual(said.returncode, 2, said.stderr)
        self.assertIn("UTF-8", said.stderr)
        for body in (b"", b"{", b"[1]", b"null", b'{"text": 5}', b'{"text": "a", "tex": "b"}'):
            answer = self.hearth.ask("POST", "/v1/commands", body,
                                     headers={"content-type": "application/json"})
            self.assert_status(answer, 400)
            self.assertTrue(answer.detail)
        self.still_works()

    def test_a_client_that_hangs_up_takes_its_request_along(self):
        connection = self.hearth.connection()
        connection.request("POST", "/v1/commands", json.dumps({"text": "slow"}),
                           {"content-type": "application/json"})
        wait_for(lambda: self.hearth.state_of("slow") == "loading", "slow is loading")
        connection.close()
        wait_for(lambda: self.hearth.get("/v1/status")["waiting"] == 0, "nothing waits")
        self.still_works()

    def test_patience_that_is_over_is_a_504_and_the_load_goes_on(self):
        answer = self.hearth.command("slow", timeout_ms=200)
        self.assert_status(answer, 504)
        self.assertIn("slow", answer.detail)
        self.assertEqual(self.hearth.state_of("slow"), "loading")

    def test_not_waiting_is_a_202(self):
        answer = self.assert_status(self.hearth.command("slow", wait="none"), 202)
        self.assertEqual(answer.json["components"][0]["state"], "loading")

    def test_both_listeners_have_the_same_routes(self):
        answer = self.hearth.ask("GET", "/v1/components", is_unix=True)
        self.assert_status(answer, 200)
        self.assertEqual(os.stat(self.hearth.address()["socket"]).st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
