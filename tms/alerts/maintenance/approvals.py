"""Planning and extending maintenance of many terminals, as actions that may need a second person."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils.translation import gettext, ngettext

from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.consequences import Consequences, of_terminals
from tms.alerts.maintenance import coverage, services
from tms.alerts.maintenance.services import NotActive, WindowScope
from tms.alerts.models.maintenance import Window
from tms.approvals.acts import Act
from tms.approvals.approvers import holds_for_all
from tms.approvals.kinds import ApprovalKind, CannotPerform, Payload, register
from tms.fleet.models import Group, Site, Terminal
from tms.lib.calendar.recurrence import BadRecurrence, Occurrence, Recurrence

type Targets = Iterable[tuple[QuerySet[Model], Collection[int]]]
"""What the permission is needed for, of each kind: rows, and their primary keys."""


class PlanPayload(Payload, frozen=True):
    note: str
    time_zone: str
    starts_at: datetime
    """Local time."""
    length_s: int
    rrule: str = ""
    sites: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    terminals: tuple[int, ...] = ()

    @classmethod
    def of(cls, recurrence: Recurrence, scope: WindowScope, *, note: str) -> Self:
        return cls(**services.act_of(recurrence, scope, note=note))

    @property
    def recurrence(self) -> Recurrence:
        return Recurrence(ZoneInfo(self.time_zone), self.starts_at, timedelta(seconds=self.length_s), self.rrule)

    @property
    def scope(self) -> WindowScope:
        """What still exists of it."""
        return WindowScope(
            list(Site.objects.filter(pk__in=self.sites)),
            list(Group.objects.filter(pk__in=self.groups)),
            list(Terminal.objects.filter(pk__in=self.terminals)),
        )

    @property
    def rows(self) -> QuerySet[Terminal]:
        return self.scope.covered

    @property
    def targets(self) -> Targets:
        return (
            (Site.objects.filter(pk__in=self.sites), self.sites),
            (Group.objects.filter(pk__in=self.groups), self.groups),
            (Terminal.objects.filter(pk__in=self.terminals), self.terminals),
        )

    def occurrence(self, at: datetime) -> Occurrence | None:
        return next(self.recurrence.occurrences(at), None)


class ExtendPayload(Payload, frozen=True):
    window: int
    seen_until: datetime
    until: datetime

    @property
    def rows(self) -> QuerySet[Terminal]:
        return Terminal.objects.filter(coverage.reach(Window.objects.filter(pk=self.window)))

    @property
    def targets(self) -> Targets:
        return ((Window.objects.filter(pk=self.window), (self.window,)),)


class OfTerminals[P: PlanPayload | ExtendPayload](ApprovalKind[P, Consequences]):
    """What both have in common: the threshold is the number of terminals."""

    permission = Permission.PLAN_MAINTENANCE
    impact = Consequences

    def is_large(self, payload: P, impact: Consequences) -> bool:
        return 0 < settings.APPROVAL_TERMINALS < impact.terminals

    def is_permitted(self, payload: P, person: User) -> bool:
        return all(holds_for_all(person, self.permission, rows, keys) for rows, keys in payload.targets)

    def word(self, payload: P, impact: Consequences) -> str:
        return str(impact.terminals)


class PlannedWindow(OfTerminals[PlanPayload]):
    name = Act.PLAN
    payload = PlanPayload

    def impact_of(self, payload: PlanPayload, *, by: User, at: datetime) -> Consequences:
        """When it begins, or now if it has begun."""
        first = payload.occurrence(at)
        return of_terminals(payload.rows, to=by, at=max(at, first.since) if first else at)

    def is_within(self, payload: PlanPayload, larger: PlanPayload, *, later: timedelta) -> bool:
        names = ("sites", "groups", "terminals")
        is_covered = all(set(getattr(payload, name)) <= set(getattr(larger, name)) for name in names)
        return is_covered and payload.length_s <= larger.length_s and payload.rrule == larger.rrule

    def title(self, payload: PlanPayload, impact: Consequences) -> str:
        number = impact.terminals
        text = ngettext("Maintenance of %(n)s terminal: %(note)s", "Maintenance of %(n)s terminals: %(note)s", number)
        return text % {"n": f"{number:,}", "note": payload.note}

    def details(self, payload: PlanPayload, impact: Consequences) -> Mapping[str, object]:
        first = payload.occurrence(impact.at)
        is_later = first is not None and first.since == impact.at
        return {"effect": "window", "until": first and first.until, "is_later": is_later}

    def perform(self, payload: PlanPayload, *, by: User, at: datetime) -> int:
        scope = payload.scope
        if scope.is_empty:
            raise CannotPerform(gettext("The sites, groups and terminals do not exist any more."))
        try:
            services.plan(payload.recurrence, scope, note=payload.note, by=by, at=at)
        except BadRecurrence as error:
            raise CannotPerform(str(error)) from None
        return 1


class ExtendedWindow(OfTerminals[ExtendPayload]):
    name = Act.EXTEND
    payload = ExtendPayload

    def impact_of(self, payload: ExtendPayload, *, by: User, at: datetime) -> Consequences:
        return of_terminals(payload.rows, to=by, at=at)

    def is_within(self, payload: ExtendPayload, larger: ExtendPayload, *, later: timedelta) -> bool:
        return payload.window == larger.window and payload.until <= larger.until

    def title(self, payload: ExtendPayload, impact: Consequences) -> str:
        text = ngettext(
            "Extend maintenance of %(n)s terminal", "Extend maintenance of %(n)s terminals", impact.terminals
        )
        return text % {"n": f"{impact.terminals:,}"}

    def details(self, payload: ExtendPayload, impact: Consequences) -> Mapping[str, object]:
        return {"effect": "window", "until": payload.until}

    def perform(self, payload: ExtendPayload, *, by: User, at: datetime) -> int:
        window = Window.objects.filter(pk=payload.window, occurs_until=payload.seen_until).first()
        try:
            if window is None:
                raise NotActive
            services.extend(window, until=payload.until, by=by, at=at)
        except NotActive:
            raise CannotPerform(gettext("The window already ended, or someone else changed it.")) from None
        return 1


register(PlannedWindow())
register(ExtendedWindow())
