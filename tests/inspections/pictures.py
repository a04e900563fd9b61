"""Small pictures with a position in them."""

from zlib import crc32

EXIF = b"GPS 35.6895N"


def chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + crc32(kind + body).to_bytes(4, "big")


def png(width: int = 1, height: int = 1) -> bytes:
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\0\0\0\0"
    data = bytes.fromhex("789c6360000000020001")
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", head),
            chunk(b"eXIf", EXIF),
            chunk(b"IDAT", data),
            chunk(b"IEND", b""),
            EXIF,  # behind the picture
        )
    )


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def jpeg(width: int = 1, height: int = 1) -> bytes:
    frame = b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\x01\x01\x11\0"
    return b"".join(
        (
            b"\xff\xd8",
            segment(0xE0, b"JFIF\0"),
            segment(0xE1, b"Exif\0\0" + EXIF),
            segment(0xFE, EXIF),
            b"\xff" + segment(0xDB, bytes(65)),  # with a byte that fills
            segment(0xC2, frame),
            segment(0xDA, b"\x01\x01\0\0\x3f\0"),
            b"\x12\xff\0\x34\xff\xd0\x56",
            segment(0xDA, b"\x01\x01\0\0\x3f\0"),
            b"\x78\xff\xd9",
            b"\xff\xd8" + EXIF,  # a second picture
        )
    )


def webp(width: int = 1, height: int = 1) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    parts = ((b"VP8X", b"\x0c\0\0\0" + size), (b"VP8L", b"\x2f" + bytes(4)), (b"EXIF", EXIF), (b"XMP ", EXIF))
    body = b"WEBP" + b"".join(
        kind + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2) for kind, data in parts
    )
    return b"RIFF" + len(body).to_bytes(4, "little") + body + EXIF


PNG, JPEG, WEBP = png(), jpeg(), webp()
