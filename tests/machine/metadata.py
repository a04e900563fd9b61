"""The instance metadata of EC2 (IMDSv2), for a machine under test."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

TOKEN = "a token"


class Metadata:
    """Answers while it is entered. `target_state` is the state that the group wants."""

    def __init__(self) -> None:
        self.target_state = "InService"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str) -> str:
        return {
            "/latest/meta-data/instance-id": "i-0123456789",
            "/latest/meta-data/autoscaling/target-lifecycle-state": self.target_state,
        }.get(path, "")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        metadata = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                self._say(TOKEN)

            def do_GET(self) -> None:
                is_known = self.headers["X-aws-ec2-metadata-token"] == TOKEN
                self._say(metadata.answer(self.path) if is_known else "")

            def _say(self, text: str) -> None:
                self.send_response(200 if text else 401)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None: ...

        return Handler
