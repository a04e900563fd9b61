"""How many terminals with a common factor were lost, of how many."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q

from tms.alerts.correlation.candidates import LOST, AffectedShare, CommonFactor
from tms.alerts.models.alert import Alert
from tms.alerts.models.factor import Factor
from tms.fleet.models import CAUSED_BY_TMS, Presence, TerminalState

COLUMNS = {
    Factor.SITE: "terminal__site",
    Factor.GROUP: "terminal__groups",
    Factor.MODEL: "terminal__model",
    Factor.FIRMWARE: "terminal__firmware",
    Factor.NODE: "node",
}


def shares(factor: Factor, keys: Collection[str], *, since: datetime) -> dict[CommonFactor, AffectedShare]:
    """The terminals of each key that were lost `since`, and how many there were then. One query.

    Terminals are excluded if they were offline before, were never seen, were lost because of TMS itself, or belong to
    an incident.
    """
    lost = Q(presence__in=LOST, presence_at__gte=since) & ~Q(cause__in=CAUSED_BY_TMS)
    was_there = lost | ~Q(presence__in=(*LOST, Presence.NEVER))
    correlated = Alert.objects.unresolved().filter(terminal=OuterRef("terminal"), incident__isnull=False)
    rows = (
        TerminalState.objects.counted()
        .filter(was_there, ~Exists(correlated), **{f"{COLUMNS[factor]}__in": keys})
        .values_list(COLUMNS[factor])
        .annotate(lost=Count("pk", filter=lost), size=Count("pk"))
    )
    return {CommonFactor(factor, str(key)): AffectedShare(lost, size) for key, lost, size in rows}
