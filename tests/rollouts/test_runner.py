"""Rollouts as the clock runs them: what is ordered, what follows, and that nothing is ordered twice."""

from collections import Counter
from contextlib import suppress

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import jobs, people
from tests.support.artifacts import make_artifact
from tests.support.builders import AT, later
from tests.support.rollouts import answer, deliver, make_rollout, progress, reboot, states, tick, values
from tests.support.threads import run_concurrently
from tms.accounts.models import Grant, User
from tms.approvals.acts import Act
from tms.approvals.clearance import agreed
from tms.artifacts import delivery
from tms.clock import presence_sweep
from tms.commands import services as commands
from tms.commands.models import Command
from tms.configuration import versions
from tms.configuration.models import ConfigurationKey, Layer, TerminalConfiguration
from tms.configuration.places import Place
from tms.fleet.models import Lifecycle, Presence, Site, Terminal, TerminalState
from tms.fleet.terminals import lifecycle_changes
from tms.ops.health import heartbeats
from tms.rollouts import control, runner, services, starting, stop_rule, watching
from tms.rollouts.effects.decision import Action
from tms.rollouts.models import Rollout, RolloutEvent, RolloutItem, RolloutState, WaveKind, WaveState
from tms.rollouts.values import FailureRule, Postponing, WaveValues
from tms.rollouts.watching import Verdict

pytestmark = [pytest.mark.both, pytest.mark.embedded]
FIRMWARE = {"model": "KX-21", "firmware": "4.8.1", "features": ["update"], "boot_id": "boot-0"}


@pytest.fixture
def lead(fleet) -> User:
    return people.person("lead", of="Manager")


def kiosks(fleet, number: int, **more):
    return fleet.terminals_online(number, **FIRMWARE | more)


def at_sites(fleet, number: int, each: int = 2):
    return [one for n in range(number) for one in kiosks(fleet, each, site=fleet.site(f"S{n}"))]


def update(terminals, seconds: float, *, firmware: str = "4.8.3") -> None:
    """They install what they were told to, and come back."""
    sent = deliver(seconds)
    answer(sent, seconds + 1)
    tick(seconds + 2)
    for one in terminals:
        if one.pk in {command.terminal_id for command in sent}:
            reboot(one, seconds + 3, firmware=firmware)
    tick(seconds + 4)


def test_a_terminal_is_done_when_it_has_reported_the_wanted_version_for_the_settle_time(fleet, lead):
    terminal, _other = kiosks(fleet, 2)
    made = make_rollout(lead)

    first = states(made)
    sent = deliver(1)
    progress(sent, "downloading", 43)
    tick(2)
    downloading = states(made)
    progress(sent, "installing 4.8.3")
    tick(3)
    answer(sent, 4)
    tick(5)
    restarting = states(made)
    reboot(terminal, 60, firmware="4.8.3")
    tick(61)
    settling = states(made)
    tick(122)

    assert first == ["ordered", "waiting last_lane"]
    assert [command.args["version"] for command in sent] == ["4.8.3"]
    assert (downloading[0], restarting[0], settling[0]) == ("downloading", "restarting", "settling")
    assert states(made) == ["done", "ordered"]
    assert RolloutItem.objects.get(terminal=terminal).version_before == "4.8.1"


def test_waves_follow_each_other_when_they_were_watched_and_the_rollout_finishes(fleet, lead):
    terminals = at_sites(fleet, 2, 3)
    waves = (
        WaveValues(WaveKind.CANARY, 1, 1),
        WaveValues(WaveKind.REST, watch_hours=2),
        WaveValues(WaveKind.HELD_BACK),
    )
    made = make_rollout(lead, waves=waves, per_site=0)

    update(terminals, 1)
    tick(70)
    canary = states(made)
    tick(70 + 3_600)
    too_early = Counter(states(made))
    for seconds in range(7_300, 30_000, 600):
        tick(seconds)
        tick(seconds + 20)
        update(terminals, seconds + 21)
        tick(seconds + 110)

    assert sorted(canary) == ["done", *["waiting"] * 5]
    assert too_early == {"done": 1, "waiting": 5}  # without evidence it is watched for as long again
    made.refresh_from_db()
    assert (set(states(made)), made.state, made.enough_evidence) == ({"done"}, "finished", False)
    kinds = list(RolloutEvent.objects.values_list("kind", flat=True))
    assert kinds == ["started", *["wave_started", "wave_passed"] * 3, "ended"]


