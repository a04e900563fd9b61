"""Which tests a worker runs together, and the order of the groups.

A worker takes a whole file, or a whole folder if all tests share something that takes long to start. The longest groups
start first, so that no worker is still busy when the others have finished.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

LONGEST_FIRST = (
    "tests/machine/",  # one machine, and the tests of a fresh one first
    "tests/e2e/",  # one browser, one fleet
    "tests/cluster/test_command.py",
    "tests/cluster/",  # one cluster for all of them
    "tests/benchmarks/test_run.py",
    "tests/benchmarks/test_full.py",
    "tests/infrastructure/test_terraform.py",
    "tests/ops/",  # one AWS
    "tests/backup/",  # one database to copy, one AWS
    "tests/link/",  # one TMS on each server
    "tests/pipeline/",  # one AWS of each kind
    "tests/clock/test_clock_step.py",
    "tests/benchmarks/",
    "tests/faults/processes/test_killed.py",
)
"""What takes ten seconds or more, by the beginning of its path; a folder is taken whole.

What the tests of a folder share has the scope "package", so that it ends with the last of them and takes no time from
others. A folder needs an `__init__.py` for that.
"""


class LongestFirst(LoadScopeScheduling):
    """Keeps the order of our collection; xdist's own would put files with few tests last."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return LONGEST_FIRST[position] if (position := rank(path)) < len(LONGEST_FIRST) else path


def rank(path: str) -> int:
    return next(
        (position for position, begin in enumerate(LONGEST_FIRST) if path.startswith(begin)), len(LONGEST_FIRST)
    )


def sort(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: rank(item.nodeid))
