"""`python -m benchmarks.peers.ocpp_python.server`: terminals on the library `ocpp`, with websockets and asyncpg.

It runs in an environment that has these three and no package of TMS.
"""

import asyncio
import hashlib
import hmac
import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import asyncpg
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.enums import Action, DataTransferStatus, RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHeader
from websockets.headers import parse_authorization_basic
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

HOST = "127.0.0.1"
INTERVAL_S = 300
STATEMENTS = Path(__file__).parents[1]
CREDENTIAL = (STATEMENTS / "credential.sql").read_text()
REPORT = (STATEMENTS / "report.sql").read_text()


class Link(ServerConnection):
    terminal_id = 0


class Terminal(ChargePoint):  # type: ignore[misc]
    def __init__(self, link: Link, pool: asyncpg.Pool) -> None:
        super().__init__(str(link.terminal_id), link)
        self.terminal_id = link.terminal_id
        self.pool = pool

    @on(Action.boot_notification)
    def boot(self, **_: Any) -> call_result.BootNotification:
        return call_result.BootNotification(
            current_time=datetime.now(UTC).isoformat(), interval=INTERVAL_S, status=RegistrationStatus.accepted
        )

    @on(Action.data_transfer)
    async def report(self, data: str, **_: Any) -> call_result.DataTransfer:
        report = json.loads(data)
        at, metrics = datetime.fromisoformat(report["at"]), json.dumps(report["metrics"])
        await self.pool.execute(REPORT, self.terminal_id, report["seq"], at, report["status"], metrics)
        return call_result.DataTransfer(status=DataTransferStatus.accepted)


class Server:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool

    async def admit(self, link: Link, request: Request) -> Response | None:
        """Look up the terminal in the handshake; a response refuses it."""
        try:
            uid, secret = parse_authorization_basic(request.headers["Authorization"])
        except (KeyError, InvalidHeader):
            return link.respond(HTTPStatus.UNAUTHORIZED, "")
        row = await self.pool.fetchrow(CREDENTIAL, uid)
        if row is None or not hmac.compare_digest(row["digest"], hashlib.sha256(secret.encode()).hexdigest()):
            return link.respond(HTTPStatus.UNAUTHORIZED, "")
        link.terminal_id = row["id"]
        return None

    async def serve(self, link: Link) -> None:
        with suppress(ConnectionClosed):
            await Terminal(link, self.pool).start()


async def main() -> None:
    connections = int(os.environ["PEER_CONNECTIONS"])
    async with asyncpg.create_pool(os.environ["PEER_DATABASE_URL"], max_size=connections) as pool:
        server = Server(pool)
        listening = serve(
            server.serve,  # type: ignore[arg-type] # every connection is a Link
            HOST,
            int(os.environ["PEER_PORT"]),
            create_connection=Link,
            process_request=server.admit,  # type: ignore[arg-type]
            subprotocols=[Subprotocol("ocpp1.6")],
        )
        async with listening as accepting:
            await accepting.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
