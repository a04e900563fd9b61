"""A server at which a token is exchanged for a credential."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from tests.agent.running_agent import CREDENTIAL

ENROLLED = (201, "application/json", {"uid": "T-1", "secret": CREDENTIAL.secret, "credential": str(CREDENTIAL)})


class EnrolmentServer:
    def __init__(self) -> None:
        self.answer: tuple[int, str, object] = ENROLLED
        self.asked: list[tuple[str, dict]] = []
        self.url = ""


@contextmanager
def enrolment_server() -> Iterator[EnrolmentServer]:
    """It runs in a thread."""
    served = EnrolmentServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            served.asked.append((self.path, json.loads(body)))
            status, kind, answer = served.answer
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            """Tests do not read a log."""

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        served.url = f"http://127.0.0.1:{http.server_port}"
        thread = Thread(target=http.serve_forever)
        thread.start()
        yield served
        http.shutdown()
        thread.join()
