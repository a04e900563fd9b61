"""A process of TMS: a management command with an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.cluster.service import Service

ROOT = Path(__file__).resolve().parent.parent.parent


class TmsProcess(Service):
    arguments: Sequence[str] = ()

    def __init__(
        self, *, environment: Mapping[str, str], name: str = "", folder: Path | None = None, port: int | None = None
    ) -> None:
        super().__init__(name=name, folder=folder, port=port)
        self.environment = dict(environment) | {"TMS_NODE": self.name}

    @property
    def command(self) -> Sequence[str]:
        return manage(*self.arguments)

    def spawn(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        return super().spawn(command, cwd=ROOT, env=clean() | self.environment, **options)


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def clean() -> dict[str, str]:
    """Our environment without any setting of TMS: what a process is to know, it is told."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TMS_")}
