"""Operator actions: their definition, and how one is performed on one alert or incident."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Concatenate, Literal, Protocol, Unpack

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.actions.forms import ActionForm
from tms.alerts.actions.schemas import ActionSchema
from tms.alerts.actions.terms import ActionTerms
from tms.alerts.lifecycle import AlreadyResolved, ChangedMeanwhile, Conflict, NotApplicable
from tms.alerts.locks import lock_incidents
from tms.alerts.models import (
    Alert,
    AlertQuerySet,
    AlertState,
    Incident,
    IncidentTransitionKind,
    TransitionKind,
)
from tms.alerts.models.incident import IncidentQuerySet
from tms.approvals import clearance
from tms.approvals.acts import Act

type Text = str | Promise

DONE = _("Done.")


class Actionable(Protocol):
    """An Alert, an Incident, or a row of a board."""

    @property
    def state(self) -> str: ...

    @property
    def claimed_until(self) -> datetime | None: ...

    @property
    def may_be_resolved_by_hand(self) -> bool: ...


@dataclass(frozen=True)
class When:
    """Where an action applies, declared once for querysets, model instances and rows of boards."""

    states: frozenset[str]
    is_claimed: bool | None = None
    is_by_hand: bool = False
    """Whether the action applies only where the rules allow to resolve by hand."""

    def filter[Rows: (AlertQuerySet, IncidentQuerySet)](self, rows: Rows) -> Rows:
        found = rows.in_states(self.states)
        if self.is_claimed is not None:
            found = found.filter(claimed_until__isnull=not self.is_claimed)
        return found.resolvable_by_hand() if self.is_by_hand else found

    def matches(self, row: Actionable) -> bool:
        return (
            getattr(row, "shown_state", row.state) in self.states
            and self.is_claimed in {None, row.claimed_until is not None}
            and (not self.is_by_hand or row.may_be_resolved_by_hand)
        )


@dataclass(frozen=True, eq=False)
class Target[Row: Alert | Incident, Given, Result]:
    """What an action does to alerts, or to an incident."""

    service: Callable[Concatenate[Given, ...], Result]
    """Called with `by`, `at` and the terms: one transaction, idempotent."""
    when: When
    transition: TransitionKind | IncidentTransitionKind
    has_already: Callable[[Row, User], bool] = lambda row, by: False
    """Whether `by` has already done this; may raise a Conflict."""
    gated: Literal["", "resolve", "snooze"] = ""
    """The name of the action, if for many alerts it needs a second person."""
    is_exclusive: bool = False
    """Whether only one person can do it: a bulk action reports how many alerts others have."""
    done: Text = DONE

    def is_due(self, row: Row, *, by: User, version: int | None) -> bool:
        """Whether it changes the locked row. Repeating an action that changes nothing is no error.

        `version` is the one that the person saw. Raises a Conflict.
        """
        if row.state == AlertState.RESOLVED:
            raise AlreadyResolved(row)
        if self.has_already(row, by):
            return False
        if version not in {None, row.version}:
            raise ChangedMeanwhile(row)
        if not self.when.matches(row):
            raise NotApplicable(row)
        return True


@dataclass(frozen=True, eq=False)
class AlertTarget(Target[Alert, AlertQuerySet, int]):
    """What an action does to alerts; its service returns how many changed."""

    lock: Callable[[AlertQuerySet], None] = lambda alerts: None
    """Locks what must be locked before the alert itself."""

    def run(self, alerts: AlertQuerySet, *, by: User, at: datetime, **terms: Unpack[ActionTerms]) -> int:
        """Raises NotAgreed."""
        if self.gated:
            pks = tuple(alerts.values_list("pk", flat=True))
            clearance.demand(Act.ALERTS, by=by, at=at, action=self.gated, alerts=pks, **terms)
        return self.service(alerts, by=by, at=at, **terms)

    @transaction.atomic
    def perform(
        self, alerts: AlertQuerySet, *, by: User, at: datetime, version: int | None = None, **terms: Unpack[ActionTerms]
    ) -> None:
        """Perform the action on the one row of `alerts`: the only way in, for HTML and REST. Raises a Conflict."""
        self.lock(alerts)
        if self.is_due(alerts.locked().get(), by=by, version=version):
            self.run(alerts, by=by, at=at, **terms)


@dataclass(frozen=True, eq=False)
class IncidentTarget(Target[Incident, Incident, Incident]):
    """What an action does to an incident and its alerts."""

    lock: Callable[[IncidentQuerySet], None] = lambda incidents: None
    """Locks what must be locked besides the incidents."""

    @transaction.atomic
    def perform(
        self,
        incidents: IncidentQuerySet,
        *,
        by: User,
        at: datetime,
        version: int | None = None,
        **terms: Unpack[ActionTerms],
    ) -> None:
        """Perform the action on the one row of `incidents`: the only way in, for HTML and REST. Raises a Conflict."""
        self.lock(incidents)
        row = incidents.locked().get()
        if self.is_due(row, by=by, version=version):
            self._demand([row], by=by, at=at, **terms)
            self.service(row, by=by, at=at, **terms)

    @transaction.atomic
    def perform_all(
        self, incidents: Iterable[Incident], *, by: User, at: datetime, **terms: Unpack[ActionTerms]
    ) -> list[Incident]:
        """Perform the action on each; returns those that changed. A conflict leaves its incident as it is."""
        chosen = list(incidents)
        self._demand(chosen, by=by, at=at, **terms)
        changed: list[Incident] = []
        # All of them at once: the order of locks would not hold for one after the other.
        rows = Incident.objects.filter(pk__in=[incident.pk for incident in chosen])
        lock_incidents(rows)
        self.lock(rows)
        for incident in chosen:
            try:
                self.perform(Incident.objects.filter(pk=incident.pk), by=by, at=at, **terms)
            except Conflict:
                continue
            changed.append(incident)
        return changed

    def _demand(self, incidents: Iterable[Incident], *, by: User, at: datetime, **terms: Unpack[ActionTerms]) -> None:
        """Raises NotAgreed."""
        if self.gated:
            pks = tuple(sorted(incident.pk for incident in incidents))
            clearance.demand(Act.INCIDENTS, by=by, at=at, action=self.gated, incidents=pks, **terms)


@dataclass(frozen=True, kw_only=True, eq=False)
class OperatorAction:
    """One entry of the registry: dialog, bulk bar, REST, history and keyboard help are derived from it.

    There is one instance of each, compared by identity.
    """

    name: str
    """The name in URLs, REST paths and operation ids: `acknowledge_alert`, `_alerts`, `_incident`."""
    label: Text
    summary: str
    """Summary of the REST operations: `Comment on {}`."""
    form: type[ActionForm]
    schema: type[ActionSchema]
    permission: Permission
    """Who may do it, for each row within their scope."""
    hint: Text = ""
    key: str = ""
    key_help: Text = ""
    quick_key: str = ""
    """Performs it at once, with what its form suggests. It can be undone."""
    effect: str = ""
    """What it does to many alerts, for the consequences in its dialog: silence, resolve or assign."""
    alert: AlertTarget | None = None
    """One alert (menu, dialog, REST), and many (bulk bar, REST)."""
    incident: IncidentTarget | None = None

    @property
    def is_immediate(self) -> bool:
        """Has no fields: one click, no dialog."""
        return not self.form.base_fields

    @property
    def icon(self) -> str:
        """The icon of its transition in histories."""
        return next(self.targets).transition.icon

    @property
    def targets(self) -> Iterator[AlertTarget | IncidentTarget]:
        return (target for target in (self.alert, self.incident) if target)


def by_name(*actions: OperatorAction) -> dict[str, OperatorAction]:
    return {action.name: action for action in actions}
