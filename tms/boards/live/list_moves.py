"""Encodes a new order of a list as moves from the previous order."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from tms.boards.live.frames import ListMoves


def moves(of: str, before: Sequence[str], now: Sequence[str]) -> ListMoves | None:
    """The moves from one order to another; None if sending the whole order is shorter."""
    former_positions = {row: position for position, row in enumerate(before)}
    rows_needed = set(now)
    unmoved = _rising([row for row in now if row in former_positions], former_positions)
    gone = [row for row in before if row not in rows_needed]
    put = [(row, now[position - 1] if position else "") for position, row in enumerate(now) if row not in unmoved]
    return ListMoves(of, gone, put) if len(gone) + 2 * len(put) < len(now) else None


def _rising(rows: Sequence[str], former_positions: Mapping[str, int]) -> set[str]:
    """The longest increasing subsequence of `rows` by their former positions: rows that need not move."""
    lowest: list[int] = []
    ends: list[str] = []
    predecessors: dict[str, str] = {}
    for row in rows:
        length = bisect_left(lowest, former_positions[row])
        if length:
            predecessors[row] = ends[length - 1]
        lowest[length : length + 1] = [former_positions[row]]
        ends[length : length + 1] = [row]
    unmoved = set()
    row_or_none = ends[-1] if ends else None
    while row_or_none is not None:
        unmoved.add(row_or_none)
        row_or_none = predecessors.get(row_or_none)
    return unmoved
