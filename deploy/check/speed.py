"""Checks of response times: one request after the other, and several clients at once for a few seconds."""

import http.client
import json
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from deploy.check.probes import PAGES, must_be_signed_in
from deploy.check.result import Failed, Text
from deploy.check.target import CheckTarget

SAMPLES = 5
CLIENTS = 10
LONGEST_S = 20.0
"""The load ends then, even if requests are left."""
SLOWDOWN_ALLOWED = 4
"""How many times slower a request may be under load."""


def response_times(target: CheckTarget) -> Text:
    must_be_signed_in(target)
    medians = {path: statistics.median(times) for path, times in page_times_ms(target).items()}
    summary = ", ".join(f"{path} {ms:.0f} ms" for path, ms in medians.items())
    if max(medians.values()) > target.slow_ms:
        raise Failed(
            f"{summary}; a median is above {target.slow_ms:.0f} ms",
            f"{summary}。中央値が {target.slow_ms:.0f} ms を超える",
        )
    return Text(f"medians: {summary}", f"中央値: {summary}")


def load(target: CheckTarget) -> Text:
    must_be_signed_in(target)
    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        results = list(pool.map(lambda _: send_requests(target, began), range(CLIENTS)))
    times = sorted(ms for result in results for status, ms in result if status == 200)
    others = [status for result in results for status, _ in result if status != 200]
    seconds = time.monotonic() - began
    if others or not times:
        raise Failed(
            f"{len(others)} of {len(others) + len(times)} requests got {set(others)}",
            f"{len(others)} 件が {set(others)}",
        )
    p95 = times[int(len(times) * 0.95) - 1]
    summary = f"{len(times)} requests in {seconds:.1f} s, {len(times) / seconds:.0f} per s, p95 {p95:.0f} ms"
    if p95 > SLOWDOWN_ALLOWED * target.slow_ms:
        limit = SLOWDOWN_ALLOWED * target.slow_ms
        raise Failed(f"{summary}; above {limit:.0f} ms", f"{summary}。{limit:.0f} ms を超える")
    return Text(f"{summary}, no errors", f"{summary}、エラーなし")


def send_requests(target: CheckTarget, began: float) -> Sequence[tuple[int, float]]:
    """Status and milliseconds of each request of one client, over one connection."""
    done: list[tuple[int, float]] = []
    cookie = target.user.cookie
    connection = target.user.connection()
    try:
        for path in (list(PAGES) * target.requests)[: target.requests // CLIENTS]:
            if time.monotonic() - began > LONGEST_S:
                break
            sent_at = time.monotonic()
            connection.request("GET", path, headers={"Cookie": cookie})
            response = connection.getresponse()
            response.read()
            done.append((response.status, (time.monotonic() - sent_at) * 1000))
    except (OSError, http.client.HTTPException):
        done.append((0, 0.0))
    finally:
        connection.close()
    return done


def nodes(target: CheckTarget) -> Text:
    """More than one process answers through the load balancer."""
    seen: set[str] = set()
    lock = threading.Lock()

    def ask_node(_: int) -> None:
        name = str(json.loads(target.anonymous().get("/health/").body)["node"])
        with lock:
            seen.add(name)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask_node, range(40)))
    if len(seen) < 2:
        raise Failed(f"only {', '.join(seen)} responds", f"{', '.join(seen)} しか応答しない")
    return Text(
        f"{len(seen)} nodes respond: {', '.join(sorted(seen))}", f"{len(seen)} ノードが応答: {'、'.join(sorted(seen))}"
    )


def page_times_ms(target: CheckTarget) -> Mapping[str, Sequence[float]]:
    """Milliseconds of each page, over one connection.

    A TLS handshake takes three round trips, of 160 ms each from GitHub's machines to Tokyo.
    """
    connection = target.user.connection()
    try:
        request_ms(connection, target, "/")  # the handshake is in this one
        return {path: [request_ms(connection, target, path) for _ in range(SAMPLES)] for path in PAGES}
    finally:
        connection.close()


def request_ms(connection: http.client.HTTPConnection, target: CheckTarget, path: str) -> float:
    began = time.monotonic()
    connection.request("GET", path, headers={"Cookie": target.user.cookie})
    connection.getresponse().read()
    return (time.monotonic() - began) * 1000
