"""Alerts of rules other than presence that opened a short time ago, and what their terminals have in common."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Q

from tms.alerts.correlation.candidates import PASS_LIMIT, CommonFactor, groups_of
from tms.alerts.models.alert import Alert, AlertQuerySet
from tms.alerts.models.factor import Factor
from tms.alerts.models.incident import Incident
from tms.alerts.rule_kinds.sources import RuleSource


class RuleCandidate(NamedTuple):
    alert: int
    terminal: int
    severity: str
    incident: int | None
    site: int
    region: str
    model: str
    firmware: str
    groups: frozenset[int] = frozenset()

    def factors(self) -> Iterator[CommonFactor]:
        """Its possible common factors, from the narrowest to the widest."""
        yield CommonFactor(Factor.SITE, str(self.site))
        for group in sorted(self.groups):
            yield CommonFactor(Factor.GROUP, str(group))
        named = ((Factor.MODEL, self.model), (Factor.FIRMWARE, self.firmware), (Factor.REGION, self.region))
        yield from (CommonFactor(factor, name) for factor, name in named if name)


COLUMNS = (
    *("pk", "terminal", "severity", "incident", "terminal__site", "terminal__site__region"),
    *("terminal__model", "terminal__firmware"),
)


def rules_to_check(since: datetime, least: int) -> list[int]:
    """Rules with an uncorrelated alert since then, and with enough alerts or an incident (index: alert_opened)."""
    with_incident = Incident.objects.unresolved().exclude(rule=None).values("rule")
    recent = _of_rules().filter(opened_at__gte=since).order_by().values("rule")
    counted = recent.annotate(number=Count("pk"), free=Count("pk", filter=Q(incident=None)))
    enough = Q(number__gte=least) | Q(rule__in=with_incident)
    return sorted(counted.filter(enough, free__gte=1).values_list("rule", flat=True))


def candidates_of(rule: int, since: datetime, incidents: Collection[int]) -> list[RuleCandidate]:
    """The uncorrelated alerts of a rule since then, and all unresolved ones of these incidents. Two queries."""
    recent = Q(opened_at__gte=since, incident=None)
    rows = _of_rules().filter(recent | Q(incident__in=incidents), rule=rule).order_by("opened_at", "pk")
    return _with_groups(RuleCandidate(*row) for row in rows.values_list(*COLUMNS)[:PASS_LIMIT])


def _of_rules() -> AlertQuerySet:
    return Alert.objects.unresolved().filter(is_separate=False).exclude(rule__kind=RuleSource.PRESENCE)


def _with_groups(found: Iterable[RuleCandidate]) -> list[RuleCandidate]:
    rows = list(found)
    groups = groups_of([row.terminal for row in rows]) if rows else {}
    return [row._replace(groups=frozenset(groups.get(row.terminal, ()))) for row in rows]