def test_a_wave_that_is_watched_again_after_a_stop_is_watched_for_its_whole_time(fleet, lead):
    terminals = at_sites(fleet, 2, 3)
    waves = (WaveValues(WaveKind.CANARY, 1, 1), WaveValues(WaveKind.REST, watch_hours=1))
    made = make_rollout(lead, waves=waves, per_site=0)
    update(terminals, 1)
    tick(70)
    control.stop(made, at=later(3_500), reason="effects")

    with agreed(Act.CONTINUE, name="", terminals=()):
        services.continue_stopped(made, by=lead, at=later(9_000), comment="the carrier was away")
    tick(9_001)
    tick(9_000 + 3_500)

    assert Counter(states(made)) == {"done": 1, "waiting": 5}
    assert made.waves.get(number=1).watched_until == later(9_001 + 3_600)


def test_a_small_rollout_waits_for_somebody_else_at_each_wave(fleet, lead):
    at_sites(fleet, 1, 3)
    waves = (WaveValues(WaveKind.NUMBER, 1, 0), WaveValues(WaveKind.REST, watch_hours=0))
    made = make_rollout(lead, waves=waves, approval=None)
    RolloutItem.objects.filter(wave__number=1).update(state="done")

    tick(1)
    second = made.waves.get(number=2)
    asked = second.asked_by, second.state
    with pytest.raises(services.MayNotApprove):
        services.approve_wave(second, by=lead, at=AT)
    services.approve_wave(second, by=people.person("other", of="Manager"), at=AT)
    tick(2)

    assert asked == (lead, WaveState.WAITING)
    assert Counter(states(made)) == {"done": 1, "ordered": 1, "waiting last_lane": 1}


def test_terminals_on_a_mobile_link_wait_for_the_next_month_once_they_downloaded_enough(fleet, lead):
    tagged, _other, at_tagged_site = terminals = at_sites(fleet, 3)[::2]
    tagged.tags.create(name="mobile")
    at_tagged_site.site.tags.create(name="mobile")
    first, second = (make_artifact(version=name, content=b"x" * 700_000) for name in ("4.8.3", "4.8.4"))
    delivery.order([one.pk for one in terminals], first, by=lead, at=AT, answer_within_s=60, deliver_within_s=60)
    deliver(1)
    tick(90)
    made = make_rollout(lead, at=later(100), artifacts=(second,), terminals=terminals, mobile_mb=1)

    this_month = states(made)
    for days in (5, 6):
        tick(days * 86_400)

    assert this_month == ["waiting mobile_limit", "ordered", "waiting mobile_limit"]
    assert states(made)[::2] == ["ordered", "ordered"]


def test_an_artifact_counts_once_a_month_however_often_it_was_ordered(fleet, lead):
    terminal, _other = at_sites(fleet, 1)
    terminal.tags.create(name="mobile")
    artifact = make_artifact(content=b"x" * 700_000)
    for seconds in (0, 100, 200):
        delivery.order([terminal.pk], artifact, by=lead, at=later(seconds), answer_within_s=60, deliver_within_s=60)
        answer(deliver(seconds + 1), seconds + 2, error="tms:not-now")

    made = make_rollout(lead, at=later(300), artifacts=(artifact,), terminals=[terminal], mobile_mb=1)

    assert states(made) == ["ordered"]


