"""Concurrent changes of the fleet on a real PostgreSQL, also while terminals boot."""

from collections import Counter
from collections.abc import Iterable

import pytest
from django.http import HttpResponse

from tests.support.builders import Link, later
from tests.support.threads import run_concurrently
from tms.fleet.models import Credential, Placement, Terminal
from tms.ingest import commit

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
CALLERS = 8


def statuses(answers: Iterable[HttpResponse]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


@pytest.mark.parametrize(("path", "field"), [("/sites/SJK", "name"), ("/terminals/T-1", "label")])
def test_of_concurrent_changes_of_one_version_one_succeeds(editor, fleet, path, field):
    fleet.terminal(uid="T-1")
    version = editor.get(path)["ETag"]

    answers = run_concurrently(CALLERS, lambda n: editor.send("PATCH", path, {field: f"Changed {n}"}, If_Match=version))

    assert statuses(answers) == {200: 1, 412: CALLERS - 1}


def test_of_concurrent_terminals_with_one_uid_one_is_created(editor, fleet):
    fleet.site("SJK")

    answers = run_concurrently(CALLERS, lambda _: editor.post("/terminals", {"uid": "T-1", "site": "SJK"}))

    assert statuses(answers) == {201: 1, 409: CALLERS - 1}
    assert Terminal.objects.count() == 1


def test_concurrent_replacements_leave_one_device_with_one_key(editor, fleet):
    terminal = fleet.terminal(uid="T-1", serial="S-0")

    answers = run_concurrently(CALLERS, lambda n: editor.post("/terminals/T-1/replace", {"serial": f"S-{n + 1}"}))

    assert statuses(answers) == {201: CALLERS}
    placed = Placement.objects.open().get(terminal=terminal)
    assert Credential.objects.get(revoked_at=None).device_id == placed.device_id


def test_a_terminal_that_boots_meanwhile_blocks_no_change(editor, fleet):
    terminal = fleet.terminal(uid="T-1")

    def act(n: int) -> int:
        if n % 2:
            commit.write([Link(terminal).boot(f"boot-{n}", at=later(n), serial="S-1", firmware=f"1.{n}")])
            return 200
        states = ("out_of_service", "in_service")
        return editor.post("/terminals/T-1/state", {"lifecycle": states[n // 2 % 2]}).status_code

    assert run_concurrently(CALLERS, act) == [200] * CALLERS
