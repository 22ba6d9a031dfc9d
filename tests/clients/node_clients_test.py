"""The published clients of npm, openai and ollama, through the gateway (node_clients.mjs)."""

import os
import subprocess
import unittest

from served import BUILT, HERE, ServedTest, model


class Node(ServedTest):
    components = {"llama": model("llama", aliases=["meta/llama:8b"])}

    def test_node_clients(self):
        environment = {**os.environ, "HEARTH_URL": self.base,
                       "HEARTH_NODE_MODULES": os.path.join(BUILT, "node", "package.json")}
        node = os.path.join(BUILT, "python", "bin", "node")
        done = subprocess.run([node, os.path.join(HERE, "node_clients.mjs")], env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120, check=False)
        print(done.stdout)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        self.assertRegex(done.stdout, r"\bpass \d\d\b")


if __name__ == "__main__":
    unittest.main()
