#!/usr/bin/env python3
"""Tests of tidy.py: each plants one fault in a small tree and looks for its finding."""

import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import tidy  # noqa: E402

LADDER = Path(__file__).resolve().parent / "layers.toml"


class TidyTest(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="tidy-"))
        self.addCleanup(shutil.rmtree, self.root)
        self.write("tools/layers.toml", LADDER.read_text())

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def findings(self, name, text):
        self.write(name, text)
        return tidy.Tidy(self.root).run()

    def expect_one(self, part, name, text):
        found = self.findings(name, text)
        self.assertEqual(len(found), 1, found)
        self.assertIn(part, found[0])

    def expect_none(self, name, text):
        self.assertEqual(self.findings(name, text), [])

    def test_a_rung_may_not_look_up(self):
        self.expect_one("core/graph/ may not include core/engine/", "src/core/graph/a.cpp",
                        '#include "core/engine/engine.h"\n')

    def test_a_rung_may_look_down(self):
        self.expect_none("src/core/engine/a.cpp",
                         '#include "core/graph/graph.h"\n#include <vector>\n')

    def test_adapters_do_not_see_each_other(self):
        self.expect_one("store/ may not include api/", "src/store/a.cpp",
                        '#include "api/server.h"\n')

    def test_third_party_code_has_its_rung(self):
        self.expect_one("boost is not let in", "src/codec/a.cpp", "#include <boost/asio.hpp>\n")
        (self.root / "src/codec/a.cpp").unlink()
        self.expect_none("src/net/a.cpp", "#include <boost/asio.hpp>\n")

    def test_the_core_knows_no_threads_and_no_clock(self):
        self.expect_one("is pure", "src/core/ledger/a.cpp", "#include <mutex>\n")
        self.expect_one("time and randomness", "src/core/ledger/a.cpp",
                        "auto now = std::chrono::steady_clock::now();\n")
        self.expect_one("differs between machines", "src/core/ledger/a.cpp",
                        "double x = std::exp(1.0);\n")
        self.expect_none("src/core/ledger/a.cpp", "// no steady_clock here\n")

    def test_a_header_is_included_once(self):
        self.expect_one("lacks #pragma once", "src/base/a.h", "int f();\n")

    def test_limits_of_lines_and_columns(self):
        self.expect_one("701 lines", "src/base/a.cpp", "\n" * 701)
        self.expect_none("src/base/a.cpp", "\n" * 700)
        self.expect_one("101 columns", "src/base/a.cpp", "//" + "a" * 99 + "\n")

    def test_a_long_function_is_found(self):
        body = "  g();\n" * 69
        for head in ("namespace a {\nint f(int x) const {\n", "A::A(int x) : a_{x}, b_(x) {\n",
                     "A::A(int x) : b_(x), a_{x} {\n", "auto f(int) -> std::vector<int> {\n"):
            self.expect_one("has 71 lines", "src/base/a.cpp", head + body + "}\n")
        self.expect_none("src/base/a.cpp", "void f() {\n" + body[7:] + "}\n")

    def test_what_is_long_but_no_function_passes(self):
        self.expect_none("src/base/a.cpp", "int table[] = {\n" + "  f(1),\n" * 90 + "};\n")
        self.expect_none("src/base/a.cpp", "struct A {\n" + "  void f() { g(); }\n" * 90 + "};\n")
        self.expect_none("src/base/a.cpp", 'const char* s = R"(f() {\n' + "  x\n" * 90 + ')";\n')

    def test_unfinished_words_are_found(self):
        self.expect_one("says", "docs/a.md", "TO" + "DO: more\n")

    def test_links_lead_somewhere(self):
        self.expect_one("leads nowhere", "docs/a.md",
                        "[x](b.md) [y](a.md#z) [w](https://example.org)\n")

    def test_the_tests_that_parity_names_exist(self):
        self.write("src/base/a_test.cpp", "TEST(Ledger, Holds) {}\n")
        self.expect_one("no test Ledger.Breaks", "docs/parity.md",
                        "| 1 | ledger | `Ledger.Holds` `Ledger.Breaks` |\n")
        self.expect_one("names no test", "docs/parity.md", "| 1 | ledger | |\n")
        self.expect_none("docs/parity.md", "| 1 | ledger | `Ledger.Holds` |\n| 2 | x | not yet |\n")

    def test_a_planted_bug_replaces_what_stands_once(self):
        self.write("src/base/a.cpp", "int f() { return 1; }\n")
        mutant = "Wrong.\nsrc/base/a.cpp\n<<<<<<<<\n{}\n========\nx\n>>>>>>>>\n"
        self.expect_none("tests/mutants/a.mutant", mutant.format("int f() { return 1; }"))
        self.expect_one("does not stand once", "tests/mutants/a.mutant", mutant.format("int g()"))
        self.expect_one("is not a mutant", "tests/mutants/a.mutant", "Wrong.\n")


if __name__ == "__main__":
    unittest.main()
