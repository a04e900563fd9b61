from pathlib import Path

import pytest

from tests.faults.fault import Finding
from tests.faults.killed import kill_the_process
from tests.faults.place import Single
from tests.faults.scene import Scene

pytestmark = [pytest.mark.both, pytest.mark.embedded]


async def test_kill_9_under_load_loses_no_acknowledged_report_and_keeps_none_twice(tmp_path: Path) -> None:
    finding = Finding("kill-single", "R29", "kill -9")

    async with Scene(Single(tmp_path), agents=20, light=20, report_every_s=0.2) as scene:
        await kill_the_process(scene, finding)

        made = scene.observer.made
        await scene.observer.settled()
        tally = await scene.observer.count(scene.query)

    assert (finding.lost, finding.twice, finding.false_alerts) == (0, 0, 0)
    assert (tally.lost, tally.twice) == (0, 0)
    assert tally.kept >= tally.acknowledged >= made  # agents go on to report while it is counted
