"""Uploads files of a command over HTTPS, with tus 1.0.0 (tus.io), and goes on where a broken connection ended."""

import asyncio
import base64
import contextlib
import hashlib
import http.client
import os
import socket
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from tms_agent.connection.backoff import Backoff
from tms_agent.connection.dialer import PROBLEM_TYPE, agent_name
from tms_agent.connection.https import connection_to
from tms_agent.connection.link import LinkEnd, Unreachable
from tms_agent.connection.network import Network
from tms_agent.device.source import CommandError, FileToSend
from tms_agent.log import Log
from tms_agent.protocol import json_text
from tms_agent.protocol.credential import PlainCredential
from tms_agent.protocol.errors import FrameError
from tms_agent.protocol.frames import UploadOffer
from tms_agent.protocol.reader import Reader

LONGEST_WAIT_S = 30.0
SMALLEST_PART, FIRST_PART = 64 * 1024, 256 * 1024
READ_BYTES = 256 * 1024
MAX_PROBLEM_BYTES = 16 * 1024
MAY_PASS = ("tms:unavailable", "tms:upload-offset")
"""Refusals of TMS after which another attempt may succeed."""


class TryAgain(Exception):
    """The connection broke, or TMS or a proxy cannot answer at this moment."""


@dataclass(slots=True)
class Source:
    """What is sent of an open file. It may grow meanwhile, or another file may take its name."""

    file: BinaryIO
    start: int
    length: int
    name: str
    media_type: str

    def read(self, offset: int, size: int) -> bytes:
        self.file.seek(self.start + offset)
        data = self.file.read(min(size, self.length - offset))
        if not data:
            raise CommandError(f"{self.name} became shorter while it was sent")
        return data

    def sha256(self) -> str:
        digest, offset = hashlib.sha256(), 0
        while offset < self.length:
            data = self.read(offset, READ_BYTES)
            digest.update(data)
            offset += len(data)
        return digest.hexdigest()


