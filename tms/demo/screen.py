"""The picture of a simulated device's screen: a header, tiles, and a bar for the paper, as a PNG."""

import struct
import zlib

WIDTH, HEIGHT = 320, 180
BACKGROUND, HEADER, TILE, BAR = b"\x10\x18\x28", b"\x1d\x4e\x89", b"\xe8\xee\xf4", b"\x3f\xa9\x6b"
FAULT = b"\xc6\x28\x28"
COLUMNS = 4


def screenshot(paper_pct: float, *, is_jammed: bool) -> bytes:
    lines = [_line(y, paper_pct, is_jammed=is_jammed) for y in range(HEIGHT)]
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + line for line in lines))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _line(y: int, paper_pct: float, *, is_jammed: bool) -> bytes:
    if y < 24:
        return (FAULT if is_jammed else HEADER) * WIDTH
    if y >= HEIGHT - 12:
        filled = int(WIDTH * paper_pct / 100)
        return BAR * filled + BACKGROUND * (WIDTH - filled)
    if (y - 24) % 72 < 12 or is_jammed:
        return BACKGROUND * WIDTH
    side = WIDTH // COLUMNS
    return (BACKGROUND * 8 + TILE * (side - 16) + BACKGROUND * 8) * COLUMNS


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
