"""Timeline entries, one line each: changes of presence and identity, transitions of alerts, events, commands, boots."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

from tms.accounts.display_names import Name, name_of
from tms.accounts.scope import Scope
from tms.alerts.models import AlertState, Transition, TransitionKind
from tms.boards.rows.common import SiteLabel, site_label
from tms.boards.rows.identity_values import write_out
from tms.boards.rows.outages import OutageFacts, facts_of
from tms.commands.catalogue import CommandLabel, label_of
from tms.commands.models import Command
from tms.fleet.models import IdentityChange, IdentitySource, Presence, PresenceChange, Terminal
from tms.fleet.models.outage import Outage, OutageCause
from tms.fleet.sites.names import Bilingual
from tms.jobs.links import JobLink, jobs_of_commands
from tms.lib.severity import Severity
from tms.telemetry.models import Boot, Event

FIRST = "first"
"""Instead of a presence: the terminal was never seen before."""
LOUD = {Presence.OFFLINE: Severity.CRITICAL}


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """`kind` selects the sentence, `name` and `detail` are its values."""

    element: str
    at: datetime
    kind: str
    icon: str
    severity: str = ""
    name: CommandLabel = ""
    detail: str = ""
    back_at: datetime | None = None
    by: Name | None = None
    uid: str = ""
    site_label: SiteLabel | None = None
    late: bool = False
    undated: bool = False
    """Whether `at` is when TMS received it, because the terminal had no time."""
    number: int = 1
    """Number of terminals, if it happened to several."""
    sites: int = 1
    """Number of sites of these terminals."""
    outage: OutageFacts | None = None
    before: str = ""
    after: str = ""
    """Values of an identity change, whose field is `name`."""
    by_terminal: bool = False
    """Whether the terminal reported it."""
    job: JobLink | None = None
    """The job that sent the command."""


class Kind(NamedTuple):
    """A source of timeline entries: its rows of a terminal, newest first, and the conversion of a row to an entry."""

    rows: Callable[[Terminal], Any]
    instant: str
    entry: Callable[[Any], TimelineEntry]


def timeline(
    terminal: Terminal,
    *,
    kinds: Sequence[str],
    before: datetime | None,
    limit: int,
    scope: Scope,
    until: datetime | None = None,
) -> list[TimelineEntry]:
    """Timeline of one terminal, newest first. One query per kind. `until`: as it was at this past instant.

    `scope`: which sites, groups and other terminals are named.
    """
    sources = (_entries(KINDS[kind], terminal, before, limit, scope, until) for kind in kinds)
    newest_first = merge(*sources, key=lambda entry: entry.at, reverse=True)
    return list(islice(newest_first, limit))


def _entries(
    kind: Kind, terminal: Terminal, before: datetime | None, limit: int, scope: Scope, until: datetime | None
) -> list[TimelineEntry]:
    rows = kind.rows(terminal)
    if before is not None:
        rows = rows.filter(**{f"{kind.instant}__lt": before})
    if until is not None:
        rows = rows.filter(**{f"{kind.instant}__lte": until})
    found = list(rows.order_by(f"-{kind.instant}", "-pk")[:limit])
    for row in found:
        if until is not None and isinstance(row, Command):
            row.rewind(until)
    write_out([row for row in found if isinstance(row, IdentityChange)], scope)
    jobs = jobs_of_commands([row.pk for row in found if isinstance(row, Command)])
    return [_of_job(kind.entry(row), jobs.get(row.pk) if isinstance(row, Command) else None) for row in found]


def _of_job(entry: TimelineEntry, job: JobLink | None) -> TimelineEntry:
    return replace(entry, job=job) if job else entry


def _presence(row: PresenceChange) -> TimelineEntry:
    return TimelineEntry(
        element=f"presence-{row.pk}",
        at=row.at,
        kind="presence",
        icon=row.presence,
        severity=LOUD.get(Presence(row.presence), ""),
        name=FIRST if row.before == Presence.NEVER else row.presence,
        detail=row.cause,
        back_at=row.back_at,
        uid=row.terminal.uid,
        site_label=site_label(row.terminal.site),
    )


WITH_SEVERITY_ICON = TransitionKind.leading_to(AlertState.OPEN) | {TransitionKind.WORSENED}
WITH_SEVERITY = (TransitionKind.OPENED, TransitionKind.WORSENED)


def _transition(row: Transition) -> TimelineEntry:
    rule, terminal = row.alert.rule, row.alert.terminal
    kind, severity = TransitionKind(row.kind), row.severity or row.alert.severity
    return TimelineEntry(
        element=f"transition-{row.pk}",
        at=row.at,
        kind=kind.value,
        icon=severity if kind in WITH_SEVERITY_ICON else kind.icon,
        severity=severity if kind in WITH_SEVERITY else "",
        name=Bilingual(rule.name, rule.name_ja),
        detail=row.comment,
        by=name_of(row.by) if row.by else None,
        uid=terminal.uid,
        site_label=site_label(terminal.site),
    )


def _event(row: Event) -> TimelineEntry:
    severity = row.severity if row.severity != Severity.INFO else ""
    element = f"event-{row.pk}"
    return TimelineEntry(
        element, row.at, "event", "event", severity, row.code, row.text, late=row.late, undated=row.undated
    )


def _command(row: Command) -> TimelineEntry:
    by = name_of(row.created_by) if row.created_by else None
    return TimelineEntry(f"asked-{row.pk}", row.created_at, "command", "command", "", label_of(row), row.state, by=by)


OUTAGE_ICONS = {
    OutageCause.NETWORK: "session",
    OutageCause.POWER: "power",
    OutageCause.APPLICATION: "application",
    OutageCause.SERVER: "node",
    OutageCause.PLANNED: "clock",
    OutageCause.UNCLEAR: "never",
}


def _boot(row: Boot) -> TimelineEntry:
    return TimelineEntry(f"boot-{row.pk}", row.first_seen_at, "boot", "session")


def _outage(row: Outage) -> TimelineEntry:
    assert row.ended_at is not None
    return TimelineEntry(
        f"outage-{row.pk}", row.ended_at, "outage", OUTAGE_ICONS[OutageCause(row.cause)], outage=facts_of(row)
    )


def _identity(row: IdentityChange) -> TimelineEntry:
    return TimelineEntry(
        element=f"identity-{row.pk}",
        at=row.at,
        kind="identity",
        icon="terminals",
        name=row.field,
        before=row.before,
        after=row.after,
        by=name_of(row.by) if row.by else None,
        by_terminal=row.source == IdentitySource.BOOT,
    )


KINDS: Mapping[str, Kind] = {
    "presence": Kind(
        lambda terminal: PresenceChange.objects.filter(terminal=terminal).select_related("terminal__site"),
        "at",
        _presence,
    ),
    "alerts": Kind(
        lambda terminal: Transition.objects.filter(alert__terminal=terminal).select_related(
            "alert__rule", "alert__terminal__site", "by"
        ),
        "at",
        _transition,
    ),
    "events": Kind(lambda terminal: Event.objects.filter(terminal=terminal), "at", _event),
    "commands": Kind(
        lambda terminal: Command.objects.filter(terminal=terminal).with_labels().select_related("created_by"),
        "created_at",
        _command,
    ),
    "outages": Kind(lambda terminal: Outage.objects.over().filter(terminal=terminal), "ended_at", _outage),
    "boots": Kind(lambda terminal: Boot.objects.filter(terminal=terminal), "first_seen_at", _boot),
    "identity": Kind(
        lambda terminal: IdentityChange.objects.filter(terminal=terminal).select_related("by"), "at", _identity
    ),
}
