"""Runs of jobs: what is sent, what waits and why, and that nothing is sent twice."""

from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import people
from tests.support.builders import AT, Fleet, later
from tests.support.factories import now
from tests.support.jobs import answer, job, tick
from tests.support.threads import run_concurrently
from tms.accounts.access import Forbidden
from tms.accounts.models import AuditEntry, Grant, User
from tms.alerts.maintenance import services as maintenance
from tms.alerts.maintenance.services import WindowScope
from tms.commands import definitions
from tms.commands import services as commands
from tms.commands.definitions import DefinitionValues
from tms.commands.models import Command, Danger, TerminalCapabilities
from tms.commands.services import CommandRefused
from tms.fleet.models import Lifecycle, Presence, Terminal, TerminalState
from tms.fleet.terminals import lifecycle_changes
from tms.jobs import runner, services, starting
from tms.jobs.models import Item, Job, JobHours, JobRun, RetryReason
from tms.jobs.services import JobOver, JobRefused, Retries
from tms.lib.calendar.recurrence import Recurrence
from tms.query.errors import QueryError

pytestmark = [pytest.mark.both, pytest.mark.embedded]


@pytest.fixture
def lead(fleet) -> User:
    return people.person("lead", of="Manager")


def states() -> list[str]:
    return [f"{item.state} {item.reason}".strip() for item in Item.objects.order_by("terminal")]


def test_a_run_sends_within_its_limits_and_ends_when_all_are_done(fleet, lead):
    fleet.terminals_online(3, site=fleet.site("AAA"))
    fleet.terminals_online(2, site=fleet.site("BBB"))
    made = job(lead, at_once=3, per_site=2)

    tick(0)
    first = states()
    answered = [len(answer(1))]
    tick(2)
    answered.append(len(answer(3)))
    tick(4)

    assert first == ["sent", "sent", "waiting", "sent", "waiting"]
    assert answered == [3, 2]
    assert set(states()) == {"done"}
    made.refresh_from_db()
    assert (made.state, JobRun.objects.get().ended_at) == ("finished", later(4))
    assert {command.created_by for command in Command.objects.all()} == {lead}
    assert list(AuditEntry.objects.filter(subject_type="jobs.job").values_list("action", flat=True)) == ["created"]
    assert not AuditEntry.objects.filter(action="commanded").exists()


def test_runs_that_wait_do_not_keep_others_from_their_turn(fleet, lead, monkeypatch):
    monkeypatch.setattr(runner, "RUNS_A_PASS", 2)
    fleet.terminals_online(1)
    made = [job(lead, name=str(number)) for number in range(5)]
    starting.start_due(AT)
    for one in made[:3]:
        services.pause(one)

    for seconds in range(3):
        runner.advance(later(seconds))

    assert Command.objects.count() == 2


def test_members_are_frozen_when_the_run_starts(fleet, lead):
    fleet.terminals_online(1)
    job(lead)

    fleet.terminals_online(1)
    tick(0)
    fleet.terminals_online(1)
    tick(1)

    assert Item.objects.count() == 2


def test_only_terminals_for_which_the_starter_may_do_both_are_members(fleet):
    here, there = fleet.site("AAA"), fleet.site("BBB")
    mine, other = fleet.terminals_online(1, site=here)[0], fleet.terminals_online(1, site=there)[0]
    person = people.person("lead", of=None)
    people.grant(person, "Lead", site=here)
    people.grant(person, "Operator")

    job(person)
    tick(0)
    with pytest.raises(JobRefused, match=f"you may not send ping to: {other.uid}"):
        job(person, query="", terminals=[mine, other])
    with pytest.raises(Forbidden):
        job(people.person("operator", of="Operator"))

    assert [item.terminal for item in Item.objects.all()] == [mine]


def test_what_holds_an_item_is_said_and_asked_again(fleet, lead):
    away, able, unable, retired = fleet.terminals_online(4)
    TerminalState.objects.filter(pk=away.pk).update(presence=Presence.OFFLINE)
    TerminalCapabilities.objects.create(terminal=unable, names="reboot")
    job(lead)
    starting.start_due(AT)
    lifecycle_changes.change_state([retired.pk], Lifecycle.RETIRED, by=None, at=AT)

    runner.advance(AT)
    first = states()
    TerminalState.objects.filter(pk=away.pk).update(presence=Presence.ONLINE)
    tick(16)

    assert first == ["waiting offline", "sent", "skipped unsupported", "skipped retired"]
    assert states() == ["sent", "sent", "skipped unsupported", "skipped retired"]
    assert able.pk in commands.waiting(at=later(16))


