"""Alerts and planned absence as fields of queries about terminals: `alert:critical`, `expected:maintenance`."""

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tms.alerts.maintenance.coverage import in_scope
from tms.alerts.models import Alert
from tms.alerts.models.maintenance import Window
from tms.fleet.sites.terminal_query import at_closed_site
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.lib.severity import Severity
from tms.query.fields import Field, MovedBy
from tms.query.tree import Operator
from tms.query.value_kinds import ChoiceKind, choices

ANY, NONE = "any", "none"
ALERTS = ChoiceKind(
    {**{name: (name,) for name in Severity.values}, ANY: tuple(Severity.values), NONE: ()},
    {**dict(Severity.choices), ANY: _("Any alert"), NONE: _("No alert")},
)
MAINTENANCE, CLOSED = "maintenance", "closed"
PLANS = choices({MAINTENANCE: _("Maintenance"), CLOSED: _("Site closed")})


def add_fields() -> None:
    TERMINAL_FIELDS.add(
        Field("alert", _("Severity of an unresolved alert"), ALERTS, compare=_alerted, moved_by=MovedBy.ALERT),
        Field("expected", _("Planned absence"), PLANS, compare=_expected, moved_by=MovedBy.PLAN),
    )


def _alerted(operator: Operator, wanted: tuple[str, ...], at: datetime) -> Q:
    unresolved = Alert.objects.unresolved().order_by()
    if not wanted:
        return ~Q(pk__in=unresolved.values("terminal"))
    return Q(pk__in=unresolved.filter(severity__in=wanted).values("terminal"))


def _expected(operator: Operator, wanted: tuple[str, ...], at: datetime) -> Q:
    return at_closed_site(at) if CLOSED in wanted else in_maintenance(at)


def in_maintenance(at: datetime) -> Q:
    """Terminals that a maintenance window covers at this instant, as far as the clock has moved the windows on."""
    return in_scope(Window.objects.current().filter(occurs_at__lte=at, occurs_until__gt=at).values("pk"))
