import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from urllib.error import HTTPError, URLError

from deploy.cluster.process import TmsProcess
from deploy.cluster.service import HOST


class Node(TmsProcess):
    """`manage.py serve`: sockets and pages."""

    @property
    def arguments(self) -> Sequence[str]:  # type: ignore[override]
        return ["serve", "--host", HOST, "--port", str(self.port)]

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def link(self) -> str:
        return f"ws://{HOST}:{self.port}/ws/terminal/"

    @property
    def stop_deadline_s(self) -> float:  # type: ignore[override]
        """As a supervisor should: the spread of the drain, and 30 s more."""
        return float(self.environment.get("TMS_DRAIN_SPREAD_S", 30)) + 30

    def answers(self) -> bool:
        """It does, also when it has to say that something is not well."""
        try:
            return self.get("/health/")[0] in (200, 503)
        except (URLError, HTTPException, ConnectionError, TimeoutError):
            return False

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and body of a page, without nginx."""
        request = urllib.request.Request(self.url + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
