"""The page of a rollout: its first line, waves, terminals, and what needs a person."""

import pytest
from django.test import Client

from tests.support import people
from tests.support.factories import now
from tests.support.pages import HtmlPage
from tms.artifacts.fitting import Misfit
from tms.jobs.guards import Hold, Skip
from tms.rollouts.models import Rollout, RolloutEvent, RolloutItem, RolloutState, Wave, WaveKind, WaveState
from tms.rollouts.outcomes import KNOWN
from tms.rollouts.pages.items import WAITS

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
    chosen["started_at"] = None if state in (R.DRAFT, R.PLANNED) else now()
    made = Rollout.objects.create(state=state, started_by=by, **chosen | values)
    kinds = (WaveKind.CANARY, WaveKind.SHARE, WaveKind.REST)
    for number, (kind, of_wave) in enumerate(zip(kinds, waves, strict=False), 1):
        Wave.objects.create(rollout=made, number=number, kind=kind, state=of_wave, size=10)
    return made


def item(of: Rollout, terminal, state: str, **values) -> RolloutItem:
    times = dict.fromkeys(("state_at", "not_before"), now())
    chosen = {"wave": of.waves.first(), "state": state} | times | values
    return RolloutItem.objects.create(rollout=of, terminal=terminal, **chosen)


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


def test_cells_and_numbers_follow_the_items(fleet, lead, browser):
    made = rollout(lead)
    for state in ("done", "failed", "old_version", "settling", "postponed"):
        item(made, fleet.terminal(), state)

    answer = HtmlPage(browser.get(made.get_absolute_url()))

    names = ("updated", "working", "attention", "total")
    assert [answer.text(f"rollout-{name}") for name in names] == ["1", "1", "2", "5"]
    assert answer.text("rollout-waiting") == "1 1 postponed"
    parts = [attributes["data-part"] for tag, attributes in answer.elements if tag == "a" and "data-part" in attributes]
    assert parts == ["done", "failed", "odd", "settling", "postponed"]


def test_what_needs_a_person_is_grouped_by_reason_and_tried_again(fleet, lead, browser):
    made = rollout(lead)
    for reason, error in (("no_space", "2 MB short"), ("no_space", "9 MB short"), ("failed", "E7"), ("failed", "E8")):
        item(made, fleet.terminal(), "failed", reason=reason, error=error)
    odd = item(made, fleet.terminal(), "new_version")

    text = HtmlPage(browser.get(made.get_absolute_url())).text("attention")
    assert "No space left try again 2" in text
    assert text.count("E7") == text.count("E8") == 1
    browser.post(f"/rollouts/{made.pk}/confirm/")
    again = [{"reason": "no_space"}, {"reason": "failed", "error": "E7"}, {"state": "failed"}]
    waiting = []
    for chosen in again:
        browser.post(f"/rollouts/{made.pk}/retry/", chosen)
        waiting.append(made.items.filter(state="waiting").count())

    odd.refresh_from_db()
    assert odd.state == "done"
    assert waiting == [2, 3, 4]


def test_a_wave_of_many_terminals_shows_ten_a_cell(fleet, lead, browser, monkeypatch):
    monkeypatch.setattr("tms.rollouts.pages.waves.ONE_EACH", 20)
    made = rollout(lead, waves=(PASSED, INSTALLING))
    second = made.waves.get(number=2)
    for number in range(25):
        item(made, fleet.terminal(), "done" if number < 15 else "waiting")
    made.items.update(wave=second)

    page = browser.get(made.get_absolute_url()).content.decode()

    assert "ten terminals a cell" in page
    assert page.count('<i data-part="done"></i>') == 2  # of the wave one, and one of the key


ALLOWED = {
    R.DRAFT: {"start", "discard"},
    R.PLANNED: {"pause", "stop"},
    R.RUNNING: {"pause", "stop", "roll-back"},
    R.HELD: {"pause", "stop", "roll-back"},
    R.PAUSED: {"resume", "stop", "roll-back"},
    R.STOPPED: {"stop", "roll-back", "continue"},
    R.CANCELLED: {"roll-back"},
    R.EXPIRED: {"roll-back"},
    R.FINISHED: {"roll-back"},
    R.ROLLED_BACK: set(),
}
ACTIONS = ("start", "discard", "pause", "resume", "stop", "roll-back", "continue")


@pytest.mark.parametrize("state", R)
def test_a_page_offers_only_what_may_be_done_now(fleet, lead, browser, state):
    made = rollout(lead, state, (PASSED, WAITING))
    if state not in (R.DRAFT, R.PLANNED):
        item(made, fleet.terminal(), "done")

    page = browser.get(made.get_absolute_url()).content.decode()

    assert {action for action in ACTIONS if f'"/rollouts/{made.pk}/{action}/"' in page} == ALLOWED[state]


def test_a_reader_is_offered_nothing_and_may_do_nothing(fleet, lead):
    made = rollout(lead, R.STOPPED)
    item(made, fleet.terminal(), "failed")
    reader = people.signed_in(people.person("reader", of="Viewer"))

    page = reader.get(made.get_absolute_url()).content.decode()

    assert not [action for action in (*ACTIONS, "retry") if f"/rollouts/{made.pk}/{action}/" in page]
    for action in (*ACTIONS, "retry", "confirm"):
        assert reader.post(f"/rollouts/{made.pk}/{action}/").status_code == 403


def test_who_sees_one_site_does_not_see_the_rollout_of_somebody_who_may_everywhere(fleet, lead):
    here = fleet.site("SJK")
    made = rollout(lead)
    mine = item(made, fleet.terminal(site=here), "done")
    item(made, fleet.terminal(site=fleet.site("TYO")), "done")
    other = people.person("local", of=None)
    people.grant(other, people.ROLES["Manager"], site=here)
    local = people.signed_in(other)

    assert local.get(made.get_absolute_url()).status_code == 404
    assert "Firmware" not in local.get("/rollouts/").content.decode()
    assert local.get(f"/rollouts/{made.pk}/export/").status_code == 404
    Rollout.objects.filter(pk=made.pk).update(started_by=other)
    assert HtmlPage(local.get(made.get_absolute_url())).rows("item-") == [f"item-{mine.pk}"]


def test_the_starter_does_not_approve_the_next_wave(fleet, lead, browser):
    made = rollout(lead, R.RUNNING, (WATCHED, WAITING))
    item(made, fleet.terminal(), "waiting", wave=made.waves.get(number=2))
    made.waves.filter(number=2).update(asked_at=now(), asked_by=lead)
    second = people.signed_in(people.person("second", of="Manager"))
    address = f"/rollouts/{made.pk}/waves/2/approve/"

    assert address not in browser.get(made.get_absolute_url()).content.decode()
    assert browser.post(address).status_code == 409
    assert address in second.get(made.get_absolute_url()).content.decode()
    assert second.post(address).status_code == 302
    assert made.waves.get(number=2).approved_by.username == "second"


def test_going_on_after_a_stop_needs_a_reason(fleet, lead, browser):
    made = rollout(lead, R.STOPPED, (WATCHED, WAITING), reason="effects")
    item(made, fleet.terminal(), "done")

    answer = browser.post(f"/rollouts/{made.pk}/continue/", {"reason": " "})

    assert answer.status_code == 422
    assert "Say why" in answer.content.decode()
    assert not RolloutEvent.objects.exists()


def test_every_reason_for_which_a_terminal_waits_fails_or_is_skipped_has_words():
    assert {*Misfit, *Hold, *Skip, *KNOWN, "failed", "moved", "replaced", "current"} <= WAITS.keys()