def test_a_rollout_in_which_nothing_happens_is_left_alone_for_seconds(fleet, lead):
    kiosks(fleet, 2)
    made = make_rollout(lead, started=False, starts_at=later(2))

    states_at = []
    for seconds in (1, 2.5, 4.1, 4.6):
        runner.run(later(seconds))
        made.refresh_from_db()
        states_at.append(made.state)

    assert states_at == ["planned", "planned", "running", "running"]


def test_a_terminal_that_settles_gets_nothing_of_another_rollout(fleet, lead):
    terminal, _other = kiosks(fleet, 2)
    first = make_rollout(lead, terminals=[terminal])
    update([terminal], 1)
    second = make_rollout(lead, at=later(10), artifacts=(make_artifact(version="4.8.4"),), terminals=[terminal])

    settling = states(first), states(second)
    tick(70)
    tick(71)

    assert settling == (["settling"], ["waiting"])
    assert (states(first), states(second)) == (["done"], ["ordered"])


def test_who_is_not_the_terminal_that_was_drawn_leaves_with_a_reason(fleet, lead):
    moved, replaced, retired, other = at_sites(fleet, 4, 1)
    Terminal.objects.update(serial="1")
    made = make_rollout(lead, started=False, hours="open")
    starting.start(made, by=lead, at=AT)
    Terminal.objects.filter(pk=moved.pk).update(site=Site.objects.exclude(pk=moved.site_id).first())
    Terminal.objects.filter(pk=replaced.pk).update(serial="2")
    Terminal.objects.filter(pk=other.pk).update(model="other")
    lifecycle_changes.change_state([retired.pk], Lifecycle.RETIRED, by=None, at=AT)

    tick(1)

    assert states(made) == ["skipped moved", "skipped replaced", "skipped retired", "skipped model"]


def test_an_order_that_was_not_delivered_waits_again_and_counts_as_no_attempt(fleet, lead):
    terminal, _other = kiosks(fleet, 2)
    made = make_rollout(lead, terminals=[terminal])

    commands.expire(later(30))
    tick(31)
    waiting = states(made)
    tick(50)

    assert waiting == ["waiting offline"]
    assert (states(made), RolloutItem.objects.get().attempts) == (["ordered"], 1)


def test_a_terminal_that_restarts_too_late_counts_as_what_it_runs(fleet, lead):
    terminal, _other = kiosks(fleet, 2)
    made = make_rollout(lead, terminals=[terminal])
    answer(deliver(1), 2)
    tick(3)
    tick(3 + 901)
    late = states(made)
    reboot(terminal, 1_000, firmware="4.8.3")
    tick(1_001)
    tick(1_062)

    assert (late, states(made)) == (["old_version no_restart"], ["done"])


@pytest.mark.parametrize("presence", [Presence.REBOOTING, Presence.ONLINE])
def test_an_outage_of_tms_makes_nobody_late_for_its_return(fleet, lead, settings, presence):
    """TMS may still take a terminal for online whose goodbye it has not received."""
    terminal, _other = kiosks(fleet, 2)
    made = make_rollout(lead, terminals=[terminal])
    answer(deliver(1), 2)
    tick(3)
    TerminalState.objects.filter(pk=terminal.pk).update(presence=presence)
    heartbeats.record(heartbeats.CLOCK, at=later(4))

    presence_sweep.catch_up(later(3_600))
    tick(3_601)
    before = states(made)
    reboot(terminal, 3_600 + settings.RECONNECT_GRACE_S - 1, firmware="4.8.3")
    tick(3_600 + settings.RECONNECT_GRACE_S)

    assert (before, states(made)) == (["restarting tms_away"], ["settling"])


