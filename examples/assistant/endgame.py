"""Chess with a few pieces: king and heavy pieces against a bare king; enough to make a
position with a mate in one, and to tell whether a move is one."""

LINES = {"R": [(1, 0), (-1, 0), (0, 1), (0, -1)]}
LINES["Q"] = LINES["R"] + [(1, 1), (1, -1), (-1, 1), (-1, -1)]


def inside(square):
    return 0 <= square[0] < 8 and 0 <= square[1] < 8


def near(one, two):
    return max(abs(one[0] - two[0]), abs(one[1] - two[1])) <= 1


def reached(piece, start, occupied):
    """The squares that a rook or queen attacks; a blocking square is included."""
    for step in LINES[piece]:
        square = (start[0] + step[0], start[1] + step[1])
        while inside(square):
            yield square
            if square in occupied:
                break
            square = (square[0] + step[0], square[1] + step[1])


def attacked(square, king, pieces, without=None):
    """Whether White attacks the square, Black's king not shielding it."""
    if near(square, king):
        return True
    occupied = {king} | {p[1] for p in pieces}
    return any(square in set(reached(name, at, occupied - {square}))
               for name, at in pieces if at != without)


def mated(king, pieces, black):
    """Whether Black, to move, is mated."""
    if not attacked(black, king, pieces):
        return False
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            square = (black[0] + dx, black[1] + dy)
            if square == black or not inside(square):
                continue
            taken = next((p for p in pieces if p[1] == square), None)
            rest = [p for p in pieces if p is not taken]
            if not attacked(square, king, rest):
                return False
    return True


def name(square):
    return "abcdefgh"[square[0]] + str(square[1] + 1)


def after(king, pieces, move):
    """King and pieces after White's move in coordinates, or None where nothing stands there."""
    start = ("abcdefgh".index(move[0]), int(move[1]) - 1)
    end = ("abcdefgh".index(move[2]), int(move[3]) - 1)
    if start == king:
        return end, pieces
    if start not in [p[1] for p in pieces]:
        return None
    return king, [(n, end if at == start else at) for n, at in pieces]


def mates(king, pieces, black):
    """Every mating move of a piece."""
    found = []
    occupied = {king, black} | {p[1] for p in pieces}
    for piece, start in pieces:
        for end in reached(piece, start, occupied):
            if end in occupied:
                continue
            move = name(start) + name(end)
            if mated(king, after(king, pieces, move)[1], black):
                found.append(move)
    return found


def fen(king, pieces, black):
    board = {king: "K", black: "k", **{at: n for n, at in pieces}}
    rows = []
    for y in range(7, -1, -1):
        row, empty = "", 0
        for x in range(8):
            piece = board.get((x, y))
            if piece is None:
                empty += 1
                continue
            row += (str(empty) if empty else "") + piece
            empty = 0
        rows.append(row + (str(empty) if empty else ""))
    return "/".join(rows) + " w - - 0 1"


def position(random):
    """A position with White to move and mate: (king, pieces, black)."""
    squares = [(x, y) for x in range(8) for y in range(8)]
    while True:
        names = random.choice([["Q"], ["R"], ["Q", "R"], ["R", "R"]])
        king, black, *places = random.sample(squares, 2 + len(names))
        pieces = list(zip(names, places))
        if near(king, black) or attacked(black, king, pieces):
            continue
        if mates(king, pieces, black):
            return king, pieces, black
