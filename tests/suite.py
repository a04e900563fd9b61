"""The whole suite: two passes, then a repetition of failures.

`python -m tests.suite` runs each pass with several workers. Failed tests of a pass are run again alone, without
workers: a test that passes then is printed as `FLAKY name`. The run fails if a test fails twice, or if more than
`MOST_FLAKY` were flaky. A race in one test thereby does not hide the result of the others.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.support.pytest_plugins.collecting import EMBEDDED, ON_SERVICES

MOST_FLAKY = 2
MOST_RERUN = 20
"""More failures than this in one pass are not races: they are not run again."""
IN_MEMORY = Path("/dev/shm")
SCRATCH_BYTES, MEMORY_BYTES = 6 * 2**30, 12 * 2**30
"""What the temporary files of a pass may take, and what must be free so that they and the processes fit."""
WITH_SERVICES = (sys.executable, "-m", "tests.support.services")


class Exit(IntEnum):
    """The exit codes of pytest that matter here."""

    PASSED = 0
    FAILED = 1


class Pass(NamedTuple):
    name: str
    markers: str
    runner: Sequence[str] = ()
    """A command that runs pytest, with the services of this pass."""


class PassResult(NamedTuple):
    """Node ids of the tests that failed: `flaky` ones passed the second time, `broken` ones did not."""

    flaky: Sequence[str] = ()
    broken: Sequence[str] = ()
    is_complete: bool = True
    """Whether pytest completed: neither interrupted nor stopped by an internal error."""


PASSES = (
    Pass("embedded", EMBEDDED),
    Pass("services", ON_SERVICES, WITH_SERVICES),
)


def run(each: Pass, cache: Path, *arguments: str, workers: str) -> PassResult:
    """One pass, and its failures again. `cache` is a separate folder, where pytest records failures."""
    code = _pytest(each, cache, "-n", workers, *arguments)
    failed = _failed(cache)
    if code == Exit.PASSED:
        return PassResult()
    if code != Exit.FAILED or not failed:
        return PassResult(is_complete=False)
    if len(failed) > MOST_RERUN:
        return PassResult(broken=failed)
    print(f"\nAgain, without workers: {len(failed)} that failed in the pass '{each.name}'", flush=True)
    code = _pytest(each, cache, "-n", "0", "--last-failed", "--last-failed-no-failures", "none", *arguments)
    broken = [] if code == Exit.PASSED else _failed(cache)
    flaky = [name for name in failed if name not in broken]
    return PassResult(flaky, broken, is_complete=code == Exit.PASSED or bool(broken))


def conclude(results: Sequence[PassResult]) -> bool:
    """Print flaky and broken tests, and return whether the suite passed."""
    flaky = [name for each in results for name in each.flaky]
    broken = [name for each in results for name in each.broken]
    for name in flaky:
        print(f"FLAKY {name}")
    for name in broken:
        print(f"BROKEN {name}")
    if len(flaky) > MOST_FLAKY:
        print(f"{len(flaky)} tests were flaky; more than {MOST_FLAKY} fail the run.")
    if not all(each.is_complete for each in results):
        print("A pass did not run to its end; see above.")
    return not broken and len(flaky) <= MOST_FLAKY and all(each.is_complete for each in results)


@contextmanager
def scratch() -> Iterator[None]:
    """Temporary files are in memory if they fit, and removed at the end.

    A pass copies hundreds of databases and installs a machine; on a disk, it waits longer for them than for its tests.
    """
    if not _fits_in_memory():
        yield
        return
    with tempfile.TemporaryDirectory(prefix="tms-", dir=IN_MEMORY) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user when we are root
        os.environ["TMPDIR"] = folder
        yield


def _fits_in_memory() -> bool:
    return (
        IN_MEMORY.is_dir()
        and not os.statvfs(IN_MEMORY).f_flag & os.ST_NOEXEC
        and shutil.disk_usage(IN_MEMORY).free > SCRATCH_BYTES
        and psutil.virtual_memory().available > MEMORY_BYTES
    )


def _pytest(each: Pass, cache: Path, *arguments: str) -> int:
    command = [*each.runner, sys.executable, "-m", "pytest", "-m", each.markers, "-o", f"cache_dir={cache}", *arguments]
    return subprocess.run(command, check=False).returncode


def _failed(cache: Path) -> list[str]:
    """The failed tests as pytest's plugin `cacheprovider` recorded them."""
    note = cache / "v" / "cache" / "lastfailed"
    return sorted(json.loads(note.read_text())) if note.exists() else []


def _clear(cache: Path) -> None:
    """Discard the failures of an earlier run."""
    (cache / "v" / "cache" / "lastfailed").unlink(missing_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", default="logical", help="of each pass; `logical` is one per core")
    options = parser.parse_args()
    results = []
    with scratch():
        for each in PASSES:
            cache = Path(".pytest_cache").resolve() / each.name
            _clear(cache)
            results.append(run(each, cache, workers=options.workers))
    return 0 if conclude(results) else 1


if __name__ == "__main__":
    sys.exit(main())
