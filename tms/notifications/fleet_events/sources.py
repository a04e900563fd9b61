"""Where events of the fleet come from: rows that are only ever added, and what each says to an integrator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from django.db.models import Q, QuerySet

from tms.accounts.models.audit_entry import AuditEntry
from tms.commands.models import CommandOutcome
from tms.fleet.models import (
    Device,
    IdentityChange,
    IdentityField,
    Placement,
    Presence,
    PresenceChange,
    Site,
    Terminal,
    UnexpectedDevice,
)
from tms.jobs.models import Item, Job, JobEvent, JobEventKind, JobRun
from tms.notifications.models.destination import EventFamily
from tms.rollouts.models import Rollout, RolloutEvent, RolloutEventKind

TYPES: Mapping[str, EventFamily] = {
    "tms.terminals.lifecycle.v1": EventFamily.LIFECYCLE,
    "tms.sites.closed.v1": EventFamily.LIFECYCLE,
    "tms.sites.reopened.v1": EventFamily.LIFECYCLE,
    "tms.devices.placed.v1": EventFamily.PLACEMENT,
    "tms.devices.replaced.v1": EventFamily.PLACEMENT,
    "tms.devices.swapped.v1": EventFamily.PLACEMENT,
    "tms.terminals.moved.v1": EventFamily.PLACEMENT,
    "tms.terminals.connected.v1": EventFamily.ENROLMENT,
    "tms.keys.issued.v1": EventFamily.ENROLMENT,
    "tms.keys.revoked.v1": EventFamily.ENROLMENT,
    "tms.devices.unexpected.v1": EventFamily.IDENTITY,
    "tms.devices.confirmed.v1": EventFamily.IDENTITY,
    "tms.devices.blocked.v1": EventFamily.IDENTITY,
    "tms.terminals.identity.v1": EventFamily.IDENTITY,
    "tms.terminals.presence.v1": EventFamily.PRESENCE,
    "tms.commands.ended.v1": EventFamily.COMMANDS,
    **{f"tms.jobs.{kind}.v1": EventFamily.JOBS for kind in JobEventKind.values},
    **{f"tms.rollouts.{kind}.v1": EventFamily.ROLLOUTS for kind in RolloutEventKind.values},
}
"""The family of each type."""

OF_ENTRIES: Mapping[tuple[str, str], str] = {
    ("fleet.site", "closed"): "tms.sites.closed.v1",
    ("fleet.site", "reopened"): "tms.sites.reopened.v1",
    ("fleet.terminal", "key-issued"): "tms.keys.issued.v1",
    ("fleet.terminal", "key-revoked"): "tms.keys.revoked.v1",
    ("fleet.terminal", "device-confirmed"): "tms.devices.confirmed.v1",
    ("fleet.terminal", "device-blocked"): "tms.devices.blocked.v1",
}
"""Entries of the audit trail that are events, by subject and action."""
OF_FIELDS: Mapping[str, str] = {
    IdentityField.LIFECYCLE: "tms.terminals.lifecycle.v1",
    IdentityField.SITE: "tms.terminals.moved.v1",
    **dict.fromkeys(
        (IdentityField.SERIAL, IdentityField.MODEL, IdentityField.FIRMWARE, IdentityField.AGENT),
        "tms.terminals.identity.v1",
    ),
}
"""Changes of identity that are events. Groups and parents may be out of the sight of those who see the terminal."""


type About = Terminal | Site | Job | JobRun | Rollout


class FleetEvent(NamedTuple):
    """One event, before it is known who gets it."""

    type: str
    at: datetime
    about: About
    facts: Mapping[str, Any]

    @property
    def family(self) -> EventFamily:
        return TYPES[self.type]

    def attributes(self) -> dict[str, Any]:
        """Its attributes as a CloudEvent; each call makes another `id`."""
        subject, data = _describe(self.about)
        return {
            "id": str(uuid4()),
            "type": self.type,
            "time": self.at.isoformat(),
            "subject": subject,
            "data": {**data, **self.facts},
        }


def _describe(about: About) -> tuple[str, Mapping[str, Any]]:
    """The subject of an event, and what its data say about it."""
    match about:
        case Terminal():
            of_site = _describe(about.site)[1]
            return about.uid, {"terminal": {"uid": about.uid, "label": about.label}, **of_site}
        case Site():
            return about.code, {"site": {"code": about.code, "name": about.name}}
        case Job():
            return f"job-{about.pk}", {"job": {"id": about.pk, "name": about.name, "command": about.command}}
        case JobRun():
            return _describe(about.job)[0], {**_describe(about.job)[1], "run": about.pk}
        case Rollout():
            return f"rollout-{about.pk}", {"rollout": {"id": about.pk, "name": about.name, "kind": about.kind}}


class EventSource(NamedTuple):
    """A table of rows that are added in the order of `key`, and never changed as far as events show them."""

    name: str
    families: frozenset[EventFamily]
    rows: Callable[[], QuerySet[Any]]
    read: Callable[[Collection[Any]], Iterable[FleetEvent]]
    key: str = "pk"
    has_gaps: bool = True
    """Rows may be committed after rows with higher keys."""


def _of_identity(rows: Collection[IdentityChange]) -> Iterable[FleetEvent]:
    for row in rows:
        if row.field not in OF_FIELDS:
            continue
        facts: dict[str, Any] = {"source": row.source}
        if row.field == IdentityField.LIFECYCLE:
            facts |= {"before": row.before, "after": row.after}
        elif row.field != IdentityField.SITE:  # of a move nothing is said about the site before: it may be unknown
            facts |= {"field": row.field, "before": row.before, "after": row.after}
        yield FleetEvent(OF_FIELDS[row.field], row.at, row.terminal, facts)


def _of_placements(rows: Collection[Placement]) -> Iterable[FleetEvent]:
    """A device was swapped if it left another terminal for this one, as did the one that was here before."""
    by_terminal, by_device = _ended_with(rows)
    for row in rows:
        before = next((each.device for each in by_terminal[row.terminal_id] if _is_followed_by(each, row)), None)
        has_left = any(_is_followed_by(each, row) for each in by_device[row.device_id])
        kind = "placed" if before is None else "swapped" if has_left else "replaced"
        facts = {"device": _device(row.device), "previous_device": _device(before) if before else None}
        yield FleetEvent(f"tms.devices.{kind}.v1", row.began_at, row.terminal, facts)


type _Placements = defaultdict[int, list[Placement]]


def _ended_with(rows: Collection[Placement]) -> tuple[_Placements, _Placements]:
    """Earlier placements of these terminals and devices, by each, newest first."""
    by_terminal: _Placements = defaultdict(list)
    by_device: _Placements = defaultdict(list)
    if not rows:
        return by_terminal, by_device
    ended = Placement.objects.filter(ended_at__gte=min(row.began_at for row in rows)).select_related("device")
    terminals, devices = {row.terminal_id for row in rows}, {row.device_id for row in rows}
    for each in ended.filter(Q(terminal__in=terminals) | Q(device__in=devices)).order_by("-pk"):
        by_terminal[each.terminal_id].append(each)
        by_device[each.device_id].append(each)
    return by_terminal, by_device


def _is_followed_by(before: Placement, row: Placement) -> bool:
    """Whether the placement ended for that of `row`. By a clock that is behind it may seem to have ended later."""
    return before.pk < row.pk and before.ended_at is not None and before.ended_at >= row.began_at


def _device(device: Device) -> dict[str, str]:
    return {"serial": device.serial, "model": device.model}


def _of_presence(rows: Collection[PresenceChange]) -> Iterable[FleetEvent]:
    """The last change of each terminal among these, and the presence before the first; and first connections."""
    merged: dict[int, tuple[PresenceChange, PresenceChange]] = {}
    for row in rows:
        first, _last = merged.get(row.terminal_id, (row, row))
        merged[row.terminal_id] = first, row
        if row.before == Presence.NEVER and row.presence == Presence.ONLINE:
            yield FleetEvent("tms.terminals.connected.v1", row.at, row.terminal, {})
    for first, last in merged.values():
        if first.before != last.presence:
            facts = {"before": first.before, "after": last.presence, "cause": last.cause}
            yield FleetEvent("tms.terminals.presence.v1", last.at, last.terminal, facts)


def _of_unexpected(rows: Collection[UnexpectedDevice]) -> Iterable[FleetEvent]:
    for row in rows:
        facts = {"serial": row.serial, "model": row.model, "expected_serial": row.expected_serial}
        yield FleetEvent("tms.devices.unexpected.v1", row.first_seen_at, row.terminal, facts)


def _of_outcomes(rows: Collection[CommandOutcome]) -> Iterable[FleetEvent]:
    runs = Item.objects.filter(command__in=[row.command_id for row in rows]).values_list("command", "run__job")
    jobs = dict(runs) if rows else {}
    for row in rows:
        command = row.command
        facts = {
            "command": {"id": command.pk, "name": command.name},
            "state": command.state,
            "error": command.error,
            "job": jobs.get(command.pk),
        }
        yield FleetEvent("tms.commands.ended.v1", row.at, command.terminal, facts)


def _of_jobs(rows: Collection[JobEvent]) -> Iterable[FleetEvent]:
    for row in rows:
        facts = {"counts": row.counts, "reason": row.reason}
        yield FleetEvent(f"tms.jobs.{row.kind}.v1", row.at, row.run or row.job, facts)


def _of_rollouts(rows: Collection[RolloutEvent]) -> Iterable[FleetEvent]:
    for row in rows:
        facts = {
            "counts": row.counts,
            "evidence": row.evidence,
            "reason": row.reason,
            "wave": row.wave.number if row.wave else None,
        }
        yield FleetEvent(f"tms.rollouts.{row.kind}.v1", row.at, row.rollout, facts)


def _of_entries(rows: Collection[AuditEntry]) -> Iterable[FleetEvent]:
    rows = [row for row in rows if (row.subject_type, row.action) in OF_ENTRIES]
    terminals = _subjects(Terminal.objects.select_related("site"), rows)
    subjects = {"fleet.terminal": terminals, "fleet.site": _subjects(Site.objects.all(), rows)}
    for row in rows:
        about = subjects[row.subject_type].get(row.subject_id)
        if about is not None:
            yield FleetEvent(OF_ENTRIES[row.subject_type, row.action], row.at, about, {})


def _subjects(rows: QuerySet[Any], entries: Iterable[AuditEntry]) -> dict[str, Any]:
    kind = rows.model._meta.label_lower
    pks = {int(entry.subject_id) for entry in entries if entry.subject_type == kind}
    return {str(row.pk): row for row in rows.filter(pk__in=pks)}


def _with_terminal(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("terminal__site")


F = EventFamily
SOURCES = (
    EventSource(
        "identity",
        frozenset({F.LIFECYCLE, F.PLACEMENT, F.IDENTITY}),
        lambda: _with_terminal(IdentityChange.objects.all()),
        _of_identity,
    ),
    EventSource(
        "placement",
        frozenset({F.PLACEMENT}),
        lambda: _with_terminal(Placement.objects.all()).select_related("device"),
        _of_placements,
    ),
    EventSource(
        "presence",
        frozenset({F.ENROLMENT, F.PRESENCE}),
        lambda: _with_terminal(PresenceChange.objects.all()),
        _of_presence,
    ),
    EventSource(
        "unexpected",
        frozenset({F.IDENTITY}),
        lambda: _with_terminal(UnexpectedDevice.objects.all()),
        _of_unexpected,
    ),
    EventSource(
        "commands",
        frozenset({F.COMMANDS}),
        lambda: CommandOutcome.objects.select_related("command__terminal__site"),
        _of_outcomes,
    ),
    EventSource("jobs", frozenset({F.JOBS}), lambda: JobEvent.objects.select_related("job", "run__job"), _of_jobs),
    EventSource(
        "rollouts",
        frozenset({F.ROLLOUTS}),
        lambda: RolloutEvent.objects.select_related("rollout", "wave"),
        _of_rollouts,
    ),
    # In the order of the chain, which is that of sealing and follows the commit.
    EventSource(
        "audit",
        frozenset({F.LIFECYCLE, F.ENROLMENT, F.IDENTITY}),
        AuditEntry.objects.all,
        _of_entries,
        "number",
        has_gaps=False,
    ),
)
