"""Headers of an application's response to a handshake."""

import re
from collections.abc import Iterable, Sequence

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

SERVER_HEADERS = {"connection", "content-length", "transfer-encoding"}
"""Headers about the transfer of a denial; the server writes them."""

type Headers = Sequence[tuple[str, str]]


def decoded(headers: Iterable[tuple[bytes, bytes]] | None) -> Headers:
    """ASGI's headers as text. Raises ValueError for one with a line break."""
    texts = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers or ()]
    for name, value in texts:
        if CONTROL.search(name) or CONTROL.search(value):
            raise ValueError(f"control character in header {name!r}")
    return texts


def of_denial(headers: Iterable[tuple[bytes, bytes]] | None) -> Headers:
    return [(name, value) for name, value in decoded(headers) if name.lower() not in SERVER_HEADERS]
