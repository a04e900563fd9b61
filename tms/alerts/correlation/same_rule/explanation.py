"""What explains most of the alerts of a rule: the common factor with the largest share of its terminals affected."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from django.db.models import Count

from tms.alerts.correlation.candidates import AffectedShare, CommonFactor
from tms.alerts.correlation.same_rule.candidates import RuleCandidate
from tms.alerts.models.correlation_rule import SameRuleCorrelation
from tms.alerts.models.factor import OF_RULES, Factor
from tms.alerts.models.rule import Rule
from tms.alerts.rules.compiled import terminals_of

NEARLY_ALL = 0.8
"""A common factor of fewer of the affected terminals does not explain them."""
COLUMNS = {
    Factor.SITE: "site",
    Factor.GROUP: "groups",
    Factor.MODEL: "model",
    Factor.FIRMWARE: "firmware",
    Factor.REGION: "site__region",
}


class Explanation(NamedTuple):
    what: CommonFactor
    members: Sequence[RuleCandidate]
    share: AffectedShare

    def strength(self, affected: int) -> tuple[bool, float, int, CommonFactor]:
        """Whether it explains nearly all of the `affected` terminals, its own share, and how narrow it is."""
        explains = self.share.lost >= NEARLY_ALL * affected
        narrowness = -OF_RULES.index(Factor(self.what.factor))
        return explains, self.share.lost / max(1, self.share.size), narrowness, self.what


def strongest(
    found: Sequence[RuleCandidate], rule: Rule, settings: Mapping[Factor, SameRuleCorrelation]
) -> Explanation | None:
    """The strongest factor; None if no factor has enough of its terminals affected: below its share, nothing is an
    incident.
    """

    def _setting(what: CommonFactor) -> SameRuleCorrelation:
        return settings[Factor(what.factor)]

    inside = {what: _whole_incidents(members, found) for what, members in _by_factor(found, settings).items()}
    groups = {what: members for what, members in inside.items() if _terminals(members) >= _setting(what).least}
    sizes = _sizes(rule, groups)
    possible = []
    for what, members in groups.items():
        share = AffectedShare(_terminals(members), sizes.get(what, 0))
        is_new = any(one.incident is None for one in members)
        if is_new and share.lost >= _setting(what).needed(share.size):
            possible.append(Explanation(what, members, share))
    affected = _terminals(found)
    return max(possible, key=lambda one: one.strength(affected), default=None)


def _terminals(members: Collection[RuleCandidate]) -> int:
    return len({one.terminal for one in members})


def _by_factor(
    found: Collection[RuleCandidate], settings: Mapping[Factor, SameRuleCorrelation]
) -> dict[CommonFactor, list[RuleCandidate]]:
    groups: dict[CommonFactor, list[RuleCandidate]] = defaultdict(list)
    for one in found:
        for what in one.factors():
            if what.factor in settings:
                groups[what].append(one)
    return groups


def _whole_incidents(members: Sequence[RuleCandidate], found: Sequence[RuleCandidate]) -> list[RuleCandidate]:
    """The members without those of incidents that go beyond `members`: these keep their incident."""
    inside = {one.alert for one in members}
    beyond = {one.incident for one in found if one.incident is not None and one.alert not in inside}
    return [one for one in members if one.incident not in beyond]


def _sizes(rule: Rule, groups: Collection[CommonFactor]) -> dict[CommonFactor, int]:
    """How many terminals of the rule have each factor; one query for each kind of factor."""
    keys: dict[str, list[str]] = defaultdict(list)
    for what in groups:
        keys[what.factor].append(what.key)
    sizes: dict[CommonFactor, int] = {}
    for factor, wanted in keys.items():
        column = COLUMNS[Factor(factor)]
        rows = terminals_of(rule).filter(**{f"{column}__in": wanted}).order_by().values_list(column)
        for key, number in rows.annotate(number=Count("pk", distinct=True)):
            sizes[CommonFactor(factor, str(key))] = number
    return sizes