def test_who_undid_its_update_because_tms_was_away_gets_it_again(fleet, lead):
    """An agent keeps new software only if it reaches TMS with it."""
    terminal, _other = kiosks(fleet, 2)
    made = make_rollout(lead, terminals=[terminal])
    sent = deliver(1)
    progress(sent, "installing 4.8.3")
    tick(2)
    heartbeats.record(heartbeats.CLOCK, at=later(3))
    presence_sweep.catch_up(later(700))

    reboot(terminal, 701, firmware="4.8.1")
    answer(sent, 702)
    tick(703)
    undone = states(made)
    tick(2_000)  # the guards wait after an update, as for any dangerous command
    update([terminal], 2_001, firmware="4.8.1")

    assert undone == ["waiting tms_away"]
    assert states(made) == ["old_version"]  # it has no such excuse the second time
    assert RolloutItem.objects.get().attempts == 1


def test_an_outage_of_tms_makes_nobody_late_while_it_settles(fleet, lead):
    terminal, _other = kiosks(fleet, 2)
    made = make_rollout(lead, terminals=[terminal])
    answer(deliver(1), 2)
    reboot(terminal, 3, firmware="4.8.3")
    tick(4)
    TerminalState.objects.filter(pk=terminal.pk).update(presence=Presence.SILENT)
    heartbeats.record(heartbeats.CLOCK, at=later(5))

    presence_sweep.catch_up(later(3_600))
    tick(3_601)
    before = states(made)
    TerminalState.objects.filter(pk=terminal.pk).update(presence=Presence.ONLINE)
    tick(3_602)

    assert (before, states(made)) == (["settling"], ["done"])


def test_an_order_that_was_lost_with_its_link_is_sent_again_over_the_next_one(fleet, lead):
    terminal, _other = kiosks(fleet, 2)
    made = make_rollout(lead, terminals=[terminal])
    (lost,) = deliver(1)

    tick(2)
    too_early = deliver(2)
    TerminalState.objects.filter(pk=terminal.pk).update(session=2)
    tick(3)
    again = deliver(3, session=2)
    tick(4)
    twice = deliver(4, session=2)

    assert (too_early, [one.pk for one in again], twice) == ([], [lost.pk], [])  # the same, so it is installed once
    assert (states(made), RolloutItem.objects.get().attempts) == (["ordered"], 1)


def test_an_order_whose_terminal_always_loses_its_link_keeps_its_deadline(fleet, lead):
    terminal, _other = kiosks(fleet, 2)
    made = make_rollout(lead, terminals=[terminal], install_within_s=3_600)

    sent = deliver(1)
    for session in range(2, 15):
        TerminalState.objects.filter(pk=terminal.pk).update(session=session)
        tick(session * 300)
        sent += deliver(session * 300 + 1, session=session)

    assert len(sent) > 8
    assert states(made) == ["failed no_answer"]


@pytest.mark.parametrize("is_heard", [True, False])
def test_an_order_that_arrived_is_not_sent_again(fleet, lead, is_heard):
    terminal, _other = kiosks(fleet, 2)
    make_rollout(lead, terminals=[terminal])
    sent = deliver(1)
    if is_heard:
        progress(sent, "downloading", 43)
    else:
        answer(sent, 2)
    TerminalState.objects.filter(pk=terminal.pk).update(session=2)

    tick(3)

    assert deliver(3, session=2) == []


THEN = [("leave", ["skipped in_use"], 2), ("update", ["failed in_use"], 3), ("closing", ["postponed hours"], 2)]


@pytest.mark.parametrize(("then", "expected", "orders"), THEN)
def test_a_terminal_in_use_is_asked_as_often_as_allowed(fleet, lead, then, expected, orders):
    kiosks(fleet, 1)
    fleet.online(site=fleet.site())
    made = make_rollout(lead, postponing=Postponing(1, 60, then))

    for n in range(4):
        answer(deliver(n * 100 + 1), n * 100 + 2, error="in_use: a customer pays")
        tick(n * 100 + 3)
        tick(n * 100 + 99)

    assert (states(made)[:1], Command.objects.count()) == (expected, orders)


