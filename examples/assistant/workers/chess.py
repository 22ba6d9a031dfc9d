#!/usr/bin/python3
"""chess: the best move in a position (Stockfish)."""

from base import BadRequest, Worker, serve


class Chess(Worker):
    def load(self):
        self.engine = self.child(["/usr/games/stockfish"])
        self.tell("uci", "uciok")
        self.tell("setoption name Threads value 1\nisready", "readyok")
        self.best("8/8/8/8/8/5k2/6q1/7K w - - 0 1")
        self.best("6k1/5ppp/8/8/8/8/8/R3K3 w - - 0 1")

    def tell(self, text, until):
        self.engine.stdin.write(text.encode() + b"\n")
        self.engine.stdin.flush()
        while True:
            line = self.engine.stdout.readline().decode()
            if not line:
                raise RuntimeError("stockfish ended")
            if line.startswith(until):
                return line

    def best(self, position):
        if any(c in position for c in "\r\n"):
            raise BadRequest("a position in FEN is wanted")
        return self.tell(f"position fen {position}\ngo depth 10", "bestmove").split()[1]

    def run(self, request):
        return {"move": self.best(request["fen"])}


serve(Chess())
