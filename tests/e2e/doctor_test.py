"""`hearth doctor` says what is broken and what is not, as root and as an ordinary user."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import DaemonTest, binary  # noqa: E402

NOBODY = 65534
NAMES = ["configuration", "state folder", "http", "socket", "clock", "memory", "control groups",
         "open files", "locked memory", "pressure stalls", "swap", "zram", "freezing", "page-out",
         "nvidia devices", "other devices", "out-of-memory score", "battery"]
KEYS = ["name", "need", "state", "found", "missing", "instead", "mend"]
STAND_IN = os.path.join("src", "platform", "stand_in_now", "libnvidia-ml.so.1")


class Doctor(DaemonTest):
    def skip(self, reason):
        print(f"SKIPPED: {self.id()}: {reason}", file=sys.stderr)
        self.skipTest(reason)

    def installation(self, **sections):
        return self.daemon({}, is_started=False, **sections)

    def command(self, daemon, *arguments):
        return [binary(), "doctor", *arguments, "--config", daemon.config]

    def doctor(self, daemon, *arguments, **variables):
        return subprocess.run(self.command(daemon, *arguments), capture_output=True, text=True,
                              env={**daemon.environment(), **variables}, timeout=60, check=False)

    def rows(self, done):
        return {row["name"]: row for row in json.loads(done.stdout)["facilities"]}

    def examined(self, daemon, code):
        """The facilities by name, when it ends with this code."""
        done = self.doctor(daemon, "--json")
        self.assertEqual((done.returncode, done.stderr), (code, ""), done.stdout)
        self.assertEqual(json.loads(done.stdout)["healthy"], code == 0)
        return self.rows(done)

    def assert_only_broken(self, rows, name, words):
        broken = [row["name"] for row in rows.values() if row["state"] == "broken"]
        self.assertEqual(broken, [name], rows)
        self.assertIn(words, rows[name]["missing"])
        self.assertTrue(rows[name]["mend"])

    def listener(self):
        stranger = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(stranger.close)
        return f"127.0.0.1:{stranger.getsockname()[1]}"

    def test_a_whole_installation_is_healthy_and_every_facility_has_its_row(self):
        daemon = self.installation()
        rows = self.examined(daemon, 0)
        self.assertEqual(list(rows), NAMES)
        for row in rows.values():
            self.assertEqual(list(row), KEYS)
            self.assertIn(row["need"], ("needed", "optional", "unused"))
            self.assertIn(row["state"], ("ok", "partly", "missing"))
        self.assertFalse(os.path.exists(daemon.state), "the state folder was made")

    def test_for_people_it_is_a_line_a_facility(self):
        daemon = self.installation()
        text = self.doctor(daemon).stdout
        lines = [line for line in text.split("\n\n")[0].splitlines() if not line.startswith(" ")]
        self.assertEqual([line[:21].strip() for line in lines], NAMES)
        self.assertIn("Nothing that is needed is broken", text)
        whole = self.doctor(daemon, "--all").stdout
        unused = [row for row in self.examined(daemon, 0).values()
                  if row["need"] == "unused" and row["state"] != "ok"]
        for row in unused:
            self.assertNotIn(row["instead"], text)
            self.assertIn(row["instead"], whole)

    def test_a_configuration_in_error_breaks_it_and_its_places_are_looked_at_all_the_same(self):
        daemon = self.installation(policy="best", listen={"http": self.listener()})
        rows = self.examined(daemon, 1)
        self.assertEqual(rows["configuration"]["state"], "broken")
        self.assertIn("1 error", rows["configuration"]["missing"])
        self.assertEqual(rows["http"]["state"], "broken")
        self.assertIn(daemon.state, rows["state folder"]["found"])

    def test_no_configuration_breaks_it_and_init_mends_it(self):
        daemon = self.installation()
        os.remove(daemon.config)
        self.assertEqual(self.examined(daemon, 1)["configuration"]["state"], "broken")
        if os.path.exists("/etc/hearth/hearth.yaml"):
            self.skip("this machine has a configuration")
        command = self.command(daemon, "--json")[:-2]
        done = subprocess.run(command, env=daemon.environment(), capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(self.rows(done)["configuration"]["mend"], ["hearth init"])

    def test_a_state_folder_that_is_a_file_breaks_it(self):
        daemon = self.installation()
        with open(daemon.state, "w", encoding="utf-8"):
            pass
        self.assert_only_broken(self.examined(daemon, 1), "state folder", "is not a folder")

    def test_a_port_that_a_stranger_has_breaks_it(self):
        daemon = self.installation(listen={"http": self.listener()})
        self.assert_only_broken(self.examined(daemon, 1), "http", "another program")

    def test_a_socket_path_that_is_something_else_breaks_it(self):
        daemon = self.installation()
        daemon.sections["listen"]["socket"] = daemon.config
        daemon.write_config({})
        self.assert_only_broken(self.examined(daemon, 1), "socket", "is not a socket")

    def test_another_hearth_on_the_port_is_recognised_without_its_key(self):
        for section in ({}, {"api_key": "secret"}):
            other = self.daemon({}, **section)
            place = other.address()["http"].split("//")[1]
            rows = self.examined(self.installation(listen={"http": place}), 1)
            self.assert_only_broken(rows, "http", "another Hearth")
            other.stop()

    def test_its_own_daemon_is_no_stranger_and_what_a_kill_leaves_is_no_obstacle(self):
        daemon = self.daemon({}, api_key="secret")
        daemon.sections["listen"]["http"] = daemon.address()["http"].split("//")[1]
        daemon.write_config({})
        rows = self.examined(daemon, 0)
        self.assertIn("the daemon answers", rows["http"]["found"])
        self.assertIn("the daemon answers", rows["socket"]["found"])
        version = daemon.cli("version", "--json").stdout
        self.assertIn(json.loads(version)["version"], rows["state folder"]["found"])
        self.assertIn(str(daemon.process.pid), rows["state folder"]["found"])
        daemon.kill()
        rows = self.examined(daemon, 0)
        self.assertIn("is free", rows["http"]["found"])
        self.assertIn("is free", rows["socket"]["found"])

    def test_nvidia_devices_are_told_by_the_library_that_is_there(self):
        library = os.path.join(os.path.dirname(os.path.abspath(binary())), STAND_IN)
        if not os.path.exists(library):
            self.skip(f"this build has no stand-in library {library}")
        daemon = self.installation()
        shutil.copy(library, daemon.folder)
        os.chmod(daemon.folder, 0o755)
        done = self.doctor(daemon, "--json", LD_LIBRARY_PATH=daemon.folder)
        devices = self.rows(done)["nvidia devices"]
        self.assertIn("nvidia1 stand-in 1: 8.0 GiB, 2.0 GiB used", devices["found"])
        done = self.doctor(daemon, "--json", LD_LIBRARY_PATH=daemon.folder,
                           HEARTH_STAND_IN_NVML="init=9")
        devices = self.rows(done)["nvidia devices"]
        self.assertEqual((done.returncode, devices["state"]), (0, "missing"))
        self.assertIn("the driver is not loaded", devices["missing"])

    def test_nothing_that_it_tried_is_left(self):
        daemon = self.installation()
        running = subprocess.Popen(self.command(daemon), env=daemon.environment(),
                                   stdout=subprocess.DEVNULL)
        self.assertEqual(running.wait(60), 0)
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            folders = [line.split()[1] for line in mounts if line.split()[2].startswith("cgroup")]
        self.assertTrue(folders)
        # Others may be trying at the same time.
        for folder in folders:
            for path, names, _ in os.walk(folder):
                self.assertNotIn(f"hearth-doctor-{running.pid}", names, path)


class OrdinaryUser(Doctor):
    """The same, run by a user who may do little."""

    def setUp(self):
        if os.geteuid() != 0:
            self.skip("these tests are run by an ordinary user already")
        if shutil.which("setpriv") is None:
            self.skip("no setpriv, to become an ordinary user")
        # The build's folders need not be open to everybody.
        self.folder = tempfile.mkdtemp(prefix="hearth-e2e-user-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.program = shutil.copy(binary(), self.folder)
        os.chmod(self.folder, 0o755)

    def command(self, daemon, *arguments):
        os.chown(daemon.folder, NOBODY, NOBODY)
        if os.path.exists(daemon.config):
            os.chown(daemon.config, NOBODY, NOBODY)
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                self.program, "doctor", *arguments, "--config", daemon.config]

    def test_its_own_daemon_is_no_stranger_and_what_a_kill_leaves_is_no_obstacle(self):
        daemon = self.daemon({})
        rows = self.examined(daemon, 1)
        # Of root's daemon in a folder of root's, nothing can be taken over.
        self.assertEqual(rows["state folder"]["state"], "broken")

    def test_a_folder_of_another_user_breaks_it(self):
        daemon = self.installation()
        os.mkdir(daemon.state, 0o755)
        rows = self.examined(daemon, 1)
        self.assert_only_broken(rows, "state folder", "cannot be written: Permission denied")
        os.chown(daemon.state, NOBODY, NOBODY)
        with open(os.path.join(daemon.state, "history.sqlite"), "w", encoding="utf-8"):
            pass
        os.chmod(os.path.join(daemon.state, "history.sqlite"), 0o600)
        self.assert_only_broken(self.examined(daemon, 1), "state folder", "history.sqlite")

    def test_a_port_below_1024_is_forbidden(self):
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="utf-8") as file:
            if int(file.read()) <= 81:
                self.skip("every user may take every port here")
        daemon = self.installation(listen={"http": "127.0.0.1:81"})
        self.assert_only_broken(self.examined(daemon, 1), "http", "not allowed")

    def test_the_group_that_an_administrator_makes_mends_the_limits(self):
        daemon = self.installation()
        groups = self.examined(daemon, 0)["control groups"]
        if groups["state"] == "ok" or "/sys/fs/cgroup/$c/hearth" not in groups["mend"][0]:
            self.skip(f"this machine has another mend: {groups['mend']}")
        # A name of our own, so that a real one is left alone.
        name = f"hearth-e2e-{os.getpid()}"
        mend = groups["mend"][0].split("   #")[0].replace("$c/hearth", f"$c/{name}")
        for controller in ("memory", "pids", "cpu"):
            self.addCleanup(os.rmdir, f"/sys/fs/cgroup/{controller}/{name}")
        # Sudo is us, and the user is the one who is let in.
        script = (f'sudo() {{ "$@"; }}; id() {{ echo {NOBODY}; }}; tee() {{ cat >"$1"; }}\n'
                  f'{mend}\nexec "$@"')
        done = subprocess.run(["bash", "-c", script, "bash", *self.command(daemon, "--json")],
                              env=daemon.environment(), capture_output=True, text=True,
                              timeout=60, check=False)
        rows = self.rows(done)
        self.assertEqual(rows["control groups"]["state"], "ok", rows["control groups"])


if __name__ == "__main__":
    unittest.main()
