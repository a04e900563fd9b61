"""The receiver of the demo's notifications: a web server on a loopback port, which writes them to a file."""

import json
import threading
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MAX_BYTES = 1_000_000


class NotificationLog:
    """Accepts webhooks from its creation to `close`. One line for each message."""

    def __init__(self, path: Path) -> None:
        class NotificationHandler(BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self) -> None:
                size = min(int(self.headers.get("Content-Length", "0")), MAX_BYTES)
                line = line_of(self.rfile.read(size))
                with path.open("a", encoding="utf-8") as log:
                    log.write(line + "\n")
                self.send_response(HTTPStatus.NO_CONTENT)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """The console is for the person who started the demo."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), NotificationHandler)
        threading.Thread(target=self._server.serve_forever, name="notification-log", daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def line_of(body: bytes) -> str:
    """Local time, kind and title of an event; control characters are escaped."""
    try:
        event = json.loads(body)
        at = datetime.fromisoformat(event["time"]).astimezone()
        words = [f"{at:%Y-%m-%d %H:%M:%S}", str(event["type"]), str(event["data"]["title"])]
    except (ValueError, KeyError, TypeError):
        words = ["not an event of TMS:", body[:200].decode(errors="replace")]
    return " ".join(word if word.isprintable() else repr(word) for word in words)
