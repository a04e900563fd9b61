from pathlib import Path

import pytest

from tests.faults.fault import Finding
from tests.faults.processes.killed import kill_the_process
from tests.faults.scenario.environment import SingleProcess
from tests.faults.scenario.scenario import Scenario

pytestmark = [pytest.mark.both, pytest.mark.embedded]


async def test_kill_9_under_load_loses_no_acknowledged_report_and_stores_none_twice(tmp_path: Path) -> None:
    finding = Finding("kill-single", "terminals reconnect within 30 s, without false alerts", "kill -9")

    async with Scenario(SingleProcess(tmp_path), agents=20, light=20, report_every_s=0.2) as scenario:
        await kill_the_process(scenario, finding)

        made = scenario.observer.made
        await scenario.observer.wait_until_acknowledged()
        tally = await scenario.observer.count(scenario.query)

    assert (finding.lost, finding.duplicated, finding.false_alerts) == (0, 0, 0)
    assert (tally.lost, tally.duplicated) == (0, 0)
    assert tally.stored >= tally.acknowledged >= made  # agents continue to report while the database is read
