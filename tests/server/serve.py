"""The process under test: `python -m tests.server.serve OPTIONS`, with options and events as JSON.

Options: flow, host, port, descriptors (their limit), gc ("off"), start (the action of `on_ready`), spoil (what
fails). Events, one a line on standard output: starting, interrupted, ready, refused, draining, stopping, over.
"""

import asyncio
import gc
import json
import logging
import resource
import sys
from typing import Any

from tests.server.application import Application
from tms import server
from tms.server.asgi import Scope
from tms.server.server import Server


class Process:
    def __init__(self, options: dict[str, Any]) -> None:
        if limit := options.get("descriptors"):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        self.options = options
        self.application = Application()
        self.application.server = self.server = Server(
            self.application,
            host=options.get("host", "127.0.0.1"),
            port=options.get("port", 0),
            flow=server.Flow(**options["flow"]),
            on_ready=self.plain_start if options.get("start") == "plain" else self.start,
            on_drain=self.drain,
            on_stop=self.stop,
            drain_code=self.drain_code,
        )

    def run(self) -> None:
        if self.options.get("gc") == "off":
            gc.disable()
        try:
            self.server.run()
        except server.CannotListen as error:
            report("refused", kind=type(error).__name__, host=error.host, port=error.port, text=str(error))
            sys.exit(3)
        report("over")

    def plain_start(self) -> None:
        report("starting", port=self.server.address[1])
        self.ready()

    async def start(self) -> None:
        report("starting", port=self.server.address[1])
        match self.options.get("start"):
            case "on command":
                await asyncio.to_thread(sys.stdin.readline)
            case "never":
                await self.wait_for_ever()
            case "fail":
                raise RuntimeError("the hub did not start")
        self.ready()

    async def wait_for_ever(self) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            report("interrupted")

    def ready(self) -> None:
        self.application.is_ready = True
        report("ready")

    async def drain(self, drained: Server) -> None:
        report("draining", sockets=len(drained.sockets()), same=drained is self.server, draining=drained.draining)
        if "on_drain" in self.options.get("spoil", ()):
            raise RuntimeError("the hook failed")
        for socket in drained.sockets():
            socket.send("drain")

    async def stop(self) -> None:
        report("stopping", running=self.application.running, ends=self.application.ends, counters=self.server.counters)

    def drain_code(self, scope: Scope) -> int:
        if "drain_code" in self.options.get("spoil", ()):
            return 1001
        return 4100 if scope["path"] == "/board" else 4503


def report(event: str, **facts: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    Process(json.loads(sys.argv[1])).run()
