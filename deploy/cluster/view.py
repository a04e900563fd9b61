"""How the state of the cluster is told: a table that stays in its place in a terminal, lines elsewhere."""

import json
import re
import shutil
from collections.abc import Sequence
from typing import Protocol, TextIO

from deploy.cluster.service_monitor import State, Warden

HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
OTHER_SCREEN, OWN_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
BOLD, DIM, RED, YELLOW, GREEN, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[0m"
COLOURS = {State.RUNNING: GREEN, State.LEADS: GREEN, State.DEAD: RED, State.SILENT: RED, State.STOPPED: DIM}
HEAD = f"{'':10} {'pid':>7} {'port':>6}  {'state':10} {'up':>8} {'again':>5} {'MiB':>6} {'cpu':>5}  last words"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x1f\x7f-\x9f]")
"""A log may hold what somebody sent: none of it may move our cursor."""


class View(Protocol):
    def show(self, wardens: Sequence[Warden]) -> None: ...
    def say(self, text: str) -> None: ...
    def close(self) -> None: ...


class Table:
    def __init__(self, out: TextIO, title: str, hints: Sequence[str]) -> None:
        self._out, self._title, self._hints, self._said = out, title, hints, ""
        out.write(OTHER_SCREEN)

    def show(self, wardens: Sequence[Warden]) -> None:
        width, height = shutil.get_terminal_size()
        rows = [BOLD + self._title[:width] + PLAIN, "", DIM + HEAD[:width] + PLAIN]
        rows += [_row(warden, width) for warden in wardens]
        rows += ["", *(hint[:width] for hint in self._hints), "", BOLD + self._said[:width] + PLAIN]
        text = "".join(f"{row}{CLEAR_LINE}\r\n" for row in rows[: height - 1])
        self._out.write(HOME + text + CLEAR_BELOW)
        self._out.flush()

    def say(self, text: str) -> None:
        self._said = text

    def close(self) -> None:
        self._out.write(OWN_SCREEN)
        self._out.flush()


class Lines:
    """One line for each change of state."""

    def __init__(self, out: TextIO, title: str, hints: Sequence[str]) -> None:
        self._out = out
        self._known: dict[str, State] = {}
        for text in (title, *hints):
            self.say(text)

    def show(self, wardens: Sequence[Warden]) -> None:
        for warden in wardens:
            name = warden.service.name
            if self._known.get(name) is not warden.state:
                self._known[name] = warden.state
                self.say(f"{name}: {_sentence(warden)}")

    def say(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def close(self) -> None: ...


def _row(warden: Warden, width: int) -> str:
    service, vitals = warden.service, warden.vitals
    pid = str(service.pid) if service.is_running else "-"
    state = f"{COLOURS.get(warden.state, YELLOW)}{warden.state:10}{PLAIN}"
    numbers = f"{_span(warden.uptime_s):>8} {warden.restarts:>5} {vitals.rss >> 20:>6} {vitals.cpu * 100:>4.0f}%"
    words = essence(warden.last_words)[: max(0, width - len(HEAD) + len("last words"))]
    return f"{service.name:10} {pid:>7} {service.port or '-':>6}  {state} {numbers}  {DIM}{words}{PLAIN}"


def _sentence(warden: Warden) -> str:
    service = warden.service
    if warden.state is State.DEAD:
        return f"died with {warden.exit_code}; is started again; log: {service.log}"
    place = f", pid {service.pid}, port {service.port or 'none'}" if service.is_running else ""
    return f"{warden.state}{place}"


def essence(line: str) -> str:
    """A line of a log without what every line has."""
    try:
        said = json.loads(line)
    except ValueError:
        return CONTROL.sub("", line)
    if not isinstance(said, dict):
        return CONTROL.sub("", line)
    event = str(said.pop("event", ""))
    rest = (f"{name}={value}" for name, value in said.items() if name not in ("timestamp", "logger", "level"))
    return CONTROL.sub("", " ".join([event, *rest]))


def _span(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"
