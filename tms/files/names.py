"""Names of files: what a terminal says, made harmless, and what a download is called."""

from typing import Any

from tms.protocol.text import clean, storable

MAX_NAME = 100

ENDINGS = {
    "application/gzip": "gz",
    "application/json": "json",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "text/csv": "csv",
    "text/plain": "txt",
    "video/mp4": "mp4",
}
"""The media types with which a file may be served, and the ending of a download. A browser runs none of them."""
UNKNOWN_TYPE, UNKNOWN_ENDING = "application/octet-stream", "bin"


def shown_name(given: bytes) -> str:
    """The last part of a path from a terminal, without what makes a text look like another one; may be empty."""
    text = given[: 8 * MAX_NAME].decode(errors="replace")
    last = text.replace("\\", "/").rpartition("/")[2]
    return clean(storable(last)).strip(". ")[:MAX_NAME]


def served_type(media_type: str) -> str:
    return media_type if media_type in ENDINGS else UNKNOWN_TYPE


def download_name(file: Any) -> str:
    """The name is ours, so that its ending is never one that the terminal chose."""
    ending = ENDINGS.get(file.media_type, UNKNOWN_ENDING)
    return f"{file.terminal.uid}-{file.command.name}-{file.command_id}-{file.number}.{ending}"
