"""kill -9 of the daemon, again and again, in counted phases of its work.

Nothing acknowledged is lost, nothing is corrupt, nothing that it started is left. 20 kills, or as
many as HEARTH_KILLS says; of 100 and more at least 15 are in each phase.
"""

import os
import random
import statistics
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import DaemonTest, component, marked, wait_for  # noqa: E402

KILLS = int(os.environ.get("HEARTH_KILLS", "20"))
PHASES = ("loading", "appending", "snapshotting", "draining")
COLD = '{"text": "look at this", "lease_ms": 0, "wait": "none"}'
# Once it is warm it is answered beside the core thread, by a lease that the journal must hold.
WARM = '{"text": "look at this", "lease_ms": 200, "wait": "ready"}'


class Clients:
    """Threads that send commands until the daemon is gone, and count what was acknowledged.

    Every other one waits and takes a lease.
    """

    def __init__(self, daemon, count):
        self.daemon, self.lock = daemon, threading.Lock()
        self.sent = self.acknowledged = 0
        self.is_over = False
        self.threads = [threading.Thread(target=self.run, args=(WARM if number % 2 else COLD,))
                        for number in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, command):
        connection = self.daemon.connection(timeout=30)
        try:
            while not self.is_over:
                with self.lock:
                    self.sent += 1
                connection.request("POST", "/v1/commands", command,
                                   {"content-type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                if answer.status in (200, 202):
                    with self.lock:
                        self.acknowledged += 1
        except OSError:
            pass
        except Exception as error:   # http.client has its own for a broken connection
            if not self.is_over and "http.client" not in type(error).__module__:
                raise
        finally:
            connection.close()

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()


class Kills(DaemonTest):
    def setUp(self):
        self.hearth = self.daemon({
            "quick": component("--fork", keywords=["look"]),
            "slow": component("--delay", 20, "--fork"),
            "held": component()}, is_started=False, drain="60s")
        self.sent = self.acknowledged = 0
        self.is_pinned = False
        self.random = random.Random(1)
        self.gone = []   # how long after each kill nothing was left

    def check_what_was_acknowledged(self, where):
        status = self.hearth.get("/v1/status")
        commands = status["totals"]["commands"]
        self.assertGreaterEqual(commands, self.acknowledged, where)
        self.assertLessEqual(commands, self.sent, where)
        self.assertEqual(self.hearth.row("held")["pinned"], self.is_pinned, where)
        strange = [name for _, _, files in os.walk(self.hearth.state) for name in files
                   if ".corrupt" in name or ".other-version" in name]
        self.assertEqual(strange, [], where)
        # What the daemon says now is where the next round counts from.
        self.sent = self.acknowledged = commands

    def send(self, until):
        clients = Clients(self.hearth, 4)
        try:
            until(clients)
            killed = self.hearth.kill()
        finally:
            clients.end()
        self.sent += clients.sent
        self.acknowledged += clients.acknowledged
        return killed

    def loading(self):
        self.assertEqual(self.hearth.ask("POST", "/v1/components/slow/load",
                                         {"wait": "none"}).status, 202)
        wait_for(lambda: self.hearth.state_of("slow") == "loading", "slow is loading")
        time.sleep(self.random.random() * 0.2)   # any moment of it
        return self.hearth.kill()

    def appending(self):
        wanted = 20 + self.random.randrange(200)
        return self.send(lambda clients: wait_for(
            lambda: clients.acknowledged >= wanted, f"{wanted} commands"))

    def snapshotting(self):
        beside = os.path.join(self.hearth.state, "snapshot.tmp")
        folders = [os.path.join(root, "snapshot.tmp") for root, _, _ in os.walk(self.hearth.state)]

        def seen(_):
            end = time.monotonic() + 60
            while not any(map(os.path.exists, [beside, *folders])):
                if time.monotonic() > end:
                    raise AssertionError("no snapshot was begun in 60 s")
        return self.send(seen)

    def draining(self):
        self.assertEqual(self.hearth.lease("quick").status, 200)
        self.hearth.process.terminate()
        wait_for(lambda: self.hearth.get("/v1/status")["shutting_down"], "it drains")
        return self.hearth.kill()

    def change_a_pin(self):
        verb = "unpin" if self.is_pinned else "pin"
        answer = self.hearth.ask("POST", f"/v1/components/held/{verb}", {})
        self.assertEqual(answer.status, 200, answer.body)
        self.is_pinned = not self.is_pinned

    def check_nothing_is_left(self, killed, where):
        patience = 2 if os.getloadavg()[0] < 2 * (os.cpu_count() or 1) else 20
        while marked(self.hearth.mark):
            if time.monotonic() - killed > patience:
                self.fail(f"{where}: {marked(self.hearth.mark)} run {patience} s after the kill")
            time.sleep(0.02)
        self.gone.append(time.monotonic() - killed)

    def test_nothing_acknowledged_is_lost_and_nothing_is_left(self):
        counted = dict.fromkeys(PHASES, 0)
        for number in range(KILLS):
            phase = PHASES[number % len(PHASES)]
            where = f"kill {number}, after {PHASES[number % len(PHASES) - 1]}"
            if phase == "snapshotting":
                os.environ["HEARTH_SNAPSHOT_EVENTS"] = "4"
            try:
                self.hearth.start()
            finally:
                os.environ.pop("HEARTH_SNAPSHOT_EVENTS", None)
            self.check_what_was_acknowledged(where)
            if number % 3 == 0:
                self.change_a_pin()
            killed = getattr(self, phase)()
            counted[phase] += 1
            self.check_nothing_is_left(killed, f"kill {number} while {phase}")
        self.hearth.start()
        self.check_what_was_acknowledged("the last kill")
        self.assertEqual(self.hearth.stop(), 0)
        # A machine under load may be late now and then, but not as a rule.
        self.assertLessEqual(statistics.median(self.gone), 2)
        if KILLS >= 100:
            self.assertGreaterEqual(min(counted.values()), 15, counted)
        print("kills:", ", ".join(f"{count} while {phase}" for phase, count in counted.items()),
              f"- the last process was gone {max(self.gone) * 1000:.0f} ms after a kill at most, "
              f"{statistics.median(self.gone) * 1000:.0f} ms at the median")


if __name__ == "__main__":
    unittest.main()
