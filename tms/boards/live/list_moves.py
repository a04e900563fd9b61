"""Encodes a new order of a list as moves from the previous order."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from tms.boards.live.frames import ListMoves


def moves(of: str, before: Sequence[str], now: Sequence[str]) -> ListMoves | None:
    """None if sending the whole order is shorter."""
    standing = {row: place for place, row in enumerate(before)}
    rows_needed = set(now)
    stays = _rising([row for row in now if row in standing], standing)
    gone = [row for row in before if row not in rows_needed]
    put = [(row, now[place - 1] if place else "") for place, row in enumerate(now) if row not in stays]
    return ListMoves(of, gone, put) if len(gone) + 2 * len(put) < len(now) else None


def _rising(rows: Sequence[str], standing: Mapping[str, int]) -> set[str]:
    """The longest increasing subsequence of `rows` by their former positions: rows that need not move."""
    lowest: list[int] = []
    ends: list[str] = []
    comes_after: dict[str, str] = {}
    for row in rows:
        length = bisect_left(lowest, standing[row])
        if length:
            comes_after[row] = ends[length - 1]
        lowest[length : length + 1] = [standing[row]]
        ends[length : length + 1] = [row]
    stays = set()
    row_or_none = ends[-1] if ends else None
    while row_or_none is not None:
        stays.add(row_or_none)
        row_or_none = comes_after.get(row_or_none)
    return stays
