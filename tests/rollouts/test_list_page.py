"""The list of rollouts: states in words, groups, and who sees what."""

from typing import Any

import pytest
from django.test import Client

from tests.support import people
from tests.support.artifacts import make_artifact
from tests.support.factories import now
from tests.support.pages import HtmlPage
from tms.rollouts.models import (
    Rollout,
    RolloutArtifact,
    RolloutItem,
    RolloutItemState,
    RolloutState,
    Wave,
    WaveKind,
    WaveState,
)

pytestmark = pytest.mark.both


def rollout(by: Any, **values: Any) -> Rollout:
    chosen = {
        "name": "Kiosk firmware 4.8.3",
        "state": RolloutState.RUNNING,
        "state_at": now(),
        "starts_at": now(),
        "until": now(86_400),
        "created_at": now(),
        "started_by": by,
    }
    return Rollout.objects.create(**chosen | values)


def wave(of: Rollout, number: int, kind: str, state: str, **values: Any) -> Wave:
    return Wave.objects.create(rollout=of, number=number, kind=kind, state=state, **values)


@pytest.fixture
def lead(fleet):
    return people.person("lead", of="Manager")


@pytest.fixture
def browser(lead) -> Client:
    return people.signed_in(lead)


STEPS = {
    RolloutState.DRAFT: ("Planned", "Complete and start it"),
    RolloutState.PLANNED: ("Planned", "Wave 1"),
    RolloutState.RUNNING: ("Running", "Wave 2, 10%"),
    RolloutState.PAUSED: ("Running", "Resume, or stop"),
    RolloutState.HELD: ("Needs a decision", "Wave 2 waits"),
    RolloutState.STOPPED: ("Needs a decision", "Roll back, or continue"),
    RolloutState.FINISHED: ("Finished", "Finished, 1 failed"),
    RolloutState.ROLLED_BACK: ("Finished", "Rolled back"),
    RolloutState.CANCELLED: ("Finished", "Cancelled"),
    RolloutState.EXPIRED: ("Finished", "Expired"),
}


def test_the_pages_of_an_artifact_name_its_rollouts_to_who_may_read_them(fleet, lead, browser):
    artifact = make_artifact()
    for name, state in (("First try", RolloutState.CANCELLED), ("Second try", RolloutState.RUNNING)):
        made = rollout(lead, name=name, state=state)
        RolloutArtifact.objects.create(rollout=made, artifact=artifact)
        of_terminal = fleet.terminal()
        first = wave(made, 1, WaveKind.CANARY, WaveState.WATCHED)
        RolloutItem.objects.create(rollout=made, wave=first, terminal=of_terminal, not_before=now())
    elsewhere = people.person("elsewhere", of=None)
    people.grant(elsewhere, site=fleet.site("UMD"))
    stranger = people.signed_in(elsewhere)

    one, listed = (browser.get(path).content.decode() for path in (artifact.get_absolute_url(), "/artifacts/"))

    assert [name in one for name in ("First try", "Second try")] == [True, True]
    assert [name in listed for name in ("First try", "Second try")] == [False, True]
    assert "Second try" not in stranger.get(artifact.get_absolute_url()).content.decode()
    assert "Second try" not in stranger.get("/artifacts/").content.decode()


@pytest.mark.parametrize("state", RolloutState)
def test_a_row_says_what_comes_next(fleet, lead, browser, state):
    made = rollout(lead, state=state, reason="effects", evidence=18.4)
    canary = wave(made, 1, WaveKind.CANARY, WaveState.WATCHED)
    wave(made, 2, WaveKind.SHARE, WaveState.WAITING, size=10)
    one, other = fleet.terminal(), fleet.terminal()
    for terminal, item_state in ((one, RolloutItemState.DONE), (other, RolloutItemState.NOT_BACK)):
        RolloutItem.objects.create(rollout=made, wave=canary, terminal=terminal, state=item_state, not_before=now())

    answer = HtmlPage(browser.get("/rollouts/"))

    group, step = STEPS[state]
    row = answer.text(f"rollout-{made.pk}")
    assert group in answer.text("rollout-list")
    assert step in row
    assert "18" in row
