"""A further common factor of an incident's terminals, which stands out against the fleet: "all on carrier X"."""

from collections import Counter
from collections.abc import Iterable

from tms.alerts.correlation.candidates import CommonFactor, groups_of
from tms.alerts.correlation.counting import COLUMNS
from tms.alerts.models.alert import Alert
from tms.alerts.models.factor import Factor
from tms.alerts.models.incident import Incident
from tms.fleet.models import Group, Site, Terminal, TerminalState

MIN_SHARE = 0.8
"""The minimum share of the lost terminals."""
STRONGER = 0.2
"""By how much that share must exceed the share of the whole fleet."""


def common_factor(incident: Incident) -> None:
    """Set the strongest one on `incident`, which the caller saves. Sets nothing if none stands out."""
    lost = set(Alert.objects.filter(incident=incident).values_list("terminal", flat=True))
    found = _of_terminals(lost)
    own = CommonFactor(incident.factor, incident.key)
    likely = {what: number for what, number in found.items() if what != own and number >= MIN_SHARE * len(lost)}
    fleet = TerminalState.objects.count() if likely else 0
    strength = {what: number / len(lost) - _in_fleet(what) / fleet for what, number in likely.items()}
    strongest = max(strength, key=lambda what: (strength[what], what), default=None)
    if strongest is None or strength[strongest] < STRONGER:
        incident.common_factor, incident.common_name, incident.common_count = "", "", 0
    else:
        incident.common_factor, incident.common_count = strongest.factor, found[strongest]
        incident.common_name = _name(strongest)
    incident.save(update_fields=("common_factor", "common_name", "common_count"))


def _of_terminals(pks: Iterable[int]) -> Counter[CommonFactor]:
    """Number of these terminals by factor and value."""
    pks = list(pks)
    rows = Terminal.objects.filter(pk__in=pks).values_list("site", "model", "firmware", "state__node")
    factors = (Factor.SITE, Factor.MODEL, Factor.FIRMWARE, Factor.NODE)
    found = Counter(
        CommonFactor(factor, str(value)) for row in rows for factor, value in zip(factors, row, strict=True) if value
    )
    found.update(CommonFactor(Factor.GROUP, str(group)) for groups in groups_of(pks).values() for group in groups)
    return found


def _in_fleet(what: CommonFactor) -> int:
    return TerminalState.objects.filter(**{COLUMNS[Factor(what.factor)]: what.key}).count()


def _name(what: CommonFactor) -> str:
    if what.factor == Factor.SITE:
        return Site.objects.get(pk=what.key).name
    if what.factor == Factor.GROUP:
        return Group.objects.get(pk=what.key).name
    return what.key