def test_a_command_that_was_not_delivered_in_time_waits_again_and_counts_as_no_attempt(fleet, lead):
    fleet.terminals_online(1)
    job(lead)
    tick(0)

    commands.expire(later(30))
    tick(30)
    waiting = states()
    tick(46)
    answer(47)
    tick(48)

    assert (waiting, states(), Item.objects.get().attempts) == (["waiting offline"], ["done"], 1)


def test_what_still_waits_at_the_end_expires(fleet, lead):
    fleet.terminals(1)
    job(lead, length_s=100)

    tick(0)
    tick(100)

    assert states() == ["expired offline"]
    assert Job.objects.get().state == "finished"


RETRIED = [
    ((), "failed failed", 1),
    ((RetryReason.NO_ANSWER,), "failed failed", 1),
    ((RetryReason.FAILED,), "failed failed", 2),
]


@pytest.mark.parametrize(("reasons", "state", "attempts"), RETRIED)
def test_a_failure_is_tried_again_for_the_named_reasons_only(fleet, lead, reasons, state, attempts):
    fleet.terminals_online(1)
    job(lead, retries=Retries(1 if reasons else 0, 60, reasons))

    for seconds in range(0, 300, 20):
        tick(seconds)
        answer(seconds + 1, error="tms:refused")

    assert (states(), Item.objects.get().attempts, Command.objects.count()) == ([state], attempts, attempts)


def test_an_error_is_forgotten_once_a_retry_is_done(fleet, lead):
    fleet.terminals_online(1)
    job(lead, retries=Retries(1, 60, (RetryReason.FAILED,)))

    tick(0)
    answer(1, error="no paper")
    tick(2)
    tick(63)
    answer(64)
    tick(65)

    assert (states(), Item.objects.get().error) == (["done"], "")


CHANGED = [
    ({"danger": Danger.DELETES_DATA}, "command", 1),
    ({"arguments": {"type": "object", "required": ["mode"]}}, "command", 1),
    ({"danger": Danger.CUTS_LINK}, "", 2),
]


@pytest.mark.parametrize(("changes", "reason", "sent"), CHANGED)
def test_a_command_that_is_changed_during_a_run_is_looked_at_again_at_each_send(fleet, lead, changes, reason, sent):
    defined = definitions.define("wipe", DefinitionValues(label="Wipe"))
    for terminal in fleet.terminals_online(4, site=fleet.site("AAA")):
        TerminalCapabilities.objects.create(terminal=terminal, names="wipe")
    made = job(lead, command="wipe", at_once=1)
    tick(0)
    answer(1)

    definitions.change(defined, DefinitionValues(label="Wipe", **changes), confirm=1)
    Job.objects.filter(pk=made.pk).update(at_once=3)
    tick(2)

    made.refresh_from_db()
    assert (made.reason, Command.objects.count()) == (reason, sent)


@pytest.mark.parametrize(("error", "state"), [("", "done"), ("no paper", "failed failed")])
def test_a_job_that_is_tried_on_one_terminal_goes_on_when_somebody_resumes_it(fleet, lead, error, state):
    fleet.terminals_online(3)
    made = job(lead, is_trial=True, retries=Retries(1, 60, (RetryReason.FAILED,)))

    tick(0)
    tick(1)
    trial = states()
    commands.expire(later(30))  # it was not delivered: that was no trial
    tick(50)
    answer(51, error=error)
    tick(52)
    tick(53)
    held = states()
    made.refresh_from_db()
    reasons = [made.state, made.reason]
    services.resume(made)
    tick(70)
    answer(71)
    tick(72)

    assert trial == ["sent", "waiting", "waiting"]
    assert (sorted(held), reasons) == (sorted([state, "waiting", "waiting offline"]), ["paused", "trial"])
    assert sorted(states()) == sorted([state, "done", "done"])
    made.refresh_from_db()
    assert (made.state, made.reason) == ("finished", "")


def test_a_trial_of_a_single_terminal_needs_nobody(fleet, lead):
    fleet.terminals_online(1)
    made = job(lead, is_trial=True)

    tick(0)
    answer(1)
    tick(2)

    made.refresh_from_db()
    assert (made.state, made.reason) == ("finished", "")


