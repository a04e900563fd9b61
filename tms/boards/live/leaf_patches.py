"""Elements within an element that have an id and hold nothing but text, or whose last attribute is `data-leaf`. While
only they change, only they travel.

One with wires to htmx stays where it is: htmx must see it anew, which it does with the element around it.
"""

import re
from collections.abc import Mapping

LEAF = re.compile(
    r'(?<=.)<(?P<tag>\w+)(?=[^>]* id="(?P<id>[\w-]+)")(?![^>]* hx-)[^>]*>'
    r"(?:(?<= data-leaf>)(?:(?!</?(?P=tag)\b).)*|[^<]*)</(?P=tag)>",
    re.DOTALL,
)


def leaves(html: str) -> Mapping[str, str]:
    """Their HTML by id."""
    if html.count(' id="') < 2:  # most rows have their own and no other
        return {}
    return {found["id"]: found[0] for found in LEAF.finditer(html)}


def differing(before: str, now: str) -> list[str] | None:
    """The leaves that differ, if nothing else does."""
    were = leaves(before)
    if not were or _without(before) != _without(now):
        return None
    return [name for name, leaf in leaves(now).items() if were[name] != leaf]


def _without(html: str) -> str:
    return LEAF.sub(r"<\g<id>>", html)
