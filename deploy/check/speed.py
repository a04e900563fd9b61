"""How quick it is: one after the other, and for a few seconds by several at once."""

import http.client
import json
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from deploy.check.probes import PAGES, must_be_signed_in
from deploy.check.result import Text, Wrong
from deploy.check.target import Place

TIMES = 5
VISITORS = 10
LONGEST_S = 20.0
"""The load ends then, however much is left."""
UNDER_LOAD = 4
"""So many times slower a request may be while the others are at it."""


def response_times(place: Place) -> Text:
    must_be_signed_in(place)
    medians = {path: statistics.median(times) for path, times in on_one_connection(place).items()}
    told = ", ".join(f"{path} {ms:.0f} ms" for path, ms in medians.items())
    if max(medians.values()) > place.slow_ms:
        raise Wrong(
            f"{told}; a median is above {place.slow_ms:.0f} ms", f"{told}。中央値が {place.slow_ms:.0f} ms を超える"
        )
    return Text(f"medians: {told}", f"中央値: {told}")


def load(place: Place) -> Text:
    must_be_signed_in(place)
    began = time.monotonic()
    with ThreadPoolExecutor(VISITORS) as pool:
        results = list(pool.map(lambda _: visit(place, began), range(VISITORS)))
    times = sorted(ms for result in results for status, ms in result if status == 200)
    others = [status for result in results for status, _ in result if status != 200]
    seconds = time.monotonic() - began
    if others or not times:
        raise Wrong(
            f"{len(others)} of {len(others) + len(times)} requests got {set(others)}",
            f"{len(others)} 件が {set(others)}",
        )
    p95 = times[int(len(times) * 0.95) - 1]
    told = f"{len(times)} requests in {seconds:.1f} s, {len(times) / seconds:.0f} per s, p95 {p95:.0f} ms"
    if p95 > UNDER_LOAD * place.slow_ms:
        limit = UNDER_LOAD * place.slow_ms
        raise Wrong(f"{told}; above {limit:.0f} ms", f"{told}。{limit:.0f} ms を超える")
    return Text(f"{told}, no error", f"{told}、エラーなし")


def visit(place: Place, began: float) -> Sequence[tuple[int, float]]:
    """Status and milliseconds of each request of one visitor, who keeps its connection."""
    done: list[tuple[int, float]] = []
    cookie = place.person.cookie
    connection = place.person.connection()
    try:
        for path in (list(PAGES) * place.requests)[: place.requests // VISITORS]:
            if time.monotonic() - began > LONGEST_S:
                break
            asked = time.monotonic()
            connection.request("GET", path, headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            done.append((answer.status, (time.monotonic() - asked) * 1000))
    except (OSError, http.client.HTTPException):
        done.append((0, 0.0))
    finally:
        connection.close()
    return done


def nodes(place: Place) -> Text:
    """More than one process answers, and the front sends people to all of them."""
    seen: set[str] = set()
    lock = threading.Lock()

    def ask(_: int) -> None:
        name = str(json.loads(place.stranger().get("/health/").body)["node"])
        with lock:
            seen.add(name)

    with ThreadPoolExecutor(VISITORS) as pool:
        list(pool.map(ask, range(40)))
    if len(seen) < 2:
        raise Wrong(f"only {', '.join(seen)} answers", f"{', '.join(seen)} しか応答しない")
    return Text(
        f"{len(seen)} nodes answer: {', '.join(sorted(seen))}", f"{len(seen)} ノードが応答: {'、'.join(sorted(seen))}"
    )


def on_one_connection(place: Place) -> Mapping[str, Sequence[float]]:
    """Milliseconds of each page. A handshake for each request would measure the distance, not TMS: to Tokyo from the
    machines of GitHub it takes three round trips of 160 ms."""
    connection = place.person.connection()
    try:
        took(connection, place, "/")  # the handshake is in this one
        return {path: [took(connection, place, path) for _ in range(TIMES)] for path in PAGES}
    finally:
        connection.close()


def took(connection: http.client.HTTPConnection, place: Place, path: str) -> float:
    began = time.monotonic()
    connection.request("GET", path, headers={"Cookie": place.person.cookie})
    connection.getresponse().read()
    return (time.monotonic() - began) * 1000
