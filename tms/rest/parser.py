from typing import Any, cast

import msgspec
from django.http import HttpRequest
from ninja.parser import Parser

from tms.rest.problems import Fault, Refused, unreadable


class StrictParser(Parser):
    """JSON as its standard has it: in UTF-8, without NaN, not too deep; and no U+0000, which no database keeps."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        try:
            body = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Refused(400, "tms:bad-json", f"the body is not JSON: {error}") from None
        if where := holding_nul(body, "$"):
            raise unreadable(Fault(where, "a string may not hold U+0000"))
        return cast(dict[str, Any], body)


def holding_nul(value: Any, path: str) -> str:
    """Where in a JSON value a string holds U+0000; empty: nowhere."""
    if isinstance(value, str):
        return path if "\0" in value else ""
    if isinstance(value, list):
        return next(filter(None, (holding_nul(item, f"{path}[{index}]") for index, item in enumerate(value))), "")
    if isinstance(value, dict):
        if any("\0" in name for name in value):
            return path
        return next(filter(None, (holding_nul(item, f"{path}.{name}") for name, item in value.items())), "")
    return ""
