"""The conditions of a query, read without the database: which groups and tags it names."""

from collections.abc import Iterator

from tms.lib.db.pattern_lookup import ANY
from tms.query.errors import QueryError
from tms.query.parser import parse
from tms.query.tree import AllOf, AnyOf, Comparison, Negation, Part, Value


def conditions_of(text: str) -> list[tuple[str, tuple[Value, ...]]]:
    """Fields, in lower case, and the values with which they are compared; none if the text is no query."""
    try:
        return [(each.field.casefold(), each.values) for each in _conditions(parse(text))]
    except QueryError:
        return []


def _conditions(part: Part) -> Iterator[Comparison]:
    # Recursion is safe: the parser bounds how deep parts are within each other.
    match part:
        case Comparison():
            yield part
        case Negation(part=inner):
            yield from _conditions(inner)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for each in parts:
                yield from _conditions(each)


def is_pattern(value: Value) -> bool:
    return not value.is_quoted and ANY in value.text


def selects(value: Value, name: str) -> bool:
    """Whether a condition on a name of several selects this one; an empty text is a condition on all of them."""
    wanted, name = value.text.casefold(), name.casefold()
    if not wanted:
        return True
    return _is_like(wanted, name) if is_pattern(value) else wanted == name


def _is_like(pattern: str, text: str) -> bool:
    first, *middle, last = pattern.split(ANY)
    if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
