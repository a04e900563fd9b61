"""`python -m benchmarks.queries`: what queries about terminals cost at a fleet of 50,000, and the plans of slow ones.

Each query is asked as the list asks it: for the first page, and for the number of its rows. It has a durable PostgreSQL
of its own. `--texts` reads foreign texts as queries instead of asking any.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import django

from benchmarks.output.report import number, table
from benchmarks.queries import texts
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL as SYSTEM_PLAN
from benchmarks.running.progress import say
from benchmarks.systems.system import python
from benchmarks.systems.tms import Unattended

TERMINALS, SITES = 50_000, 500
TIMES = 7
INDEXED_MS, METRIC_MS = 50, 300
PAGE_ROWS, COUNTED_ROWS = 101, 10_001
QUERIES = {
    "site": "site:{site}",
    "large site, kind": "site:{large} kind:kiosk",
    "region": "region:{region}",
    "UID": "uid:{uid}",
    "UIDs that begin so": "uid:{site}-*",
    "serial": "serial:{site}",
    "model": "model:KX-21",
    "firmware": "kind:kiosk firmware<4.8",
    "kiosks older than 4.8 in open shops": "kind:kiosk firmware<4.8 open:yes",
    "firmware, nothing": "firmware>9",
    "tag": "tag:lobby",
    "rare tag": "tag:pilot-7",
    "tag of sites": "tag:airport",
    "no tag": "-tag:lobby kind:gate",
    "attribute": "attr.floor>7",
    "group": 'group:"Group 1"',
    "presence": "presence:offline",
    "status": "status:fault",
    "alert": "alert:any",
    "no alert": "alert:none kind:gate",
    "expected": "expected:maintenance",
    "closed": "expected:closed",
    "lost with": "lost_with:a",
    "seen": "seen>10m",
    "state": "state:planned,retired",
    "word": "KX-21",
    "word, nothing": "zzzzzz",
    "several": "(tag:lobby or tag:pilot-3) region:{region} -state:retired firmware>=4.2",
    "metric": "metric.temperature_c>60",
    "metrics": "metric.temperature_c>50 metric.paper_pct<=8",
}
TYPED = (
    "fir",
    "site:U",
    "tag:lo",
    "tag:pilot",
    "model:K",
    "firmware<4",
    "uid:U",
    "location:Cou",
    "group:Gr",
    "attr.",
    "serial:K",
)
GROUPS = 20


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queries", description=__doc__)
    parser.add_argument("--terminals", type=int, default=TERMINALS)
    parser.add_argument("--plans", type=Path, metavar="PATH", help="write the plans of all queries here")
    parser.add_argument("--texts", type=int, metavar="NUMBER", default=0)
    parser.add_argument("--tiny", action="store_true", help="whether it works, not what it measures")
    options = parser.parse_args(arguments)
    terminals, sites = (500, 5) if options.tiny else (options.terminals, SITES)
    with (
        Environment.set_up(SYSTEM_PLAN, machine.all_cores()) as environment,
        environment.system(Unattended) as system,
    ):
        say(f"a fleet of {terminals:,} terminals")
        system.prepare_with(python("-m", "benchmarks.fixture_fleet", str(terminals), "--sites", str(sites)))
        os.environ |= system.env | {"DJANGO_SETTINGS_MODULE": "tms.config.settings"}
        django.setup()
        from benchmarks.queries.fill import fill

        names = fill()
        if options.texts:
            read_texts(options.texts)
            return
        plans = list(ask({title: text.format(**names) for title, text in QUERIES.items()}))
        complete()
        change()
    if options.plans:
        options.plans.write_text("\n\n".join(plan for _, plan in plans) + "\n")
    else:
        print("\n\n".join(("", *(plan for is_slow, plan in plans if is_slow))))


def ask(queries: dict[str, str]) -> Iterator[tuple[bool, str]]:
    """Prints the times. Yields for each query whether it is slow, and its plans."""
    from tms.boards.list_filters.filters import TerminalFilter
    from tms.boards.list_filters.terminal_orders import BY_UID, ordered
    from tms.fleet.models import Terminal

    rows, plans = [], []
    for title, text in queries.items():
        found = TerminalFilter(text).apply(Terminal.objects.all())
        counted = found.order_by().values("pk")[:COUNTED_ROWS]
        matching = counted.count()
        page = ordered(found, BY_UID, number=matching)[0].order_by("natural_uid").values_list("pk")[:PAGE_ROWS]
        took = (timed(reading(text)), timed(listing(page)), timed(counting(counted)))
        limit = METRIC_MS if title.startswith("metric") else INDEXED_MS
        rows.append((title, f"`{text}`", f"{matching:,}", *map(number, took)))
        plans.append((max(took) > limit, "\n".join((f"{title}: {text}", plan_of(page), plan_of(counted)))))
    print(table(("query", "text", "rows", "read, ms", "page, ms", "count, ms"), rows))
    yield from plans


def reading(text: str) -> Callable[[], object]:
    from tms.boards.list_filters.filters import TerminalFilter

    return lambda: TerminalFilter(text).problem


def listing(page: Any) -> Callable[[], object]:
    return lambda: list(page.all())


def counting(rows: Any) -> Callable[[], object]:
    return lambda: rows.all().count()


def complete() -> None:
    from tms.accounts.models import User
    from tms.fleet.terminal_query import TERMINAL_FIELDS
    from tms.query import completion

    person = User.objects.get(username="watcher")
    complete = partial(completion.complete, fields=TERMINAL_FIELDS, person=person)
    rows = [(f"`{text}`", number(timed(partial(complete, text, len(text))))) for text in TYPED]
    print("\n" + table(("completion of", "ms"), rows))


def change() -> None:
    """Tags for all terminals, and dynamic groups."""
    from tms.fleet.groups import dynamic
    from tms.fleet.labels.tags import change_tags
    from tms.fleet.models import Group, Terminal

    pks, at = list(Terminal.objects.values_list("pk", flat=True)), datetime.now(UTC)
    rows = [
        (f"a tag for {len(pks):,}", once(lambda: change_tags(Terminal, pks, add=["bulk"]))),
        ("the same again", once(lambda: change_tags(Terminal, pks, add=["bulk"]))),
        ("no tag for them", once(lambda: change_tags(Terminal, pks, remove=["bulk"]))),
    ]
    groups = [Group.objects.create(name=f"Dynamic {at}") for at in range(GROUPS)]
    rows.append((f"{GROUPS} queries of groups are set", once(lambda: [set_query(group, at) for group in groups])))
    rows.append(("one dynamic group is compared", once(lambda: dynamic.evaluate(groups[0], at=at))))
    rows.append((f"{GROUPS} are compared", once(lambda: [dynamic.evaluate(group, at=at) for group in groups])))
    one = pks[len(pks) // 2 :][:1]
    rows.append((f"a tag for one, beside {GROUPS} groups", once(lambda: change_tags(Terminal, one, add=["bulk"]))))
    rows.append((f"a tag for {len(pks):,}, beside them", once(lambda: change_tags(Terminal, pks, add=["bulk"]))))
    print("\n" + table(("change", "ms"), rows))


def set_query(group: Any, at: datetime) -> object:
    from tms.fleet.groups import dynamic

    number = int(group.name.split()[-1])
    texts = (f"kind:kiosk firmware<4.{number}", f"tag:pilot-{number}", f"attr.floor:{number % 9} state:in_service")
    return dynamic.set_query(group, texts[number % 3], by=None, at=at)


def read_texts(number_of_texts: int) -> None:
    began = time.perf_counter()
    found = texts.measure(number_of_texts)
    took_s = time.perf_counter() - began
    print(
        f"{found.number:,} texts in {took_s:.0f} s: {found.refused:,} refused, "
        f"the slowest with {found.slowest_ms:.1f} ms of CPU"
    )
    print(f"the slowest has {len(found.slowest):,} characters: {found.slowest[:80]!r}")


def timed(work: Callable[[], object]) -> float:
    """The median in milliseconds, after a first time."""
    times = []
    for _ in range(1 + TIMES):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times[1:])


def once(work: Callable[[], object]) -> str:
    began = time.perf_counter()
    work()
    return number((time.perf_counter() - began) * 1e3)


def plan_of(rows: Any) -> str:
    with suppress(NotImplementedError):
        return str(rows.explain(analyze=True, buffers=True))
    return ""


if __name__ == "__main__":
    main()
