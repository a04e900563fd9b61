"""Operator actions: their definition, and how one is performed on one alert or incident."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.actions.forms import ActionForm
from tms.alerts.actions.schemas import ActionSchema
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

type Text = str | Promise


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

    def matches(self, row: Any) -> bool:
        """`row`: an Alert, an Incident, or a row of a board."""
        return (
            getattr(row, "shown_state", row.state) in self.states
            and self.is_claimed in {None, row.claimed_until is not None}
            and (not self.is_by_hand or row.may_be_resolved_by_hand)
        )


class Target(NamedTuple):
    """What an action does to alerts, or to an incident."""

    run: Callable[..., Any]
    """`(alerts or incident, *, by, at, **terms)`: one transaction, idempotent."""
    when: When
    transition: TransitionKind | IncidentTransitionKind
    has_already: Callable[[Any, User], bool] = lambda row, by: False
    """Whether `by` has already done this; may raise a Conflict."""
    lock: Callable[[Any], None] = lambda rows: None
    """Locks what must be locked before the row itself."""
    is_exclusive: bool = False
    """Whether only one person can do it: a bulk action reports how many alerts others have."""
    done: Text = _("Done.")


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
    hint: Text = ""
    key: str = ""
    key_help: Text = ""
    quick_key: str = ""
    """Performs it at once, with what its form suggests. It can be undone."""
    permission: Permission = Permission.HANDLE_ALERTS
    effect: str = ""
    """What it does to many alerts, for the consequences in its dialog: silence, resolve or assign."""
    alert: Target | None = None
    """One alert (menu, dialog, REST), and many (bulk bar, REST)."""
    incident: Target | None = None

    @property
    def is_immediate(self) -> bool:
        """Has no fields: one click, no dialog."""
        return not self.form.base_fields

    @property
    def icon(self) -> str:
        """The icon of its transition in histories."""
        return next(self.targets).transition.icon

    @property
    def targets(self) -> Iterator[Target]:
        return (target for target in (self.alert, self.incident) if target)


def by_name(*actions: OperatorAction) -> dict[str, OperatorAction]:
    return {action.name: action for action in actions}


@transaction.atomic
def perform(target: Target, rows: Any, *, by: User, at: datetime, version: int | None = None, **terms: Any) -> None:
    """Perform an action on the one row of `rows`: the only way in, for HTML and REST.

    `version` is the one that the person saw. Repeating an action that changes nothing is no error. Raises a Conflict.
    """
    target.lock(rows)
    row = rows.locked().get()
    if row.state == AlertState.RESOLVED:
        raise AlreadyResolved(row)
    if target.has_already(row, by):
        return
    if version not in {None, row.version}:
        raise ChangedMeanwhile(row)
    if not target.when.matches(row):
        raise NotApplicable(row)
    target.run(rows if isinstance(row, Alert) else row, by=by, at=at, **terms)


@transaction.atomic
def perform_all(
    target: Target, incidents: Iterable[Incident], *, by: User, at: datetime, **terms: Any
) -> list[Incident]:
    """Perform an action on each; returns those that changed. A conflict leaves its incident as it is."""
    chosen = list(incidents)
    changed: list[Incident] = []
    # All of them at once: the order of locks would not hold for one after the other.
    rows = Incident.objects.filter(pk__in=[incident.pk for incident in chosen])
    lock_incidents(rows)
    target.lock(rows)
    for incident in chosen:
        try:
            perform(target, Incident.objects.filter(pk=incident.pk), by=by, at=at, **terms)
        except Conflict:
            continue
        changed.append(incident)
    return changed
