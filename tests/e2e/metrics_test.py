"""/metrics of a real daemon, in both formats, and what is made of it in deploy/.

What needs promtool or the client package fails without them: ./check brings both.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gateway_test import CHAT, model  # noqa: E402
from harness import HERE, PYTHON, DaemonTest, component, wait_for  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(HERE))
PROMETHEUS = os.path.join(ROOT, "deploy", "prometheus")
DASHBOARDS = os.path.join(ROOT, "deploy", "grafana", "*.json")
OPEN = "application/openmetrics-text"

# What a scrape adds.
SCRAPED_METRICS = {"up": {"job", "instance"}}
SCRAPED_LABELS = {"job", "instance"}

PARSE_OPEN = """
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
found = {}
for family in parse(sys.stdin.read()):
    for sample in family.samples:
        found.setdefault(sample.name, []).append([sample.labels, sample.value])
print(json.dumps(found))
"""

SELECTOR = re.compile(r"\b(hearth_[a-z0-9_]+|up)\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r'\s*([a-z_]+)\s*(=~|!=|!~|=)\s*"([^"]*)"\s*,?')


def promtool(*arguments, text=None, folder=None):
    built = os.path.join(ROOT, "build", "tools", "promtool")
    program = shutil.which("promtool") or built
    if not os.access(program, os.X_OK):
        raise AssertionError("promtool is missing: `./check --yes e2e` brings it, or install it")
    done = subprocess.run([program, *arguments], input=text, text=True, cwd=folder,
                          capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, f"promtool {arguments}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def parsed(text):
    """Samples by name, each with its labels and its value, as the client package reads them."""
    done = subprocess.run([PYTHON, "-c", PARSE_OPEN], input=text, text=True,
                          capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, \
        f"python3-prometheus-client is missing or refuses the text:\n{done.stderr[-2000:]}"
    return json.loads(done.stdout)


def labels_of(samples):
    """By label: its values."""
    found = {}
    for labels, _ in samples:
        for name, value in labels.items():
            found.setdefault(name, set()).add(value)
    return found


def without_variables(expr):
    return re.sub(r"\$__(rate_interval|range|interval)", "5m", expr).replace("$instance", ".*")


def dashboard_queries():
    """The expression and the legend of each query of each dashboard."""
    for path in glob.glob(DASHBOARDS):
        with open(path, encoding="utf-8") as file:
            dashboard = json.load(file)
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield f"{dashboard['title']}: {panel['title']}", \
                    without_variables(target["expr"]), target.get("legendFormat", "")


def rules():
    """The name, the expression and the words of each alert."""
    with open(os.path.join(PROMETHEUS, "hearth.rules.yml"), encoding="utf-8") as file:
        text = re.sub(r"^\s*#.*$", "", file.read(), flags=re.M)
    for block in text.split("- alert: ")[1:]:
        name, rest = block.split("\n", 1)
        expr, words = re.split(r"\n\s+(?:for|labels):", rest.split("expr:", 1)[1], maxsplit=1)
        yield name.strip(), expr.replace(">-", "", 1).strip(), words


class Metrics(DaemonTest):
    """One daemon that has seen a load, an eviction, refusals, a failure and the gateway."""

    def setUp(self):
        self.seen = self.daemon(
            {"one": model("one", "--mb", 60, memory="100MiB", keywords=["first"]),
             "two": model("two", "--mb", 60, memory="100MiB", pool="ml"),
             "wide": model("wide", memory="100MiB"),
             "broken": component("--exit-code", 3)},
            memory={"budget": "150MiB", "pools": {"ml": "120MiB"}})
        chat = self.seen.ask("POST", CHAT, {"model": "one", "messages": []})
        self.assert_status(chat, 200)
        self.assert_status(self.seen.command("the first"), 200)
        wait_for(lambda: self.seen.row("one")["leases"] == 0, "the answers' leases have ended")
        self.assert_status(self.seen.lease("two", lease_ms=1), 200)
        self.assert_status(self.seen.lease("one", "wide"), 503)
        self.assertNotEqual(self.seen.lease("broken", timeout_ms=1500).status, 200)
        self.assert_status(self.seen.ask("POST", CHAT, {"model": "three", "messages": []}), 404)
        self.seen.wait_state("broken", "failed")
        self.text = wait_for(lambda: self.scrape_whole(), "the machine's memory was sampled")

    def scrape(self, accept):
        answer = self.assert_status(
            self.seen.ask("GET", "/metrics", headers={"Accept": accept}), 200)
        return answer.headers["Content-Type"], answer.body.decode()

    def scrape_whole(self):
        kind, text = self.scrape("*/*")
        self.assertEqual(kind, "text/plain; version=0.0.4; charset=utf-8")
        return text if "hearth_available_bytes " in text else None

    def value(self, live, name, **labels):
        found = [value for of, value in live[name] if labels.items() <= of.items()]
        self.assertEqual(len(found), 1, (name, labels, live[name]))
        return found[0]

    def check_expression(self, where, expr, live):
        """Every metric, label and value in it is there; so is what it groups by."""
        known = set(SCRAPED_LABELS)
        for name, matchers in SELECTOR.findall(expr):
            if name in SCRAPED_METRICS:
                known |= SCRAPED_METRICS[name]
                continue
            self.assertIn(name, live, f"{where}: {expr}")
            labels = labels_of(live[name])
            known |= set(labels)
            self.assertEqual(MATCHER.sub("", matchers).strip(), "", f"{where}: {matchers}")
            for label, how, value in MATCHER.findall(matchers):
                if label in SCRAPED_LABELS:
                    continue
                self.assertIn(label, labels, f"{where}: {name} in {expr}")
                values = value.split("|") if how == "=~" else [value]
                for one in values:
                    self.assertIn(one, labels[label], f"{where}: {name}{{{label}}} in {expr}")
        for group in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expr):
            for label in filter(None, re.split(r"[\s,]+", group)):
                self.assertIn(label, known, f"{where}: {expr}")
        return known

    def test_all_that_is_told_is_right_and_all_that_is_used_is_told(self):
        promtool("check", "metrics", text=self.text)
        kind, text = self.scrape(f"{OPEN};version=1.0.0,text/plain;q=0.5,*/*;q=0.1")
        self.assertEqual(kind, f"{OPEN}; version=1.0.0; charset=utf-8")
        live = parsed(text)
        self.check_figures(live)
        self.check_formats_agree(text)
        self.check_table(live)
        for where, expr, legend in dashboard_queries():
            known = self.check_expression(where, expr, live)
            for label in re.findall(r"\{\{\s*(\w+)\s*\}\}", legend):
                self.assertIn(label, known, where)
        for name, expr, words in rules():
            known = self.check_expression(name, expr, live)
            for label in re.findall(r"\$labels\.(\w+)", words):
                self.assertIn(label, known, name)

    def check_figures(self, live):
        value = self.value
        self.assertEqual(value(live, "hearth_wait_seconds_count",
                               state="cold", priority="medium"), 2)
        self.assertEqual(value(live, "hearth_wait_seconds_count",
                               state="warm", priority="medium"), 1)
        self.assertEqual(value(live, "hearth_load_seconds_count"), 2)
        self.assertGreaterEqual(value(live, "hearth_queue_seconds_count"), 2)
        self.assertGreater(value(live, "hearth_step_seconds_count"), 10)
        self.assertEqual(value(live, "hearth_evictions_total"), 1)
        self.assertEqual(value(live, "hearth_eviction_age_seconds_count", reason="memory"), 1)
        self.assertGreaterEqual(value(live, "hearth_load_failures_total"), 1)
        self.assertEqual(value(live, "hearth_refusals_total", reason="too_large"), 1)
        self.assertEqual(value(live, "hearth_gateway_requests_total", outcome="answered"), 1)
        self.assertEqual(value(live, "hearth_gateway_requests_total", outcome="unknown"), 1)
        self.assertEqual(value(live, "hearth_component_state",
                               component="broken", state="failed"), 1)
        self.assertGreater(value(live, "hearth_budget_measured_bytes", budget="ram"), 50 << 20)
        self.assertGreater(value(live, "hearth_component_pss_bytes", component="two"), 50 << 20)

    def check_formats_agree(self, text):
        names = [set(re.findall(r"^(hearth_[a-z_]+(?:\{[^}]*\})?) ", one, re.M))
                 for one in (self.text, text)]
        self.assertEqual(names[0], names[1])

    def check_table(self, live):
        """docs/metrics.md has every metric, no other, and the labels of each."""
        with open(os.path.join(ROOT, "docs", "metrics.md"), encoding="utf-8") as file:
            rows = re.findall(r"^\| `(hearth_\w+)` \| (\w+) \|([^|]*)\|", file.read(), re.M)
        documented = {name: (kind, set(re.findall(r"`(\w+)`", labels)))
                      for name, kind, labels in rows}
        families = dict(re.findall(r"^# TYPE (\w+) (\w+)$", self.text, re.M))
        self.assertEqual({name: kind for name, (kind, _) in documented.items()}, families)
        for name, (kind, labels) in documented.items():
            samples = live[name + ("_count" if kind == "histogram" else "")]
            self.assertEqual(labels, set(labels_of(samples)), name)


class Deployed(unittest.TestCase):
    def test_the_alerts_fire_when_they_should_and_only_then(self):
        promtool("check", "config", "prometheus.yml", folder=PROMETHEUS)
        promtool("test", "rules", "hearth.rules.test.yml", folder=PROMETHEUS)

    def test_each_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not(self):
        with open(os.path.join(PROMETHEUS, "hearth.rules.test.yml"), encoding="utf-8") as file:
            tested = re.findall(r"alertname: (\w+)\n\s+exp_alerts:( \[\])?", file.read())
        names = [name for name, _, _ in rules()]
        self.assertEqual(len(names), len(set(names)))
        for name in names:
            self.assertEqual({empty for of, empty in tested if of == name}, {"", " []"}, name)

    def test_every_expression_of_the_dashboard_can_be_evaluated(self):
        queries = list(dashboard_queries())
        self.assertGreater(len(queries), 20)
        made = {"groups": [{"name": "dashboard", "rules": [
            {"record": f"query:{number}", "expr": expr}
            for number, (_, expr, _) in enumerate(queries)]}]}
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "rules.yml"), "w", encoding="utf-8") as file:
                json.dump(made, file)  # JSON is YAML
            promtool("check", "rules", "--lint=none", "rules.yml", folder=folder)

    def test_the_dashboard_has_what_grafana_asks_of_one(self):
        for path in glob.glob(DASHBOARDS):
            with open(path, encoding="utf-8") as file:
                dashboard = json.load(file)
            for key in ("title", "uid", "schemaVersion", "panels", "templating", "time"):
                self.assertIn(key, dashboard, path)
            self.assertNotIn("id", dashboard, "Grafana gives it one")
            panels = dashboard["panels"]
            self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
            variables = {one["name"] for one in dashboard["templating"]["list"]}
            used = set(re.findall(r"\$\{?([a-z]\w*)\}?", json.dumps(dashboard)))
            self.assertLessEqual(used, variables)
            taken = set()
            for panel in panels:
                place = panel["gridPos"]
                self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
                cells = {(place["x"] + x, place["y"] + y)
                         for x in range(place["w"]) for y in range(place["h"])}
                self.assertFalse(cells & taken, f"{panel['title']} lies over another")
                taken |= cells


if __name__ == "__main__":
    unittest.main()
