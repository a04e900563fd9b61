"""Admission: who may open a terminal's link, decided before the WebSocket upgrade with an HTTP status."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import NamedTuple

import structlog
from django.db import DatabaseError, InterfaceError, connection

from tms.fleet.credentials import services
from tms.fleet.credentials.services import CredentialKey
from tms.fleet.enrolment import refusals
from tms.ingest.links import Links
from tms.lib.db.clock import db_clock
from tms.lib.db.thread import DatabaseThread
from tms.lib.hashing import hash_token
from tms.protocol import BEARER_PREFIX, SUBPROTOCOL, credential
from tms.protocol.credential import PlainCredential
from tms.server.asgi import Scope

log = structlog.get_logger(__name__)

GATHER_S = 0.005
"""Handshakes within this time share one query."""
RETRY_AFTER_S = 5
NOTE_EVERY_S = 0.2
"""At least this long between two refusals that are noted for people."""

type Find = Callable[[Sequence[str]], Mapping[str, CredentialKey]]
"""The valid keys among these digests."""


class HandshakeRejected(NamedTuple):
    """An HTTP response instead of the upgrade."""

    status: int
    type: str
    message: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


NO_SUBPROTOCOL = HandshakeRejected(400, "tms:bad-handshake", f"offer the subprotocol {SUBPROTOCOL}")
UNAUTHORISED = HandshakeRejected(
    401,
    "tms:unauthorised",
    "send a valid credential: `Authorization: Bearer <uid>.<secret>`, or the subprotocol `bearer.<uid>.<secret>`",
    ((b"www-authenticate", b'Bearer realm="tms"'),),
)


def unavailable(message: str, retry_after_s: float = RETRY_AFTER_S) -> HandshakeRejected:
    return HandshakeRejected(503, "tms:unavailable", message, ((b"retry-after", b"%d" % max(1, retry_after_s)),))


class Admission:
    """Decides about handshakes. Cookies and the query string are ignored."""

    def __init__(self, links: Links, find: Find | None = None) -> None:
        self._links = links
        self._find_keys = find or find_keys
        self._waiting: dict[str, list[asyncio.Future[CredentialKey | None]]] = {}
        self._thread = DatabaseThread("admission")
        self._tasks: set[asyncio.Task[None]] = set()
        self._noted_at = -NOTE_EVERY_S
        self.is_draining = False

    async def decide(self, scope: Scope, *, address: str | None = None) -> CredentialKey | HandshakeRejected:
        if self.is_draining:
            return unavailable("this node is draining; reconnect after Retry-After")
        if SUBPROTOCOL not in scope["subprotocols"]:
            return NO_SUBPROTOCOL
        offered = offered_credential(scope["headers"], scope["subprotocols"])
        if offered is None:
            return UNAUTHORISED
        try:
            key = await self._find(hash_token(offered.secret))
        except DatabaseError:
            return unavailable("the database is not responding; reconnect after Retry-After")
        if key is None:
            self._note_refusal(offered.uid, address or "")
            return UNAUTHORISED
        if left := self._links.ban_left_s(key.identity.terminal_id):
            banned = b"%d" % max(1, left)
            return HandshakeRejected(
                429,
                "tms:too-fast",
                "two devices use this credential; give each device its own",
                ((b"retry-after", banned),),
            )
        return key

    async def stop(self) -> None:
        await self._thread.leave()

    def _note_refusal(self, uid: str, address: str) -> None:
        """Tell people who wait for the first connection of this terminal. At most a few are noted a second, so that a
        storm of wrong keys does not delay the good ones.
        """
        at = time.monotonic()
        if at - self._noted_at >= NOTE_EVERY_S:
            self._noted_at = at
            self._start(self._thread.run(_note_refusal, uid, address))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _find(self, digest: str) -> CredentialKey | None:
        loop = asyncio.get_running_loop()
        found: asyncio.Future[CredentialKey | None] = loop.create_future()
        if not self._waiting:
            self._start(self._find_together())
        self._waiting.setdefault(digest, []).append(found)
        return await found

    async def _find_together(self) -> None:
        await asyncio.sleep(GATHER_S)
        waiting, self._waiting = self._waiting, {}
        try:
            keys = await self._thread.run(self._find_keys, list(waiting))
        except Exception as error:  # noqa: BLE001  (any error: every handshake gets its answer)
            log.warning("credentials_unreadable", error=repr(error))
            for future in _unanswered(waiting):
                future.set_exception(error if isinstance(error, DatabaseError) else DatabaseError(str(error)))
            return
        for digest, futures in waiting.items():
            for future in _unanswered({digest: futures}):
                future.set_result(keys.get(digest))


def offered_credential(headers: Iterable[tuple[bytes, bytes]], subprotocols: Iterable[str]) -> PlainCredential | None:
    for name, value in headers:
        if name == b"authorization":
            scheme, _, text = value.decode("latin-1").partition(" ")
            return credential.parse(text.strip()) if scheme.lower() == "bearer" else None
    for offered in subprotocols:
        if offered.startswith(BEARER_PREFIX):
            return credential.parse(offered.removeprefix(BEARER_PREFIX))
    return None


def find_keys(digests: Sequence[str]) -> dict[str, CredentialKey]:
    """Raises DatabaseError. Retries once if the connection was cut while idle: the database may be available."""
    try:
        return services.find(digests, at=db_clock().now())
    except (DatabaseError, InterfaceError):
        was_cut = connection.connection is not None and getattr(connection.connection, "closed", False)
        connection.close()
        if not was_cut:
            raise
    return services.find(digests, at=db_clock().now())


def _note_refusal(uid: str, address: str) -> None:
    try:
        refusals.note_link(uid, address=address, at=db_clock().now())
    except DatabaseError as error:
        log.warning("refusal_not_noted", error=repr(error))
        connection.close()


def _unanswered(
    waiting: Mapping[str, list[asyncio.Future[CredentialKey | None]]],
) -> list[asyncio.Future[CredentialKey | None]]:
    return [future for futures in waiting.values() for future in futures if not future.done()]
