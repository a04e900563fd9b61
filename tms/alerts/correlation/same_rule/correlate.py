"""One pass over the rules: alerts join the incident of their rule, and the strongest common factor opens a new one.

An incident of a narrower factor is merged into a wider one that explains more, so that the order in which terminals
report does not decide what the incident is called.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from tms.alerts.correlation.candidates import CommonFactor
from tms.alerts.correlation.evidence.common_factor import common_factor
from tms.alerts.correlation.members import free, open_incident, put
from tms.alerts.correlation.regrouping.absorb import absorb, recount
from tms.alerts.correlation.same_rule.candidates import RuleCandidate, candidates_of, rules_to_check
from tms.alerts.correlation.same_rule.explanation import Explanation, strongest
from tms.alerts.locks import lock_members
from tms.alerts.models.correlation_rule import SameRuleCorrelation
from tms.alerts.models.factor import Factor
from tms.alerts.models.incident import Incident
from tms.alerts.models.rule import Rule

type Settings = Mapping[Factor, SameRuleCorrelation]


def correlate_rules(at: datetime) -> int:
    """Returns how many alerts became part of an incident."""
    settings = {factor: one for factor, one in SameRuleCorrelation.in_force().items() if one.enabled}
    if not settings:
        return 0
    since = at - timedelta(seconds=max(one.within_s for one in settings.values()))
    found = rules_to_check(since, min(one.least for one in settings.values()))
    return sum(_correlate(rule, settings, since, at) for rule in found)


@transaction.atomic
def _correlate(rule: int, settings: Settings, since: datetime, at: datetime) -> int:
    rows = Incident.objects.unresolved().filter(rule=rule).order_by("pk").locked().select_related("acknowledged_by")
    unresolved = {CommonFactor(row.named_factor, row.bare_key): row for row in rows}
    by_pk = {row.pk: row for row in unresolved.values()}
    recent = [row.pk for row in by_pk.values() if row.opened_at >= since]
    found = candidates_of(rule, since, recent)
    joined = _join(found, unresolved, at)
    rest = [one for one in found if one.alert not in joined]
    number = len(joined)
    while explanation := strongest(rest, Rule.objects.get(pk=rule), settings):
        number += _open(explanation, rule, unresolved, by_pk, at)
        explained = {one.alert for one in explanation.members}
        rest = [one for one in rest if one.alert not in explained]
    return number


def _join(found: Sequence[RuleCandidate], unresolved: Mapping[CommonFactor, Incident], at: datetime) -> set[int]:
    """Uncorrelated alerts that belong to an unresolved incident of the rule."""
    joining: dict[CommonFactor, list[RuleCandidate]] = {}
    for one in found:
        what = next((what for what in one.factors() if what in unresolved), None)
        if one.incident is None and what is not None:
            joining.setdefault(what, []).append(one)
    for what, members in joining.items():
        put(unresolved[what], free(members), at)
    return {one.alert for members in joining.values() for one in members}


def _open(
    explanation: Explanation,
    rule: int,
    unresolved: dict[CommonFactor, Incident],
    by_pk: Mapping[int, Incident],
    at: datetime,
) -> int:
    """Open the incident, and merge those of narrower factors into it. Returns how many alerts are new in it.

    While another transaction has locked alerts of the narrower ones, it is left for the next pass.
    """
    parts = [by_pk[pk] for pk in sorted({one.incident for one in explanation.members if one.incident is not None})]
    if not lock_members(parts):
        return 0
    members = free([one for one in explanation.members if one.incident is None])
    if not members:
        return 0
    incident = open_incident(_identity(explanation.what, rule), explanation.share, members, at)
    if absorb(parts, incident, at=at):
        recount(incident, at)
    common_factor(incident)
    unresolved[explanation.what] = incident
    return len(members)


def _identity(what: CommonFactor, rule: int) -> Mapping[str, object]:
    return {
        "rule_id": rule,
        "factor": what.factor,
        "key": f"rule-{rule}:{what.key}",
        "site_id": int(what.key) if what.factor == Factor.SITE else None,
        "group_id": int(what.key) if what.factor == Factor.GROUP else None,
    }
