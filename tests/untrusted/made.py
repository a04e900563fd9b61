"""Hostile input, made to measure."""

from collections.abc import Callable
from typing import Any

type Make = Callable[[int], Any]
"""Input of about so many characters."""
type Work = Callable[[Any], object]
"""What TMS does with it."""


def repeated(unit: str, *, before: str = "", after: str = "") -> Make:
    return lambda size: before + unit * (size // len(unit)) + after


def listed(item: str, *, before: str = "[", after: str = "]") -> Make:
    return lambda size: before + ",".join([item] * (size // (len(item) + 1))) + after


def numbered(item: str, *, before: str, after: str) -> Make:
    """Items with a number in each, so that none is like another."""
    return lambda size: before + ",".join(item % number for number in range(size // (len(item) + 4))) + after


def in_bytes(make: Make) -> Make:
    return lambda size: make(size).encode()
