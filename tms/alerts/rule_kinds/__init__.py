"""The registry of rule kinds: one object each, by its name."""

from collections.abc import Mapping

from tms.alerts.rule_kinds.base import RuleKind
from tms.alerts.rule_kinds.metric import Above, Absent, Below, Falling, Outside, Rising
from tms.alerts.rule_kinds.state import Away, EventSeen, OtherFirmware, WrongClock

RULE_KINDS: Mapping[str, RuleKind] = {
    kind.name: kind
    for kind in (
        Above(),
        Below(),
        Outside(),
        Rising(),
        Falling(),
        Absent(),
        Away(),
        EventSeen(),
        OtherFirmware(),
        WrongClock(),
    )
}
"""In the order in which people choose from them."""