def test_a_paused_job_sends_nothing_until_it_is_resumed_and_a_cancelled_one_never(fleet, lead):
    fleet.terminals_online(3)
    made = job(lead, at_once=1)
    tick(0)
    answer(1)

    services.pause(made)
    tick(2)
    paused = states()
    services.resume(made)
    tick(3)
    resumed = states()
    services.cancel(made, at=later(4))
    services.cancel(made, at=later(4))
    tick(5)

    assert (paused, resumed) == (["done", "waiting", "waiting"], ["done", "sent", "waiting"])
    assert states() == ["done", "cancelled offline", "cancelled"]
    assert (Job.objects.get().state, commands.waiting(at=later(5))) == ("cancelled", set())
    recorded = AuditEntry.objects.filter(subject_type="jobs.job").order_by("pk")
    assert list(recorded.values_list("action", flat=True)) == ["created", "paused", "resumed", "cancelled"]
    with pytest.raises(JobOver):
        services.resume(made)


def test_withdrawn_permission_stops_the_job(fleet, lead):
    fleet.terminals_online(2)
    job(lead, at_once=1)
    tick(0)
    answer(1)

    Grant.objects.filter(person=lead).delete()
    tick(2)

    assert states() == ["done", "cancelled"]
    assert (Job.objects.get().state, Job.objects.get().reason) == ("stopped", "permission")


def test_the_last_working_lane_of_an_open_site_waits_for_the_others(fleet, lead):
    lanes = fleet.terminals_online(3, kind="kiosk")
    job(lead, command="reboot")

    tick(0)
    first = states()
    answer(1)
    tick(12)  # they are done, but may not be back yet
    soon = states()
    tick(75)

    assert first == ["sent", "sent", "waiting last_lane"]
    assert soon == ["done", "done", "waiting last_lane"]
    assert states() == ["done", "done", "sent"]
    assert len(lanes) == 3


def test_a_command_of_a_person_counts_as_well(fleet, lead):
    lanes = fleet.terminals_online(2)
    commands.queue(lanes[0], name="reboot", args={}, by=lead, at=AT)
    job(lead, command="reboot")

    tick(0)

    assert states() == ["waiting busy", "waiting last_lane"]


def test_a_dangerous_job_that_selected_nothing_at_first_needs_no_second_person_for_few_only(fleet, lead, settings):
    settings.APPROVAL_TERMINALS = 2
    job(lead, command="reboot")

    fleet.terminals_online(3)
    tick(0)

    assert (JobRun.objects.get().reason, Item.objects.count()) == ("grown", 0)


IN_MAINTENANCE = [
    (JobHours.ANY, ["waiting maintenance", "waiting last_lane"]),
    (JobHours.MAINTENANCE, ["sent", "waiting maintenance"]),
]


@pytest.mark.parametrize(("hours", "expected"), IN_MAINTENANCE)
def test_a_lane_on_which_people_work_is_none_that_customers_have(fleet, lead, hours, expected):
    lane, _other = fleet.terminals_online(2, site=fleet.site("AAA"))
    hour = Recurrence(ZoneInfo("UTC"), AT.replace(tzinfo=None), timedelta(hours=1), "")
    maintenance.plan(hour, WindowScope(terminals=[lane]), note="new reader", by=lead, at=AT)
    job(lead, command="reboot", hours=hours)

    tick(1)

    assert states() == expected


REFUSED = [
    ({"at_once": 0}, "$.at_once"),
    ({"name": ""}, "$.name"),
    ({"length_s": 59}, "$.ends_after_s"),
    ({"query": ""}, "$.query"),
    ({"retries": Retries(1, 60, ())}, "$.retries.reasons"),
    ({"answer_within_s": float("nan")}, "$.answer_within_s"),
    ({"command": "wipe"}, "$.command"),
]


@pytest.mark.parametrize(("values", "where"), REFUSED)
def test_a_job_that_is_wrong_is_refused_at_its_field(fleet, lead, values, where):
    definitions.define("wipe", DefinitionValues(label="Wipe", danger="deletes_data"))

    with pytest.raises(JobRefused) as refused:
        job(lead, **values)

    assert refused.value.where == where
    assert not Job.objects.exists()


def test_arguments_and_queries_are_checked_when_the_job_is_made(fleet, lead):
    with pytest.raises(CommandRefused):
        job(lead, args={"wrong": 1})
    with pytest.raises(QueryError):
        job(lead, query="kind:")


