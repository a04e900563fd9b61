"""PostgreSQL and Redis for tests: private, on free loopback ports, removed at the end.

`python -m tests.support.services COMMAND ...` runs COMMAND with both, and passes them in TMS_DATABASE_URL and
TMS_REDIS_URL.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from deploy.processes import HOST, PostgreSQL, Redis, Service, free_port

__all__ = ["HOST", "PostgreSQL", "Redis", "Service", "free_port"]


def main(command: Sequence[str]) -> int:
    # Ctrl-C reaches the command directly; this process outlives it in order to clean up.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with PostgreSQL() as database, Redis() as broker:
        where = {"TMS_DATABASE_URL": database.url, "TMS_REDIS_URL": broker.url}
        child = subprocess.Popen(command, env=os.environ | where)
        try:
            return child.wait()
        finally:
            child.terminate()
            child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
