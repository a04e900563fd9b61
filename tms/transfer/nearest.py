"""Suggestions for values that are not there: the most similar one that is."""

from collections.abc import Collection
from difflib import get_close_matches

MAX_SOUGHT = 200
MAX_KNOWN = 5_000
MAX_LENGTH = 100


class Nearest:
    """Finds the nearest of known values by comparing with each, so it does that for a limited number of values only."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def __call__(self, value: str, known: Collection[str]) -> str:
        """The most similar value; empty if none is similar."""
        if value not in self._found:
            if len(self._found) >= MAX_SOUGHT or len(known) > MAX_KNOWN or len(value) > MAX_LENGTH:
                return ""
            self._found[value] = _nearest(value, known)
        return self._found[value]


def _nearest(value: str, known: Collection[str]) -> str:
    folded = {name.casefold(): name for name in known}
    found = get_close_matches(value.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else ""
