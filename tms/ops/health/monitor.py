"""`/health/` and `/metrics` of a process that serves nothing else, in its own thread."""

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import structlog
from django.db import connection
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from tms.ops.collectors.fleet import register
from tms.ops.health import checks
from tms.ops.middleware.trusted_proxy import is_inside, valid

log = structlog.get_logger(__name__)

SLOWEST_REQUEST_S = 5


class MonitorCannotListen(OSError):
    """The address is in use, or not one of this host."""


class Monitor:
    """Serves both pages from its own thread. Raises MonitorCannotListen when it is created."""

    def __init__(self, *, host: str, port: int) -> None:
        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise MonitorCannotListen(
                f"cannot listen on {host}:{port}: {error.strerror}; choose another --port"
            ) from None
        register(REGISTRY)
        self._thread = threading.Thread(target=self._server.serve_forever, name="monitor", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Handler(BaseHTTPRequestHandler):
    timeout = SLOWEST_REQUEST_S

    def do_GET(self) -> None:
        pages = {"/health/": self._health, "/metrics": self._metrics}
        page = pages.get(self.path.partition("?")[0])
        if page is None:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"there are /health/ and /metrics\n")
            return
        try:
            page()
        finally:
            connection.close()  # of this thread, which ends

    def _health(self) -> None:
        query = self.path.partition("?")[2]
        status, body = checks.answer(strict="strict" in parse_qs(query, keep_blank_values=True))
        self._answer(HTTPStatus(status), "application/json", json.dumps(body).encode())

    def _metrics(self) -> None:
        is_forwarded = "X-Forwarded-For" in self.headers or "Forwarded" in self.headers
        if is_forwarded or not is_inside(valid(self.client_address[0])):
            self._answer(HTTPStatus.FORBIDDEN, "text/plain", b"metrics are read from the private network only\n")
            return
        self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(REGISTRY))

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "TMS"

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  (its own name for it)
        log.debug("monitor", request=format % arguments, client=self.client_address[0])
