"""Takes one file by tus 1.0.0 (tus.io), on the port of the link, and breaks connections on the way."""

import asyncio
from dataclasses import dataclass, field

from websockets.asyncio.server import ServerConnection

UPLOAD_PATH = "/upload/conformance"
CUTS = 2
MAX_HEAD_BYTES = 64 * 1024
STATUS = {200: "OK", 201: "Created", 204: "No Content", 404: "Not Found", 409: "Conflict"}


@dataclass
class Upload:
    """The file, and what was wrong with its requests."""

    credential: str
    length: int = -1
    metadata: str = ""
    data: bytearray = field(default_factory=bytearray)
    cuts: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        return len(self.data) == self.length


class Connection(ServerConnection):
    """A link, or requests of an upload."""

    upload: Upload
    _exchange: "Exchange | None" = None
    _is_link = False

    def data_received(self, data: bytes) -> None:
        if self._is_link or (self._exchange is None and data.startswith(b"GET ")):
            self._is_link = True
            super().data_received(data)
            return
        self._exchange = self._exchange or Exchange(self.transport, self.upload)
        self._exchange.feed(data)


class Exchange:
    """HTTP/1.1 as far as tus needs it. Half of the body of the first requests is taken, then the connection breaks."""

    def __init__(self, transport: asyncio.Transport, upload: Upload) -> None:
        self._transport = transport
        self._upload = upload
        self._waiting = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None

    def feed(self, data: bytes) -> None:
        self._waiting += data
        if self._head is None and b"\r\n\r\n" in self._waiting:
            head, _, self._waiting = self._waiting.partition(b"\r\n\r\n")
            self._head = _parse(bytes(head))
        if self._head is None:
            if len(self._waiting) > MAX_HEAD_BYTES:
                self._transport.abort()
            return
        method, path, headers = self._head
        length = int(headers.get("content-length", 0))
        if method == "PATCH" and self._upload.cuts < CUTS and len(self._waiting) * 2 >= length:
            self._cut(headers)
        elif len(self._waiting) >= length:
            self._head = None
            self._answer(method, path, headers, bytes(self._waiting[:length]))
            del self._waiting[:length]

    def _cut(self, headers: dict[str, str]) -> None:
        self._upload.cuts += 1
        half = int(headers.get("content-length", 0)) // 2
        if headers.get("upload-offset") == str(len(self._upload.data)):
            self._upload.data += self._waiting[:half]
        self._transport.abort()

    def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        upload = self._upload
        if headers.get("authorization", "").partition(" ")[2] != upload.credential:
            upload.faults.append(f"{method} without the credential")
        if headers.get("tus-resumable") != "1.0.0":
            upload.faults.append(f"{method} without Tus-Resumable: 1.0.0")
        if path != UPLOAD_PATH:
            self._send(404)
        elif method == "POST":
            upload.length, upload.metadata = int(headers.get("upload-length", -1)), headers.get("upload-metadata", "")
            self._send(201, Location=path)
        elif method == "PATCH":
            self._append(headers, body)
        else:
            self._send(200)

    def _append(self, headers: dict[str, str], body: bytes) -> None:
        if headers.get("upload-offset") != str(len(self._upload.data)):
            self._upload.faults.append(f"PATCH with Upload-Offset {headers.get('upload-offset')}, not as HEAD said")
            self._send(409)
            return
        self._upload.data += body
        self._send(204)

    def _send(self, status: int, **headers: str) -> None:
        offset = {"Upload-Offset": str(len(self._upload.data)), "Tus-Resumable": "1.0.0"}
        lines = [f"{name}: {value}" for name, value in {**headers, **offset}.items()]
        length = [] if status == 204 else ["Content-Length: 0"]
        head = "\r\n".join([f"HTTP/1.1 {status} {STATUS[status]}", *lines, *length])
        self._transport.write(f"{head}\r\n\r\n".encode())


def _parse(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Method, path and headers."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = f"{first}  ".split(" ", 2)
    headers = (line.partition(":") for line in lines)
    return method, path, {name.strip().lower(): value.strip() for name, _, value in headers}
