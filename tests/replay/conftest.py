from datetime import datetime, timedelta

import pytest

from tests.support.builders import AT
from tms.fleet.models import Terminal
from tms.replay import snapshots
from tms.replay.models import Snapshot

BASES = ("now", "before", "after")


@pytest.fixture(params=BASES)
def based_on(request):
    """Makes replays of the time from `AT` start from what is in the database now, or from a snapshot."""

    def prepare(*, now: datetime) -> None:
        Terminal.objects.update(created_at=AT - timedelta(days=1))
        Snapshot.objects.all().delete()
        if request.param != "now":
            snapshots.make(AT - timedelta(hours=1) if request.param == "before" else now, now=now)

    return prepare
