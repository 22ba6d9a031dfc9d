"""A small reactive manager, to compare with: it starts the same components in the same way.

It loads what a command needs (needs first, conflicting ones unloaded before), in parallel
within the slots, with the same probe every 5 ms, and unloads by one rule: never, at once, or
after a time without use.
"""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import components as config

PROBE = 0.005
GRACE = 3.0
TIMEOUT = 120.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Instance:
    """One component's process, from its start to its end."""

    def __init__(self, name, component, folder, environment):
        self.name, self.port = name, free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        state = os.path.join(folder, name)
        os.makedirs(state, exist_ok=True)
        self.log = open(os.path.join(folder, name + ".log"), "ab")
        self.process = subprocess.Popen(
            config.command_line(component, state), stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, start_new_session=True, env=dict(
                environment, PORT=str(self.port), STATE_DIR=state, HEARTH_COMPONENT=name))

    def wait_ready(self):
        path = self.endpoint + "/health"
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(path, timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(PROBE)
        self.stop()
        raise RuntimeError(f"{self.name} did not become ready: see {self.log.name}")

    def stop(self):
        """SIGTERM, grace, SIGKILL of its session; returns once it has ended."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(GRACE)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.log.close()


class Manager:
    """The rule is ttl: seconds without use, 0 to unload at once, None never to unload."""

    def __init__(self, components, folder, environment, ttl, parallel=2):
        self.components, self.folder, self.environment = components, folder, environment
        self.ttl = ttl
        self.slots = threading.Semaphore(parallel)
        self.foes = config.conflicts(components)
        self.lock = threading.Condition()
        self.state = {}  # name: "loading", "ready" or "unloading"; absent when unloaded
        self.instances, self.last_use, self.in_use = {}, {}, set()
        self.loads = self.evictions = 0
        self.load_seconds = {}
        self.ended = False
        self.reaper = threading.Thread(target=self.reap, daemon=True)
        self.reaper.start()

    # --- loading

    def load(self, name, failures):
        """Loads one component, its needs being loaded by others; in a thread of its own."""
        try:
            with self.lock:
                needs = self.components[name].get("needs", [])
                while any(self.state.get(need) != "ready" for need in needs) and not failures:
                    self.lock.wait()
                if failures:
                    raise failures[0]
            with self.slots:
                started = time.monotonic()
                instance = Instance(
                    name, self.components[name], self.folder, self.environment)
                instance.wait_ready()
            with self.lock:
                self.instances[name], self.state[name] = instance, "ready"
                self.last_use[name] = time.monotonic()
                self.loads += 1
                self.load_seconds.setdefault(name, []).append(time.monotonic() - started)
                self.lock.notify_all()
        except Exception as error:
            with self.lock:
                failures.append(error)
                self.state.pop(name, None)
                self.lock.notify_all()

    def ensure(self, names, obey_conflicts=True):
        """Makes these ready: {name: (endpoint, whether it was cold)}."""
        names = config.with_needs(self.components, names)
        with self.lock:
            cold = {name for name in names if self.state.get(name) != "ready"}
            self.in_use |= names
            if obey_conflicts:
                foes = set().union(*(self.foes[name] for name in names)) if names else set()
                self.unload([foe for foe in foes if self.state.get(foe) == "ready"])
                self.lock.wait_for(lambda: not any(foe in self.state for foe in foes))
            self.lock.wait_for(
                lambda: not any(self.state.get(name) == "unloading" for name in names))
            missing = [name for name in names if name not in self.state]
            failures = []
            for name in sorted(missing, key=self.depth):
                self.state[name] = "loading"
                threading.Thread(target=self.load, args=(name, failures)).start()
            self.lock.wait_for(
                lambda: all(self.state.get(name) == "ready" for name in names)
                or (failures and not any(self.state.get(n) == "loading" for n in names)))
            if failures:
                raise failures[0]
            return {name: (self.instances[name].endpoint, name in cold) for name in names}

    def depth(self, name):
        return len(config.with_needs(self.components, [name]))

    # --- unloading

    def unload(self, names):
        """Begins to unload these; the lock is held."""
        for name in sorted(names, key=self.depth, reverse=True):
            self.state[name] = "unloading"
            self.evictions += not self.ended  # what the end of the day unloads is none
            threading.Thread(target=self.end, args=(self.instances.pop(name),)).start()

    def end(self, instance):
        instance.stop()
        with self.lock:
            self.state.pop(instance.name, None)
            self.lock.notify_all()

    def release(self, names):
        """The command is over."""
        names = config.with_needs(self.components, names)
        with self.lock:
            now = time.monotonic()
            for name in names:
                self.last_use[name] = now
            self.in_use -= names
            if self.ttl == 0:
                self.unload([n for n in names if self.state.get(n) == "ready"])

    def reap(self):
        """Unloads what has not been used for the time to live."""
        while not self.ended:
            time.sleep(0.01)
            if not self.ttl:
                continue
            with self.lock:
                now = time.monotonic()
                self.unload([
                    name for name, state in self.state.items()
                    if state == "ready" and name not in self.in_use
                    and now - self.last_use[name] > self.ttl])

    def close(self):
        """Unloads everything and returns when it has ended."""
        self.ended = True
        self.reaper.join()
        with self.lock:
            self.lock.wait_for(lambda: "loading" not in self.state.values())
            self.unload([name for name, state in self.state.items() if state == "ready"])
            self.lock.wait_for(lambda: not self.state)
        shutil.rmtree(self.folder, ignore_errors=True)
