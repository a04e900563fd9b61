"""Downloads a file over HTTPS, goes on where it ended, also after a restart, and compares its size and SHA-256."""

import asyncio
import contextlib
import hashlib
import http.client
import os
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tms_agent.connection.backoff import Backoff
from tms_agent.connection.dialer import agent_name
from tms_agent.connection.https import connection_to
from tms_agent.connection.link import LinkEnd, Unreachable
from tms_agent.connection.network import Network
from tms_agent.connection.uploads import TryAgain
from tms_agent.log import Log
from tms_agent.requests import RequestRefused

CHUNK = 64 * 1024
LONGEST_WAIT_S = 300.0
MAX_RATE_PAUSE_S = 10.0
GONE = (400, 404, 410, 451)
"""No other attempt can succeed: the address has expired, or never was one."""
CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,15})-[0-9]{1,15}/([0-9]{1,15})")


@dataclass(frozen=True)
class Place:
    """The TMS from which files come, and how it is reached."""

    link_url: str
    authorization: str
    network: Network
    jitter: Callable[[], float]


class Download:
    """One file. What blocks runs in a thread, with one chunk in memory."""

    def __init__(
        self,
        place: Place,
        url: str,
        *,
        to: Path,
        size: int,
        sha256: str,
        max_bytes_s: float | None,
        on_progress: Callable[[float], None],
    ) -> None:
        """`url`: a path of the host of the link, which gets the credential, or an HTTPS address, which does not."""
        self._place = place
        self._is_of_tms = url.startswith("/")
        self._base = place.link_url if self._is_of_tms else f"wss{url[len('https') :]}"
        parts = urlsplit(url)
        self._path = url if self._is_of_tms else (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._to = to
        self._size = size
        self._sha256 = sha256
        self._max_bytes_s = max_bytes_s
        self._on_progress = on_progress
        self._connection: http.client.HTTPConnection | None = None
        self._is_stopped = False

    async def run(self, log: Log) -> None:
        """Return once the file is there as a whole. Raises RequestRefused. The caller limits the time."""
        backoff = Backoff(longest_s=LONGEST_WAIT_S, jitter=self._place.jitter)
        try:
            while self._offset < self._size:
                before = self._offset
                try:
                    await asyncio.to_thread(self._fetch)
                except TryAgain as error:
                    if self._offset > before:
                        backoff.reset()
                    wait_s = backoff.after(Unreachable(str(error)))
                    log.warning("download: %s; next try in %.0f s", error, wait_s)
                    await asyncio.sleep(wait_s)
            await asyncio.to_thread(self._check)
        finally:
            self._stop()

    @property
    def _offset(self) -> int:
        try:
            return self._to.stat().st_size
        except OSError:
            return 0

    def _fetch(self) -> None:
        """One request, as far as its answer comes. Raises TryAgain and RequestRefused."""
        offset = self._offset
        headers = {"User-Agent": agent_name(), "Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        if self._is_of_tms:
            headers["Authorization"] = self._place.authorization
        # Closed here, too: a download that is stopped may not have been open yet.
        with contextlib.closing(self._connect()) as connection:
            self._connection = connection
            try:
                connection.request("GET", self._path, headers=headers)
                with connection.getresponse() as response:
                    self._take(response, offset)
            except (OSError, http.client.HTTPException) as error:
                raise TryAgain(str(error) or type(error).__name__) from None

    def _connect(self) -> http.client.HTTPConnection:
        """Raises TryAgain."""
        try:
            return connection_to(self._base, self._place.network)
        except LinkEnd as error:
            raise TryAgain(str(error)) from None

    def _take(self, response: http.client.HTTPResponse, offset: int) -> None:
        if response.status in GONE:
            raise RequestRefused(f"the download answered {response.status} {response.reason}")
        if response.status not in (200, 206):
            raise TryAgain(f"the download answered {response.status} {response.reason}")
        if response.status == 206:
            found = CONTENT_RANGE.fullmatch(response.getheader("Content-Range", ""))
            if not found or int(found[1]) != offset:
                raise TryAgain("the answer has another Content-Range than what was asked for")
            if int(found[2]) != self._size:
                raise RequestRefused(f"the file has {found[2]} bytes; its manifest says {self._size}")
        else:
            offset = 0  # the server does not continue: from the beginning
        if self._is_stopped:
            raise TryAgain("stopped")  # the file may be that of another download by now
        handle = _open_at(self._to, offset)
        try:
            self._copy(response, handle, offset)
        finally:
            os.close(handle)

    def _copy(self, response: http.client.HTTPResponse, handle: int, offset: int) -> None:
        began, first = time.monotonic(), offset
        while data := response.read1(CHUNK):
            if self._is_stopped:
                raise TryAgain("stopped")
            offset += len(data)
            if offset > self._size:
                raise RequestRefused(f"the file is larger than its manifest says: {self._size} bytes")
            _write(handle, data)
            self._on_progress(100 * offset / self._size)
            self._pause(offset - first, time.monotonic() - began)
        os.fsync(handle)
        if offset < self._size:
            raise TryAgain(f"the connection ended after {offset} of {self._size} bytes")

    def _pause(self, received: int, passed_s: float) -> None:
        if self._max_bytes_s:
            ahead_s = received / self._max_bytes_s - passed_s
            if ahead_s > 0:
                time.sleep(min(ahead_s, MAX_RATE_PAUSE_S))

    def _check(self) -> None:
        digest = hashlib.sha256()
        with self._to.open("rb") as file:
            while data := file.read(1024 * 1024):
                digest.update(data)
        if digest.hexdigest() != self._sha256:
            self._to.unlink()
            raise RequestRefused("the file has another SHA-256 than its manifest says")

    def _stop(self) -> None:
        """Wake the thread that waits for an answer; it closes the connection."""
        self._is_stopped = True
        if self._connection and self._connection.sock:
            with contextlib.suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)


def _open_at(path: Path, offset: int) -> int:
    """Raises RequestRefused."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        os.truncate(handle, offset)
        os.lseek(handle, offset, os.SEEK_SET)
    except OSError as error:
        raise RequestRefused(f"{path}: {error.strerror}") from None
    return handle


def _write(handle: int, data: bytes) -> None:
    """Raises RequestRefused."""
    try:
        while data:
            data = data[os.write(handle, data) :]
    except OSError as error:
        raise RequestRefused(f"the update cannot be stored: {error.strerror}") from None
