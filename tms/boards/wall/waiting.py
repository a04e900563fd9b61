"""The televisions of this process that show a pairing code and wait."""

from tms.boards.live.rights_check import RIGHTS_CHANGED
from tms.feed.change import Change
from tms.lib.per_process import per_process
from tms.server import Connection


class WaitingScreens:
    """A pairing is rare, and few televisions wait: all of them load their page again, and the others wait on."""

    def __init__(self) -> None:
        self._wires: set[Connection] = set()

    def add(self, wire: Connection) -> None:
        self._wires.add(wire)

    def discard(self, wire: Connection) -> None:
        self._wires.discard(wire)

    def changed(self, change: Change) -> None:
        """Receives changes from the feed's hub."""
        if change.screens or change.everything:
            for wire in tuple(self._wires):
                wire.close(RIGHTS_CHANGED, "load the page again")


@per_process
def waiting_screens() -> WaitingScreens:
    return WaitingScreens()
