"""URLs with the objects that tests create."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver


class Rows(NamedTuple):
    """Objects in URLs, by the path before them."""

    names: dict[str, str]
    others: dict[str, str]
    """Values in URLs that are not objects, by the parameter of the route or by the path before it."""

    def fill(self, route: str) -> str:
        """`/alerts/<int:pk>/` → `/alerts/7/`."""
        while found := re.search(r"[<{](?:\w+:)?(\w+)[>}]", route):
            before = route[: found.start()]
            row = self.names.get(before.removeprefix("/api/v1"), "1")
            route = before + (self.others.get(before) or self.others.get(found[1]) or row) + route[found.end() :]
        return route


def routes_of(resolver: Any, before: str = "/") -> Iterator[str]:
    """Every URL pattern below the resolver, from the root."""
    for each in resolver.url_patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLPattern):
            yield route
        elif isinstance(each, URLResolver):
            yield from routes_of(each, route)
