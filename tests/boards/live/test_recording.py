"""Records of what boards have been sent, if `TMS_REPLAY_RECORD_S` is set."""

import pytest

from tests.support import factories
from tests.support.polling import wait_for
from tests.support.threads import in_thread
from tms.boards.live import verification
from tms.replay.models import RecordedMoment
from tms.replay.recorded import comparison

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


async def test_a_recorded_moment_equals_its_replay(board, fleet, settings, monkeypatch):
    monkeypatch.setattr(verification, "RECORD_RETRY_S", 0.05)
    settings.REPLAY_RECORD_S = 0.1
    async with board("/") as opened:
        await opened.painted()
        await in_thread(lambda: factories.alert(fleet))

        recorded = RecordedMoment.objects.filter(shown__totals__alerts={"critical open": 1}).order_by("pk")
        newest = await in_thread(lambda: wait_for(recorded.last))

    assert await in_thread(lambda: comparison.compare(newest, at=newest.at + comparison.SETTLED)) == "equal"


async def test_nothing_is_recorded_by_default(board, fleet):
    async with board("/") as opened:
        await opened.painted()
        await opened.beat()

    assert not await in_thread(RecordedMoment.objects.exists)
