"""`manage.py serve`, which also sends to every board what is published to one group.

So one message reaches every board like a change, through one subscription of this process and its subscribers, but
without reading, rendering and coalescing: only the cost of the delivery remains.
"""

import asyncio
import os
import sys
import time
from datetime import UTC, datetime

from channels.layers import get_channel_layer
from django.core.management import execute_from_command_line

from benchmarks.load.client_protocol import TmsProtocol


class Herald:
    """Starts with the first message of the feed, when there is an event loop."""

    task: asyncio.Task[None] | None = None

    def changed(self, _change: object) -> None:
        if self.task is None:
            self.task = asyncio.get_running_loop().create_task(deliver())


async def deliver() -> None:
    from tms.boards.live.board_hub import board_hub
    from tms.boards.live.frames import Freshness

    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(TmsProtocol.broadcast_group, channel)
    freshness = Freshness(at=datetime.now(UTC))
    while True:
        message = await layer.receive(channel)
        for live_page in board_hub().live_pages.values():
            for subscriber in tuple(live_page.subscribers):
                subscriber.send([message["frame"]], kind="patch", freshness=freshness, now=time.monotonic())


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tms.config.settings"
    from tms.feed.hub import hub

    hub().listeners.add(Herald())
    execute_from_command_line(["manage.py", "serve", *sys.argv[1:]])


if __name__ == "__main__":
    main()
