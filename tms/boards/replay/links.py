"""Links of a replayed page: those to pages that can be replayed keep its instant."""

import re
from urllib.parse import parse_qsl, urlencode

from django.utils.safestring import SafeString

OWN = frozenset({"at", "zone", "range"})
"""Parameters of a replay."""
REPLAYABLE = r"/(?:alerts/(?:[0-9]{1,18}/)?|incidents/[0-9]{1,18}/|terminals/[^/?#\"<>]{1,200}/)?"
"""Paths of overview, alerts, alert, incident and terminal."""
LINK = re.compile(rf'(?P<begin> href=")(?P<path>{REPLAYABLE}|(?=\?))(?P<query>\?[^"#<>]*)?(?P<end>[#"])')
"""Links as templates write them: the address of a page, or only its parameters."""


def with_instant(html: str, query: str) -> SafeString:
    """Append `query` (as `chosen.query_of` returns it) to the links of escaped HTML."""
    added = query.replace("&", "&amp;")
    linked = LINK.sub(lambda found: _add(found, added), html)
    return SafeString(linked)  # nosec B703  (escaped HTML, and our own parameters)


def _add(found: re.Match[str], query: str) -> str:
    given = found["query"] or ""
    if given.startswith("?at=") or "&amp;at=" in given:  # it leads to an instant of its own
        return found[0]
    joined = f"{given}&amp;{query}" if len(given) > 1 else f"?{query}"
    return f"{found['begin']}{found['path']}{joined}{found['end']}"


def address_without_instant(address: str) -> str:
    """The same page of the present."""
    path, _, query = address.partition("?")
    return add_query(path, urlencode([(name, value) for name, value in parse_qsl(query) if name not in OWN]))


def add_query(address: str, query: str) -> str:
    """The address with further parameters."""
    return f"{address}{'&' if '?' in address else '?'}{query}" if query else address
