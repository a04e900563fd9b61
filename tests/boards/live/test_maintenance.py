"""The list of maintenance windows is updated live."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.factories import now
from tests.support.threads import in_thread
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import WindowScope
from tms.lib.calendar.recurrence import Recurrence

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


async def test_a_planned_window_is_pushed_to_open_boards(board, fleet, tanaka):
    terminal = await in_thread(fleet.terminal)
    recurrence = Recurrence(ZoneInfo("UTC"), now(-60).replace(tzinfo=None), timedelta(hours=1))
    scope = WindowScope(terminals=[terminal])
    async with board("/maintenance/") as opened:
        await opened.painted()

        window = await in_thread(lambda: services.plan(recurrence, scope, note="router", by=tanaka, at=now()))

        frame = await opened.showing(f"window-{window.pk}", "router")
        assert "csrf" not in frame.html
