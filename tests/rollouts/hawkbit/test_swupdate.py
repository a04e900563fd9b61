"""The distribution's unmodified swupdate against a running TMS, with a network and images that fail."""

import json
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.rollouts.hawkbit import swupdate
from tests.rollouts.hawkbit.front import Cut, Front
from tests.rollouts.hawkbit.swupdate import FAILED, INSTALLED, TESTING, Updater
from tests.support.polling import wait_for
from tests.support.servers.tms import RunningTMS

pytestmark = pytest.mark.skipif(swupdate.program() is None, reason="swupdate: not unpacked by scripts/system-packages")

STATUSES = (401, 404, 410, 429, 500, 503)
ORDER = """
import sys, json, pathlib, django
django.setup()
from datetime import timedelta
from django.db import transaction
from django.utils import timezone
from tests.support.artifacts import make_artifact
from tms.artifacts import delivery
from tms.fleet.credentials import services as credentials
from tms.fleet.models import Site, Terminal
folder, names = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
at = timezone.now()
site, _ = Site.objects.get_or_create(code="SJK", defaults={"name": "Shinjuku South"})
made = {}
with transaction.atomic():
    for image in sorted(set(names.values())):
        content = (folder / f"{image}.swu").read_bytes()
        made[image] = make_artifact(name=image, version="2.0", content=content, expires=at + timedelta(days=9))
    made["wrong_hash"].sha1 = "0" * 40
    made["wrong_hash"].save()
    keys = {uid: str(credentials.enrol(Terminal(uid=uid, site=site))) for uid in names}
    for uid, image in names.items():
        terminal = Terminal.objects.get(uid=uid).pk
        delivery.order([terminal], made[image], by=None, at=at, answer_within_s=600, deliver_within_s=600)
print(json.dumps(keys))
"""
CANCEL = """
import sys, django
django.setup()
from django.utils import timezone
from tms.commands.models import Command
from tms.rollouts.hawkbit import actions
for uid in sys.argv[1:]:
    assert actions.cancel(Command.objects.get(terminal__uid=uid), reason="cancelled", at=timezone.now()), uid
"""
STATES = """
SELECT t.uid, t.firmware, c.state, c.error, c.answered_at, s.presence FROM commands_command c
JOIN fleet_terminal t ON t.id = c.terminal_id JOIN fleet_terminalstate s ON s.terminal_id = t.id
"""


class Case(NamedTuple):
    state: str
    """The state of its order."""
    version: str
    """What the terminal runs in the end, and TMS knows."""
    image: str = "signed"
    faults: tuple[tuple[str, int], ...] = ()
    error: str = ""
    boots: str = TESTING
    """What the boot loader says after an installation: the new system runs, or the former one again."""
    lies: bool = False
    """The new system is said to run, but does not."""
    cancel: str = ""
    is_killed: bool = False


CASES = {
    "INSTALL": Case("done", "2.0"),
    "TWO-CUTS": Case("done", "2.0", faults=(("download", Cut(100_000)), ("download", Cut(60_000)))),
    "KILLED": Case("done", "2.0", is_killed=True),
    "CANCEL-BEFORE": Case("expired", "1.0", cancel="before"),
    "CANCEL-DURING": Case("expired", "1.0", cancel="during"),
    "UNTESTED": Case("done", "2.0", boots=INSTALLED),
    "ROLLED-BACK": Case("failed", "1.0", boots=FAILED, error="Update Failed"),
    "OLD-FIRMWARE": Case("done", "1.0", lies=True),
    "WRONG-HASH": Case("failed", "2.0", "wrong_hash", error="No suitable .swu image found"),
    "UNSIGNED": Case("failed", "1.0", "unsigned", error="No suitable .swu image found"),
    **{
        f"{resource.upper()}-{status}": Case("done", "2.0", faults=((resource, status),))
        for resource in ("poll", "configData", "deploymentBase")
        for status in STATUSES
    },
    **{f"FEEDBACK-{code}": Case("done", "2.0", faults=(("deploymentBase/feedback", code),)) for code in STATUSES},
    **{f"DOWNLOAD-{code}": Case("failed", "1.0", faults=(("download", code),)) for code in STATUSES},
    **{
        f"CANCEL-{code}": Case("expired", "1.0", cancel="during", faults=(("cancelAction/feedback", code),))
        for code in STATUSES
    },
}


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    with (
        RunningTMS(tmp_path, TMS_HAWKBIT_POLL_S="20", TMS_DOWNLOADS_PER_SITE="99", TMS_DOWNLOADS_AT_ONCE="99") as tms,
        Front(tms) as front,
    ):
        yield front


