"""Generators of hostile input of a given size."""

from collections.abc import Callable
from typing import Any

type Make = Callable[[int], Any]
"""Input of about so many characters."""
type Work = Callable[[Any], object]
"""The work of TMS on it."""


def repeated(unit: str, *, before: str = "", after: str = "") -> Make:
    return lambda size: before + unit * (size // len(unit)) + after


def listed(item: str, *, before: str = "[", after: str = "]") -> Make:
    return lambda size: before + ",".join([item] * (size // (len(item) + 1))) + after


def numbered(item: str, *, before: str, after: str) -> Make:
    """Unique items, each with a number."""
    return lambda size: before + ",".join(item % number for number in range(size // (len(item) + 4))) + after


def in_bytes(make: Make) -> Make:
    return lambda size: make(size).encode()
