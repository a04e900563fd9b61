"""Foreign texts as queries: the CPU time of the slowest that is read or refused."""

import time
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

SEED = 20261201
PIECES = (
    *(
        "site:",
        "kind:kiosk",
        "firmware<4.8",
        "seen>10m",
        "-",
        "(",
        ")",
        "（",
        "）",
        '"',
        ",",
        "、",
        " ",
        "　",
        "\t",
        "\n",
    ),
    *(
        "or",
        "and",
        "OR ",
        "*",
        ":",
        "<",
        "<=",
        ">=",
        "：",
        "＞",
        "metric.",
        "attr.floor",
        "metric.cpu_pct>",
        "1e999",
        "%",
    ),
    *("'; DROP TABLE fleet_terminal; --", "\\", "\0", "\ud800", "\U0001f600", "梅田", "ａ", "é", "e\u0301", "\u202e"),
    *(
        "0",
        "9999999999999999",
        "2026-11-31",
        "2026-01-01",
        "never",
        "10",
        "999w",
        "uid:",
        "group:",
        "tag:",
        "alert:any",
    ),
    *(
        "alert",
        "expected:",
        "open:",
        "lost_with:",
        "state:retired",
        "x" * 40,
        "a.b.c:",
        "__",
        "$$",
        "{}",
        "?q=",
        "\x7f",
    ),
)
SIZES = (3, 8, 20, 60, 400)


class TextFigures(NamedTuple):
    number: int
    refused: int
    slowest_ms: float
    slowest: str


def measure(number: int) -> TextFigures:
    """Read texts of random pieces. Anything but a query or a QueryError ends the measurement."""
    from tms.fleet.terminal_query import TERMINAL_FIELDS
    from tms.query.errors import QueryError
    from tms.query.query import Query

    Query.of("kind:kiosk", TERMINAL_FIELDS)  # makes the parser
    refused, slowest_ms, slowest = 0, 0.0, ""
    for text in _texts(number):
        began = time.thread_time()
        try:
            Query.of(text, TERMINAL_FIELDS)
        except QueryError as error:
            refused += 1
            str(error)
        took_ms = (time.thread_time() - began) * 1e3
        if took_ms > slowest_ms:
            slowest_ms, slowest = took_ms, text
    return TextFigures(number, refused, slowest_ms, slowest)


def _texts(number: int) -> Iterator[str]:
    """One in a hundred is as long as a query may be."""
    chance = Random(SEED)
    for at in range(number):
        size = 3_000 if at % 100 == 0 else chance.choice(SIZES)
        yield "".join(chance.choices(PIECES, k=chance.randrange(1, size)))
