"""Events of jobs, and the notices that their starters get."""

import pytest

from tests.support import people
from tests.support.builders import AT, later
from tests.support.jobs import answer, job, tick
from tests.support.notifications.destinations import webhook_destination
from tms.accounts.models import AuditEntry
from tms.fleet.groups import services as groups
from tms.jobs import runner, services, starting
from tms.jobs.models import Item, ItemState, Job, JobEvent, JobRun
from tms.jobs.services import StopRule
from tms.lib.calendar.recurrence import Occurrence
from tms.notifications import job_notices
from tms.notifications.models.delivery import Delivery

pytestmark = [pytest.mark.both, pytest.mark.embedded]


@pytest.fixture
def lead(fleet):
    return people.person("lead", of="Manager")


@pytest.fixture
def phone(lead):
    return webhook_destination("https://phone.example.com/", "Phone", person=lead)


def events() -> list[tuple[str, str, dict[str, int]]]:
    return list(JobEvent.objects.values_list("kind", "reason", "counts"))


def notices(seconds: float = 100) -> list[str]:
    job_notices.send_due(later(seconds))
    job_notices.send_due(later(seconds))
    return [delivery.content["title"] for delivery in Delivery.objects.order_by("pk")]


def test_start_failures_and_end_of_a_run_are_events_once(fleet, lead, phone):
    fleet.terminals_online(30)
    job(lead, at_once=15)

    for seconds in (0, 10, 20):
        tick(seconds)
        answer(seconds + 1, error="disk full" if seconds < 20 else "")
    tick(30)
    tick(40)

    assert events() == [("started", "", {"waiting": 30}), ("failing", "", {"waiting": 15, "failed": 15}),
                        ("ended", "", {"failed": 30})]  # fmt: skip
    assert notices() == ["Your job is failing: Test", "Your job has ended: Test"]
    assert Delivery.objects.first().content["lines"] == ["Failed: 30"]


def test_the_starter_is_told_that_a_trial_waits_for_them(fleet, lead, phone):
    fleet.terminals_online(3)
    made = job(lead, is_trial=True)

    tick(0)
    services.pause(made)
    answer(1)
    tick(2)
    tick(3)

    assert events()[1:] == [("tried", "trial", {"done": 1, "waiting": 2})]
    assert notices() == ["Your job was tried on one terminal: Test"]
    assert AuditEntry.objects.filter(subject_type="jobs.job", action="paused").count() == 1


def test_a_start_that_was_missed_is_an_event(fleet, lead, phone):
    fleet.terminals_online(1)
    made = job(lead)
    run = JobRun.objects.create(job=made, since=later(-60), until=later(3600), started_at=AT)
    Item.objects.create(run=run, terminal=fleet.terminal(), not_before=later(3000))

    starting.start_due(AT)

    assert events() == [("missed", "going", {})]
    assert notices() == ["Your job did not start: Test"]
    assert Delivery.objects.get().content["lines"][0] == "The run before had not ended"


def test_who_cancels_a_job_is_not_told_and_who_may_no_longer_run_it_is(fleet, lead, phone):
    fleet.terminals_online(1)
    cancelled, stopped = job(lead), job(lead, query="", terminals=fleet.terminals_online(1))
    starting.start_due(AT)

    services.cancel(cancelled, at=later(1))
    lead.grants.all().delete()
    runner.advance(later(2))
    runner.advance(later(3))

    assert [kind for kind, *_ in events()] == ["started", "started", "cancelled", "stopped"]
    assert notices() == ["TMS stopped your job: Test"]
    assert JobEvent.objects.last().reason == "permission"
    assert stopped.runs.get().items.get().state == ItemState.CANCELLED


def test_a_job_that_recurs_is_quiet_as_long_as_everything_is_done(fleet, lead, phone):
    fleet.terminals_online(1)
    Job.objects.filter(pk=job(lead).pk).update(rrule="FREQ=DAILY")

    tick(0)
    answer(1)
    tick(2)

    assert [kind for kind, *_ in events()] == ["started", "ended"]
    assert notices() == []
    assert not JobEvent.objects.undispatched().exists()


def test_a_destination_for_a_part_of_the_fleet_gets_no_numbers_of_the_rest(fleet, lead):
    fleet.terminals_online(1, site=fleet.site("AAA"))
    fleet.terminals_online(1, site=fleet.site("BBB"))
    webhook_destination("https://a.example.com/", "A", person=lead, owner_site=fleet.site("AAA"))
    webhook_destination("https://b.example.com/", "All", person=lead)
    job(lead)

    tick(0)
    answer(1)
    tick(2)
    notices()

    assert [delivery.destination.name for delivery in Delivery.objects.all()] == ["All"]


def test_a_job_that_fails_too_often_is_stopped(fleet, lead, phone):
    fleet.terminals_online(30)
    made = job(lead, at_once=10, stop=StopRule(above_pct=20, after=10))

    tick(0)
    answer(1, error="disk full")
    tick(2)
    tick(3)

    made.refresh_from_db()
    assert (made.state, made.reason) == ("stopped", "failures")
    assert events()[-1] == ("stopped", "failures", {"failed": 10, "cancelled": 20})
    assert notices() == ["TMS stopped your job: Test"]


@pytest.mark.parametrize("query", ["group:pilot", 'kind:kiosk -(state:retired | group:"Pilot")'])
@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_run_whose_query_names_a_group_that_is_gone_ends_and_says_so(fleet, lead, phone, query, is_deleted):
    group = fleet.group("Pilot", fleet.terminals_online(2)[0])
    job(lead, query=query, first=Occurrence(later(60), later(3600)))

    if is_deleted:
        groups.delete_group(group, by=lead, at=later(30))
    else:
        groups.rename_group(group, name="Lobby")
    tick(61)
    tick(62)

    assert (JobRun.objects.get().reason, Item.objects.count()) == ("group", 0)
    assert notices() == ["Your job has ended: Test"]
    assert Delivery.objects.get().content["lines"] == ["Its query names a group that does not exist any more"]


def test_a_query_that_suddenly_selects_far_more_terminals_starts_nothing_dangerous(fleet, lead, phone, settings):
    settings.APPROVAL_TERMINALS = 3
    fleet.terminals_online(3)
    job(lead, command="reboot", first=Occurrence(later(60), later(3600)))
    job(lead, command="ping", first=Occurrence(later(60), later(3600)))

    fleet.terminals_online(2)
    tick(61)
    tick(62)

    reboot, ping = JobRun.objects.order_by("job__pk")
    assert (reboot.reason, reboot.items.count()) == ("grown", 0)
    assert (ping.reason, ping.items.count()) == ("", 5)
    assert notices() == ["Your job has ended: Test"]
    reason = "The query selects far more terminals than when it was made"
    assert Delivery.objects.get().content["lines"] == [reason]
