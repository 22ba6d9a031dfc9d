#!/usr/bin/env python3
"""Checks what a reader should not have to: the ladder, limits, words, links and named tests.

    tools/tidy.py [--root DIR] [--format]

Prints one line a finding, as file:line: what is wrong, and ends with status 1 if there is any.
--format also runs clang-format-19 over the C++ files, where it is installed.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LINES_MAX = 700
COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70

CPP = {".cpp", ".h", ".c"}
CODE = CPP | {".py", ".sh", ".cmake"}
TEXT = CODE | {".md", ".txt", ".toml", ".yaml", ".yml", ".json", ".html", ".css", ".js", ""}
SKIPPED_DIRECTORIES = {".git", "build", "node_modules", "__pycache__", "testdata", "corpus"}

MUTANT = re.compile(r".*\n(.*)\n<{8}\n(.*?)={8}\n.*?>{8}\n", re.S)

# Split, so that this file does not name them.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
VAGUE_TYPE = re.compile(
    r"^\s*(?:class|struct)\s+(\w*(?:Manager|Helper|Utils?|Handler|Base))\b(?!\s*;)")
THREADS = {"mutex", "thread", "atomic", "shared_mutex", "condition_variable", "future",
           "semaphore", "stop_token", "random"}
CLOCK = re.compile(
    r"\b(steady_clock|system_clock|high_resolution_clock|random_device|clock_gettime)\b")
LIBM = re.compile(r"\bstd::(exp|exp2|expm1|log|log2|log10|log1p|pow|cbrt|sin|cos|tan|tanh|sinh|cosh"
                  r"|atan|atan2|fma|hypot|erf|lgamma|tgamma)[fl]?\s*\(")
LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
TEST_MACRO = re.compile(r"\b(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)")
NAMED_TEST = re.compile(r"`([A-Z]\w*)\.([A-Z]\w*)`")
NAMED_SCRIPT = re.compile(r"`(golden|e2e|mutants)\.(\w+_test)`")


def blank_comments_and_strings(text):
    """The same text, line for line, with comments and the contents of literals blanked."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^(\s]{0,16})\(.*?\)\1"'
        r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)

    def blank(match):
        found = match.group(0)
        kept = re.sub(r"[^\n]", " ", found)
        return kept if found.startswith("/") else '""' + kept[2:]

    return token.sub(blank, text)


FUNCTION_HEAD = re.compile(
    r"(\)|\bconst|\bnoexcept|\boverride|\bfinal|\bmutable|\btry|&)\s*$"
    r"|\)[^(){}=]*->[^{};=]*$"
    r"|\)\s*:.*@\s*$", re.S)


def long_functions(blanked):
    """Yields (line, length) of each function too long. A lambda counts with its function."""
    head, stack, line, inside = "", [], 1, 0
    directive = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)
    code = directive.sub(lambda m: "\n" * m.group(0).count("\n"), blanked)
    for character in code:
        if character == "\n":
            line += 1
            head += " "
        elif character == "{":
            is_function = not inside and ")" in head and bool(FUNCTION_HEAD.search(head))
            is_value = not is_function and not re.search(
                r"\b(namespace|class|struct|union|enum|extern|concept)\b", head)
            stack.append((is_function, line, head if is_value else ""))
            inside += is_function
            head = ""
        elif character == "}":
            if not stack:
                return
            was_function, begun, before = stack.pop()
            inside -= was_function
            if was_function and line - begun + 1 > FUNCTION_LINES_MAX:
                yield begun, line - begun + 1
            head = before + "@" if before else ""
        elif character == ";":
            head = ""
        else:
            head += character


