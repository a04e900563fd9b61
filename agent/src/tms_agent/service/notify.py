"""Tells systemd that the agent runs, by datagrams (sd_notify(3)). Does nothing elsewhere."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator


class Systemd:
    """The service manager that started this process, if one did."""

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog_s = _watchdog_s()

    @property
    def is_there(self) -> bool:
        return bool(self._address)

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Ready within, whether or not TMS can be reached, and stopping afterwards."""
        self.send("READY=1")
        watchdog = asyncio.get_running_loop().create_task(self._feed_watchdog())
        try:
            yield
        finally:
            watchdog.cancel()
            self.send("STOPPING=1")

    async def _feed_watchdog(self) -> None:
        """An event loop that hangs does not get here, and systemd restarts the agent."""
        while self._watchdog_s:
            self.send("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_s / 2)

    def send(self, state: str) -> None:
        if not self._address:
            return
        # A manager that does not listen must not stop the agent.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.sendto(state.encode(), self._address)


def _watchdog_s() -> float:
    """Seconds within which it wants a sign of life; 0 for never. The variables are for the process that they name."""
    text, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    is_ours = not process or process == str(os.getpid())
    return int(text) / 1e6 if text.isdecimal() and is_ours else 0.0
