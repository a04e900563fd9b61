"""Loops without work are found by one statement, and skipped."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from tests.clock.running_clock import Work, running
from tests.support import factories
from tests.support.builders import AT
from tms.clock import jobs, scheduler
from tms.clock.jobs import LOOPS, Loop
from tms.fleet.models import Site, Terminal
from tms.lib.db.jobs import OccasionalPass, skip_when_empty, with_rows
from tms.notifications.dispatch import outbox

OCCASIONAL = [loop.work for loop in LOOPS if isinstance(loop.work, OccasionalPass)]

pytestmark = pytest.mark.both


def asked_one_by_one(at: datetime) -> set[OccasionalPass]:
    return {each for each in OCCASIONAL if each.has_rows(at)}


def test_one_statement_finds_the_same_loops_as_a_query_for_each(storm):
    """The times follow the life of an incident; those before it and long after it differ only in the parameters."""
    found = set[OccasionalPass]()
    terminals = storm.shop("SJK", 6)
    for move in (storm.lose, storm.bring_back):
        move(terminals)
        for seconds in (-7_200, 0, 1, 600, 2_000_000):
            at = storm.scheduler.at + timedelta(seconds=seconds)

            busy = with_rows(OCCASIONAL, at)

            assert busy == asked_one_by_one(at)
            found |= busy
    assert {each.__name__ for each in found} >= {"sweep", "correlate", "advance"}


def test_nothing_is_due_in_an_empty_fleet(fleet):
    assert with_rows(OCCASIONAL, AT) == set()
    assert jobs.check(LOOPS, AT) == ({loop.name for loop in LOOPS if loop.is_occasional}, set())


def test_a_transition_that_was_not_dispatched_is_work_for_the_outbox(fleet):
    factories.alert(fleet)

    assert with_rows([outbox.advance], AT) == {outbox.advance}


def sites(at: datetime) -> QuerySet[Site]:
    return Site.objects.all()


def terminals(at: datetime) -> QuerySet[Terminal]:
    return Terminal.objects.all()


def failing_rows(at: datetime) -> QuerySet[Site]:
    return Site.objects.filter(code=RawSQL("(1 / 0)::text", []))


@pytest.fixture
def site(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(scheduler, "RETRY_S", 0.001)
    return Site.objects.create(code="SJK")


async def test_a_loop_without_rows_does_not_run(site):
    idle, other = Work(), Work()

    async with running(Loop("idle", 0.001, skip_when_empty(terminals)(idle)), Loop("other", 0.001, other)):
        await other.done(3)

    assert idle.times == 0


async def test_a_loop_gets_the_work_that_one_before_it_has_just_created(site):
    first = Work(lambda number: Terminal.objects.create(uid=f"T-{number}", site=site))
    second = Work()

    async with running(
        Loop("first", 3600, skip_when_empty(sites)(first)), Loop("second", 3600, skip_when_empty(terminals)(second))
    ):
        await second.done()


async def test_a_loop_with_work_is_checked_once(site):
    checked = list[datetime]()

    def rows(at: datetime) -> QuerySet[Site]:
        checked.append(at)  # on PostgreSQL only once, to compile the condition
        return Site.objects.all()

    work = Work()
    async with running(Loop("busy", 3600, skip_when_empty(rows)(work))):
        await work.done()

    assert len(checked) == 1


async def test_if_the_statement_fails_each_loop_runs_alone(site):
    failing, other = Work(), Work()

    async with running(
        Loop("failing", 0.001, skip_when_empty(failing_rows)(failing)),
        Loop("other", 0.001, skip_when_empty(sites)(other)),
    ):
        await other.done(3)

    assert failing.times == 0


@pytest.mark.skipif(connection.vendor != "postgresql", reason="conditions are compiled for PostgreSQL only")
def test_a_condition_on_a_date_is_refused(fleet):
    condition = skip_when_empty(lambda at: Site.objects.filter(special_days__first_on=at.date()))(Work())

    with pytest.raises(TypeError, match="must not depend on a date"):
        _ = condition.condition