def test_failures_above_the_threshold_stop_the_rollout_and_are_tried_again(fleet, lead):
    at_sites(fleet, 8)
    made = make_rollout(lead, failures=FailureRule(10, 4))

    answer(deliver(1)[:5], 2, error="no_space: 232 MB short")
    tick(3)
    made.refresh_from_db()
    stopped = made.state, made.reason, Counter(states(made))
    tick(4)
    retried = services.retry(made, by=lead, at=later(5), reason="no_space")
    with agreed(Act.CONTINUE, name="", terminals=()):
        services.continue_stopped(made, by=lead, at=later(6), comment="disks were cleaned", leave_out=["memory"])
    tick(70)

    assert stopped == ("stopped", "failures", {"failed no_space": 5, "ordered": 3, "waiting last_lane": 8})
    assert retried == 5
    assert Counter(states(made))["ordered"] == 8
    made.refresh_from_db()
    assert (made.state, "memory" in made.measures) == ("running", False)


def test_several_artifacts_are_installed_in_their_order(fleet, lead):
    terminal, _ = kiosks(fleet, 2, software={"app": "1.0"})
    artifacts = make_artifact(), make_artifact("app", "2.0")
    made = make_rollout(lead, artifacts=artifacts, settle_s=0, terminals=[terminal])

    update([terminal], 1)
    tick(6)
    tick(70)
    second = deliver(71)
    answer(second, 72)
    Terminal.objects.filter(pk=terminal.pk).update(software={"app": "2.0"})
    tick(73)
    tick(74)

    assert [command.args["name"] for command in second] == ["app"]
    item = RolloutItem.objects.get(terminal=terminal)
    assert (item.state, item.former) == ("done", {"kiosk-firmware": "4.8.1", "app": "1.0"})
    assert states(made)[0] == "done"


def test_a_withdrawn_artifact_pauses_its_rollouts(fleet, lead):
    at_sites(fleet, 2)
    made = make_rollout(lead)
    made.artifacts.update(withdrawn_at=AT)

    tick(1)
    made.refresh_from_db()

    assert (made.state, made.reason) == ("paused", "withdrawn")
    with pytest.raises(services.RolloutOver):
        services.resume(made, by=lead, at=AT)
    assert deliver(2) == []


def test_withdrawn_permission_stops_the_rollout(fleet, lead):
    at_sites(fleet, 2)
    made = make_rollout(lead)

    Grant.objects.filter(person=lead).delete()
    tick(1)

    made.refresh_from_db()
    assert (made.state, made.reason) == ("stopped", "permission")


def test_evidence_holds_the_next_wave_releases_it_and_stops_the_rollout(fleet, lead, monkeypatch):
    at_sites(fleet, 4)
    made = make_rollout(lead)
    seen = []
    for action in (Action.HOLD, Action.HOLD, Action.GO_ON, Action.STOP, Action.STOP):
        found = Verdict(18.4, action, {}, is_enough=False)
        monkeypatch.setattr(watching, "evaluate", lambda rollout, at, found=found: found)
        stop_rule.watch(AT)
        made.refresh_from_db()
        seen.append(made.state)
    waiting = Counter(states(made))

    tick(1)

    assert seen == ["held", "held", "running", "stopped", "stopped"]
    assert (made.reason, made.evidence) == ("effects", 18.4)
    assert waiting["ordered"] == 0 or Counter(states(made))["ordered"] <= waiting["ordered"]
    assert list(RolloutEvent.objects.values_list("kind", flat=True))[2:] == ["held", "released", "stopped"]


def test_later_terminals_join_the_last_wave(fleet, lead):
    at_sites(fleet, 2)
    made = make_rollout(lead)

    kiosks(fleet, 1, site=fleet.site("S0"))
    added = [starting.add_all_late(later(1)), starting.add_all_late(later(2))]

    assert (added, len(states(made))) == ([1, 0], 5)


# Rolling back


