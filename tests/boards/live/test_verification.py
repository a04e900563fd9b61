"""A board is verified: what was sent is compared with an independent count."""

import pytest

from tests.boards.live.changes import change
from tests.support import factories
from tests.support.builders import AT
from tests.support.factories import now
from tests.support.threads import in_thread
from tms.alerts.models import Alert
from tms.boards.live import verification as module
from tms.boards.live.frames import Verification
from tms.boards.live.verification import TRIES, Verifier
from tms.fleet.models import TerminalState
from tms.metrics import instruments

RETRY_S = module.RETRY_S

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.05)


async def test_a_board_that_equals_the_database_is_shown_as_verified(board, fleet):
    await in_thread(fleet.online)
    async with board("/") as opened:
        first = await opened.frame("repaint")

        beat = await opened.beat()
        while beat.freshness["database"]["state"] == "unchecked":
            beat = await opened.beat()

    assert first.freshness["database"] == {"state": "unchecked", "at": None}
    assert beat.freshness["database"]["state"] == "equal"
    assert beat.freshness["database"]["at"] is not None


@pytest.mark.parametrize(
    ("silently", "says"),
    [
        (lambda: TerminalState.objects.update(presence="offline"), "total-offline"),
        (lambda: Alert.objects.update(severity="info"), "total-info"),
    ],
)
async def test_a_board_that_missed_a_change_detects_it_reports_it_and_is_repainted(board, fleet, silently, says):
    await in_thread(lambda: factories.alert(fleet))
    diverged = instruments.BOARD_DIVERGED._value.get()
    async with board("/") as opened:
        await opened.painted()

        await in_thread(silently)

        frame = await opened.frame("repaint")
        assert frame.freshness["database"]["state"] == "differs"
        assert says in frame.html
        assert instruments.BOARD_DIVERGED._value.get() == diverged + 1
        beat = await opened.beat()
        while beat.freshness["database"]["state"] != "equal":
            beat = await opened.beat()


async def test_a_fleet_with_many_changes_is_not_reported_as_a_difference(board, fleet, monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", RETRY_S)  # a message may be this late, and on a busy machine it is
    terminals = await in_thread(lambda: fleet.terminals(10, presence="online"))
    diverged = instruments.BOARD_DIVERGED._value.get()
    async with board("/") as opened:
        await opened.painted()
        for terminal in terminals * 3:
            await in_thread(lambda terminal=terminal: change(terminal, presence="silent"))
            await in_thread(lambda terminal=terminal: change(terminal, presence="online"))

        beat = await opened.beat()

    assert beat.freshness["database"]["state"] != "differs"
    assert instruments.BOARD_DIVERGED._value.get() == diverged


def test_a_difference_is_reported_only_after_several_comparisons():
    verifier = Verifier(10)

    judgements = [verifier.judge(1, at=now(), now=0.0) for _ in range(TRIES)]

    assert judgements == [False] * (TRIES - 1) + [True]
    assert verifier.result.state == "differs"


def test_a_resolved_mismatch_restarts_the_comparisons():
    verifier = Verifier(10)
    for _ in range(TRIES - 1):
        verifier.judge(1, at=now(), now=0.0)

    verifier.judge(0, at=now(), now=0.0)

    assert not verifier.judge(1, at=now(), now=0.0)
    assert verifier.result.state == "equal"


def test_a_board_without_a_feed_is_not_verified():
    verifier = Verifier(10)
    verifier.judge(0, at=AT, now=0.0)

    verifier.judge(None, at=now(), now=10.0)

    assert verifier.result == Verification("equal", AT)
    assert verifier.due == 20.0


def test_a_verification_is_valid_for_the_interval():
    verifier = Verifier(10)

    verifier.judge(0, at=now(), now=5.0)

    assert (verifier.result.state, verifier.due) == ("equal", 15.0)
