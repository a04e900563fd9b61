"""A blocking WebSocket client over a raw socket: it reads only on request, and sends any bytes."""

import base64
import os
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

HOST = "127.0.0.1"
TIMEOUT_S = 20

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@dataclass(frozen=True)
class Closed:
    """The server's close frame."""

    code: int | None
    reason: str = ""


@dataclass(frozen=True)
class Lost:
    """The connection ended without a close frame."""

    how: str


RESET, ENDED = Lost("reset"), Lost("ended")

type Received = str | bytes | Closed | Lost


class Client:
    """A connection. `status` and `headers` are those of the response to the upgrade."""

    def __init__(self, port: int, *, receive_buffer: int | None = None) -> None:
        self.buffer = b""
        self.socket = socket.socket()
        self.socket.settimeout(TIMEOUT_S)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.address = (HOST, port)

    def dial(self) -> None:
        self.socket.connect(self.address)

    def shake_hands(self, path: str, headers: Sequence[str] = ()) -> None:
        self.send_raw(upgrade(path, headers))
        self.read_head()

    def read_head(self) -> None:
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        status, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(status.split()[1])
        self.headers: dict[str, str] = {}
        for name, value in (line.split(": ", 1) for line in lines):
            seen = self.headers.get(name.lower())
            self.headers[name.lower()] = f"{seen}, {value}" if seen else value

    def read_body(self) -> bytes:
        return self.read(int(self.headers["content-length"]))

    def fill(self, size: int = 65_536) -> None:
        read = self.socket.recv(size)
        if not read:
            raise EOFError
        self.buffer += read

    def read(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self.fill(max(65_536, min(1 << 20, size - len(self.buffer))))
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def read_frame(self) -> tuple[int, bytes]:
        first, length = self.read(2)
        if length == 126:
            (length,) = struct.unpack("!H", self.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self.read(8))
        return first & 15, self.read(length)

    def receive(self, *, pong: bool = True) -> Received:
        """The next message, close or loss. Pings are answered unless `pong` is False."""
        try:
            opcode, payload = self.read_frame()
            while opcode == PING:
                if pong:
                    self.send(payload, PONG)
                opcode, payload = self.read_frame()
        except EOFError:
            return ENDED
        except ConnectionResetError:
            return RESET
        if opcode == CLOSE:
            return Closed(int.from_bytes(payload[:2]) if payload else None, payload[2:].decode())
        return payload.decode() if opcode == TEXT else payload

    def receive_pings(self, count: int) -> None:
        """Answer so many pings; anything else is an error."""
        for _ in range(count):
            opcode, payload = self.read_frame()
            assert opcode == PING
            self.send(payload, PONG)

    def receive_until_end(self, *, pong: bool = True) -> Closed | Lost:
        while isinstance(received := self.receive(pong=pong), str | bytes):
            pass
        return received

    def send_raw(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send(self, content: str | bytes, opcode: int = TEXT) -> None:
        self.send_raw(frame(content, opcode))

    def close(self, code: int = 1000) -> None:
        """Send a close frame, or answer the server's."""
        self.send(struct.pack("!H", code), CLOSE)

    def vanish(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def upgrade(path: str, headers: Sequence[str] = ()) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: server",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def frame(content: str | bytes, opcode: int = TEXT) -> bytes:
    payload = content.encode() if isinstance(content, str) else content
    size = len(payload)
    head = bytes([0x80 | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65_536:
        head += b"\xfe" + struct.pack("!H", size)
    else:
        head += b"\xff" + struct.pack("!Q", size)
    return head + b"\0\0\0\0" + payload  # masked with zeros
