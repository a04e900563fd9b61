"""`python -m benchmarks.fleet_pages`: what each page costs on which people manage a fleet of 50,000 terminals.

Prints the time that a running server takes for each page, and the plans of the slow queries of slow pages. Queries are
counted while this process renders the page. It follows no feed: unlike a server, it counts the fleet for each page.
Statements that are prepared by hand, those of sign-in, are not counted. It has a durable PostgreSQL of its own.
"""

import argparse
import os
import statistics
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import django

from benchmarks.output.report import number, table
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL as SYSTEM_PLAN
from benchmarks.running.progress import say
from benchmarks.scenarios.pages import get
from benchmarks.systems.system import python
from benchmarks.systems.tms import Unattended

TERMINALS, SITES = 50_000, 500
TIMES = 7
TIMEOUT_S = 120
SLOW_MS = 300
SLOW_QUERY_MS = 50
PLANS = 3
"""Plans of a slow page, of its slowest queries."""
PAGES = {
    "terminals": "/terminals/",
    "terminals, page 2": "/terminals/?page=2",
    "terminals of a site": "/terminals/?q=site:{site}",
    "terminals of a group": "/terminals/?q=group:%22Group+1%22",
    "terminals, search": "/terminals/?q=KX-21",
    "terminals, query": "/terminals/?q=kind:kiosk+firmware%3C4.8",
    "terminals, query of a metric": "/terminals/?q=metric.cpu_pct%3E60",
    "completion": "/suggestions/queries/?q=kind:kiosk+site:S&cursor=17",
    "palette": "/search/",
    "palette, word": "/search/?q=shin",
    "palette, UID": "/search/?q={uid}",
    "palette, query": "/search/?q=kind:kiosk+firmware%3C4.8",
    "palette, nothing found": "/search/?q=zzzzzz",
    "sites": "/sites/",
    "sites, search": "/sites/?q=Shin",
    "site of 1 in 25": "/sites/{site}/",
    "edit site": "/sites/{site}/edit/",
    "close site": "/sites/{site}/close/",
    "keys of a site": "/sites/{site}/keys/",
    "regions": "/regions/",
    "groups": "/groups/",
    "group of 1 in 10": "/groups/{group}/",
    "terminal": "/terminals/{uid}/",
    "manage": "/terminals/{uid}/manage/",
    "replace": "/terminals/{uid}/replace/",
    "swap": "/terminals/{uid}/swap/",
    "enrol": "/enrol/",
    "imports": "/import/",
    "import of the fleet": "/import/{import}/",
    "import, last page": "/import/{import}/?page={last}",
    "export terminals": "/export/terminals.csv",
    "export devices": "/export/devices.csv",
    "export sites": "/export/sites.csv",
    "export groups": "/export/groups.csv",
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet_pages", description=__doc__)
    parser.add_argument("--terminals", type=int, default=TERMINALS)
    parser.add_argument("--plans", type=Path, metavar="PATH", help="write the plans of slow queries here")
    parser.add_argument("--tiny", action="store_true", help="whether it works, not what it measures")
    options = parser.parse_args(arguments)
    terminals, sites = (500, 5) if options.tiny else (options.terminals, SITES)
    with (
        Environment.set_up(SYSTEM_PLAN, machine.all_cores()) as environment,
        environment.system(Unattended) as system,
    ):
        say(f"a fleet of {terminals:,} terminals")
        system.prepare_with(python("-m", "benchmarks.fixture_fleet", str(terminals), "--sites", str(sites)))
        os.environ |= system.env | {"DJANGO_SETTINGS_MODULE": "tms.config.settings", "TMS_ALLOWED_HOSTS": "*"}
        django.setup()
        from benchmarks.fleet_pages.fill import fill

        names = fill(terminals)
        client = signed_in(system.cookie)
        system.start()
        server = HTTPConnection(system.address.host, system.port, timeout=TIMEOUT_S)
        pages = []
        for title, path in PAGES.items():
            address = path.format(**names)
            pages.append(render(title, address, client))
            times = [get(server, address, system.cookie) * 1e3 for _ in range(1 + TIMES)]
            pages[-1].ms = statistics.median(times[1:])
        plans = [text for page in pages if page.ms >= SLOW_MS for text in plans_of(page)]
    rows = [
        (
            page.title,
            number(page.ms),
            str(len(page.queries)),
            str(page.repeated),
            number(page.query_ms),
            number(page.kib),
        )
        for page in pages
    ]
    print(table(("page", "ms", "queries", "the same", "of it queries, ms", "KiB"), rows))
    if options.plans:
        options.plans.write_text("\n\n".join(plans) + "\n")
    else:
        print("\n\n".join(("", *plans)))


@dataclass
class Query:
    sql: str
    parameters: Any
    ms: float = 0.0


@dataclass
class MeasuredPage:
    title: str
    ms: float = 0.0
    kib: float = 0.0
    queries: list[Query] = field(default_factory=list)
    """The statements of the last request."""

    @property
    def repeated(self) -> int:
        """How often it sent its most frequent statement. It grows with the rows if each of them is read on its own."""
        return max(Counter(query.sql for query in self.queries).values(), default=0)

    @property
    def query_ms(self) -> float:
        return sum(query.ms for query in self.queries)

    def __call__(self, execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        """A wrapper of Django's `execute`."""
        began = time.perf_counter()
        try:
            return execute(sql, parameters, many, context)
        finally:
            self.queries.append(Query(sql, parameters, (time.perf_counter() - began) * 1e3))


def signed_in(cookie: str) -> Any:
    """A client whose person has just typed the password: some pages ask for it again."""
    from django.contrib.auth import SESSION_KEY
    from django.test import Client

    client = Client()
    client.cookies.load(cookie)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = session[SESSION_KEY]
    session.save()
    return client


def render(title: str, path: str, client: Any) -> MeasuredPage:
    """Render it twice in this process; the first time fills caches."""
    from django.db import connection

    page, content = MeasuredPage(title), b""
    for _ in range(2):
        page.queries.clear()
        with connection.execute_wrapper(page), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an export is a stream for an event loop
            answer = client.get(path)
            content = b"".join(answer) if answer.streaming else answer.content
    page.kib = len(content) / 1024
    return page


def plans_of(page: MeasuredPage) -> Iterator[str]:
    """The plans of its slowest queries."""
    from django.db import connection

    slowest = sorted(page.queries, key=lambda query: -query.ms)[:PLANS]
    for query in slowest:
        if query.ms < SLOW_QUERY_MS or not query.sql.lstrip().upper().startswith(("SELECT", "WITH")):
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {query.sql}", query.parameters)
            lines = [line for (line,) in cursor.fetchall()]
        yield "\n".join((f"{page.title}: {number(query.ms)} ms", query.sql, *lines))


if __name__ == "__main__":
    main()
