"""Why terminals are affected: what they have in common, and what is not affected although it could be."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from django.db.models import Count

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.correlation.evidence.common_factor import affected, own_factor
from tms.alerts.correlation.evidence.lift import FactorLift, Significance, lifts, name_of
from tms.alerts.correlation.same_rule.explanation import COLUMNS
from tms.alerts.models import Alert, Incident, Rule
from tms.alerts.models.factor import Factor
from tms.alerts.rules.compiled import terminals_of
from tms.fleet.models import Presence, Site, Terminal
from tms.fleet.sites.names import Bilingual

MAX_KINDS = 3
UNRECORDED = (Factor.FIRMWARE, Factor.NODE)


class FactorRow(NamedTuple):
    """How often a factor occurs among the terminals of an incident, and in the fleet."""

    factor: str
    name: str | Bilingual
    number: int
    of: int
    fleet_pct: float
    lift: float
    significance: str

    @property
    def pct(self) -> float:
        return 100 * self.number / self.of

    @property
    def is_named(self) -> bool:
        return self.significance == Significance.NAMED


class Unaffected(NamedTuple):
    """Terminals that would be affected too, if `excludes` were the cause."""

    what: str
    """`kind` at the same site, `node`, or with a rule `factor`: the same, without an alert."""
    number: int
    name: str | Bilingual
    kind: str
    excludes: str
    """`power`, `tms`, or nothing."""


def factors_of(incident: Incident, *, scope: Scope) -> tuple[FactorRow, ...]:
    """Strongest first. People with a limited scope do not see numbers of the fleet."""
    if not scope.is_everything:
        return ()
    return tuple(_row(lift) for lift in lifts(affected(incident), own=own_factor(incident)))


def factors_then(incident: Incident, terminals: Collection[int], *, scope: Scope) -> tuple[FactorRow, ...]:
    """The same for terminals that were affected at a past instant, without factors whose history is not recorded."""
    if not scope.is_everything:
        return ()
    return tuple(_row(lift) for lift in lifts(terminals, own=own_factor(incident), without=UNRECORDED))


def unaffected(incident: Incident, *, scope: Scope) -> tuple[Unaffected, ...]:
    members = set(within(Alert.objects.filter(incident=incident), scope).values_list("terminal", flat=True))
    if not members:
        return ()
    if incident.rule is not None:
        return tuple(without_alert(incident, incident.rule, members, scope))
    return (*_at_site(incident, members, scope), *_on_node(members, scope))


def unaffected_then(
    incident: Incident, members: Collection[int], online: Mapping[str, int], *, scope: Scope
) -> tuple[Unaffected, ...]:
    """The same at a past instant. `online`: terminals at its site that were online and no members, by kind."""
    if not members:
        return ()
    if incident.rule is not None:
        return tuple(without_alert(incident, incident.rule, members, scope))
    if incident.site is None:
        return ()
    name = Bilingual(incident.site.name, incident.site.name_ja)
    kinds = sorted(((number, kind) for kind, number in online.items() if number > 0), reverse=True)[:MAX_KINDS]
    return tuple(Unaffected("kind", number, name, kind, "power") for number, kind in kinds)


def without_alert(incident: Incident, rule: Rule, members: Collection[int], scope: Scope) -> list[Unaffected]:
    """Others with the same factor to which the rule applies."""
    column = COLUMNS[incident.named_factor]
    others = within(terminals_of(rule).filter(**{column: incident.bare_key}), scope).exclude(pk__in=members)
    name = Bilingual(incident.site.name, incident.site.name_ja) if incident.site else incident.name
    number = others.distinct().count()
    return [Unaffected("factor", number, name, incident.named_factor, "")] if number else []


def _row(lift: FactorLift) -> FactorRow:
    pct = 100 * lift.fleet_share
    return FactorRow(lift.factor.value, _name(lift), lift.number, lift.of, pct, lift.lift, lift.significance.value)


def _name(lift: FactorLift) -> str | Bilingual:
    if lift.factor is Factor.SITE:
        site = Site.objects.get(pk=lift.key)
        return Bilingual(site.name, site.name_ja)
    return name_of(lift.what)


def _at_site(incident: Incident, members: Collection[int], scope: Scope) -> list[Unaffected]:
    """Other terminals of the same site that are online have power."""
    if incident.site is None:
        return []
    others = within(Terminal.objects.counted().filter(site=incident.site, state__presence=Presence.ONLINE), scope)
    kinds = (
        others.exclude(pk__in=members).order_by().values_list("kind").annotate(number=Count("pk")).order_by("-number")
    )
    name = Bilingual(incident.site.name, incident.site.name_ja)
    return [Unaffected("kind", number, name, kind, "power") for kind, number in kinds[:MAX_KINDS]]


def _on_node(members: Collection[int], scope: Scope) -> list[Unaffected]:
    """Others that are online over the node to which most of them were connected."""
    nodes = Terminal.objects.filter(pk__in=members).exclude(state__node="").order_by().values_list("state__node")
    most = nodes.annotate(number=Count("pk")).order_by("-number", "state__node").first()
    if most is None:
        return []
    online = within(Terminal.objects.filter(state__node=most[0], state__presence=Presence.ONLINE), scope)
    number = online.exclude(pk__in=members).count()
    return [Unaffected("node", number, most[0], "", "tms")] if number else []
