"""What terminals have in common, and how much more often than the fleet: the lift of a factor.

A factor is named only if it covers at least five of the terminals and more than half of them, and clearly more of them
than of the fleet.
"""

from collections import Counter
from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

from tms.alerts.correlation.candidates import CommonFactor, groups_of
from tms.alerts.correlation.counting import COLUMNS
from tms.alerts.models.factor import Factor
from tms.fleet.models import Group, Site, Terminal, TerminalState

MIN_NUMBER = 5
"""A factor of fewer terminals is named by chance: two of two are a model in any fleet."""
MIN_SHARE = 0.5
"""The share of the terminals that a factor must exceed."""
STRONGER = 0.2
"""How much larger that share must be than the share of the whole fleet."""
OF_TERMINALS = (Factor.SITE, Factor.MODEL, Factor.FIRMWARE, Factor.NODE)


class Significance(StrEnum):
    NAMED = "named"
    TOO_FEW = "too-few"
    BELOW_HALF = "below-half"
    AS_IN_FLEET = "as-in-fleet"


class FactorLift(NamedTuple):
    factor: Factor
    key: str
    """The key of the factor, as in `Incident.key`."""
    number: int
    """Number of the terminals that have it."""
    of: int
    in_fleet: int
    fleet: int

    @property
    def what(self) -> CommonFactor:
        return CommonFactor(self.factor, self.key)

    @property
    def share(self) -> float:
        return self.number / self.of

    @property
    def fleet_share(self) -> float:
        return self.in_fleet / self.fleet if self.fleet else 0.0

    @property
    def lift(self) -> float:
        """How many times as frequent as in the fleet."""
        return self.share / self.fleet_share if self.fleet_share else 1.0

    @property
    def significance(self) -> Significance:
        if self.number < MIN_NUMBER:
            return Significance.TOO_FEW
        if self.share <= MIN_SHARE:
            return Significance.BELOW_HALF
        return Significance.NAMED if self.share - self.fleet_share >= STRONGER else Significance.AS_IN_FLEET


def lifts(
    terminals: Collection[int], *, own: CommonFactor | None = None, without: Collection[Factor] = ()
) -> list[FactorLift]:
    """The most frequent value of each factor among the terminals, strongest first.

    Leaves out the factor `own`, and all values of the factors `without`.
    """
    if not terminals:
        return []
    found = _of_terminals(terminals)
    fleet = TerminalState.objects.counted().count()
    most: dict[str, tuple[CommonFactor, int]] = {}
    for what, number in sorted(found.items()):
        if what != own and what.factor not in without and number > most.get(what.factor, (what, 0))[1]:
            most[what.factor] = (what, number)
    rows = [
        FactorLift(Factor(what.factor), what.key, number, len(terminals), _in_fleet(what), fleet)
        for what, number in most.values()
    ]
    return sorted(rows, key=lambda row: (row.significance is not Significance.NAMED, -row.share, -row.lift, row.factor))


def name_of(what: CommonFactor) -> str:
    if what.factor == Factor.SITE:
        return Site.objects.get(pk=what.key).name
    if what.factor == Factor.GROUP:
        return Group.objects.get(pk=what.key).name
    return what.key


def _of_terminals(pks: Collection[int]) -> Counter[CommonFactor]:
    """Number of these terminals by factor and value."""
    rows = Terminal.objects.filter(pk__in=pks).values_list("site", "model", "firmware", "state__node")
    found = Counter(
        CommonFactor(factor, str(value))
        for row in rows
        for factor, value in zip(OF_TERMINALS, row, strict=True)
        if value
    )
    found.update(CommonFactor(Factor.GROUP, str(group)) for groups in groups_of(pks).values() for group in groups)
    return found


def _in_fleet(what: CommonFactor) -> int:
    return TerminalState.objects.counted().filter(**{COLUMNS[Factor(what.factor)]: what.key}).count()
