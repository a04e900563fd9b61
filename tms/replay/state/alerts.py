"""Alerts as they were at an instant, from their transitions."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import NamedTuple

from django.db.models import QuerySet

from tms.accounts.access import within
from tms.accounts.models import User
from tms.accounts.scope import Scope
from tms.alerts.models import Alert, Transition, TransitionKind
from tms.fleet.models import IdentityField, TerminalState
from tms.lib.db.prepared import DbRow
from tms.replay.state.base import KEYS, Instant
from tms.replay.state.effects import OF_ALERTS, Then, TransitionColumns, after
from tms.replay.state.identity import Facts, facts_of, site_of
from tms.replay.state.members import Members, members

STEP_COLUMNS = ("alert_id", "kind", "at", "by_id", "comment", "severity", "contract", "until", "to_id", "value")
COLUMNS = (
    *("pk", "terminal_id", "terminal__site_id", "terminal__kind", "terminal__model", "terminal__firmware"),
    *("rule_id", "opened_at", "severity", "incident_id"),
)
RELATED = ("rule", "terminal__site", "terminal__state", "flapping")


class AlertFacts(NamedTuple):
    """What boards count, filter and order unresolved alerts by."""

    pk: int
    terminal: int
    site: int
    kind: str
    model: str
    firmware: str
    rule: int
    opened_at: datetime
    severity: str
    state: str
    acknowledged_by: int | None
    incident: int | None


@dataclass(frozen=True, slots=True)
class AlertsThen:
    facts: Mapping[int, AlertFacts]
    """The unresolved ones, by primary key."""
    then: Mapping[int, Then]
    members: Members


def read(pks: Collection[int], scope: Scope, instant: Instant) -> AlertsThen:
    """The alerts that the scope covers and that were unresolved."""
    rows: dict[int, DbRow] = {row[0]: row for chunk in batched(pks, KEYS) for row in _columns(chunk, scope)}
    then = states(rows, instant)
    unresolved = {pk: row for pk, row in rows.items() if pk in then and then[pk].is_unresolved}
    found = members({pk: row[-1] for pk, row in unresolved.items()}, instant)
    identities = facts_of({row[1] for row in unresolved.values()}, instant, scope)
    facts = {
        pk: AlertFacts._make(
            (
                *_identified(row, identities.get(row[1], {})),
                then[pk].severity or row[-2],
                then[pk].state,
                then[pk].acknowledged_by,
                found.incident_of.get(pk),
            )
        )
        for pk, row in unresolved.items()
    }
    return AlertsThen(facts, then, found)


def _identified(row: DbRow, facts: Facts) -> DbRow:
    """COLUMNS up to `opened_at`, with the site, kind, model and firmware of then."""
    pk, terminal, site, kind, model, firmware, *others = row[:-2]
    texts = zip((IdentityField.KIND, IdentityField.MODEL, IdentityField.FIRMWARE), (kind, model, firmware), strict=True)
    return pk, terminal, site_of(facts, site), *(facts.get(name, today) for name, today in texts), *others


def states(pks: Collection[int], instant: Instant) -> dict[int, Then]:
    """Alerts that were not open yet are missing."""
    return after(_steps(pks, instant), OF_ALERTS)


def rewound(
    pks: Collection[int],
    then: Mapping[int, Then],
    incident_of: Mapping[int, int],
    links: Mapping[int, TerminalState],
    instant: Instant,
) -> list[Alert]:
    """The alerts with the columns of then, in the order of `pks`.

    `links`: the states of their terminals then, with terminals that have the values of then.
    """
    rows = Alert.objects.select_related(*RELATED).in_bulk(list(pks))
    people = User.objects.in_bulk(_people(then[pk] for pk in rows if pk in then))
    changed_later = _changed_later(rows, instant)
    return [
        _rewind(rows[pk], then[pk], incident_of.get(pk), links, people, is_value_known=pk not in changed_later)
        for pk in pks
        if pk in rows and pk in then
    ]


def _columns(pks: Collection[int], scope: Scope) -> QuerySet[Alert, DbRow]:
    return within(Alert.objects.filter(pk__in=pks), scope).order_by().values_list(*COLUMNS)


def _steps(pks: Collection[int], instant: Instant) -> Iterator[TransitionColumns]:
    for chunk in batched(pks, KEYS):
        made = instant.changes(Transition.objects.filter(alert__in=chunk)).order_by("at", "pk")
        yield from (TransitionColumns(*row) for row in made.values_list(*STEP_COLUMNS))


def _people(states: Iterator[Then]) -> list[int]:
    named = (pk for then in states for pk in (then.acknowledged_by, then.assigned_to, then.claimed_by))
    return [pk for pk in named if pk is not None]


def _changed_later(pks: Collection[int], instant: Instant) -> set[int]:
    """Alerts whose severity changed after the instant, with their value."""
    kinds = (TransitionKind.WORSENED, TransitionKind.EASED)
    rows = instant.later(Transition.objects.filter(alert__in=list(pks), kind__in=kinds))
    return set(rows.order_by().values_list("alert_id", flat=True))


def _rewind(
    alert: Alert,
    then: Then,
    incident: int | None,
    links: Mapping[int, TerminalState],
    people: Mapping[int, User],
    *,
    is_value_known: bool,
) -> Alert:
    columns = {
        "severity": then.severity or alert.severity,
        "state": then.state,
        "value": then.value if then.value is not None else alert.value if is_value_known else None,
        "acknowledged_by": people.get(then.acknowledged_by or 0),
        "acknowledged_at": then.acknowledged_at,
        "contract": then.contract,
        "until": then.until,
        "remind_at": None,
        "is_stale": then.is_stale,
        "assigned_to": people.get(then.assigned_to or 0),
        "claimed_by": people.get(then.claimed_by or 0),
        "claimed_until": None,
        "comment": then.comment,
        "resolved_at": then.resolved_at,
        "incident_id": incident,
        "version": 0,
    }
    for name, value in columns.items():
        setattr(alert, name, value)
    if (link := links.get(alert.terminal_id)) is not None:
        alert.terminal = link.terminal
    if (flapping := getattr(alert, "flapping", None)) is not None and not then.is_flapping:
        flapping.ended_at = alert.opened_at
    elif flapping is not None:
        flapping.ended_at, flapping.is_failing = None, True
    return alert
