"""Photos are checked by their content, and nothing of them is decoded."""

import pytest

from tests.inspections.pictures import EXIF, JPEG, PNG, WEBP, jpeg, png, webp
from tms.inspections.photos import MAX_BYTES, BadPhoto, clean_photo


@pytest.mark.parametrize(("data", "kind"), [(JPEG, "jpg"), (PNG, "png"), (WEBP, "webp")])
def test_a_photo_keeps_its_picture_and_nothing_else(data, kind):
    photo = clean_photo(data)

    assert photo.kind == kind
    assert EXIF not in photo.data
    assert clean_photo(photo.data) == photo


def test_a_progressive_jpeg_keeps_all_of_its_scans():
    data = clean_photo(JPEG).data

    assert data.endswith(b"\x78\xff\xd9")
    assert b"\x12\xff\0\x34\xff\xd0\x56\xff\xda" in data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + bytes(20),
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>",
        b"<html>" + PNG,
        JPEG[:-40],
        JPEG[:5],
        b"\xff\xd8" + b"\xff" * 100_000,
        b"\xff\xd8\xff\xd9",
        PNG[:30],
        PNG.replace(b"IHDR", b"IDAT", 1),
        PNG[:8] + b"\xff\xff\xff\xffIHDR" + bytes(20),
        WEBP[:24],
        WEBP.replace(b"\x0c\0\0\0", b"\x0e\0\0\0", 1),  # animated
        b"RIFF\xff\xff\xff\xffWEBPVP8X\xff\xff\xff\xff",
        b"RIFF\x0c\0\0\0WEBPVP8 \0\0\0\0",
        png(60_000, 60_000),
        png(0, 1),
        png(9_000, 9_000),
        jpeg(60_000, 10),
        webp(16_000, 16_000),
        PNG + bytes(MAX_BYTES),
    ],
    ids=range(21),
)
def test_a_hostile_file_is_refused_with_a_reason(data):
    with pytest.raises(BadPhoto) as refused:
        clean_photo(data)

    assert refused.value.text
