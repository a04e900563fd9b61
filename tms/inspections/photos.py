"""Photos that people upload. The content is hostile until it was checked, and tells nothing about its maker afterwards.

Nothing is decoded: the parts of a file are walked through once, the size of the picture is in its header, and only
the parts that a picture needs are kept. So the position and the name of the camera (EXIF, XMP, comments) are removed
here, for every client, and also what phones append behind the picture.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from django.utils.translation import gettext as _

MAX_BYTES = 5_000_000
MAX_SIDE, MAX_PIXELS = 10_000, 50_000_000
"""A browser that shows a larger one needs hundreds of megabytes."""

CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


class BadPhoto(Exception):
    """The text says what is wrong with it, in the active language."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Photo(NamedTuple):
    kind: str
    """The ending of its name."""
    data: bytes


class Picture(NamedTuple):
    width: int
    height: int
    data: bytes


class _Unreadable(Exception): ...


def clean_photo(data: bytes) -> Photo:
    """The picture without anything else. Raises BadPhoto."""
    if len(data) > MAX_BYTES:
        raise BadPhoto(_("The photo must not exceed 5 MB."))
    kind = next((kind for kind, (mark, _read) in READERS.items() if mark.match(data)), None)
    if kind is None:
        raise BadPhoto(_("Choose a photo in the format JPEG, PNG or WebP."))
    try:
        picture = READERS[kind][1](data)
    except (_Unreadable, IndexError):
        raise BadPhoto(_("The photo is damaged. Take another one.")) from None
    if not (0 < picture.width <= MAX_SIDE and 0 < picture.height <= MAX_SIDE):
        raise BadPhoto(_("The photo must have at most 10,000 pixels a side."))
    if picture.width * picture.height > MAX_PIXELS:
        raise BadPhoto(_("The photo must have at most 50 megapixels."))
    return Photo(kind, picture.data)


# JPEG

FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of headers with the size of the picture."""
SCAN, END, QUANTIZATION = 0xDA, 0xD9, range(0xDB, 0xE0)
KEPT = {0xC4, 0xCC, 0xE0, 0xEE, SCAN, *FRAMES, *QUANTIZATION}
"""Tables, frames and scans, and of the segments of applications JFIF and Adobe, which say how to read colours."""
MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""The end of a scan: in its data 0xFF is followed by 0, or by a restart marker."""


def _jpeg(data: bytes) -> Picture:
    parts, size, at = [data[:2]], (0, 0), 2
    while True:
        at = _marker_at(data, at)
        marker, begin = data[at + 1], at
        if marker == END:
            parts.append(b"\xff\xd9")
            return Picture(*size, b"".join(parts))
        at += 2 + _number(data, at + 2, 2)
        if marker in FRAMES:
            size = _number(data, begin + 7, 2), _number(data, begin + 5, 2)
        if marker == SCAN:
            found = MARKER.search(data, at)
            at = found.start() if found else len(data)
        if marker in KEPT:
            parts.append(data[begin:at])


def _marker_at(data: bytes, at: int) -> int:
    """Where the next marker is, after bytes that fill."""
    if data[at] != 0xFF:
        raise _Unreadable
    while data[at + 1] == 0xFF:
        at += 1
    return at


# PNG

CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs"})


def _png(data: bytes) -> Picture:
    parts, at, size = [data[:8]], 8, (0, 0)
    while True:
        kind, end = data[at + 4 : at + 8], at + 12 + _number(data, at, 4)
        if end > len(data) or (kind == b"IHDR") != (at == 8):
            raise _Unreadable
        if kind == b"IHDR":
            size = _number(data, at + 8, 4), _number(data, at + 12, 4)
        if kind in CHUNKS:
            parts.append(data[at:end])
        if kind == b"IEND":
            return Picture(*size, b"".join(parts))
        at = end


# WebP

ANIMATED, WITH_EXIF, WITH_XMP = 0x02, 0x08, 0x04
OF_WEBP = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP"})


def _webp(data: bytes) -> Picture:
    parts, size = [], (0, 0)
    for kind, content in _riff(data):
        if kind not in OF_WEBP:
            continue
        body = _without_flags(content) if kind == b"VP8X" else content
        shown = _size_of(kind, body)
        size = max(size[0], shown[0]), max(size[1], shown[1])
        parts.append(kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2))
    file = b"WEBP" + b"".join(parts)
    return Picture(*size, b"RIFF" + len(file).to_bytes(4, "little") + file)


def _without_flags(head: bytes) -> bytes:
    if head[0] & ANIMATED:
        raise _Unreadable
    return bytes([head[0] & ~(WITH_EXIF | WITH_XMP)]) + head[1:]


def _riff(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, end = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while at + 8 <= end:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + length > end:
            raise _Unreadable
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _size_of(kind: bytes, body: bytes) -> tuple[int, int]:
    match kind:
        case b"VP8X":
            return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
        case b"VP8 ":
            return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
        case b"VP8L":
            bits = int.from_bytes(body[1:5], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0


def _number(data: bytes, at: int, length: int) -> int:
    if at + length > len(data):
        raise _Unreadable
    return int.from_bytes(data[at : at + length], "big")


READERS: dict[str, tuple[re.Pattern[bytes], Callable[[bytes], Picture]]] = {
    "jpg": (re.compile(rb"\xff\xd8\xff"), _jpeg),
    "png": (re.compile(rb"\x89PNG\r\n\x1a\n"), _png),
    "webp": (re.compile(rb"RIFF....WEBP", re.DOTALL), _webp),
}
