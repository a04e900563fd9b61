"""Runs the application: a task and a queue of messages for each request and each WebSocket."""

import asyncio
import logging

from tms.server.asgi import Application, Receive, Scope, Send
from tms.server.flow import Flow

log = logging.getLogger(__name__)


class Applications:
    """The tasks of a process."""

    def __init__(self, application: Application, flow: Flow) -> None:
        self.application, self.flow = application, flow
        self.running: set[asyncio.Task[None]] = set()

    def start(self, scope: Scope, receive: Receive, send: Send) -> asyncio.Task[None]:
        """The caller reports the end of the task to `ended`."""
        task = asyncio.get_running_loop().create_task(self.application(scope, receive, send))
        self.running.add(task)
        return task

    def ended(self, task: asyncio.Task[None]) -> BaseException | None:
        """Returns the error with which it ended, after logging it."""
        self.running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error:
            log.error("Exception inside application: %s", error, exc_info=error)
        return error

    def end_later(self, task: asyncio.Task[None]) -> None:
        """Its connection ended; give the application time to end too."""
        timer = asyncio.get_running_loop().call_later(self.flow.linger, cancel, task)
        task.add_done_callback(lambda _: timer.cancel())

    async def end_all(self) -> None:
        """Cancel what still runs, and wait for it with a timeout."""
        for task in self.running:
            task.cancel()
        if self.running:
            await asyncio.wait(self.running, timeout=self.flow.exit_timeout)


def cancel(task: asyncio.Task[None]) -> None:
    log.warning("an application did not end after its connection and was cancelled")
    task.cancel()


class Mailbox[T]:
    """An `asyncio.Queue` for one reader, without its four deques: they take 3 KiB of every connection."""

    __slots__ = ("items", "reader")

    def __init__(self) -> None:
        self.items: list[T] = []
        self.reader: asyncio.Future[None] | None = None

    def put_nowait(self, item: T) -> None:
        self.items.append(item)
        if self.reader is not None and not self.reader.done():
            self.reader.set_result(None)

    async def get(self) -> T:
        while not self.items:
            self.reader = asyncio.get_running_loop().create_future()
            try:
                await self.reader
            finally:
                self.reader = None
        return self.items.pop(0)

    def qsize(self) -> int:
        return len(self.items)
