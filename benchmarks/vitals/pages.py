"""The measured pages: those of TMS, and a plain one as the baseline."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import psycopg

from benchmarks.paint import plain
from deploy.processes import HOST

PLAIN = "plain page"
FACTS = """
    SELECT (SELECT min(uid) FROM fleet_terminal),
           (SELECT max(id) FROM alerts_alert WHERE state <> 'resolved'),
           (SELECT min(id) FROM alerts_rule WHERE deleted_at IS NULL)
"""


PATHS = {
    "overview": "/",
    "alerts": "/alerts/",
    "alert": "/alerts/{alert}/",
    "incidents": "/incidents/",
    "terminals": "/terminals/",
    "terminal": "/terminals/{uid}/",
    "search": "/search/?q={uid}",
    "rule": "/rules/{rule}/",
    "maintenance": "/maintenance/",
    "digest": "/digest/",
    "availability": "/availability/",
    "wall": "/wall/",
}


def pages_of(database_url: str, origin: str) -> dict[str, str]:
    """URL by title."""
    with psycopg.connect(database_url) as database:
        uid, alert, rule = database.execute(FACTS).fetchone() or ("", 0, 0)
    return {title: origin + path.format(uid=uid, alert=alert, rule=rule) for title, path in PATHS.items()}


@contextmanager
def serve_plain(rows: int) -> Iterator[str]:
    """A table without any style sheet of TMS, compressed like its pages."""
    body = gzip.compress(plain.page(rows).encode())

    class Plain(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 404)
            headers = {"Content-Type": "text/html; charset=utf-8", "Content-Encoding": "gzip"}
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Requests are not logged to the console."""

    server = ThreadingHTTPServer((HOST, 0), Plain)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