# At most once


class Died(BaseException):
    """The process ends at this statement."""


@pytest.mark.django_db(transaction=True)
def test_whenever_the_clock_dies_no_terminal_gets_the_command_twice(fleet, lead):
    fleet.terminals_online(4)
    job(lead, command="ping")
    for allowed in range(60):
        left = [allowed]

        def die(execute, sql, params, many, context, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise Died
            return execute(sql, params, many, context)

        try:
            with connection.execute_wrapper(die):
                tick(allowed)
        except Died:
            continue

    per_terminal = [Command.objects.filter(terminal=terminal).count() for terminal in Terminal.objects.all()]
    assert per_terminal == [1] * 4
    assert states() == ["sent"] * 4


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_start_a_run_once_and_send_to_each_terminal_once(fleet, lead):
    fleet.terminals_online(30)
    job(lead, at_once=10)

    results = run_concurrently(4, lambda n: [tick(n + step) for step in range(5)])

    assert not [result for result in results if isinstance(result, Exception)]
    assert (JobRun.objects.count(), Item.objects.count(), Command.objects.count()) == (1, 30, 10)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_job_that_is_sent_several_times_at_once_is_made_once(fleet, lead):
    fleet.terminals_online(1)

    made = run_concurrently(4, lambda n: job(lead, at=now(), comment=" Asked for\n").pk)

    assert set(made) == {Job.objects.get().pk}
    assert AuditEntry.objects.filter(subject_type="jobs.job", action="created").count() == 1


def test_the_same_job_is_made_again_once_it_was_cancelled(fleet, lead):
    first = job(lead)
    again = job(lead)
    services.cancel(first, at=AT)

    assert again == first
    assert job(lead) != first


# Random fleets


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["kiosk", "gate"])), min_size=2, max_size=8),
    st.lists(
        st.tuples(st.sampled_from(["tick", "tick", "tick", "answer", "fail", "back"]), st.integers(0, 7)),
        min_size=6,
        max_size=40,
    ),
    st.integers(1, 5),
)
def test_in_no_history_a_job_takes_the_last_working_lane(fleet, lanes, steps, at_once):
    with transaction.atomic():
        _follow_history(fleet, lanes, steps, at_once)
        transaction.set_rollback(True)


def _follow_history(fleet: Fleet, lanes, steps, at_once) -> None:
    """Terminals fail and come back at any time; whatever the job does, it takes no last lane."""
    sites = [fleet.site("AAA"), fleet.site("BBB")]
    made = [fleet.terminals_online(1, site=sites[site], kind=kind)[0] for site, kind in lanes]
    job(people.person("l", of="Manager"), command="reboot", query="-uid:none", at_once=at_once)
    for number, (step, chosen) in enumerate(steps):
        seconds, one = number * 7.0, made[chosen % len(made)]
        if step == "answer":
            answer(seconds)
        elif step in {"fail", "back"}:
            presence = Presence.OFFLINE if step == "fail" else Presence.ONLINE
            TerminalState.objects.filter(pk=one.pk).update(presence=presence)
        else:
            commands.expire(later(seconds))
            before = _working(later(seconds))
            tick(seconds)
            after = _working(later(seconds))
            assert before.keys() == after.keys()


def _working(at: datetime) -> Counter[tuple[int, str]]:
    """Terminals of each lane that are online, without a command in flight or over for less than a minute."""
    recent = at - timedelta(seconds=60)
    away = {
        command.terminal_id
        for command in Command.objects.all()
        if command.state in {"queued", "sent"}
        or (command.sent_at and (command.answered_at or command.sent_at) > recent)
    }
    online = Terminal.objects.filter(state__presence=Presence.ONLINE)
    return Counter((terminal.site_id, terminal.kind) for terminal in online if terminal.pk not in away)


def test_retiring_says_how_many_waiting_items_it_skips(fleet, lead):
    terminals = [terminal.pk for terminal in fleet.terminals_online(3, site=fleet.site("AAA"))]
    job(lead, at_once=1)
    tick(0)

    assert "2 waiting items of jobs are skipped." in lifecycle_changes.consequences(terminals, Lifecycle.RETIRED)
    assert not any("jobs" in line for line in lifecycle_changes.consequences(terminals, Lifecycle.OUT_OF_SERVICE))
