"""Start, reload, drain and end of the daemon; its command line against it and without it."""

import json
import os
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import DaemonTest, binary, component, marked, wait_for  # noqa: E402


class Lifecycle(DaemonTest):
    def test_it_says_where_it_listens_and_takes_that_back(self):
        daemon = self.daemon({"ocr": component()})
        address = daemon.address()
        self.assertIn(address["http"], daemon.said())
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse(os.path.exists(os.path.join(daemon.state, "address.json")))
        self.assertFalse(os.path.exists(address["socket"]))

    def test_a_second_daemon_on_the_same_state_refuses(self):
        daemon = self.daemon({"ocr": component()})
        second = subprocess.run([binary(), "serve", "--config", daemon.config],
                                env=daemon.environment(), capture_output=True, text=True,
                                timeout=60, check=False)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn(str(daemon.process.pid), second.stderr)
        self.assertEqual(daemon.command("hello").status, 200)
        self.assertIsNotNone(daemon.address())

    def test_a_port_that_is_taken_is_an_error_with_its_mend(self):
        first = self.daemon({})
        port = first.address()["http"]
        second = self.daemon({"mainstay": component(priority="core")}, is_started=False,
                             listen={"http": port.split("//")[1]})
        ended = subprocess.run([binary(), "serve", "--config", second.config],
                               env=second.environment(), capture_output=True, text=True,
                               timeout=60, check=False)
        self.assertEqual(ended.returncode, 1)
        self.assertIn(port.rsplit(":", 1)[1], ended.stderr)
        self.assertNotIn("mainstay", ended.stderr)   # nothing was begun

    def test_sigterm_unloads_everything_in_order_and_leaves_nothing(self):
        daemon = self.daemon({"reader": component(keywords=["read"], needs=["ocr"]),
                              "ocr": component("--fork")})
        self.assertEqual(daemon.command("read").status, 200)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(marked(daemon.mark), [])

    def test_sigterm_waits_for_a_lease_and_a_second_one_does_not(self):
        daemon = self.daemon({"ocr": component()}, drain="60s")
        self.assertEqual(daemon.lease("ocr").status, 200)
        daemon.process.send_signal(signal.SIGTERM)
        with self.assertRaises(subprocess.TimeoutExpired):
            daemon.process.wait(1.5)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.wait(30)
        wait_for(lambda: not marked(daemon.mark), "nothing is left", 10)

    def test_a_valid_reload_adds_changes_and_removes(self):
        daemon = self.daemon({"old": component(), "same": component(), "ocr": component()})
        for name in ("old", "same", "ocr"):
            self.assertEqual(daemon.ask("POST", f"/v1/components/{name}/load").status, 200)
        same, changed = daemon.row("same")["pid"], daemon.row("ocr")["pid"]
        daemon.write_config({"same": component(), "ocr": component("--mb", 1),
                             "new": component(keywords=["new"])})
        daemon.cli("reload")
        self.assertEqual(daemon.command("new").status, 200)
        wait_for(lambda: daemon.ask("GET", "/v1/components/old").status == 404, "old is gone")
        wait_for(lambda: daemon.row("ocr")["pid"] != changed, "the changed one has restarted")
        self.assertEqual(daemon.row("same")["pid"], same)

    def test_an_invalid_reload_changes_nothing_and_says_all_that_is_wrong(self):
        daemon = self.daemon({"ocr": component(keywords=["screen"])})
        self.assertEqual(daemon.command("screen").status, 200)
        pid = daemon.row("ocr")["pid"]
        daemon.write_config({"ocr": {**component(), "need": ["x"], "memory": 0}})
        answer = daemon.ask("POST", "/v1/reload")
        self.assertEqual(answer.status, 400)
        self.assertIn("need", answer.detail)
        self.assertIn("memory", answer.detail)
        said = daemon.cli("reload", is_ok=False)
        self.assertEqual(said.returncode, 3)
        daemon.process.send_signal(signal.SIGHUP)
        self.assertEqual(daemon.command("screen").status, 200)
        self.assertEqual(daemon.row("ocr")["pid"], pid)

    def test_sighup_reloads(self):
        daemon = self.daemon({"ocr": component()})
        daemon.write_config({"ocr": component(), "new": component()})
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: daemon.ask("GET", "/v1/components/new").status == 200, "new is there")

    def test_a_reload_changes_the_key_and_names_what_waits_for_a_restart(self):
        daemon = self.daemon({"ocr": component()})
        daemon.sections.update(api_key="secret", log={"level": "debug"},
                               listen={"http": "127.0.0.1:1", "hosts": ["desk.local"]})
        daemon.write_config({"ocr": component()})
        said = daemon.cli("reload").stdout
        self.assertIn("only after a restart: listen.http", said)
        self.assertIn("`listen.http` has changed", daemon.said())
        self.assert_status(daemon.ask("GET", "/v1/status"), 401)
        headers = {"Host": "desk.local", "Authorization": "Bearer secret"}
        self.assert_status(daemon.ask("GET", "/v1/status", headers=headers), 200)
        again = daemon.ask("POST", "/v1/reload",
                           headers={"Authorization": "Bearer secret",
                                    "content-type": "application/json"})
        self.assertEqual(again.json, {"reloaded": True, "needs_restart": ["listen.http"]})
        url = daemon.address()["http"]
        self.assertIn("ocr", daemon.cli("ps", "--url", url).stdout)   # the key of --config
        bare = subprocess.run([binary(), "ps", "--url", url], env=daemon.environment(),
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(bare.returncode, 1)
        self.assertIn("HEARTH_API_KEY", bare.stderr)

    def test_clients_go_on_beside_a_file_that_is_broken_or_gone(self):
        daemon = self.daemon({"ocr": component(env={"X": "${env.HEARTH_E2E}"})})
        self.assert_status(daemon.ask("POST", "/v1/components/ocr/load"), 200)
        elsewhere = {k: v for k, v in daemon.environment().items() if k != "HEARTH_E2E"}

        def client(*arguments, **environment):
            return subprocess.run([binary(), *arguments, "--config", daemon.config],
                                  env={**elsewhere, **environment}, capture_output=True,
                                  text=True, timeout=60, check=False)
        for text in (None, f"state: {daemon.state}\ncomponents: {{ocr: [\n"):
            if text:
                with open(daemon.config, "w", encoding="utf-8") as file:
                    file.write(text)
            for arguments in (["ps"], ["status"], ["why", "ocr"], ["logs", "ocr"]):
                said = client(*arguments)
                self.assertEqual((said.returncode, said.stderr), (0, ""), arguments)
        os.unlink(daemon.config)
        said = client("ps", HEARTH_STATE=daemon.state)
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertEqual(said.stderr.count("\n"), 1)
        self.assertIn("warning", said.stderr)
        self.assertEqual(client("ps", HEARTH_STATE="/nonexistent").returncode, 4)

    def test_load_checks_all_names_first_and_prints_what_is_true(self):
        daemon = self.daemon({"x": component(conflicts=["y"]), "y": component(), "z": component()})
        said = daemon.cli("load", "z", "why", is_ok=False)
        self.assertEqual(said.returncode, 1)
        self.assertIn("why", said.stderr)
        self.assertEqual(daemon.state_of("z"), "unloaded")
        self.assertEqual(daemon.cli("pin", "z", "why", is_ok=False).returncode, 1)
        self.assertFalse(daemon.row("z")["pinned"])
        said = daemon.cli("load", "x", "y", is_ok=False)
        self.assertEqual(said.returncode, 1, said.stdout)
        self.assertIn("y: ready", said.stdout)
        self.assertNotIn("x: ready", said.stdout)
        self.assertIn("hearth why x", said.stderr)
        self.assertEqual(daemon.cli("load", "z").returncode, 0)

    def test_a_guess_is_called_one_and_a_pin_that_waits_says_so(self):
        guess = component(keywords=["guess"])
        del guess["memory"]
        daemon = self.daemon({"big": component(memory="900MiB"), "guess": guess})
        self.assert_status(daemon.lease("big"), 200)
        answer = daemon.command("guess", timeout_ms=200)
        self.assertEqual(answer.status, 503, answer.body)
        self.assertIn("never measured, so 1GiB is reserved", answer.detail)
        self.assertIn("never measured", daemon.cli("why", "guess").stdout)
        self.assertIn("guess: pinned, not loaded yet", daemon.cli("pin", "guess").stdout)
        why = daemon.cli("why", "guess").stdout
        self.assertNotIn("nothing has asked for it", why)

    def test_status_says_who_has_a_device_alone(self):
        daemon = self.daemon({"eyes": component(devices=["camera"])},
                             memory={"budget": "1GiB", "devices": {"camera": "exclusive"}})
        self.assertRegex(daemon.cli("status").stdout, "camera +free")
        daemon.cli("load", "eyes")
        self.assertRegex(daemon.cli("status").stdout, "camera +taken by eyes")

    def test_a_changed_component_that_is_leased_restarts_after_its_release(self):
        daemon = self.daemon({"ocr": component()})
        held = daemon.lease("ocr").json
        pid = daemon.row("ocr")["pid"]
        daemon.write_config({"ocr": component("--mb", 1)})
        daemon.cli("reload")
        self.assertEqual(daemon.row("ocr")["pid"], pid)
        self.assertEqual(daemon.ask("DELETE", f"/v1/leases/{held['lease']}").status, 200)
        wait_for(lambda: daemon.row("ocr")["pid"] != pid, "it has restarted or gone")

    def test_what_was_learnt_outlives_a_restart(self):
        daemon = self.daemon({"ocr": component("--mb", 30, keywords=["screen"])})
        self.assertEqual(daemon.command("screen").status, 200)
        wait_for(lambda: daemon.row("ocr")["peak_bytes"] > 0, "its memory was measured")
        self.assertEqual(daemon.stop(), 0)
        daemon.start()
        self.assertGreater(daemon.row("ocr")["peak_bytes"], 0)
        self.assertGreaterEqual(daemon.get("/v1/status")["totals"]["commands"], 1)

    def test_on_exit_keep_is_adopted_by_the_next_daemon(self):
        daemon = self.daemon({"ocr": component(on_exit="keep", keywords=["screen"])})
        self.assertEqual(daemon.command("screen").status, 200)
        pid = daemon.row("ocr")["pid"]
        daemon.kill()
        daemon.start()
        wait_for(lambda: daemon.row("ocr")["state"] == "ready", "it is there again")
        self.assertEqual(daemon.row("ocr")["pid"], pid)


class CommandLine(DaemonTest):
    def test_every_command_speaks_to_the_daemon(self):
        daemon = self.daemon({"ocr": component(keywords=["screen"], needs=["display"]),
                              "display": component()})
        said = daemon.cli("command", "can you see my screen?").stdout
        self.assertIn("cold", said)
        self.assertIn("ocr", said)
        answer = json.loads(daemon.cli("command", "screen", "--json").stdout)
        self.assertEqual({row["name"] for row in answer["components"]}, {"ocr", "display"})
        self.assertIn("ready", daemon.cli("ps").stdout)
        self.assertEqual(daemon.cli("ps", "--names").stdout.split(), ["ocr", "display"])
        self.assertEqual(len(json.loads(daemon.cli("ps", "--json").stdout)["components"]), 2)
        self.assertIn("l", daemon.cli("leases").stdout)
        for lease in json.loads(daemon.cli("leases", "--json").stdout)["leases"]:
            daemon.cli("leases", "--release", lease["lease"])
        self.assertIn("memory", daemon.cli("status").stdout)
        self.assertIn("ocr is ready", daemon.cli("why", "ocr").stdout)
        self.assertIn("└─ display", daemon.cli("graph").stdout)
        daemon.cli("pin", "ocr")
        self.assertEqual(daemon.cli("unload", "ocr", is_ok=False).returncode, 1)
        daemon.cli("unpin", "ocr")
        daemon.cli("unload", "--all")
        self.assertEqual(daemon.state_of("display"), "unloaded")
        daemon.cli("load", "ocr")
        self.assertEqual(daemon.state_of("ocr"), "ready")
        self.assertIn("ready, holding", daemon.cli("logs", "ocr").stdout)
        self.assertEqual(json.loads(daemon.cli("status", "--json").stdout)["components"]["ready"],
                         2)

    def test_logs_are_read_without_a_daemon(self):
        daemon = self.daemon({"ocr": component(keywords=["screen"])})
        self.assertEqual(daemon.command("screen").status, 200)
        daemon.stop()
        self.assertIn("ready, holding", daemon.cli("logs", "ocr").stdout)
        self.assertEqual(daemon.cli("logs", "ocd", is_ok=False).returncode, 1)

    def test_logs_follow_what_is_written(self):
        daemon = self.daemon({"ocr": component(keywords=["screen"])})
        with subprocess.Popen([binary(), "logs", "ocr", "--follow", "--config", daemon.config],
                              env=daemon.environment(), stdout=subprocess.PIPE,
                              text=True) as reader:
            try:
                self.assertEqual(daemon.command("screen").status, 200)
                self.assertIn("starting on port", reader.stdout.readline())
            finally:
                reader.kill()

    def test_without_a_daemon_the_exit_code_is_4_and_the_mend_is_named(self):
        daemon = self.daemon({"ocr": component()}, is_started=False)
        for arguments in (["ps"], ["status"], ["load", "ocr"], ["why", "ocr"], ["reload"]):
            said = daemon.cli(*arguments, is_ok=False)
            self.assertEqual(said.returncode, 4, (arguments, said.stderr))
            self.assertIn("hearth serve", said.stderr)

    def test_a_wait_that_times_out_is_exit_code_5(self):
        daemon = self.daemon({"slow": component("--delay", 30)})
        said = daemon.cli("load", "slow", "--timeout", "200ms", is_ok=False)
        self.assertEqual(said.returncode, 5, said.stderr)

    def test_a_bad_configuration_is_exit_code_3(self):
        daemon = self.daemon({"ocr": component(needs=["nobody"])}, is_started=False)
        served = subprocess.run([binary(), "serve", "--config", daemon.config],
                                env=daemon.environment(), capture_output=True, text=True,
                                timeout=60, check=False)
        self.assertEqual(served.returncode, 3)
        self.assertIn("nobody", served.stderr)

    def test_ps_watches_until_its_reader_is_gone(self):
        daemon = self.daemon({"ocr": component()})
        with subprocess.Popen([binary(), "ps", "--watch", "--config", daemon.config],
                              env=daemon.environment(), stdout=subprocess.PIPE,
                              text=True) as watcher:
            try:
                seen = 0
                while seen < 2:
                    seen += watcher.stdout.readline().startswith("NAME")
            finally:
                watcher.kill()


if __name__ == "__main__":
    unittest.main()
