"""How far the history of the fleet was read for events, and what was missing there."""

from django.db import models

from tms.notifications.models.destination import Destination


class EventCursor(models.Model):
    """The position in one source of events; without subscribers there is none, and nothing is read.

    `gaps` are keys below `position` whose rows may still be committed: `[first, last, horizon]`. Transactions below
    `horizon` may still commit one; null in the pass that found the gap.
    """

    source = models.CharField(max_length=16, unique=True)
    position = models.BigIntegerField()
    gaps = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.source} {self.position}"


def subscribers() -> models.QuerySet[Destination]:
    """Destinations that get events of the fleet now."""
    return Destination.objects.enabled().filter(deleted_at=None).exclude(events=[])
