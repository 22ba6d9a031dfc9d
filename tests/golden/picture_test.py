"""tools/picture: what a terminal showed becomes a well-formed SVG of the same words."""

import os
import subprocess
import sys
import unittest
import xml.etree.ElementTree as tree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SVG = "{http://www.w3.org/2000/svg}"


def picture(text, *options):
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tools", "picture"), *options],
                          input=text if isinstance(text, bytes) else text.encode(),
                          capture_output=True, timeout=60, check=True)
    return tree.fromstring(done.stdout)


def texts(root):
    return [node.text for node in root.iter(SVG + "text")]


def style(root, text):
    return next(node for node in root.iter(SVG + "text") if node.text == text).attrib


class Picture(unittest.TestCase):
    def test_it_holds_the_title_and_every_word(self):
        root = picture("$ hearth ps\nNAME  STATE\nocr   ready <&> \"x\"\n", "--title", "a < b & c")
        self.assertEqual(root.find(SVG + "title").text, "a < b & c")
        self.assertIn("hearth ps", texts(root))
        self.assertIn('<&> "x"', texts(root))

    def test_colours_are_kept_and_reset(self):
        root = picture("\x1b[1;31mred\x1b[0m plain \x1b[38;2;1;2;3mown\x1b[39m\x1b[38;5;196mcube\n")
        self.assertEqual(style(root, "red")["fill"], "#e06c75")
        self.assertEqual(style(root, "red")["font-weight"], "bold")
        self.assertNotIn("font-weight", style(root, "plain"))
        self.assertEqual(style(root, "own")["fill"], "#010203")
        self.assertEqual(style(root, "cube")["fill"], "#ff0000")

    def test_plain_lines_are_lightly_highlighted(self):
        root = picture("$ hearth ps\nNAME  STATE\nocr  ready\nasr  unready failed\n")
        self.assertEqual(style(root, "$")["fill"], "#98c379")
        self.assertEqual(style(root, "STATE")["font-weight"], "bold")
        self.assertEqual(style(root, "ready")["fill"], "#98c379")
        self.assertEqual(style(root, "failed")["fill"], "#e06c75")
        self.assertEqual(style(root, "unready")["fill"], style(root, "asr")["fill"])

    def test_columns_stay_where_they_were(self):
        root = picture("\x1b[32ma\x1b[0m    b\nxx   c\n\u8a9e   d\n")
        self.assertEqual(style(root, "b")["x"], style(root, "a")["x"].replace("18.0", "60.0"))
        self.assertEqual({style(root, name)["x"] for name in "bcd"}, {style(root, "b")["x"]})
        self.assertEqual(float(style(root, "a")["textLength"]) * 2, 16.8)

    def test_whatever_comes_is_well_formed(self):
        picture("")
        picture(bytes(range(256)) * 3)
        picture("\x1b[\x1b[38;5m\x1b[38;2;1mx\x1b]0;title\x07y\x1b(Bz\ufffe\x0b\r\nover\rwritten\n")

    def test_what_was_written_over_is_gone(self):
        self.assertIn("100 %", texts(picture("50 %\r100 %\r\n")))


if __name__ == "__main__":
    unittest.main()
