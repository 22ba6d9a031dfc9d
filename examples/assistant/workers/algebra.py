#!/usr/bin/python3
"""algebra: symbolic mathematics (Maxima)."""

from base import BadRequest, Worker, serve

ALLOWED = set("abcdefghijklmnopqrstuvwxyz0123456789+-*/^(), ")
END = "<end>"


class Algebra(Worker):
    def load(self):
        self.maxima = self.child(["maxima", "--very-quiet"])
        self.evaluate("(display2d:false, linel:10000)")
        self.evaluate("expand((x+1)^3)")
        self.evaluate("factor(x^2-1)")
        self.evaluate("diff(x^3,x)")

    def evaluate(self, expression):
        self.maxima.stdin.write(f'disp({expression})$\ndisp("{END}")$\n'.encode())
        self.maxima.stdin.flush()
        lines = []
        while True:
            line = self.maxima.stdout.readline().decode()
            if not line:
                raise RuntimeError("maxima ended")
            if END in line:
                break
            lines.append(line.rstrip("\n"))
        if any("-- an error" in line or "incorrect syntax" in line for line in lines):
            raise BadRequest("maxima: " + " ".join(lines))
        return "".join(line.rstrip("\\") for line in lines).strip()

    def run(self, request):
        if not set(request["expression"]) <= ALLOWED:
            raise BadRequest("an expression in small letters is wanted")
        return {"value": self.evaluate(request["expression"])}


serve(Algebra())
