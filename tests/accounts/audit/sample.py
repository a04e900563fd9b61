"""One of everything, for requests to each URL."""

from collections.abc import Mapping
from typing import ClassVar

PASSWORD = "watch-the-7-gates"


class Sample:
    """What `create_rows` made, by the path before it in a URL."""

    names: Mapping[str, str] = {}
    reached: ClassVar[set[str]] = set()
    """The acts whose services a request called."""
