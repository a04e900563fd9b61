"""How many terminals that have something in common were lost, and how many could have been."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q

from tms.alerts.correlation.candidates import LOST, CommonFactor
from tms.alerts.models.alert import Alert
from tms.alerts.models.factor import Factor
from tms.fleet.models import OURS, Presence, TerminalState

COLUMNS = {
    Factor.SITE: "terminal__site",
    Factor.GROUP: "terminal__groups",
    Factor.MODEL: "terminal__model",
    Factor.FIRMWARE: "terminal__firmware",
    Factor.NODE: "node",
}


class LossShare(NamedTuple):
    lost: int
    size: int


def shares(factor: Factor, keys: Collection[str], *, since: datetime) -> dict[CommonFactor, LossShare]:
    """Of each key: the terminals that were lost `since`, and how many there were then. One query.

    Who was away before, was never seen, or was lost because of TMS itself is not counted at all, nor is who belongs to
    an incident already.
    """
    lost = Q(presence__in=LOST, presence_at__gte=since) & ~Q(cause__in=OURS)
    was_there = lost | ~Q(presence__in=(*LOST, Presence.NEVER))
    correlated = Alert.objects.unresolved().filter(terminal=OuterRef("terminal"), incident__isnull=False)
    rows = (
        TerminalState.objects.filter(was_there, ~Exists(correlated), **{f"{COLUMNS[factor]}__in": keys})
        .values_list(COLUMNS[factor])
        .annotate(lost=Count("pk", filter=lost), size=Count("pk"))
    )
    return {CommonFactor(factor, str(key)): LossShare(lost, size) for key, lost, size in rows}
