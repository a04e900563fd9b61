"""Acknowledging many alerts at once (P13): the time until the response, and until another board shows it."""

import re
import time
from collections.abc import Sequence
from html import unescape
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlencode

from benchmarks.load.client_protocol import board_path
from benchmarks.load.commands import FindPatterns, PatternTimes, Refill, RunLow
from benchmarks.measuring.figure import Measured
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
    took = [_once(stage) for _ in range(stage.plan.bulk_times)]
    details = {
        "answer: ms": quantile([one.answer for one in took], 0.5) * 1e3,
        "slowest board: ms": quantile([one.board for one in took], 0.5) * 1e3,
        "worst: ms": max(max(one) for one in took) * 1e3,
    }
    return {"P13": Measured(quantile([max(one) for one in took], 0.5) * 1e3, details)}


def _once(stage: Stage) -> Took:
    """Let all alerts open, acknowledge them with the form for all matching ones, and let all recover."""
    _all(stage, RunLow(), shows=("count-unacknowledged", stage.plan.alerts))
    host, port = stage.system.address.base().split(":")
    connection = HTTPConnection(host, int(port), timeout=TIMEOUT_S)
    form, cookie = _asked(connection, stage)
    stage.workers.boards.begin(_spot(stage, "count-unacknowledged", 0))
    began_at = time.monotonic()
    _sent(connection, form, cookie)
    answered_at = time.monotonic()
    shown_at = _shown(stage)
    connection.close()
    _all(stage, Refill(), shows=("count-open", 0))
    return Took(answered_at - began_at, shown_at - began_at)


def _all(stage: Stage, order: RunLow | Refill, *, shows: tuple[str, int]) -> None:
    stage.workers.boards.begin(_spot(stage, *shows))
    stage.terminals(order)
    _shown(stage)


def _spot(stage: Stage, name: str, number: int) -> FindPatterns:
    """The number with this id on the page."""
    text = rb'id=\\"%s\\">%s</b>' % (name.encode(), f"{number:,}".encode())
    return FindPatterns((text,), time.monotonic() + stage.plan.storm_patience_s)


def _shown(stage: Stage) -> float:
    """When the last board showed it."""
    spotted: PatternTimes = stage.workers.boards.result()
    times = [at for of_path in spotted.at.values() for at in of_path]
    if len(times) < stage.plan.boards:
        raise RuntimeError(f"{stage.plan.boards - len(times)} boards did not show it")
    return max(times)


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
