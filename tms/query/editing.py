"""Queries that a program writes or changes: those of links, and those of choices beside the field of a query."""

from collections.abc import Iterable, Iterator

from tms.query.completion import quoted
from tms.query.errors import QueryError
from tms.query.parser import parse
from tms.query.tree import AllOf, AnyOf, Comparison, Operator, Part

AND = "and"
OPENED, CLOSED = ("(", "（"), (")", "）")


def condition(field: str, values: Iterable[str]) -> str:
    """The condition that a field has one of these values."""
    return f"{field}{Operator.IS}{','.join(map(quoted, values))}"


def all_of(*texts: str) -> str:
    """The query that selects what each of these selects."""
    given = [text.strip() for text in texts if text.strip()]
    return " ".join(given if len(given) == 1 else map(_enclosed, given))


def parts_of(text: str) -> tuple[Part, ...]:
    """The parts of a query, all of which have to match. None if the text is no query."""
    try:
        tree = parse(text)
    except QueryError:
        return ()
    return tree.parts if isinstance(tree, AllOf) else (tree,)


def only_condition(text: str, field: str) -> Comparison | None:
    """The one condition on a field that all results meet; None if there is none, or more than one."""
    found = [part for part in parts_of(text) if isinstance(part, Comparison) and part.field.casefold() == field]
    return found[0] if len(found) == 1 and found[0].operator is Operator.IS else None


def without(text: str, *removed: Comparison) -> str:
    """The query without these of its parts."""
    for part in sorted(removed, key=lambda one: one.field_span.start, reverse=True):
        text = _without(text, part)
    return text


def _without(text: str, removed: Comparison) -> str:
    rest = tuple(part for part in parts_of(text) if not _is_same(part, removed))
    wanted = rest[0] if len(rest) == 1 else AllOf(rest)
    before, after = text[: removed.field_span.start].rstrip(), text[removed.values[-1].span.end :].lstrip()
    while before.endswith(OPENED) and after.startswith(CLOSED):
        before, after = before[:-1].rstrip(), after[1:].lstrip()
    return next((left for left in _remainders(before, after) if _means(left, wanted)), text)


def _remainders(before: str, after: str) -> Iterator[str]:
    """What may be left, with or without the `and` that stands beside what was removed."""
    if after[: len(AND)].casefold() == AND:
        yield _joined(before, after[len(AND) :])
    if before[-len(AND) :].casefold() == AND:
        yield _joined(before[: -len(AND)], after)
    yield _joined(before, after)


def _joined(*texts: str) -> str:
    return " ".join(filter(None, (text.strip() for text in texts)))


def _means(text: str, tree: Part) -> bool:
    try:
        return parse(text) == tree
    except QueryError:
        return False


def _is_same(part: Part, removed: Comparison) -> bool:
    return isinstance(part, Comparison) and part.field_span == removed.field_span


def _enclosed(text: str) -> str:
    parts = parts_of(text)
    return f"({text})" if len(parts) == 1 and isinstance(parts[0], AnyOf) else text
