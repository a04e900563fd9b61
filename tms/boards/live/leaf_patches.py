"""Leaves: elements within an element that have an id and contain only text, or end with the attribute `data-leaf`.

If only leaves changed, only they are sent. An element with htmx attributes is no leaf: htmx must process it again,
which it does with the element around it.
"""

import re
from collections.abc import Mapping

LEAF = re.compile(
    r'(?<=.)<(?P<tag>\w+)(?=[^>]* id="(?P<id>[\w-]+)")(?![^>]* hx-)[^>]*>'
    r"(?:(?<= data-leaf>)(?:(?!</?(?P=tag)\b).)*|[^<]*)</(?P=tag)>",
    re.DOTALL,
)


def leaves(html: str) -> Mapping[str, str]:
    """HTML of the leaves by id."""
    if html.count(' id="') < 2:  # most rows have only their own id
        return {}
    return {found["id"]: found[0] for found in LEAF.finditer(html)}


def differing(before: str, now: str) -> list[str] | None:
    """Ids of the changed leaves, if nothing else changed."""
    were = leaves(before)
    if not were or _without(before) != _without(now):
        return None
    return [name for name, leaf in leaves(now).items() if were[name] != leaf]


def _without(html: str) -> str:
    return LEAF.sub(r"<\g<id>>", html)
