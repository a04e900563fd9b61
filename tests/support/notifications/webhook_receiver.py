"""The receiver of webhooks: a real HTTP server that records requests and answers as configured."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

type Answer = tuple[int, dict[str, str]] | Callable[["ReceivedRequest"], tuple[int, dict[str, str]]]


@dataclass
class ReceivedRequest:
    path: str
    headers: Message
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)


@dataclass
class WebhookReceiver:
    """Answers with the entries of `script`, one after the other, and then with `usual`."""

    host: str = "127.0.0.1"
    usual: Answer = (204, {})
    script: list[Answer] = field(default_factory=list)
    posted: list[ReceivedRequest] = field(default_factory=list)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __post_init__(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver._answer(self, ReceivedRequest(self.path, self.headers, body))

            def log_message(self, *args: object) -> None: ...

        self._server = ThreadingHTTPServer((self.host, 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/hook/s3cret-path"

    @property
    def events(self) -> list[Any]:
        return [posted.event for posted in self.posted]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler, posted: ReceivedRequest) -> None:
        self.posted.append(posted)
        self.arrived.release()
        answer = self.script.pop(0) if self.script else self.usual
        status, headers = answer(posted) if callable(answer) else answer
        if status == 0:  # close the connection
            handler.close_connection = True
            return
        handler.send_response(status)
        text = headers.get("body", "").encode()
        fields = {name: value for name, value in headers.items() if name != "body"}
        for name, value in {"Content-Length": str(len(text)), **fields}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(text)


def run_receiver(host: str = "127.0.0.1") -> Iterator[WebhookReceiver]:
    receiver = WebhookReceiver(host)
    try:
        yield receiver
    finally:
        receiver.close()
