"""Pages (P7) and the scrape of `/metrics` (P10) over the size of the fleet: the time of a GET over loopback."""

import time
from collections.abc import Mapping
from http.client import HTTPConnection

import psycopg

from benchmarks.measuring.figure import Measured
from benchmarks.measuring.quantiles import quantile
from benchmarks.running.environment import Environment
from benchmarks.running.progress import say
from benchmarks.systems.system import python
from benchmarks.systems.tms import Unattended

FIRST = 3
"""Requests that are not counted."""
TIMEOUT_S = 60
A_TERMINAL = "SELECT uid FROM fleet_terminal ORDER BY uid OFFSET %s LIMIT 1"

type Times = Mapping[str, list[float]]
"""Seconds, by page."""


def measure(environment: Environment) -> dict[str, Measured]:
    times = {size: _times_of_fleet(environment, size) for size in environment.plan.fleet_sizes}
    medians = {size: {page: quantile(took, 0.5) for page, took in pages.items()} for size, pages in times.items()}
    sizes = sorted(times)
    largest, smaller = sizes[-1], sizes[1 if len(sizes) > 2 else 0]
    pages = [page for page in medians[largest] if page != "metrics"]
    growth = {page: medians[largest][page] / medians[smaller][page] for page in pages}
    details = {f"{page}, {size:,}: ms": medians[size][page] * 1e3 for page in pages for size in sizes}
    return {
        "P7": Measured(max(medians[largest][page] for page in pages) * 1e3, details),
        "P7 growth": Measured(max(growth.values()), {**growth}),
        "P10": Measured(
            medians[largest]["metrics"] * 1e3, {f"{size:,}: ms": medians[size]["metrics"] * 1e3 for size in sizes}
        ),
    }


def _times_of_fleet(environment: Environment, size: int) -> Times:
    say(f"pages: a fleet of {size:,} terminals")
    with environment.system(Unattended) as system:
        system.prepare_with(python("-m", "benchmarks.fixture_fleet", str(size)))
        system.start()
        with psycopg.connect(system.database_url) as database:
            (uid,) = database.execute(A_TERMINAL, [size // 2]).fetchone() or ("",)
        return {name: _times(system, path, environment.plan.requests) for name, path in _pages(uid).items()}


def _pages(uid: str) -> dict[str, str]:
    return {
        "overview": "/",
        "terminals": "/terminals/",
        "terminal": f"/terminals/{uid}/",
        "alerts": "/alerts/",
        "search": f"/terminals/?q={uid[:5]}",
        "global search": f"/search/?q={uid[:5]}",
        "metrics": "/metrics",
    }


def _times(system: Unattended, path: str, requests: int) -> list[float]:
    host, port = system.address.base().split(":")
    connection = HTTPConnection(host, int(port), timeout=TIMEOUT_S)
    times = [get(connection, path, system.cookie) for _ in range(FIRST + requests)]
    connection.close()
    return times[FIRST:]


def get(connection: HTTPConnection, path: str, cookie: str) -> float:
    """Seconds for the page; raises RuntimeError if it failed."""
    began = time.perf_counter()
    read(connection, path, cookie)
    return time.perf_counter() - began


def read(connection: HTTPConnection, path: str, cookie: str) -> bytes:
    """Raises RuntimeError if the page failed."""
    connection.request("GET", path, headers={"Cookie": cookie})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}")
    return body
