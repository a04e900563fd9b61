import pytest

from tests.faults.killed import TERMINALS, kill_under_load, running

pytestmark = pytest.mark.both


async def test_kill_9_under_load_loses_no_acknowledged_report_and_keeps_none_twice(tmp_path):
    with running(tmp_path) as tms:
        outcomes = await kill_under_load(tms)

    assert (outcomes.lost, outcomes.twice) == (0, 0)
    assert outcomes.kept == outcomes.made == outcomes.acknowledged
    assert outcomes.made > 50 * TERMINALS
