"""Stub providers that run for the whole of a check.

Terraform itself would start and end each of them several times for every run of a test.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tools.tfkit.wire import MAGIC_COOKIE


@contextmanager
def running(plugins: Path, folder: Path) -> Iterator[str]:
    """The value of `TF_REATTACH_PROVIDERS` for all providers below `plugins`; their sockets are in `folder`."""
    with ExitStack() as stack:
        yield json.dumps(
            {
                executable.parents[2].relative_to(plugins).as_posix(): stack.enter_context(_started(executable, folder))
                for executable in plugins.rglob("terraform-provider-*")
            }
        )


@contextmanager
def _started(executable: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Yields how to reach it."""
    environment = os.environ | {MAGIC_COOKIE: "by tfkit", "TMPDIR": str(folder)}
    with subprocess.Popen([executable], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            _, protocol, network, address, kind = process.stdout.readline().strip().split("|")
            yield {
                "Protocol": kind,
                "ProtocolVersion": int(protocol),
                "Pid": process.pid,
                "Test": True,  # Terraform leaves it running
                "Addr": {"Network": network, "String": address},
            }
        finally:
            process.terminate()
