"""One pass: review open incidents, let alerts join them, and open new incidents."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction

from tms.alerts.correlation.candidates import AffectedShare, Candidate, CommonFactor, candidates
from tms.alerts.correlation.counting import shares
from tms.alerts.correlation.members import free, open_incident, put
from tms.alerts.correlation.review import review
from tms.alerts.correlation.same_rule.correlate import correlate_rules
from tms.alerts.correlation.wide import widen
from tms.alerts.models.alert import Alert, AlertQuerySet
from tms.alerts.models.correlation_rule import CorrelationRule
from tms.alerts.models.factor import SITES_TOGETHER, Factor
from tms.alerts.models.incident import Incident
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, each, isolate

MAX_AGE = timedelta(hours=1)
"""An alert that was not correlated for this long is not considered again."""

unreviewed = SetAside[int]("correlate")

type ByFactor = dict[CommonFactor, list[Candidate]]


def _uncorrelated(at: datetime) -> AlertQuerySet:
    return Alert.objects.unresolved().uncorrelated().filter(opened_at__gte=at - MAX_AGE)


@skip_when_empty(_uncorrelated, lambda at: Incident.objects.unresolved())
def correlate(at: datetime) -> int:
    """Returns how many alerts became part of an incident."""
    correlated = 0

    def join() -> None:
        nonlocal correlated
        correlated += _correlate(at)

    def join_by_rule() -> None:
        nonlocal correlated
        correlated += correlate_rules(at)

    # Unresolved incidents are reviewed even if nothing can be correlated.
    acts: tuple[Callable[[], object], ...] = (join, join_by_rule, partial(widen, at), partial(_review_unresolved, at))
    each(acts, lambda act: act(), loop="correlate")
    return correlated


def _review_unresolved(at: datetime) -> None:
    unresolved = Incident.objects.unresolved().exclude(pk__in=unreviewed.keys(at)).order_by("pk")
    isolate(list(unresolved.values_list("pk", flat=True)), partial(_review, at=at), aside=unreviewed, at=at)


def _review(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction."""
    incidents = [incident for incident in _unresolved() if incident.pk in pks]
    review(incidents, at=at)
    return len(incidents)


@transaction.atomic
def _correlate(at: datetime) -> int:
    in_force = CorrelationRule.in_force().items()
    rules = {factor: rule for factor, rule in in_force if rule.enabled and factor not in SITES_TOGETHER}
    longest = timedelta(seconds=max((rule.within_s for rule in rules.values()), default=0))
    found = candidates(at - min(longest, MAX_AGE)) if rules else []
    # Joining comes first: an alert belongs to an existing incident of its site rather than to a new one.
    unresolved = _by_common_factor()
    rest = _join_unresolved(found, unresolved, at)
    for factor, rule in rules.items():
        if rest:
            rest = _open(rule, factor, rest, unresolved, at)
    return len(found) - len(rest)


def _by_common_factor() -> dict[CommonFactor, Incident]:
    """The unresolved incidents of lost terminals; those of many sites by each site, too."""
    rows = {row.pk: row for row in _unresolved() if row.rule_id is None}
    return _merged_into(rows) | {CommonFactor(row.factor, row.key): row for row in rows.values()}


def _merged_into(rows: Mapping[int, Incident]) -> dict[CommonFactor, Incident]:
    """These incidents by the common factors of those that were merged into them, or into one of these, and so on."""
    found: dict[CommonFactor, Incident] = {}
    goes_on_as = dict(rows)
    parts = set(rows)
    while parts:
        merged = Incident.objects.filter(merged_into__in=parts).values_list("pk", "factor", "key", "merged_into")
        parts = set()
        for pk, factor, key, into in merged:
            if into is not None and pk not in goes_on_as:
                goes_on_as[pk] = found[CommonFactor(factor, key)] = goes_on_as[into]
                parts.add(pk)
    return found


def _unresolved() -> list[Incident]:
    return list(Incident.objects.unresolved().locked().select_related("acknowledged_by").order_by("pk"))


def _join_unresolved(
    found: Sequence[Candidate], unresolved: Mapping[CommonFactor, Incident], at: datetime
) -> list[Candidate]:
    """The candidates that belong to no unresolved incident."""
    joining: dict[CommonFactor, list[Candidate]] = {}
    rest: list[Candidate] = []
    for one in found:
        what = next((what for what in one.factors() if what in unresolved), None)
        (rest if what is None else joining.setdefault(what, [])).append(one)
    for what, members in joining.items():
        put(unresolved[what], free(members), at)
    return rest


def _open(
    rule: CorrelationRule,
    factor: Factor,
    found: Sequence[Candidate],
    unresolved: dict[CommonFactor, Incident],
    at: datetime,
) -> list[Candidate]:
    """Open incidents for alerts with this common factor; returns the remaining candidates."""
    settled = _settled(factor, found, at)
    by_factor = _by_factor(factor, settled)
    groups = {what: group for what, group in by_factor.items() if factor is Factor.SITE or len(group) >= rule.least}
    if not groups:
        return list(found)
    since = max(one.lost_at for group in groups.values() for one in group) - timedelta(seconds=rule.within_s)
    correlated: set[int] = set()
    for what, share in shares(factor, [what.key for what in groups], since=since).items():
        if share.lost < rule.needed(share.size):
            continue
        # An alert may have several keys of one factor, such as two groups; the first that is an incident takes it.
        together = [one for one in groups[what] if one.lost_at >= since and one.alert not in correlated]
        if members := free(together):
            unresolved[what] = _new(what, share, members, at)
            correlated |= {one.alert for one in together}
    return [one for one in found if one.alert not in correlated]


def _settled(factor: Factor, found: Sequence[Candidate], at: datetime) -> list[Candidate]:
    """A site is the best explanation of a loss: other factors wait until a whole site has had time to be lost."""
    if factor is Factor.SITE:
        return list(found)
    before = at - timedelta(seconds=settings.CORRELATION_WAIT_S / 2)
    return [one for one in found if one.opened_at <= before]


def _by_factor(factor: Factor, found: Iterable[Candidate]) -> ByFactor:
    groups: ByFactor = {}
    for one in found:
        for what in one.factors():
            if what.factor == factor:
                groups.setdefault(what, []).append(one)
    return groups


def _new(what: CommonFactor, share: AffectedShare, members: Sequence[Candidate], at: datetime) -> Incident:
    identity = {
        "factor": what.factor,
        "key": what.key,
        "site_id": int(what.key) if what.factor == Factor.SITE else None,
        "group_id": int(what.key) if what.factor == Factor.GROUP else None,
    }
    return open_incident(identity, share, members, at)
