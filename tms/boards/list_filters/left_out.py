"""Why a list of terminals is empty: how many would match without each of its conditions."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, pairwise
from typing import NamedTuple

from django.db.models import QuerySet

from tms.boards.list_filters.filters import NOT_LISTED, TerminalFilter
from tms.fleet.models import Terminal
from tms.query.parser import parse
from tms.query.tree import AllOf, AnyOf, Comparison, Negation, Part, Words

MAX_CONDITIONS = 8
MAX_COUNTED = 1_000
AFTER_PART = " \t\r\n\u3000)）"
"""What may stand between two conditions and belongs to the first."""
AND = "and"


class LeftOut(NamedTuple):
    condition: str
    number: int
    query: str
    """The query string of the list without the condition."""

    @property
    def is_capped(self) -> bool:
        return self.number > MAX_COUNTED

    @property
    def shown(self) -> int:
        return min(self.number, MAX_COUNTED)


def left_out(chosen: TerminalFilter, terminals: QuerySet[Terminal]) -> list[LeftOut]:
    """The conditions that hide terminals by themselves, the one that hides most first; none if there is only one.

    One query for each of at most `MAX_CONDITIONS`, which counts no further than `MAX_COUNTED`.
    """
    without = list(islice(_without_each(chosen), MAX_CONDITIONS))
    if len(without) < 2:
        return []
    found = (LeftOut(condition, _count(other, terminals), other.query) for condition, other in without)
    return sorted((one for one in found if one.number), key=lambda one: -one.number)


def out_of_service(chosen: TerminalFilter, terminals: QuerySet[Terminal]) -> LeftOut | None:
    """Terminals that match and are hidden because the query names no lifecycle state."""
    if "state" in chosen.used or not chosen.q:
        return None
    state = f"state:{','.join(NOT_LISTED)}"
    query = f"({chosen.q}) {state}" if isinstance(parse(chosen.q), AnyOf) else f"{chosen.q} {state}"
    other = replace(chosen, q=query)
    number = _count(other, terminals)
    return LeftOut(state, number, other.query) if number else None


def _count(chosen: TerminalFilter, terminals: QuerySet[Terminal]) -> int:
    return chosen.apply(terminals).order_by()[: MAX_COUNTED + 1].count()


def _without_each(chosen: TerminalFilter) -> Iterator[tuple[str, TerminalFilter]]:
    """Each condition, and the filter without it."""
    parts = _texts(chosen.q)
    for at, part in enumerate(parts):
        rest = " ".join(parts[:at] + parts[at + 1 :])
        other = replace(chosen, q=rest)
        if not other.problem:
            yield part, other


def _texts(q: str) -> list[str]:
    """The conditions of a query that must all hold, as they were written."""
    tree = parse(q)
    parts = tree.parts if isinstance(tree, AllOf) else (tree,)
    starts, ends = [0], []
    for part, following in pairwise(parts):
        last, first = _last(part), _first(following)
        between = q[last:first].lstrip(AFTER_PART)
        ends.append(first - len(between))
        starts.append(first - len(between[len(AND) :] if between.casefold().startswith(AND) else between))
    return [q[start:end].strip() for start, end in zip(starts, [*ends, len(q)], strict=True) if parts]


def _first(part: Part) -> int:
    """Where its first word begins; parentheses and a minus may be before it."""
    match part:
        case Words(span=span) | Comparison(field_span=span):
            return span.start
        case Negation(part=inner):
            return _first(inner)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return _first(parts[0]) if parts else 0


def _last(part: Part) -> int:
    """Where its last word ends; parentheses may be after it."""
    match part:
        case Words(span=span):
            return span.end
        case Comparison(values=values):
            return values[-1].span.end
        case Negation(part=inner):
            return _last(inner)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return _last(parts[-1]) if parts else 0