class Uploader:
    """Sends to the host of the link. What blocks runs in a thread, and only one part is in memory."""

    def __init__(
        self,
        url: str,
        credential: PlainCredential,
        *,
        network: Network | None = None,
        jitter: Callable[[], float],
        log: Log,
    ) -> None:
        self._url = url
        self._network = network or Network()
        self._authorization = f"Bearer {credential}"
        self._jitter = jitter
        self._log = log

    async def send(self, given: FileToSend, offer: UploadOffer, progress: Callable[[int], None]) -> None:
        """Raises CommandError with the reason. The caller limits the time. `progress` takes per cent."""
        try:
            file = given.path.open("rb")
        except OSError as error:
            raise CommandError(f"{given.path}: {error.strerror}") from None
        with file:
            source = source_of(file, given, offer)
            sha256 = await asyncio.to_thread(source.sha256)
            upload = Upload(lambda: connection_to(self._url, self._network), self._authorization, source, sha256, offer)
            await self._until_sent(upload, progress)

    async def _until_sent(self, upload: "Upload", progress: Callable[[int], None]) -> None:
        backoff = Backoff(longest_s=LONGEST_WAIT_S, jitter=self._jitter)
        try:
            while not upload.is_complete:
                before = upload.offset
                try:
                    await asyncio.to_thread(upload.step)
                except TryAgain as error:
                    wait_s = backoff.after(Unreachable(str(error)))
                    self._log.warning("upload of %s: %s; next try in %.0f s", upload.source.name, error, wait_s)
                    await asyncio.sleep(wait_s)
                if upload.offset > before:
                    backoff.reset()
                    progress(100 * upload.offset // upload.source.length)
        finally:
            upload.close()


class Upload:
    """One file at one address."""

    def __init__(
        self,
        connect: Callable[[], http.client.HTTPConnection],
        authorization: str,
        source: Source,
        sha256: str,
        offer: UploadOffer,
    ) -> None:
        self.source = source
        self.offset = 0
        self._connect = connect
        self._authorization = authorization
        self._sha256 = sha256
        self._path = offer.path
        self._largest_part = max(offer.part_bytes, 1)
        self._part = min(FIRST_PART, self._largest_part)
        self._is_announced = False
        self._knows_offset = False
        self._connection: http.client.HTTPConnection | None = None

    @property
    def is_complete(self) -> bool:
        return self._knows_offset and self.offset == self.source.length

    def step(self) -> None:
        """The next request. Blocks. Raises TryAgain and CommandError."""
        try:
            if not self._is_announced:
                self._announce()
            elif not self._knows_offset:
                self._take_offset(self._request("HEAD", {}))
            else:
                self._append()
        except TryAgain:
            self._knows_offset = False
            self._part = max(self._part // 2, min(SMALLEST_PART, self._largest_part))
            self.close()
            raise

    def close(self) -> None:
        """Close the connection. This wakes the thread that waits for an answer."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.sock:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        connection.close()

    def _announce(self) -> None:
        told = {"filename": self.source.name, "filetype": self.source.media_type, "sha256": self._sha256}
        metadata = ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in told.items())
        headers = {"Upload-Length": str(self.source.length), "Upload-Metadata": metadata, "Content-Length": "0"}
        self._take_offset(self._request("POST", headers))
        self._is_announced = True

    def _append(self) -> None:
        data = self.source.read(self.offset, self._part)
        headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(self.offset)}
        self._take_offset(self._request("PATCH", headers, data))
        self._part = min(self._part * 2, self._largest_part)

    def _take_offset(self, text: str) -> None:
        if not (text.isascii() and text.isdecimal() and int(text) <= self.source.length):
            raise TryAgain("the answer has no valid Upload-Offset; this is not an answer of TMS")
        self.offset, self._knows_offset = int(text), True

    def _request(self, method: str, headers: Mapping[str, str], body: "bytes | None" = None) -> str:
        """The Upload-Offset of the answer."""
        shared = {"Authorization": self._authorization, "Tus-Resumable": "1.0.0", "User-Agent": agent_name()}
        try:
            connection = self._connection = self._connection or self._connect()
            connection.request(method, self._path, body, {**shared, **headers})
            response = connection.getresponse()
            problem = response.read(MAX_PROBLEM_BYTES)
            rest = response.read(1)
        except (LinkEnd, OSError, http.client.HTTPException) as error:
            raise TryAgain(str(error) or type(error).__name__) from None
        if rest:
            self.close()
        if response.status not in (200, 201, 204):
            _refuse(response, problem)
        return response.getheader("Upload-Offset", "")


def source_of(file: BinaryIO, given: FileToSend, offer: UploadOffer) -> Source:
    """Raises CommandError."""
    found = os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode) or not found.st_size:
        raise CommandError(f"{given.path} is empty, or not a file")
    if given.media_type not in offer.media_types:
        raise CommandError(f"{given.path} is {given.media_type}; TMS takes {', '.join(offer.media_types)}")
    too_many = found.st_size - offer.max_bytes
    if too_many > 0 and not given.may_be_cut:
        raise CommandError(f"{given.path} has {found.st_size} bytes; TMS takes {offer.max_bytes}")
    start = max(0, too_many)
    return Source(file, start, found.st_size - start, given.path.name, given.media_type)


def _refuse(response: http.client.HTTPResponse, body: bytes) -> None:
    """Raises CommandError for a refusal of TMS that stays, TryAgain for everything else."""
    kind = detail = ""
    if (response.getheader("Content-Type") or "").startswith(PROBLEM_TYPE):
        try:
            problem = Reader(json_text.decode(body))
            kind, detail = problem.string("type", ""), problem.string("detail", "")
        except (ValueError, FrameError):
            pass
    if kind.startswith("tms:") and kind not in MAY_PASS:
        raise CommandError(f"TMS refused the file: {detail[:200]} ({kind})")
    raise TryAgain(f"answered {response.status} {response.reason} {kind}".rstrip())
