"""A proxy in front of TMS that spoils chosen requests of chosen terminals, cuts its downloads, or lets them creep."""

import http.client
import re
import socket
import threading
from collections import defaultdict, deque
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from tests.support.servers.tms import RunningTMS

RESOURCES = ("cancelAction/feedback", "deploymentBase/feedback", "cancelAction", "deploymentBase", "configData")
PIECE = 20_000


class Cut(int):
    """A download ends after so many bytes."""


class Front:
    """`faults`: what the next requests of a terminal meet, by its UID and the resource: a status, or a cut."""

    def __init__(self, tms: RunningTMS) -> None:
        self.tms = tms
        self.faults: dict[tuple[str, str], deque[int]] = defaultdict(deque)
        self.seen: dict[str, list[str]] = defaultdict(list)
        self.held: dict[str, threading.Event] = {}
        """Terminals whose downloads creep until they are released."""
        self.downloading: set[str] = set()
        front = self

        class Handler(_Handler):
            owner = front

        self._handler = Handler
        self._servers: list[ThreadingHTTPServer] = []

    def serve(self, listening: socket.socket) -> None:
        """Answer there, too: each updater has a network of its own."""
        server = ThreadingHTTPServer(listening.getsockname(), self._handler, bind_and_activate=False)
        server.socket.close()
        server.socket = listening
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self._servers.append(server)

    def __enter__(self) -> Self:
        return self

    def hold(self, uid: str) -> None:
        """Let its downloads creep until they are released."""
        self.held[uid] = threading.Event()

    def piece_of(self, uid: str) -> int:
        """How many bytes to send next. Those that creep get few."""
        is_held = uid in self.held and not self.held[uid].wait(0.2)
        return 64 if is_held else PIECE

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for held in self.held.values():
            held.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: Front
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # a killed or impatient updater
            self.close_connection = True

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        uid = self.headers.get("Authorization", "").partition(" ")[2].partition(".")[0]
        resource = "download" if self.path.startswith("/download/") else _resource(self.path)
        self.owner.seen[uid].append(resource)
        faults = self.owner.faults[uid, resource]
        fault = faults.popleft() if faults else None
        if fault is not None and not isinstance(fault, Cut):
            self._answer(fault, b'{"errorCode": "fault"}', "application/json")
        elif resource == "download":
            self._download(uid, fault)
        else:
            answer, content = self._ask_tms(body)
            self._answer(answer.status, content, answer.headers.get("Content-Type", "text/plain"))

    do_POST = do_PUT = do_GET  # noqa: N815

    def _ask_tms(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.owner.tms.port, timeout=60)
        connection.request(self.command, self.path, body, dict(self.headers))
        with closing(connection):
            answer = connection.getresponse()
            return answer, answer.read()

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", content_type)
        self.send_header("Retry-After", "60")
        self.end_headers()
        self.wfile.write(body)

    def _download(self, uid: str, cut: int | None) -> None:
        answer, part = self._ask_tms(b"")
        self.send_response(answer.status)
        for name in ("Content-Length", "Content-Range"):
            if value := answer.headers.get(name):
                self.send_header(name, value)
        self.end_headers()
        at, end = 0, len(part) if cut is None else cut
        while at < end:
            piece = part[at : min(end, at + self.owner.piece_of(uid))]
            self.wfile.write(piece)
            at += len(piece)
            self.owner.downloading.add(uid)
        if cut is not None:
            self.close_connection = True


def _resource(path: str) -> str:
    short = re.sub(r"/\d+", "", path)
    return next((name for name in RESOURCES if short.endswith(name)), "poll")
