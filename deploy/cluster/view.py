"""Shows the state of the cluster: a table that is redrawn in a terminal, lines otherwise."""

import json
import re
import shutil
from collections.abc import Sequence
from typing import Protocol, TextIO

from deploy.cluster.service_monitor import ServiceMonitor, ServiceState

HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
ALTERNATE_SCREEN, MAIN_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
BOLD, DIM, RED, YELLOW, GREEN, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[0m"
COLOURS = {
    ServiceState.RUNNING: GREEN,
    ServiceState.LEADER: GREEN,
    ServiceState.EXITED: RED,
    ServiceState.NOT_RESPONDING: RED,
    ServiceState.STOPPED: DIM,
}
HEADER = f"{'':10} {'pid':>7} {'port':>6}  {'state':10} {'up':>8} {'start':>5} {'MiB':>6} {'cpu':>5}  last log line"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x1f\x7f-\x9f]")
"""A log may contain input from outside: it must not control the terminal."""


class View(Protocol):
    def show(self, monitors: Sequence[ServiceMonitor]) -> None: ...
    def show_message(self, text: str) -> None: ...
    def close(self) -> None: ...


class TableView:
    def __init__(self, out: TextIO, title: str, hints: Sequence[str]) -> None:
        self._out, self._title, self._hints, self._message = out, title, hints, ""
        out.write(ALTERNATE_SCREEN)

    def show(self, monitors: Sequence[ServiceMonitor]) -> None:
        width, height = shutil.get_terminal_size()
        rows = [BOLD + self._title[:width] + PLAIN, "", DIM + HEADER[:width] + PLAIN]
        rows += [_row(monitor, width) for monitor in monitors]
        rows += ["", *(hint[:width] for hint in self._hints), "", BOLD + self._message[:width] + PLAIN]
        text = "".join(f"{row}{CLEAR_LINE}\r\n" for row in rows[: height - 1])
        self._out.write(HOME + text + CLEAR_BELOW)
        self._out.flush()

    def show_message(self, text: str) -> None:
        self._message = text

    def close(self) -> None:
        self._out.write(MAIN_SCREEN)
        self._out.flush()


class LineView:
    """Prints one line for each change of state."""

    def __init__(self, out: TextIO, title: str, hints: Sequence[str]) -> None:
        self._out = out
        self._known: dict[str, ServiceState] = {}
        for text in (title, *hints):
            self.show_message(text)

    def show(self, monitors: Sequence[ServiceMonitor]) -> None:
        for monitor in monitors:
            name = monitor.service.name
            if self._known.get(name) is not monitor.state:
                self._known[name] = monitor.state
                self.show_message(f"{name}: {_description(monitor)}")

    def show_message(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def close(self) -> None: ...


def _row(monitor: ServiceMonitor, width: int) -> str:
    service, usage = monitor.service, monitor.usage
    pid = str(service.pid) if service.is_running else "-"
    state = f"{COLOURS.get(monitor.state, YELLOW)}{monitor.state:10}{PLAIN}"
    numbers = f"{_duration(monitor.uptime_s):>8} {monitor.restarts:>5} {usage.rss >> 20:>6} {usage.cpu * 100:>4.0f}%"
    tail = compact_log_line(monitor.log_tail)[: max(0, width - len(HEADER) + len("last log line"))]
    return f"{service.name:10} {pid:>7} {service.port or '-':>6}  {state} {numbers}  {DIM}{tail}{PLAIN}"


def _description(monitor: ServiceMonitor) -> str:
    service = monitor.service
    if monitor.state is ServiceState.EXITED:
        return f"died with {monitor.exit_code}; restarting; log: {service.log}"
    process = f", pid {service.pid}, port {service.port or 'none'}" if service.is_running else ""
    return f"{monitor.state}{process}"


def compact_log_line(line: str) -> str:
    """A log line without the fields that every line has."""
    try:
        record = json.loads(line)
    except ValueError:
        return CONTROL.sub("", line)
    if not isinstance(record, dict):
        return CONTROL.sub("", line)
    event = str(record.pop("event", ""))
    rest = (f"{name}={value}" for name, value in record.items() if name not in ("timestamp", "logger", "level"))
    return CONTROL.sub("", " ".join([event, *rest]))


def _duration(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"
