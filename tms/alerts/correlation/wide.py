"""Sites that are lost together: a region, a group such as the terminals of a carrier, or the whole fleet.

The incidents of the sites are merged into one. Those that were notified before are notified as resolved. While another
transaction has locked one of their alerts, they are left for the next pass.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from tms.alerts.correlation.candidates import CommonFactor
from tms.alerts.correlation.evidence.common_factor import common_factor
from tms.alerts.correlation.incident_transitions import transition
from tms.alerts.correlation.regrouping.absorb import absorb, recount
from tms.alerts.locks import lock_members
from tms.alerts.models.alert import Alert
from tms.alerts.models.correlation_rule import CorrelationRule
from tms.alerts.models.factor import OF_MANY_SITES, Factor
from tms.alerts.models.incident import Incident
from tms.alerts.models.incident import IncidentTransitionKind as Kind
from tms.fleet.models import Group, Presence, Terminal
from tms.lib.severity import worst

"""Factors ordered from the narrowest to the widest: of equally strong ones, the narrower is named."""
MAX_SITES = 20
"""More sites than these are one incident, also if they are a small share."""
NEARLY_ALL = 0.8
"""A common factor of fewer of the lost sites does not explain the loss."""
WHOLE_FLEET = CommonFactor(Factor.FLEET, "")
COLUMNS = {
    Factor.GROUP: "groups",
    Factor.REGION: "site__region",
}


class LostSites(NamedTuple):
    """Sites with a common factor that were lost together."""

    what: CommonFactor
    incidents: Sequence[Incident]
    size: int
    """Number of sites with the common factor that could be lost as a site."""

    def strength(self, lost: int) -> tuple[bool, float, int]:
        """Whether it explains nearly all of the `lost` sites, its own share, and how narrow it is."""
        number = len(self.incidents)
        return number >= NEARLY_ALL * lost, number / self.size, -OF_MANY_SITES.index(Factor(self.what.factor))


@transaction.atomic
def widen(at: datetime) -> int:
    """Merge incidents of sites that were lost together. Returns how many were merged."""
    in_force = CorrelationRule.in_force()
    rules = {factor: rule for factor, rule in in_force.items() if rule.enabled}
    found, unresolved_wide = _lock_incidents(rules, at)
    shared = _by_common_factor(found) if found else {}
    merged = 0
    for wide in unresolved_wide:
        # An existing incident of many sites first: sites that are lost one after the other are one cause.
        joining = [one for one in shared.get(_what(wide), ()) if one in found]
        if joining and lock_members(joining):
            merged += _merge(joining, wide, at)
        found = [one for one in found if one not in joining]
    while together := _strongest(found, shared, rules, least=in_force[Factor.SITE].least):
        # If another transaction has locked a member, these wait for the next pass, instead of holding up ingest.
        if lock_members(together.incidents):
            merged += _open(together, at)
        found = [one for one in found if one not in together.incidents]
    return merged


def _lock_incidents(rules: Mapping[Factor, CorrelationRule], at: datetime) -> tuple[list[Incident], list[Incident]]:
    """Unresolved incidents of sites that were opened just now, and those of many sites, which they may join.

    Too few sites to compare are none.
    """
    wide = [rule for factor, rule in rules.items() if factor in {Factor.REGION, Factor.FLEET}]
    if not wide:
        return [], []
    recent = Q(factor=Factor.SITE, opened_at__gte=at - timedelta(seconds=max(rule.within_s for rule in wide)))
    rows = Incident.objects.unresolved().filter(rule=None)
    if not rows.filter(recent).exists():
        return [], []
    locked = list(rows.filter(recent | Q(factor__in=OF_MANY_SITES)).locked().select_related("site"))
    return [row for row in locked if row.factor == Factor.SITE], [row for row in locked if row.factor != Factor.SITE]


def _by_common_factor(found: Iterable[Incident]) -> dict[CommonFactor, list[Incident]]:
    """The incidents by what their sites have in common."""
    groups = _groups_of([one.pk for one in found])
    shared: dict[CommonFactor, list[Incident]] = {}
    for one in found:
        region = one.site.region if one.site else ""
        for what in (*groups.get(one.pk, ()), *_of_region(region), WHOLE_FLEET):
            shared.setdefault(what, []).append(one)
    return shared


def _of_region(region: str) -> Iterator[CommonFactor]:
    if region:
        yield CommonFactor(Factor.REGION, region)


def _groups_of(incidents: Collection[int]) -> dict[int, list[CommonFactor]]:
    """The groups that have more than half of the terminals of each incident."""
    alerts = Alert.objects.unresolved().filter(incident__in=incidents).order_by()
    terminals = dict(alerts.values_list("incident").annotate(number=Count("terminal", distinct=True)))
    members = alerts.exclude(terminal__groups=None).values_list("incident", "terminal__groups")
    found: dict[int, list[CommonFactor]] = {}
    for incident, group, number in members.annotate(number=Count("terminal", distinct=True)):
        if 2 * number > terminals[incident]:
            found.setdefault(incident, []).append(CommonFactor(Factor.GROUP, str(group)))
    return found


def _strongest(
    found: Sequence[Incident],
    shared: Mapping[CommonFactor, Sequence[Incident]],
    rules: Mapping[Factor, CorrelationRule],
    *,
    least: int,
) -> LostSites | None:
    """What explains most of the lost sites, if enough of its sites are lost, each with `least` terminals."""
    candidates = []
    for what, incidents in shared.items():
        rule = rules.get(Factor.FLEET if what == WHOLE_FLEET else Factor.REGION)
        lost = [one for one in incidents if one in found]
        if rule is None or len(lost) < rule.least:
            continue
        together = LostSites(what, lost, max(len(lost), _sites_with(what, least=least)))
        if len(lost) > MAX_SITES or len(lost) >= rule.needed(together.size):
            candidates.append(together)
    return max(candidates, key=lambda one: (one.strength(len(found)), one.what), default=None)


def _terminals_with(what: CommonFactor) -> QuerySet[Terminal]:
    column = COLUMNS.get(Factor(what.factor))
    counted = Terminal.objects.counted()
    return counted.filter(**{column: what.key}) if column else counted


def _sites_with(what: CommonFactor, *, least: int) -> int:
    """Sites where at least so many terminals were seen: others are never an incident of their own, so they must not
    lower the share of those that are lost.
    """
    seen = _terminals_with(what).exclude(state__presence=Presence.NEVER).order_by().values("site")
    number: int = seen.annotate(number=Count("pk")).filter(number__gte=least).count()
    return number


def _what(wide: Incident) -> CommonFactor:
    return CommonFactor(wide.named_factor, wide.bare_key)


def _new(together: LostSites, at: datetime) -> Incident:
    factor, key = together.what
    group = Group.objects.get(pk=key) if factor == Factor.GROUP else None
    return Incident.objects.create(
        factor=factor,
        key=key,
        group=group,
        group_name=group.name if group else "",
        severity=worst(one.severity for one in together.incidents),
        opened_at=at,
        changed_at=at,
        unchanged_since=at,
        size=_terminals_with(together.what).count(),
        lost=0,
    )


def _open(together: LostSites, at: datetime) -> int:
    wide = _new(together, at)
    merged = _merge(together.incidents, wide, at)
    recount(wide, at)
    common_factor(wide)
    transition(wide, Kind.OPENED, at=at, number=wide.joined_count)
    return merged


def _merge(parts: Sequence[Incident], wide: Incident, at: datetime) -> int:
    """Alerts that join an unresolved one are left to the review, as a growth that may end its acknowledgement."""
    absorb(parts, wide, at=at)
    wide.site_count += len(parts)
    wide.save(update_fields=("site_count",))
    return len(parts)
