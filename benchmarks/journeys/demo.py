"""The demo that people walk through."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from deploy.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(r"TMS is ready:\s+(http://\S+)/")
STOP_DEADLINE_S = 60
USERNAME, COLLEAGUE, PASSWORD = "demo", "sato", "watch-the-fleet"
COLLEAGUES_NAME = "K. Sato"
SITE = "Haneda Airport"
"""It is always open."""


class Demo(NamedTuple):
    url: str
    folder: Path
    """Where it keeps its data."""
    started_s: float | None = None
    """Seconds from `make run` until it was ready; None for a demo that ran before."""


@contextmanager
def demo(url: str | None, *, terminals: int = 200) -> Iterator[Demo]:
    """That at `url`; without one, `make run` starts it in a folder of its own and ends it like Ctrl-C."""
    if url:
        yield Demo(url.rstrip("/"), Path(os.environ.get("TMS_DATA_DIR", ROOT / "var")))
        return
    with TemporaryDirectory(prefix="tms-", ignore_cleanup_errors=True) as folder:
        env = os.environ | {"TMS_DATA_DIR": folder, "PORT": str(free_port()), "TERMINALS": str(terminals)}
        began = time.monotonic()
        process = subprocess.Popen(
            ["make", "run"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            yield Demo(_url(process.stdout or ()), Path(folder), time.monotonic() - began)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(STOP_DEADLINE_S)


def _url(lines: Iterable[str]) -> str:
    for line in lines:
        if found := READY.search(line):
            return found[1]
    raise RuntimeError("make run ended before TMS was ready")
