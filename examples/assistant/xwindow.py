"""A very small X11 client: one window with a picture in it, and screenshots of the display.

It speaks the core protocol over the display's Unix socket, 24-bit TrueColor only.
"""

import socket
import struct
import zlib

OPCODE_CREATE_WINDOW, OPCODE_DESTROY_WINDOW, OPCODE_MAP_WINDOW = 1, 4, 8
OPCODE_CREATE_GC, OPCODE_PUT_IMAGE, OPCODE_GET_IMAGE = 55, 72, 73
ALL_PLANES, Z_PIXMAP = 0xFFFFFFFF, 2


class Display:
    """A connection to the display with that number."""

    def __init__(self, number):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"/tmp/.X11-unix/X{number}")
        self.stream = self.socket.makefile("rb")
        self.socket.sendall(struct.pack("<BxHHHHxx", 0x6C, 11, 0, 0, 0))
        status, _, _, _, words = struct.unpack("<BBHHH", self.stream.read(8))
        setup = self.stream.read(words * 4)
        if status != 1:
            raise RuntimeError("the display refused: " + setup.decode("latin-1").strip("\0"))
        self.ids = struct.unpack_from("<I", setup, 4)[0]
        vendor, = struct.unpack_from("<H", setup, 16)
        formats = setup[21]
        screen = 32 + (vendor + 3) // 4 * 4 + formats * 8
        self.root, = struct.unpack_from("<I", setup, screen)
        self.width, self.height = struct.unpack_from("<HH", setup, screen + 20)
        self.depth = setup[screen + 38]
        self.used = 0

    def close(self):
        """Ends the connection, and with it the windows made through it."""
        self.stream.close()
        self.socket.close()

    def new_id(self):
        self.used += 1
        return self.ids + self.used

    def send(self, opcode, detail, body):
        size = (4 + len(body) + 3) // 4
        self.socket.sendall(
            struct.pack("<BBH", opcode, detail, size) + body + bytes(size * 4 - 4 - len(body)))

    def reply(self):
        """The next reply; events are passed over, an error is raised."""
        while True:
            head = self.stream.read(32)
            if len(head) < 32:
                raise RuntimeError("the display went away")
            if head[0] == 0:
                raise RuntimeError(f"X error {head[1]} of request {head[10]}")
            if head[0] == 1:
                return self.stream.read(struct.unpack_from("<I", head, 4)[0] * 4)

    def show(self, width, height, rgb):
        """Opens a window at the top left with this picture; returns once it is drawn."""
        window, context = self.new_id(), self.new_id()
        self.send(OPCODE_CREATE_WINDOW, 0, struct.pack(
            "<IIhhHHHHII", window, self.root, 0, 0, width, height, 0, 1, 0, 0))
        self.send(OPCODE_MAP_WINDOW, 0, struct.pack("<I", window))
        self.send(OPCODE_CREATE_GC, 0, struct.pack("<III", context, window, 0))
        pixels = bytearray(width * height * 4)
        pixels[0::4], pixels[1::4], pixels[2::4] = rgb[2::3], rgb[1::3], rgb[0::3]
        rows = max(1, 200_000 // (width * 4))
        for top in range(0, height, rows):
            part = pixels[top * width * 4:(top + rows) * width * 4]
            self.send(OPCODE_PUT_IMAGE, Z_PIXMAP, struct.pack(
                "<IIHHhhBBxx", window, context, width, len(part) // (width * 4), 0, top, 0,
                self.depth) + bytes(part))
        self.get(1, 1)
        return window

    def hide(self, window):
        self.send(OPCODE_DESTROY_WINDOW, 0, struct.pack("<I", window))

    def get(self, width, height):
        self.send(OPCODE_GET_IMAGE, Z_PIXMAP, struct.pack(
            "<IhhHHI", self.root, 0, 0, width, height, ALL_PLANES))
        return self.reply()

    def capture(self, width, height):
        """A screenshot of the display's top left part: a PNG."""
        width, height = min(width, self.width), min(height, self.height)
        pixels = self.get(width, height)
        rgb = bytearray(width * height * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = pixels[2::4], pixels[1::4], pixels[0::4]
        return png(width, height, rgb)


def png(width, height, rgb):
    """The PNG file of 8-bit RGB pixels."""
    view, rows = memoryview(rgb), bytearray()
    for row in range(height):
        rows += b"\0"
        rows += view[row * width * 3:(row + 1) * width * 3]

    def chunk(name, data):
        return (struct.pack(">I", len(data)) + name + data
                + struct.pack(">I", zlib.crc32(name + data)))

    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))