class Tidy:
    def __init__(self, root):
        self.root = Path(root).resolve()
        self.findings = []
        self.files = sorted(self.walk())
        ladder = self.root / "tools/layers.toml"
        self.rules = tomllib.loads(ladder.read_text()) if ladder.exists() else {"layer": {}}
        self.layers = self.rules["layer"]
        self.third_party = set(self.rules.get("third_party", {}).get("names", []))

    def walk(self):
        for directory, names, files in os.walk(self.root):
            names[:] = [n for n in names if n not in SKIPPED_DIRECTORIES and n != "third_party"]
            for name in files:
                path = Path(directory) / name
                if (path.suffix in TEXT or name == "CMakeLists.txt") and not path.is_symlink():
                    yield path

    def say(self, path, line, text):
        self.findings.append(f"{path.relative_to(self.root)}:{line}: {text}")

    def run(self):
        for path in self.files:
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                if path.suffix in CODE:
                    self.say(path, 1, "is not UTF-8")
                continue
            self.check_text(path, text)
            if path.suffix in CPP:
                self.check_cpp(path, text)
            elif path.suffix == ".md":
                self.check_links(path, text)
        self.check_parity()
        self.check_mutants()
        return self.findings

    def check_mutants(self):
        """A planted bug replaces a text that stands in its file once."""
        for path in sorted((self.root / "tests/mutants").glob("*.mutant")):
            parts = MUTANT.match(path.read_text(encoding="utf-8"))
            source = self.root / parts[1] if parts else None
            if not parts or not source.is_file():
                self.say(path, 1, "is not a mutant: words, an existing file, two texts")
            elif source.read_text(encoding="utf-8").count(parts[2]) != 1:
                self.say(path, 3, f"its text does not stand once in {parts[1]}")

    def check_text(self, path, text):
        lines = text.split("\n")
        is_code = path.suffix in CODE or path.name == "CMakeLists.txt" or text.startswith("#!")
        if is_code and len(lines) - 1 > LINES_MAX:
            self.say(path, LINES_MAX, f"has {len(lines) - 1} lines, {LINES_MAX} are allowed")
        if text and not text.endswith("\n") and is_code:
            self.say(path, len(lines), "does not end with a newline")
        for number, line in enumerate(lines, 1):
            if is_code and len(line) > COLUMNS_MAX:
                self.say(path, number, f"has {len(line)} columns, {COLUMNS_MAX} are allowed")
            if is_code and line != line.rstrip():
                self.say(path, number, "ends with blanks")
            if path.suffix in CPP and "\t" in line:
                self.say(path, number, "holds a tab")
            if match := UNFINISHED.search(line):
                self.say(path, number,
                         f"says {match.group(0)}: what is unfinished stands in docs/status.md")

    def check_cpp(self, path, text):
        relative = path.relative_to(self.root)
        blanked = blank_comments_and_strings(text)
        if path.suffix == ".h" and "#pragma once" not in text:
            self.say(path, 1, "lacks #pragma once")
        for begun, length in long_functions(blanked):
            self.say(path, begun,
                     f"this function has {length} lines, {FUNCTION_LINES_MAX} are allowed")
        in_ladder = relative.parts[0] == "src"
        layer = self.layer_of("/".join(relative.parts[1:-1])) if in_ladder else None
        for number, (line, code) in enumerate(zip(text.split("\n"), blanked.split("\n")), 1):
            if match := INCLUDE.match(line):
                self.check_include(path, number, layer, match.group(1), match.group(2))
            if match := VAGUE_TYPE.match(code):
                self.say(path, number,
                         f"the name {match.group(1)} says nothing: use a noun for what it is")
            if layer and self.layers[layer].get("pure"):
                self.check_pure_line(path, number, code)
        if in_ladder and layer is None:
            self.say(path, 1, "its directory is not in tools/layers.toml")

    def check_pure_line(self, path, number, code):
        if match := CLOCK.search(code):
            self.say(path, number, f"{match.group(1)}: time and randomness come from events here")
        if (match := LIBM.search(code)) and not path.name.endswith("_test.cpp"):
            self.say(path, number,
                     f"std::{match.group(1)} differs between machines: use base/math.h")

    def layer_of(self, directory):
        """The longest layer that the directory lies in, or None."""
        fitting = [n for n in self.layers if directory == n or directory.startswith(n + "/")]
        return max(fitting, key=len, default=None)

    def check_include(self, path, number, layer, quote, name):
        if quote == "<":
            self.check_angle_include(path, number, layer, name)
            return
        if name.startswith("hearth/") or layer is None:
            return
        target = self.layer_of(os.path.dirname(name))
        if target is None:
            self.say(path, number, f'"{name}" is not written from src/')
            return
        sees = self.layers[layer].get("sees", [])
        if target != layer and not any(
                target == s or (s.endswith("*") and target.startswith(s[:-1])) for s in sees):
            self.say(path, number, f"{layer}/ may not include {target}/ (tools/layers.toml)")

    def check_angle_include(self, path, number, layer, name):
        first = name.split("/")[0]
        if first == "gtest":
            relative = path.relative_to(self.root).as_posix()
            is_test = re.search(r"_test\.cpp$|test_\w+\.h$|testing", relative)
            if relative.startswith("src/") and not is_test:
                self.say(path, number, "GoogleTest is for tests")
            return
        if layer is None:
            return
        rule = self.layers[layer]
        if first in self.third_party and first not in rule.get("third", []):
            self.say(path, number,
                     f"<{name}>: {first} is not let in at {layer}/ (tools/layers.toml)")
        elif rule.get("pure"):
            is_system = name.endswith(".h") and first not in rule.get("third", [])
            if name in THREADS or is_system:
                self.say(path, number,
                         f"<{name}>: {layer}/ is pure: no threads, no system, no chance")

    def check_links(self, path, text):
        fence = re.compile(r"^```.*?^```", re.S | re.M)
        text = fence.sub(lambda m: "\n" * m.group(0).count("\n"), text)
        for number, line in enumerate(text.split("\n"), 1):
            for match in LINK.finditer(re.sub(r"`[^`]*`", "", line)):
                target = match.group(1).split("#")[0]
                if not target or re.match(r"[a-z][a-z0-9+.-]*:", target):
                    continue
                base = self.root if target.startswith("/") else path.parent
                if not (base / target.lstrip("/")).exists():
                    self.say(path, number, f"the link {target} leads nowhere")

    def check_parity(self):
        parity = self.root / "docs/parity.md"
        if not parity.exists():
            return
        tests = set()
        for path in self.files:
            if path.suffix == ".cpp":
                text = path.read_text(encoding="utf-8", errors="replace")
                tests.update(TEST_MACRO.findall(text))
        for number, line in enumerate(parity.read_text(encoding="utf-8").split("\n"), 1):
            if not line.startswith("|"):
                continue
            named = NAMED_TEST.findall(line)
            scripts = NAMED_SCRIPT.findall(line)
            for suite, name in named:
                if (suite, name) not in tests:
                    self.say(parity, number, f"there is no test {suite}.{name}")
            for label, stem in scripts:
                if not list((self.root / "tests" / label).glob(stem + ".*")):
                    self.say(parity, number, f"there is no test {label}.{stem}")
            is_row = re.match(r"\|\s*\d+\s*\|", line)
            is_excused = re.search(r"not yet|declined", line, re.I)
            if is_row and not named and not scripts and not is_excused:
                self.say(parity, number, "names no test, and is neither 'not yet' nor 'declined'")


def check_format(tidy):
    program = shutil.which("clang-format-19")
    if not program:
        print("clang-format-19 is not installed: the format is not checked")
        return
    files = [p for p in tidy.files if p.suffix in CPP]

    def check(path):
        command = [program, "--dry-run", "-Werror", "--ferror-limit=1", str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, result in zip(files, pool.map(check, files)):
            if result.returncode:
                place = re.search(r":(\d+):\d+: ", result.stderr)
                line = place.group(1) if place else 1
                tidy.say(path, line, "is not as clang-format-19 writes it")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--format", action="store_true")
    arguments = parser.parse_args()
    tidy = Tidy(arguments.root)
    tidy.run()
    if arguments.format:
        check_format(tidy)
    for finding in tidy.findings:
        print(finding)
    print(f"tidy: {len(tidy.files)} files, {len(tidy.findings)} findings")
    return 1 if tidy.findings or not tidy.files else 0


if __name__ == "__main__":
    sys.exit(main())