def test_each_updated_terminal_gets_its_former_version_again(fleet, lead):
    terminals = at_sites(fleet, 3)
    Terminal.objects.filter(pk=terminals[2].pk).update(firmware="4.7.0")
    Terminal.objects.filter(pk=terminals[4].pk).update(firmware="4.0.0")
    make_artifact(version="4.8.1")
    make_artifact(version="4.7.0")
    made = make_rollout(lead)
    update(terminals, 1)
    tick(80)

    found = services.roll_back_of(made, by=lead)
    back = services.roll_back(made, by=lead, at=later(90))
    again = services.roll_back(made, by=lead, at=later(90))
    tick(91)
    tick(102)
    sent = deliver(103)

    assert (found.versions, found.lacking) == ({"4.8.1": 1, "4.7.0": 1}, {"kiosk-firmware 4.0.0": 1})
    assert again == back
    assert sorted((one.terminal_id, one.args["version"]) for one in sent) == [
        (terminals[0].pk, "4.8.1"),
        (terminals[2].pk, "4.7.0"),
    ]
    made.refresh_from_db()
    assert (made.state, Counter(states(made))) == ("rolled_back", {"done": 3, "cancelled offline": 3})


# Configurations


@pytest.fixture
def version(fleet, lead):
    key = ConfigurationKey.objects.create(name="display.brightness", schema={"type": "integer"})
    edit = versions.ValueEdit(key, Place(Layer.FLEET), 70)
    return versions.fix(versions.edit([edit], by=lead, at=AT), by=lead, at=AT)


def configured(fleet):
    terminals = kiosks(fleet, 2)
    for terminal in terminals:
        TerminalConfiguration.objects.create(terminal=terminal, reported=0, reported_at=AT)
    return terminals


ANSWERS = [
    ({"result": {}}, "settling", "running"),
    ({"result": {"refused": {"display.brightness": "no backlight"}}}, "failed refused", "running"),
    ({"error": "undone: the link did not come back"}, "failed undone", "stopped"),
]


@pytest.mark.parametrize(("answered", "state", "rollout"), ANSWERS)
def test_a_configuration_is_done_when_it_is_reported_and_nothing_was_refused(
    fleet, lead, version, answered, state, rollout
):
    configured(fleet)
    made = make_rollout(lead, version=version)

    answer(deliver(1), 2, **answered)
    tick(3)

    made.refresh_from_db()
    assert (states(made)[0], made.state) == (state, rollout)


def test_a_configuration_that_was_undone_because_tms_was_away_is_sent_again(fleet, lead, version):
    configured(fleet)
    made = make_rollout(lead, version=version)
    sent = deliver(1)
    heartbeats.record(heartbeats.CLOCK, at=later(2))
    presence_sweep.catch_up(later(700))

    answer(sent, 701, error="undone: the link did not come back")
    tick(702)
    undone = states(made)
    tick(2_000)
    answer(deliver(2_001), 2_002)
    tick(2_003)

    made.refresh_from_db()
    assert undone[0] == "waiting tms_away"
    assert (states(made)[0], made.state) == ("settling", "running")


def test_rolling_back_a_configuration_takes_its_changes_back(fleet, lead, version):
    configured(fleet)
    made = make_rollout(lead, version=version)
    answer(deliver(1), 2, result={})
    tick(3)
    tick(70)

    back = services.roll_back(made, by=lead, at=later(80))

    assert (back.version.undoes, len(back.terminals)) == (version, 1)


# At most once


class Died(BaseException):
    """The process ends at this statement."""


