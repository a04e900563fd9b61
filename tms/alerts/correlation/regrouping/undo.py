"""Undo of merging incidents, and of moving alerts out of one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import NamedTuple, Self

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tms.accounts import undo
from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts import lifecycle
from tms.alerts.correlation.actions import alerts_of, handled_with
from tms.alerts.correlation.incident_transitions import REOPENED_FIELDS, transition
from tms.alerts.correlation.regrouping.absorb import adds_sizes, recount
from tms.alerts.correlation.regrouping.move_out import put_back
from tms.alerts.correlation.regrouping.reassign import reassign
from tms.alerts.lifecycle import Conflict
from tms.alerts.lifecycle.alert_transitions import Actor
from tms.alerts.locks import lock_terminals
from tms.alerts.models.alert import Alert, AlertState
from tms.alerts.models.incident import Incident
from tms.alerts.models.incident import IncidentTransitionKind as Kind
from tms.feed.change import Change
from tms.feed.publisher import publish

MERGED, MOVED_OUT = "incidents-merged", "alerts-moved-out"


class MergeBefore(NamedTuple):
    """Incidents as they were before they were merged."""

    into: int
    size: int
    members: Mapping[int, Sequence[int]]
    """The alerts of each of the others; empty if these are too many for an undo."""

    @classmethod
    def of(cls, incidents: Sequence[Incident], into: Incident) -> Self:
        parts = [incident.pk for incident in incidents if incident.pk != into.pk and incident.resolved_at is None]
        rows = Alert.objects.filter(incident__in=parts).order_by("pk").values_list("incident", "pk")
        pairs = list(rows[: undo.MAX_ROWS + 1])
        members: dict[int, list[int]] = {}
        for part, alert in pairs if len(pairs) <= undo.MAX_ROWS else ():
            members.setdefault(part or 0, []).append(alert)
        return cls(into.pk, into.size, members)

    def offer(self, *, by: User) -> str:
        """A token; empty if there is nothing to undo."""
        if not self.members:
            return ""
        return undo.offer(MERGED, self._asdict() | {"members": [list(each) for each in self.members.items()]}, by=by)


def offer_putting_back(incident: Incident, alerts: Sequence[int], *, by: User) -> str:
    """A token; empty if there is nothing to undo, or too much."""
    if not 0 < len(alerts) <= undo.MAX_ROWS:
        return ""
    return undo.offer(MOVED_OUT, {"incident": incident.pk, "alerts": list(alerts)}, by=by)


def undo_merge(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    """The parts and their alerts are open again: who was responsible for them is asked again. Alerts that a person had
    acknowledged on their own stay acknowledged. A part that opened again stays merged.
    """
    members = dict(payload["members"])
    try:
        with transaction.atomic():
            rows = Incident.objects.filter(pk__in={payload["into"], *members}).locked()
            parts = [row for row in rows if row.merged_into_id == payload["into"] and row.pk in members]
            into = next((row for row in rows if row.pk == payload["into"]), None)
            if into is None or into.resolved_at is not None or not _may_handle(into, by):
                return False
            lock_terminals(Alert.objects.unresolved().filter(incident=into, pk__in=chain(*members.values())))
            for part in parts:
                _split(part, members[part.pk], into, by=by, at=at)
            if parts:
                into.size = _size_without(parts, into, payload["size"])
                recount(into, at)
                publish(Change(incidents=frozenset({into.pk})))
    except IntegrityError:
        return False
    return bool(parts)


def _may_handle(incident: Incident, by: User) -> bool:
    rows = Incident.objects.filter(pk=incident.pk)
    return permitted(rows, by=by, permission=Permission.HANDLE_ALERTS).exists()


def _size_without(parts: Sequence[Incident], into: Incident, before: int) -> int:
    """What remains of the size of `into`, which had been `before`. Others may have been merged into it since."""
    if adds_sizes(into, parts):
        return into.size - sum(part.size for part in parts)
    # It is at least the number of its terminals: `recount`.
    return min(into.size, before)


def _split(part: Incident, alerts: Sequence[int], into: Incident, *, by: User, at: datetime) -> None:
    mine = Alert.objects.filter(pk__in=alerts, incident=into)
    reassign(dict(mine.values_list("pk", "incident")), incident=part, at=at)
    recount(part, at)
    lifecycle.reopen(alerts_of(part).exclude(_acknowledged_alone(part, into)), by=by, comment="", at=at)
    fields = {**REOPENED_FIELDS, "merged_into": None, "resolved_at": None}
    transition(part, Kind.REOPENED, at=at, actor=Actor(by), fields=fields)


def _acknowledged_alone(part: Incident, into: Incident) -> Q:
    """Alerts that a person had acknowledged before the merge, other than with the part."""
    # The time counts, too: the acknowledgement of `into` may have ended since, and that of the alerts goes on.
    before = Q(state=AlertState.ACKNOWLEDGED, acknowledged_at__lt=part.resolved_at)
    return before & ~handled_with(part) & ~handled_with(into)


def undo_move(payload: undo.Payload, *, by: User, at: datetime) -> bool:
    held = permitted(Incident.objects.filter(pk=payload["incident"]), by=by, permission=Permission.HANDLE_ALERTS)
    incident = held.first()
    try:
        return incident is not None and bool(put_back(incident, payload["alerts"], by=by, at=at))
    except Conflict:
        return False


undo.register(MERGED, undo_merge, _("Merge undone"))
undo.register(MOVED_OUT, undo_move, _("Alerts put back"))
