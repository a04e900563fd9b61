"""Acknowledging many alerts at once (P13): the time until the response, and until another board shows it."""

import re
import time
from collections.abc import Iterator, Sequence
from html import unescape
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlencode

from benchmarks.load.client_protocol import board_path
from benchmarks.load.commands import FindPatterns, PatternTimes, Refill, RunLow
from benchmarks.measuring.figure import Count, Measured
from benchmarks.measuring.quantiles import quantile
from benchmarks.running.environment import Environment
from benchmarks.running.progress import say
from benchmarks.running.stage import Stage
from benchmarks.systems.tms import Tms

PATH = "/alerts/acknowledge/"
BOARD = board_path("/alerts/")
FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
TIMEOUT_S = 60


class Took(NamedTuple):
    """Seconds from sending the request."""

    answer: float
    board: float
    boards: Count
    """That showed it; without all of them, `board` lasts until the end of the wait."""

    @property
    def longest(self) -> float:
        return max(self.answer, self.board)


def measure(environment: Environment) -> dict[str, Measured]:
    say(f"bulk: making {environment.plan.alerts:,} terminals")
    with environment.system(Tms) as system:
        system.prepare(environment.plan.alerts)
        system.execute("UPDATE alerts_rule SET watches_flapping = false")  # the fourth time they would flap
        with environment.staged(system) as stage:
            return _measure(stage)


def _measure(stage: Stage) -> dict[str, Measured]:
    stage.dial(stage.plan.alerts)
    stage.open([BOARD], stage.plan.boards)
    took = list(_times(stage))
    details = {
        "answer: ms": quantile([one.answer for one in took], 0.5) * 1e3,
        "slowest board: ms": quantile([one.board for one in took], 0.5) * 1e3,
        "worst: ms": max(one.longest for one in took) * 1e3,
    }
    counts = {"boards that showed it": sum((one.boards for one in took), Count(0, 0))}
    return {"P13": Measured(quantile([one.longest for one in took], 0.5) * 1e3, details, counts)}


def _times(stage: Stage) -> Iterator[Took]:
    """The last one is the first that not all boards showed."""
    for _ in range(stage.plan.bulk_times):
        yield (took := _once(stage))
        if not took.boards.is_complete:
            return
        _all(stage, Refill(), shows=("count-open", 0))


def _once(stage: Stage) -> Took:
    """Let all alerts open, and acknowledge them with the form for all matching ones."""
    _all(stage, RunLow(), shows=("count-unacknowledged", stage.plan.alerts))
    host, port = stage.system.address.base().split(":")
    connection = HTTPConnection(host, int(port), timeout=TIMEOUT_S)
    form, cookie = _asked(connection, stage)
    stage.workers.boards.begin(_spot(stage, "count-unacknowledged", 0))
    began_at = time.monotonic()
    _sent(connection, form, cookie)
    answered_at = time.monotonic()
    shown_at, boards = _shown(stage)
    connection.close()
    return Took(answered_at - began_at, shown_at - began_at, boards)


def _all(stage: Stage, order: RunLow | Refill, *, shows: tuple[str, int]) -> None:
    stage.workers.boards.begin(_spot(stage, *shows))
    stage.terminals(order)
    _, boards = _shown(stage)
    if not boards.is_complete:
        raise RuntimeError(f"only {boards} boards showed {shows[1]} as {shows[0]}")


def _spot(stage: Stage, name: str, number: int) -> FindPatterns:
    """The number with this id on the page."""
    mark = b"" if number else b" data-zero"
    text = rb'id=\\"%s\\"%s>%s</b>' % (name.encode(), mark, f"{number:,}".encode())
    return FindPatterns((text,), time.monotonic() + stage.plan.storm_patience_s)


def _shown(stage: Stage) -> tuple[float, Count]:
    """When the last board showed it, or the end of the wait; and how many boards did."""
    spotted: PatternTimes = stage.workers.boards.result()
    times = [at for of_path in spotted.at.values() for at in of_path]
    boards = Count(len(times), stage.plan.boards)
    return max(times) if boards.is_complete else time.monotonic(), boards


def _asked(connection: HTTPConnection, stage: Stage) -> tuple[list[tuple[str, str]], str]:
    """The fields of the form, and the cookies that go with them."""
    cookie = stage.system.cookie
    connection.request("GET", f"{PATH}?all=1", headers={"Cookie": cookie, "HX-Request": "true"})
    answer = connection.getresponse()
    html = answer.read().decode()
    if f"Acknowledge: {stage.plan.alerts:,} alerts" not in html:
        raise RuntimeError(f"{PATH} answered {answer.status}: {html[:1000]}")
    token = (answer.getheader("Set-Cookie") or "").partition(";")[0]
    return [(name, unescape(value)) for name, value in FIELD.findall(html)], f"{cookie}; {token}"


def _sent(connection: HTTPConnection, form: Sequence[tuple[str, str]], cookie: str) -> None:
    body = urlencode([*form, ("comment", "the roll is on its way")])
    headers = {"Cookie": cookie, "HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", PATH, body, headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{PATH} answered {answer.status}")