@pytest.mark.django_db(transaction=True)
def test_whenever_the_clock_dies_no_terminal_is_ordered_twice(fleet, lead):
    at_sites(fleet, 3)
    made = make_rollout(lead, started=False)
    for allowed in range(90):
        left = [allowed]

        def die(execute, sql, params, many, context, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise Died
            return execute(sql, params, many, context)

        try:
            with connection.execute_wrapper(die):
                tick(0.01 * allowed)
        except Died:
            continue

    assert set(Command.objects.values_list("terminal", flat=True)) == set(
        RolloutItem.objects.filter(state="ordered").values_list("terminal", flat=True)
    )
    assert (Command.objects.count(), Counter(states(made))) == (3, {"ordered": 3, "waiting last_lane": 3})


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_order_each_terminal_once(fleet, lead):
    at_sites(fleet, 20)
    make_rollout(lead, started=False, at_once=15)

    results = run_concurrently(4, lambda n: [tick(n + step) for step in range(5)])

    assert not [result for result in results if isinstance(result, Exception)]
    assert (RolloutItem.objects.count(), Command.objects.count()) == (40, 15)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_rollout_that_is_sent_several_times_at_once_is_made_once(fleet, lead):
    at_sites(fleet, 1)
    given = values(comment=" Asked for\n")

    made = run_concurrently(4, lambda n: services.create(given, by=lead, at=later(n)).pk)

    assert set(made) == {Rollout.objects.get().pk}


# Random fleets


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["kiosk", "gate"])), min_size=2, max_size=8),
    st.lists(
        st.tuples(
            st.sampled_from(["tick", "tick", "tick", "answer", "fail", "boot", "lost", "pause", "resume", "stop"]),
            st.integers(0, 7),
        ),
        min_size=6,
        max_size=30,
    ),
    st.integers(1, 5),
)
def test_in_no_history_rollouts_and_jobs_take_the_last_working_lane(fleet, lanes, steps, at_once):
    with transaction.atomic():
        _follow_history(fleet, lanes, steps, at_once)
        transaction.set_rollback(True)


def _follow_history(fleet, lanes, steps, at_once) -> None:
    """Terminals fail, restart and come back at any time, while a rollout and a job go on."""
    sites = [fleet.site("AAA"), fleet.site("BBB")]
    terminals = [kiosks(fleet, 1, site=sites[site], kind=kind)[0] for site, kind in lanes]
    person = people.person("l", of="Manager")
    made = make_rollout(person, query="-uid:none", at_once=at_once, per_site=0, started=False)
    jobs.job(person, command="reboot", query="-uid:none", at_once=at_once)
    for number, (step, chosen) in enumerate(steps):
        seconds, one = number * 7.0, terminals[chosen % len(terminals)]
        _do(step, one, made, person, seconds)
        is_paused = Rollout.objects.get(pk=made.pk).state != RolloutState.RUNNING
        ordered = RolloutItem.objects.exclude(ordered_at=None).count()
        before = _working()
        tick(seconds)
        jobs.tick(seconds)
        assert before.keys() <= _working().keys()
        if is_paused and Rollout.objects.get(pk=made.pk).state != RolloutState.RUNNING:
            assert RolloutItem.objects.exclude(ordered_at=None).count() == ordered
        working = RolloutItem.objects.filter(ordered_at__isnull=False, ended_at=None).exclude(state="waiting")
        assert working.count() <= at_once


def _do(step: str, one: Terminal, made: Rollout, person: User, seconds: float) -> None:
    at = later(seconds)
    match step:
        case "answer" | "fail":
            answer(deliver(seconds), seconds, error="failed: x" if step == "fail" else "")
        case "boot":
            reboot(one, seconds, firmware="4.8.3")
        case "lost":
            TerminalState.objects.filter(pk=one.pk).update(presence=Presence.OFFLINE)
        case "stop":
            services.stop(made, at=at, reason="effects")
        case "pause" | "resume":
            with suppress(services.RolloutOver):
                getattr(services, step)(made, by=person, at=at)
        case _:
            commands.expire(at)


def _working() -> Counter[tuple[int, str]]:
    """Terminals of each lane that are online, and are neither told to restart nor change."""
    away = {*Command.objects.filter(state__in=("queued", "sent")).values_list("terminal", flat=True)}
    changing = ("ordered", "downloading", "installing", "restarting")
    away |= {*RolloutItem.objects.filter(state__in=changing).values_list("terminal", flat=True)}
    online = Terminal.objects.filter(state__presence=Presence.ONLINE)
    return Counter((terminal.site_id, terminal.kind) for terminal in online if terminal.pk not in away)
