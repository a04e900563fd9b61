"""The figures of a month equal those that DuckDB computes from the exported evidence, to the second."""

import csv
from collections.abc import Sequence
from datetime import date, time, timedelta
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from tests.support import people
from tests.support.alerts.availability import away, serving, tokyo
from tests.support.builders import Fleet
from tms.alerts.maintenance import services as maintenance
from tms.alerts.maintenance.services import WindowScope
from tms.availability.losses import LOSS_COLUMNS, LossReason
from tms.availability.rollup import services
from tms.fleet.models import Cause, DeviceState, Lifecycle, Site, Terminal
from tms.fleet.models.opening_hours import OpeningHours, SpecialDay
from tms.fleet.models.outage import OutageCause
from tms.fleet.terminals.lifecycle_changes import change_state, retire
from tms.fleet.terminals.services import move_terminals
from tms.lib.calendar.recurrence import Recurrence

SQL = (Path(__file__).parent / "recompute.sql").read_text()
FIRST, LAST = date(2026, 10, 20), date(2026, 10, 31)
MONTH = "2026-10"
LOST_BY = (Cause.CONNECTION_LOST, Cause.LEASE_RAN_OUT, Cause.CLOSING, Cause.UPDATE, Cause.NODE_LOST)
HOURS = (
    (),
    (("09:00", "21:00"),),
    (("10:00", "13:30"), ("15:00", "02:00")),
    (("18:00", "02:00"),),
    (("00:00", "00:00"),),
)
pytestmark = pytest.mark.both


class RandomFleet:
    """Sites in two zones, one of which changes its clocks; terminals, maintenance and outages of any kind."""

    def __init__(self, fleet: Fleet, random: Random) -> None:
        self._fleet, self._random = fleet, random
        for number, zone in enumerate(("Asia/Tokyo", "Asia/Tokyo", "Europe/Berlin")):
            self._site(f"S{number}", zone)
        self._move(list(Site.objects.order_by("pk")))

    def _instant(self) -> Any:
        return tokyo("00:00", FIRST) + timedelta(microseconds=self._random.randrange(12 * 86_400_000_000))

    def _site(self, code: str, zone: str) -> None:
        random = self._random
        site = self._fleet.site(code, time_zone=zone, on_holidays=random.choice(["as_usual", "closed"]))
        for weekday in range(random.choice([0, 5, 7])):
            for opens, closes in random.choice(HOURS):
                times = {"opens_at": time.fromisoformat(opens), "closes_at": time.fromisoformat(closes)}
                OpeningHours.objects.create(site=site, weekday=weekday, **times)
        SpecialDay.objects.create(site=site, first_on=FIRST + timedelta(days=random.randrange(12)))
        terminals = [serving(self._fleet, site, since=self._boot(), uid=f"{code}-{number}") for number in range(4)]
        self._change_states(terminals[0])
        group = self._fleet.group(f"Group {code}", *terminals[2:])
        for scope in (WindowScope(sites=[site]), WindowScope(terminals=terminals[1:3]), WindowScope(groups=[group])):
            self._window(scope, ZoneInfo(zone))
        for terminal in terminals:
            self._outages(terminal)

    def _change_states(self, terminal: Terminal) -> None:
        """The terminal is out of service for a while, and perhaps retired."""
        first, second, third = sorted(self._instant() for _ in range(3))
        change_state([terminal.pk], Lifecycle.OUT_OF_SERVICE, by=None, at=first)
        change_state([terminal.pk], Lifecycle.IN_SERVICE, by=None, at=second)
        if self._random.random() < 0.5:
            retire([terminal.pk], device_becomes=DeviceState.SPARE, by=None, at=third)

    def _move(self, sites: Sequence[Site]) -> None:
        """A terminal of each site moves to another one, and perhaps back."""
        for site in sites:
            terminal = site.terminals.order_by("pk")[1]
            for at in sorted(self._instant() for _ in range(self._random.randrange(1, 3))):
                other = self._random.choice(sites)
                move_terminals([terminal.pk], to=other, by=None, at=at)

    def _boot(self) -> Any:
        return self._instant() if self._random.random() < 0.3 else tokyo("00:00", FIRST)

    def _window(self, scope: WindowScope, zone: ZoneInfo) -> None:
        start = self._instant().astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
        length = timedelta(minutes=self._random.randrange(10, 600))
        rule = self._random.choice(["", "FREQ=DAILY;COUNT=4"])
        before = tokyo("00:00", FIRST) - timedelta(days=1)
        maintenance.plan(Recurrence(zone, start, length, rule), scope, note="x", by=None, at=before)

    def _outages(self, terminal: Any) -> None:
        """Make outages in order, each after the other; the last may be open."""
        instants = sorted(self._instant() for _ in range(2 * self._random.randrange(6)))
        for index in range(0, len(instants), 2):
            since, until = instants[index : index + 2]
            is_open = index == len(instants) - 2 and self._random.random() < 0.4
            cause = self._random.choice(OutageCause.values)
            offline_at = since + (until - since) / 2 if self._random.random() < 0.5 else None
            fields = {"lost_by": self._random.choice(LOST_BY), "offline_at": offline_at}
            away(terminal, since, None if is_open else until, cause, **fields)


def exported(client: Client, path: str) -> str:
    answer = client.get(path, {"month": MONTH, "by": "terminal"})
    assert answer.status_code == 200

    async def parts() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return (async_to_sync(parts)() if answer.streaming else answer.content).decode("utf-8-sig")


def published(text: str) -> dict[tuple[str, str], int]:
    """(terminal, what) → seconds, without zeros."""
    found = {}
    for row in csv.DictReader(StringIO(text)):
        columns = {"counted": "counted_s", "excluded": "excluded_s"} | dict(
            zip(LossReason.values, LOSS_COLUMNS, strict=True)
        )
        found |= {(row["code"], what): int(row[column]) for what, column in columns.items() if int(row[column])}
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_month_computed_from_the_evidence_is_equal_to_the_second(fleet, seed, tmp_path):
    RandomFleet(fleet, Random(seed))
    while services.advance(tokyo("24:15", LAST) + timedelta(days=1)):
        pass
    client = people.signed_in(people.person("reader", first_name="R", last_name="R"))

    figures = published(exported(client, "/availability/export/"))
    path = tmp_path / "evidence.csv"
    path.write_text(exported(client, "/availability/evidence/"))
    recomputed = duckdb.execute(SQL, {"evidence": str(path)}).fetchall()

    assert {(terminal, what): seconds for terminal, what, seconds in recomputed} == figures
    assert len({what for _, what in figures}) >= 5
