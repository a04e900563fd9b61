"""Which hits say nothing about the software, whichever terminal was hit.

Terminals that are being updated or settle are no members of a stratum, so that their hits are never asked about.
"""

from enum import StrEnum
from typing import NamedTuple


class HitLeftOut(StrEnum):
    CAUSE = "cause"
    """An outage of the network, of TMS itself, or planned."""
    INCIDENT = "incident"
    """An incident holds updated and waiting terminals of the stratum: both have it."""
    MAINTENANCE = "maintenance"
    ABOUT_SOFTWARE = "about_software"
    """An alert about the firmware or the configuration, which the rollout changes on purpose."""
    UNCLEAR = "unclear"
    """Updated and waiting terminals of the site had an outage of unknown cause in that hour."""


NEVER_COUNTED = frozenset({"network", "server", "planned"})
UNCLEAR = "unclear"


class Facts(NamedTuple):
    """What decides whether a hit counts. A rule that asked only about updated terminals would add evidence by itself:
    each fact is asked of both."""

    cause: str = ""
    """The cause of an outage."""
    in_maintenance: bool = False
    in_shared_incident: bool = False
    is_about_software: bool = False
    is_unclear_for_both: bool = False


def left_out(facts: Facts) -> HitLeftOut | None:
    """Why this hit does not count; None if it does."""
    reasons = (
        (facts.cause in NEVER_COUNTED, HitLeftOut.CAUSE),
        (facts.is_about_software, HitLeftOut.ABOUT_SOFTWARE),
        (facts.in_maintenance, HitLeftOut.MAINTENANCE),
        (facts.in_shared_incident, HitLeftOut.INCIDENT),
        (facts.cause == UNCLEAR and facts.is_unclear_for_both, HitLeftOut.UNCLEAR),
    )
    return next((reason for applies, reason in reasons if applies), None)
