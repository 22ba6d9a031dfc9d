"""The example's configuration as the client sees it: components, needs, conflicts, keywords."""

import os
import re

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))


def path_of(kind):
    return os.path.join(HERE, f"hearth-{kind}.yaml")


def load(kind):
    """The components of a set: {name: its part of the configuration}."""
    with open(path_of(kind), encoding="utf-8") as file:
        return yaml.safe_load(file)["components"]


def budget(kind):
    """The budget in bytes."""
    with open(path_of(kind), encoding="utf-8") as file:
        text = str(yaml.safe_load(file)["memory"]["budget"])
    return int(float(re.match(r"[\d.]+", text)[0]) * {"MB": 1e6, "GB": 1e9}[text[-2:]])


def command_line(component, state):
    return [word.replace("${env.HEARTH_ASSISTANT}", HERE).replace("${STATE_DIR}", state)
            for word in component["cmd"]]


def words(text):
    return " " + " ".join(re.findall(r"[a-z0-9]+", text.lower())) + " "


def intents(components, text):
    """The components whose keywords stand in the text as whole words."""
    said = words(text)
    return {name for name, component in components.items()
            if any(words(keyword) in said for keyword in component.get("keywords", []))}


def with_needs(components, names):
    """These and, transitively, what they need."""
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += components[name].get("needs", [])
    return found


def conflicts(components):
    """{name: the components that must not be resident with it}, both ways."""
    found = {name: set() for name in components}
    for name, component in components.items():
        for other in component.get("conflicts", []):
            found[name].add(other)
            found[other].add(name)
    return found
