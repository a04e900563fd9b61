"""Publishes terminals that another process enrolled.

Without Redis the feed ends with its process: what a management command publishes does not reach the boards of the one
that serves.
"""

from datetime import datetime

from django.db.models import Max

from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import Terminal


class EnrolmentWatcher:
    def __init__(self) -> None:
        self._newest: int | None = None

    def publish_new(self, _at: datetime) -> None:
        """Publishes nothing in the first pass: boards read everything when they start."""
        if self._newest is None:
            self._newest = Terminal.objects.aggregate(newest=Max("pk"))["newest"] or 0
            return
        new = frozenset(Terminal.objects.filter(pk__gt=self._newest).values_list("pk", flat=True))
        if new:
            self._newest = max(new)
            publish(Change(terminals=new, presence=new))
