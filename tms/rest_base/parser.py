"""The parser of request bodies."""

from collections.abc import Iterator
from typing import cast

import msgspec
from django.http import HttpRequest
from ninja.parser import Parser

from tms.protocol.limits import EXTREME_NUMBERS
from tms.protocol.raw_checks import has_too_many_extremes
from tms.protocol.text import clean_tree
from tms.rest_base.problems import ProblemError, RequestFault, unreadable

MAX_PATH_CHARACTERS = 500
"""Maximum length of a path in an error, because names in a body may be long."""


class StrictParser(Parser):
    """Strict JSON: in UTF-8, without NaN, limited in depth, without U+0000, which no database stores; cleaned."""

    def parse_body(self, request: HttpRequest) -> dict[str, object]:
        if has_too_many_extremes(request.body):
            detail = f"the body contains more than {EXTREME_NUMBERS} numbers with a three-digit exponent"
            raise ProblemError(400, "tms:bad-json", detail)
        try:
            body = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ProblemError(400, "tms:bad-json", f"the body is not JSON: {error}") from None
        if where := holding_nul(body):
            raise unreadable(RequestFault(where, "a string must not contain U+0000"))
        return cast(dict[str, object], clean_tree(body, keeps_lines=True))


def holding_nul(body: object) -> str:
    """Path of a string with U+0000 in a JSON value; empty if there is none.

    Without recursion, and the path is built only for the error: the cost is proportional to the length of the body.
    """
    within: list[tuple[str, Iterator[tuple[str, object]]]] = [("$", iter((("", body),)))]
    while within:
        name, value = next(within[-1][1], (None, None))
        if name is None:
            within.pop()
        elif _holds_nul(value):
            return "".join((*(outer for outer, _ in within), name))[:MAX_PATH_CHARACTERS]
        elif isinstance(value, list | dict):
            within.append((name, _members(value)))
    return ""


def _holds_nul(value: object) -> bool:
    return "\0" in value if isinstance(value, str) else isinstance(value, dict) and any("\0" in name for name in value)


def _members(value: list[object] | dict[str, object]) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        return ((f".{name}", item) for name, item in value.items())
    return ((f"[{index}]", item) for index, item in enumerate(value))
