"""What happened to terminals, from the tables of outages, alerts and faults: one query each, over their indexes."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tms.alerts.models import Alert
from tms.alerts.rule_kinds.sources import RuleSource
from tms.fleet.models.outage import Outage, OutageCause
from tms.lib.db.rows import keys_of
from tms.rollouts.models import TerminalFault

ABOUT_SOFTWARE = frozenset({RuleSource.FIRMWARE.value, "configuration"})
LASTING = timedelta(hours=4)
"""A fault that is older is a lasting one."""


class MeasuredHit(NamedTuple):
    measure: str
    terminal: int
    at: datetime
    """When it became known: an outage and a restart when the terminal is back."""
    began_at: datetime
    cause: str = ""
    incident: int | None = None
    is_about_software: bool = False


def read(terminals: Collection[int], since: datetime, until: datetime) -> list[MeasuredHit]:
    """Every hit of these terminals from `since`, before `until`, whether it counts or not."""
    return [
        *_read_outages(terminals, since, until),
        *_read_alerts(terminals, since, until),
        *_read_faults(terminals, since, until),
        *_read_lasting_faults(terminals, since, until),
    ]


def _read_outages(terminals: Collection[int], since: datetime, until: datetime) -> Iterator[MeasuredHit]:
    """Outages that ended (index: outage_terminal)."""
    rows = Outage.objects.filter(terminal__in=keys_of(terminals), ended_at__gte=since, ended_at__lt=until)
    for terminal, began_at, at, cause, has_restarted in rows.exclude(cause=OutageCause.PLANNED).values_list(
        "terminal_id", "began_at", "ended_at", "cause", "has_restarted"
    ):
        if at is None:
            continue
        if has_restarted:
            yield MeasuredHit("restarts", terminal, at, began_at, cause)
        measure = "outages_power" if cause == OutageCause.POWER else "outages_application"
        yield MeasuredHit(measure, terminal, at, began_at, cause)


def _read_alerts(terminals: Collection[int], since: datetime, until: datetime) -> Iterator[MeasuredHit]:
    """Alerts that opened (index: alert_terminal). One for presence is about an outage, which is counted itself."""
    rows = Alert.objects.filter(terminal__in=keys_of(terminals), opened_at__gte=since, opened_at__lt=until)
    for terminal, at, kind, incident in rows.exclude(rule__kind=RuleSource.PRESENCE).values_list(
        "terminal_id", "opened_at", "rule__kind", "incident_id"
    ):
        yield MeasuredHit("alerts", terminal, at, at, incident=incident, is_about_software=kind in ABOUT_SOFTWARE)


def _read_faults(terminals: Collection[int], since: datetime, until: datetime) -> Iterator[MeasuredHit]:
    """Faults that ended soon, when they ended (index: terminalfault_ended)."""
    rows = TerminalFault.objects.filter(terminal__in=keys_of(terminals), ended_at__gte=since, ended_at__lt=until)
    for terminal, began_at, ended_at in rows.values_list("terminal_id", "began_at", "ended_at"):
        if ended_at is not None and ended_at - began_at < LASTING:
            yield MeasuredHit("passing_faults", terminal, ended_at, began_at)


def _read_lasting_faults(terminals: Collection[int], since: datetime, until: datetime) -> Iterator[MeasuredHit]:
    """Faults that were not over when they became older than `LASTING` (index: terminalfault_once)."""
    rows = TerminalFault.objects.filter(
        terminal__in=keys_of(terminals), began_at__gte=since - LASTING, began_at__lt=until - LASTING
    )
    for terminal, began_at, ended_at in rows.values_list("terminal_id", "began_at", "ended_at"):
        if ended_at is None or ended_at - began_at >= LASTING:
            yield MeasuredHit("lasting_faults", terminal, began_at + LASTING, began_at)


type Sides = tuple[set[int], set[int]]
"""The updated and the waiting terminals of a stratum."""


def shared_incidents(incidents: Collection[int], strata: Sequence[Sides]) -> set[tuple[int | None, int]]:
    """The incident and terminal of each member of an incident with updated and waiting terminals of one stratum."""
    if not incidents:
        return set()
    among = {terminal for updated, waiting in strata for terminal in updated | waiting}
    members: dict[int | None, set[int]] = {}
    for incident, terminal in Alert.objects.filter(incident__in=incidents, terminal__in=keys_of(among)).values_list(
        "incident_id", "terminal_id"
    ):
        members.setdefault(incident, set()).add(terminal)
    return {
        (incident, terminal)
        for incident, found in members.items()
        for updated, waiting in strata
        if found & updated and found & waiting
        for terminal in found & (updated | waiting)
    }


def incidents_of_outages(hits: Sequence[MeasuredHit]) -> dict[tuple[int, datetime], int]:
    """The incident of the alert that opened during an outage, by its terminal and beginning."""
    ends = {(hit.terminal, hit.began_at): hit.at for hit in hits if hit.cause}
    if not ends:
        return {}
    beginnings: dict[int, list[datetime]] = {}
    for terminal, began_at in ends:
        beginnings.setdefault(terminal, []).append(began_at)
    first, last = min(began_at for _, began_at in ends), max(ends.values())
    alerts = Alert.objects.filter(terminal__in=keys_of(beginnings), opened_at__range=(first, last))
    alerts = alerts.exclude(incident=None)
    return {
        (terminal, began_at): incident
        for terminal, at, incident in alerts.values_list("terminal_id", "opened_at", "incident_id")
        for began_at in beginnings[terminal]
        if began_at <= at <= ends[terminal, began_at] and incident is not None
    }
