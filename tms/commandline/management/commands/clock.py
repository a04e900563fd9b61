import asyncio
import contextlib
import signal
from typing import Any

from django.core.management.base import BaseCommand

from tms.clock import Clock
from tms.live.feed import feed
from tms.live.hub import hub
from tms.ops.checks import refuse_unsafe


class Command(BaseCommand):
    help = "Runs the time-driven loops. Start one on each host: one of them leads, the others take over when it ends."

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_unsafe()
        asyncio.run(run())


async def run() -> None:
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    clock = Clock()
    hub.start()
    clock.start()
    with contextlib.suppress(asyncio.CancelledError):
        await stopping.wait()
    await clock.stop()
    await hub.stop()
    await feed.detach()
