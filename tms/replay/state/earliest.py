"""Where the known history begins."""

from datetime import datetime

from tms.fleet.models import Terminal
from tms.telemetry.storage.retention import history_horizon


def earliest(now: datetime) -> datetime:
    """The first instant of which everything is known: the start of the history, or the first terminal."""
    first = Terminal.objects.order_by("created_at").values_list("created_at", flat=True).first()
    return max(history_horizon(now), first or now)
