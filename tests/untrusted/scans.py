"""Other scans of foreign input, with the most expensive input for each: headers, queries, bodies."""

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

from django.http import QueryDict

from consumers import messages, origin
from tests.untrusted.made import Make, Work, in_bytes, listed, numbered, repeated
from tms.boards.formatting import instants
from tms.boards.list_filters.filters import AlertFilter, TerminalFilter
from tms.ingest.admission import offered_credential
from tms.lib.calendar.durations import seconds
from tms.lib.calendar.recurrence import BadRecurrence, parse_rule
from tms.ops.middleware import trusted_proxy
from tms.protocol import credential
from tms.rest_base.parser import StrictParser
from tms.rest_base.problems import ProblemError


def body_read(body: bytes) -> Any:
    request: Any = SimpleNamespace(body=body)
    try:
        return StrictParser().parse_body(request)
    except ProblemError as refused:
        return refused.answer()


def rule_read(rule: str) -> Any:
    try:
        return parse_rule(rule)
    except BadRecurrence as error:
        return error


def deep(size: int) -> bytes:
    """A name of half that size for each of its levels, and the rest in the innermost."""
    levels = 100
    name = "n" * (size // 2 // levels)
    value: Any = [1] * (size // 4)
    for _ in range(levels):
        value = {name: value}
    return json.dumps(value).encode()


def headers(name: bytes, value: bytes) -> Make:
    return lambda size: [(name, value)] * (size // (len(name) + len(value)))


SCANS: Mapping[str, tuple[Work, tuple[Make, ...]]] = {
    "a credential": (credential.parse, (repeated("a", after=".b"), repeated("a."), repeated("b", before="a."))),
    "a handshake's headers": (
        lambda found: offered_credential(found, ()),
        (headers(b"x", b"y"), headers(b"cookie", b"a=b"), lambda size: [(b"authorization", b"Bearer " + b" " * size)]),
    ),
    "a handshake's subprotocols": (
        lambda found: offered_credential((), found),
        (lambda size: ["bearer"] * (size // 6), lambda size: ["bearer." + "a" * size]),
    ),
    "forwarded addresses": (
        lambda found: trusted_proxy.original("127.0.0.1", found),
        (repeated("127.0.0.1,"), repeated(","), repeated(" "), repeated("1"), repeated("::", after="1")),
    ),
    "an Origin and a Host": (
        lambda found: origin.is_same(found, found, is_secure=False),
        (repeated("a", before="http://"), repeated(":"), repeated("@", before="http://"), repeated("[")),
    ),
    "a board's query": (
        parse_qs,
        (repeated("a&"), repeated("a=b&"), repeated("%"), numbered("%d", before="", after="")),
    ),
    "a board's message": (messages.read, (repeated("["), repeated('\\"', before='"'), repeated(" "))),
    "a filter of terminals": (
        lambda found: TerminalFilter.of(QueryDict(found)),
        (repeated("q"), repeated("a", before="q="), repeated("a", before="site="), repeated("1", before="lost_with=")),
    ),
    "a filter of alerts": (
        lambda found: AlertFilter.of(QueryDict(found)),
        (repeated("1", before="rule="), repeated("a", before="q="), repeated("%20", before="q=")),
    ),
    "an instant in an address": (instants.parse, (repeated("1"), repeated("2026-"), repeated(" "))),
    "a length of time": (
        seconds,
        (repeated(" ", before="1", after="1"), repeated("1"), repeated("1", after="x1"), repeated(" 1")),
    ),
    "a recurrence": (rule_read, (repeated("COUNT=1;"), repeated("="), repeated(";"), repeated("A", before="FREQ="))),
    "a body of REST": (
        body_read,
        (
            deep,
            in_bytes(repeated("[")),
            in_bytes(listed("[]")),
            in_bytes(listed('"\\u0001"')),
            in_bytes(listed("1e308")),
            in_bytes(numbered('"n%d":1', before="{", after="}")),
            in_bytes(listed("1", after=',"\\u0000"]')),
            in_bytes(repeated('\\"', before="[" * 17 + '"')),
        ),
    ),
}
"""The function and the most expensive value of each input."""
