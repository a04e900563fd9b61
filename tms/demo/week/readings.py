"""Readings of the hours before the demo was started, so that charts show a past at once.

A terminal has none from an outage, or from later than it was last seen. While it has an alert of a metric, the reading
is the value of the alert, and paper that is low has fallen to it.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tms.alerts.models.alert import Alert
from tms.demo.device import PAPER_LOW_PCT, DemoDevice, status_of
from tms.demo.personality import personality_of
from tms.demo.seed_file import DemoTerminal
from tms.fleet.models import Terminal, TerminalState
from tms.fleet.models.outage import Outage
from tms.lib.db.prepared import DbRow
from tms.telemetry.models import Boot, Report

HOURS = timedelta(hours=6)
STEP = timedelta(minutes=5)
NUMBER = HOURS // STEP
PAPER = "paper_pct"
PAPER_A_STEP = 0.4
"""Percentage points that a device uses up, unless its paper is low."""
AN_INSTANT = timedelta(microseconds=1)
BATCH = 1_000


class PastCondition(NamedTuple):
    """An absence, or an alert of a metric with its value."""

    began_at: datetime
    ended_at: datetime | None
    metric: str = ""
    value: float = 0.0

    def covers(self, at: datetime) -> bool:
        return self.began_at <= at and (self.ended_at is None or at < self.ended_at)


def write_readings(fleet: Iterable[DemoTerminal], terminals: Sequence[Terminal], *, until: datetime) -> None:
    """Write readings of the terminals that have a boot."""
    boots = {boot.terminal_id: boot for boot in Boot.objects.filter(terminal__in=terminals)}
    pks = {terminal.uid: terminal.pk for terminal in terminals}
    devices = ((pks[one.uid], DemoDevice(one, personality_of(one.uid))) for one in fleet if one.uid in pks)
    away, alerts = _absences(boots, until - HOURS), _alerts(boots, until - HOURS)
    reports = (
        report
        for pk, device in devices
        if pk in boots
        for report in _reports(device, boots[pk], away.get(pk, ()), alerts.get(pk, ()), until)
    )
    Report.objects.bulk_create(reports, batch_size=BATCH)


def _reports(
    device: DemoDevice, boot: Boot, away: Sequence[PastCondition], alerts: Sequence[PastCondition], until: datetime
) -> Iterator[Report]:
    now = time.monotonic()
    for number in reversed(range(NUMBER)):
        before = number * STEP
        at = until - before
        if any(condition.covers(at) for condition in away):
            continue
        metrics = device.metrics_at(now - before.total_seconds())
        if device.has_paper:
            metrics[PAPER] = _paper(device.paper_pct, number, alerts, at)
        metrics |= {condition.metric: condition.value for condition in alerts if condition.covers(at)}
        yield Report(
            boot=boot,
            seq=NUMBER - number,
            terminal_id=boot.terminal_id,
            at=at,
            received_at=at,
            status=status_of(metrics),
            metrics=metrics,
        )


def _paper(now_pct: float, number: int, alerts: Sequence[PastCondition], at: datetime) -> float:
    """`number` steps before the demo: it falls to the threshold when an alert of it opens."""
    coming = [condition.began_at for condition in alerts if condition.metric == PAPER and condition.began_at > at]
    pct = PAPER_LOW_PCT + (min(coming) - at) / STEP if coming else now_pct + PAPER_A_STEP * number
    return round(min(100.0, pct), 1)


def _absences(pks: Iterable[int], since: datetime) -> Mapping[int, list[PastCondition]]:
    outages = Outage.objects.filter(terminal__in=pks).exclude(ended_at__lte=since)
    seen = TerminalState.objects.filter(terminal__in=pks)
    unseen = ((pk, at + AN_INSTANT, None) for pk, at in seen.values_list("terminal", "last_seen_at") if at)
    return _by_terminal([*outages.values_list("terminal", "began_at", "ended_at"), *unseen])


def _alerts(pks: Iterable[int], since: datetime) -> Mapping[int, list[PastCondition]]:
    found = Alert.objects.filter(terminal__in=pks, value__isnull=False).exclude(rule__metric="")
    recent = found.exclude(resolved_at__lte=since)
    return _by_terminal(recent.values_list("terminal", "opened_at", "resolved_at", "rule__metric", "value"))


def _by_terminal(rows: Iterable[DbRow]) -> Mapping[int, list[PastCondition]]:
    conditions: dict[int, list[PastCondition]] = {}
    for terminal, *condition in rows:
        conditions.setdefault(terminal, []).append(PastCondition(*condition))
    return conditions
