"""The server's end of the control socket."""

import socket
from pathlib import Path

import msgspec

from tms.demo.breaking.messages import MAX_LINE, Answer, Request, decode_answer, encode

DEADLINE_S = 3.0
_control: list[Path] = []


class SimulatorUnreachable(Exception):
    """The simulator does not answer."""


def enable(path: Path) -> None:
    """Called by the demo's process. Without it this TMS is no demo, and has no page that breaks something."""
    _control[:] = [path]


def disable() -> None:
    _control.clear()


def is_demo() -> bool:
    return bool(_control)


def send(request: Request) -> Answer:
    """Send a message to the simulator. Blocks for three seconds at most. Raises SimulatorUnreachable."""
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(DEADLINE_S)
            link.connect(str(_control[0]))
            link.sendall(encode(request) + b"\n")
            with link.makefile("rb") as lines:
                return decode_answer(lines.readline(MAX_LINE))
    except (OSError, IndexError, msgspec.MsgspecError) as error:
        raise SimulatorUnreachable(str(error)) from error