def test_the_state_in_tms_is_that_of_the_terminal(front: Front, tmp_path: Path) -> None:
    updaters = _order(front, tmp_path)
    for uid, case in CASES.items():
        for resource, fault in case.faults:
            front.faults[uid, resource].append(fault)
        if case.cancel == "during" or case.is_killed:
            front.hold(uid)

    try:
        front.tms.run_code(CANCEL, *_cancelled("before"))
        for updater in updaters.values():
            updater.start()
        _interrupt(front, updaters)
        rows = _drive_all(front, updaters)
    finally:
        for updater in updaters.values():
            updater.kill()

    expected = {uid: (case.state, case.version, case.version) for uid, case in CASES.items()}
    assert {uid: (row.state, row.firmware, updaters[uid].version) for uid, row in rows.items()} == expected
    assert {uid: rows[uid].error for uid, case in CASES.items() if case.error not in rows[uid].error} == {}
    assert [key for key, faults in front.faults.items() if faults] == []


class Row(NamedTuple):
    """What TMS knows of one terminal."""

    uid: str
    firmware: str
    state: str
    error: str
    answered_at: Any
    presence: str

    @property
    def is_over(self) -> bool:
        case = CASES[self.uid]
        is_answered = self.answered_at is not None or case.cancel == "before"
        return is_answered and self.presence == "online" and (self.state, self.firmware) == (case.state, case.version)


def _order(front: Front, folder: Path) -> dict[str, Updater]:
    swupdate.make_keys(folder)
    for name, keys in (("signed", folder), ("wrong_hash", folder), ("unsigned", None)):
        (folder / f"{name}.swu").write_bytes(swupdate.make_image("2.0", keys=keys))
    printed = front.tms.run_code(ORDER, str(folder), json.dumps({uid: case.image for uid, case in CASES.items()}))
    return {
        uid: Updater(folder / uid, uid=uid, credential=credential, keys=folder, serve=front.serve)
        for uid, credential in json.loads(printed).items()
    }


def _cancelled(when: str) -> list[str]:
    return [uid for uid, case in CASES.items() if case.cancel == when]


def _interrupt(front: Front, updaters: dict[str, Updater]) -> None:
    """Kill or cancel those that download."""
    wait_for(lambda: front.held.keys() - front.downloading, lambda waiting: not waiting)
    front.tms.run_code(CANCEL, *_cancelled("during"))
    for uid, case in CASES.items():
        if case.is_killed:
            updaters[uid].kill()
            front.held[uid].set()
            updaters[uid].start()


def _drive_all(front: Front, updaters: dict[str, Updater]) -> dict[str, Row]:
    """What TMS knew of each when it was over. There is a time limit for the next one only."""
    over: dict[str, Row] = {}
    while len(over) < len(updaters):
        over |= wait_for(partial(_drive, front, updaters, over.keys()))
    return over


def _drive(front: Front, updaters: dict[str, Updater], over: Collection[str]) -> dict[str, Row]:
    """Restart those that installed something, as their boot loaders would. Returns those that are over by now."""
    rows = {row[0]: Row(*row) for row in front.tms.query(STATES) if row[0] not in over}
    for uid, row in rows.items():
        updater, case = updaters[uid], CASES[uid]
        if row.is_over:
            updater.kill()
        elif updater.state == INSTALLED and not updater.has_restarted and _has_reported(front, uid):
            is_old = case.lies or case.boots == FAILED
            updater.restart(state=case.boots, version="1.0" if is_old else None)
    return {uid: row for uid, row in rows.items() if row.is_over}


def _has_reported(front: Front, uid: str) -> bool:
    """Whether it polls again after the installation: its feedback is sent."""
    seen = front.seen[uid]
    return "poll" in seen[len(seen) - seen[::-1].index("deploymentBase/feedback") :]
