"""The machine, and which cores run what."""

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil
import psycopg
import redis

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ("benchmarks/results", "tests/faults/results")
"""Written by runs, one after the other."""
PACKAGES = ("django", "channels", "channels-redis", "daphne", "psycopg", "redis", "msgspec", "picows", "uvloop")


@dataclass(frozen=True)
class CoreAssignment:
    """Cores for the server, for PostgreSQL and Redis, and for the load."""

    server: Sequence[int]
    services: Sequence[int]
    load: Sequence[int]


def assign_cores() -> CoreAssignment:
    """Assign the cores. The server has its own if there are two; if there are more, load and services are separate,
    too.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        return CoreAssignment(cores, cores, cores)
    if len(cores) < 4:
        return CoreAssignment(cores[:1], cores[1:], cores[1:])
    return CoreAssignment(cores[:1], cores[1:2], cores[2:])


def all_cores() -> CoreAssignment:
    """No reserved cores, as on a small machine."""
    cores = sorted(os.sched_getaffinity(0))
    return CoreAssignment(cores, cores, cores)


def describe(*, database_url: str, redis_url: str) -> dict[str, str]:
    with psycopg.connect(database_url) as database, redis.Redis.from_url(redis_url) as broker:
        services = {
            "PostgreSQL": f"{database.info.server_version / 10_000:.0f}",
            "Redis": str(broker.info("server")["redis_version"]),
        }
    return {
        "processor": f"{_processor()}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "commit": commit(),
        "Python": platform.python_version(),
        **services,
        **{name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def commit() -> str:
    """Its short hash, with `-dirty` if a file other than stored results was changed."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", *(f":!{path}" for path in RESULTS))
    return (_git("rev-parse", "--short=8", "HEAD") or "unknown") + ("-dirty" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
