"""A process of TMS: a management command with its own environment."""

import os
import subprocess
import sys
import urllib.request
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

from deploy.processes.service import HOST, Service

ROOT = Path(__file__).resolve().parent.parent.parent


class TmsProcess(Service):
    def __init__(
        self, *, environment: Mapping[str, str], name: str = "", folder: Path | None = None, port: int | None = None
    ) -> None:
        super().__init__(name=name, folder=folder, port=port)
        self.environment = dict(environment) | {"TMS_NODE": self.name}

    @property
    @abstractmethod
    def arguments(self) -> Sequence[str]:
        """Arguments of `manage.py`."""

    @property
    def command(self) -> Sequence[str]:
        return manage(*self.arguments)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def spawn(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        return super().spawn(command, cwd=ROOT, env=clean_environment() | self.environment, **options)

    def answers(self) -> bool:
        """Whether it answers; it does so, too, if it reports a problem (503)."""
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


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def clean_environment() -> dict[str, str]:
    """The environment without settings of TMS: a process gets its settings explicitly."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TMS_")}
