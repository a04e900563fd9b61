"""Why an alert must not be notified now, and until when. It still opens, is shown and resolves.

Notifications check this first and postpone suppressed alerts: those still unresolved after the suppression are notified
then, the others are not. So nothing has to be counted or stored at the end of a window.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.alerts.maintenance import coverage
from tms.alerts.models import Alert, AlertState, IncidentState, RuleHours, RuleSource
from tms.fleet.models import Presence
from tms.fleet.presence.state_machine import AWAY
from tms.fleet.sites.calendar import hours_of

CHECK_AGAIN = timedelta(seconds=30)
"""How often to check again: an end may be unknown, or come earlier than expected."""
EXPLAINS_NOTHING = frozenset({None, Presence.NEVER})
"""A parent in one of these states suppresses nothing; None means that there is no parent."""


class Reason(models.TextChoices):
    MAINTENANCE = "maintenance", _("maintenance")
    CLOSED = "closed", _("site closed")
    PARENT = "parent", _("parent terminal offline")
    EXPECTED = "expected", _("return announced")
    SNOOZED = "snoozed", _("snoozed")
    CORRELATING = "folding", _("possible incident")
    INCIDENT = "incident", _("part of incident")


class Suppression(NamedTuple):
    reason: str
    until: datetime
    """When it is expected to end; people may end it earlier."""
    by: str = ""
    """The person who planned the maintenance; the UID of the parent."""

    def check_again_at(self, at: datetime) -> datetime:
        """When to check again after a check at `at`: soon, because a window may be ended early."""
        return min(self.until, at + CHECK_AGAIN)


class SuppressibleAlert(NamedTuple):
    """What the sources need to know of an alert."""

    alert: int
    terminal: int
    site: int
    hours: str
    presence: str
    back_at: datetime | None
    parent: str | None
    parent_presence: str | None
    parent_since: datetime | None
    opened_at: datetime
    kind: str
    incident_state: str | None
    snoozed_until: datetime | None


type Found = Iterator[tuple[int, Suppression]]
type SuppressionSource = Callable[[list[SuppressibleAlert], datetime], Found]

COLUMNS = (
    *("pk", "terminal", "terminal__site", "rule__hours", "terminal__state__presence", "terminal__state__back_at"),
    *(f"terminal__parent__{name}" for name in ("uid", "state__presence", "state__presence_at")),
    *("opened_at", "rule__kind", "incident__state"),
)
SNOOZED_UNTIL = models.Case(models.When(state=AlertState.SNOOZED, then="until"), default=None)


def suppressions(alerts: Iterable[Alert], *, at: datetime) -> Mapping[int, Suppression]:
    """The reason of each suppressed alert, the one that lasts longest. Eight queries at most."""
    return suppressions_of(suppressible_alerts(alerts), ALL_SOURCES, at=at)


def suppressions_by_context(alerts: Iterable[Alert], *, at: datetime) -> Mapping[int, Suppression]:
    """The same without reasons that come from an incident: for alerts that are notified as part of one."""
    return suppressions_of(suppressible_alerts(alerts), CONTEXT, at=at)


def suppressible_alerts(alerts: Iterable[Alert]) -> list[SuppressibleAlert]:
    """The facts of these alerts as the database has them; a preview changes some of them."""
    rows = Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).values_list(*COLUMNS, SNOOZED_UNTIL)
    return [SuppressibleAlert(*row) for row in rows]


def suppressions_of(
    alerts: list[SuppressibleAlert], sources: Iterable[SuppressionSource], *, at: datetime
) -> dict[int, Suppression]:
    """The longest suppression of each alert that has one."""
    found: dict[int, Suppression] = {}
    for source in sources:
        for alert_id, why in source(alerts, at):
            if alert_id not in found or found[alert_id].until < why.until:
                found[alert_id] = why
    return found


def _in_maintenance(alerts: list[SuppressibleAlert], at: datetime) -> Found:
    site_of = {one.terminal: one.site for one in alerts}
    covers = coverage.coverage_of(site_of, among=coverage.running(at))
    for one in alerts:
        if (cover := covers.get(one.terminal)) is not None:
            yield one.alert, Suppression(Reason.MAINTENANCE, cover.until, cover.by)


def _at_closed_sites(alerts: list[SuppressibleAlert], at: datetime) -> Found:
    bound = [one for one in alerts if one.hours == RuleHours.OPEN]
    hours = hours_of({one.site for one in bound}) if bound else {}
    opens = {site_id: site.opens_at(at) for site_id, site in hours.items()}
    for one in bound:
        if (opens_at := opens[one.site]) is not None:
            yield one.alert, Suppression(Reason.CLOSED, opens_at)


def _behind_a_parent(alerts: list[SuppressibleAlert], at: datetime) -> Found:
    """A terminal behind a parent may become silent shortly before the parent, and return shortly after it."""
    grace = timedelta(seconds=settings.RECONNECT_GRACE_S)
    for one in alerts:
        if one.parent_presence in EXPLAINS_NOTHING:
            continue
        is_back = one.parent_presence == Presence.ONLINE
        until = (one.parent_since or at) + grace if is_back else at + CHECK_AGAIN
        if until > at:
            yield one.alert, Suppression(Reason.PARENT, until, one.parent or "")


def _expected_back(alerts: list[SuppressibleAlert], at: datetime) -> Found:
    for one in alerts:
        if one.presence in AWAY and one.back_at is not None and one.back_at > at:
            yield one.alert, Suppression(Reason.EXPECTED, one.back_at)


def _snoozed(alerts: list[SuppressibleAlert], at: datetime) -> Found:
    for one in alerts:
        if one.snoozed_until is not None and one.snoozed_until > at:
            yield one.alert, Suppression(Reason.SNOOZED, one.snoozed_until)


def _may_be_correlated(alerts: list[SuppressibleAlert], at: datetime) -> Found:
    for one in alerts:
        until = one.opened_at + timedelta(seconds=settings.CORRELATION_WAIT_S)
        if one.kind == RuleSource.PRESENCE and one.incident_state is None and until > at:
            yield one.alert, Suppression(Reason.CORRELATING, until)


def _correlated(alerts: list[SuppressibleAlert], at: datetime) -> Found:
    for one in alerts:
        if one.incident_state not in (None, IncidentState.RESOLVED):
            yield one.alert, Suppression(Reason.INCIDENT, at + CHECK_AGAIN)


CONTEXT: tuple[SuppressionSource, ...] = (_in_maintenance, _at_closed_sites, _behind_a_parent, _expected_back, _snoozed)
ALL_SOURCES: tuple[SuppressionSource, ...] = (*CONTEXT, _may_be_correlated, _correlated)
