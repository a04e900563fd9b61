"""The page of a rollout: its first line, waves, terminals, and what needs a person."""

import pytest
from django.test import Client

from tests.support import people
from tests.support.factories import now
from tests.support.pages import HtmlPage
from tms.rollouts.models import Rollout, RolloutItem, RolloutState, Wave, WaveKind, WaveState

pytestmark = pytest.mark.both
R, W = RolloutState, WaveState
PASSED, INSTALLING, WATCHED, WAITING = W.PASSED, W.INSTALLING, W.WATCHED, W.WAITING


@pytest.fixture
def lead(fleet):
    return people.person("lead", of="Manager")


@pytest.fixture
def browser(lead) -> Client:
    return people.signed_in(lead)


def rollout(by, state=R.RUNNING, waves=(INSTALLING, WAITING), **values) -> Rollout:
    chosen = {"name": "Firmware", "state_at": now(), "starts_at": now(), "until": now(86_400), "created_at": now()}
    made = Rollout.objects.create(state=state, started_by=by, **chosen | values)
    kinds = (WaveKind.CANARY, WaveKind.SHARE, WaveKind.REST)
    for number, (kind, of_wave) in enumerate(zip(kinds, waves, strict=False), 1):
        Wave.objects.create(rollout=made, number=number, kind=kind, state=of_wave, size=10)
    return made


def item(of: Rollout, terminal, state: str, **values) -> RolloutItem:
    wave = of.waves.first()
    return RolloutItem.objects.create(
        rollout=of, wave=wave, terminal=terminal, state=state, state_at=now(), not_before=now(), **values
    )


FIRST_LINES = {
    "running": (R.RUNNING, (PASSED, INSTALLING, WAITING), {}, "Running, wave 2 of 3"),
    "watching": (R.RUNNING, (WATCHED, WAITING), {}, "Watching wave 1 of 2"),
    "held": (R.HELD, (WATCHED, WAITING), {}, "Held before wave 2"),
    "planned": (R.PLANNED, (WAITING, WAITING), {}, "Planned"),
    "stopped in the canary": (R.STOPPED, (WATCHED, WAITING), {"reason": "effects"}, "Stopped in the canary"),
    "stopped later": (R.STOPPED, (PASSED, INSTALLING), {"reason": "failures"}, "Stopped in wave 2"),
    "too little": (R.FINISHED, (PASSED,), {}, "Finished, not enough evidence"),
    "finished": (R.FINISHED, (PASSED,), {"enough_evidence": True}, "Finished"),
    "rolled back": (R.ROLLED_BACK, (PASSED,), {}, "Rolled back"),
}


@pytest.mark.parametrize("case", FIRST_LINES)
def test_the_first_line_is_the_state_in_words(lead, browser, case):
    state, waves, values, expected = FIRST_LINES[case]
    made = rollout(lead, state, waves, **values)

    answer = HtmlPage(browser.get(made.get_absolute_url()))

    assert answer.text("rollout-state").startswith(expected)
