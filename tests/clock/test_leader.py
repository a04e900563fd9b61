"""Which process runs the scheduled jobs."""

import threading
from contextlib import AsyncExitStack
from datetime import datetime

import pytest
from django.db import OperationalError, connection, transaction

from tests.clock.running_clock import DEADLINE_S, Work, running
from tms.clock import scheduler
from tms.clock.jobs import Lane, Loop
from tms.metrics import instruments

pytestmark = [pytest.mark.both, pytest.mark.embedded]


@pytest.fixture
def acquisitions(monkeypatch) -> list[datetime]:
    """When the clock acquired the lead."""
    times, catch_up = [], scheduler.catch_up

    def record(at: datetime) -> bool:
        times.append(at)
        return catch_up(at)

    monkeypatch.setattr(scheduler, "catch_up", record)
    return times


@pytest.mark.usefixtures("quick", "fleet")
@pytest.mark.django_db(transaction=True)
class TestClock:
    async def test_each_loop_runs_repeatedly(self):
        often, seldom = Work(), Work()

        async with running(Loop("often", 0.001, often), Loop("seldom", 3600, seldom)):
            await often.done(20)

        assert seldom.times == 1

    async def test_a_failing_pass_is_counted_and_stops_neither_itself_nor_the_others(self):
        failing, other = Work(lambda n: 1 / 0), Work()
        counted = instruments.CLOCK_FAILURES.labels("failing")
        before = counted._value.get()

        async with running(Loop("failing", 0.001, failing), Loop("other", 0.001, other)):
            await failing.done(3)
            await other.done(3)

        assert counted._value.get() >= before + 3

    async def test_the_prompt_lane_does_not_wait_for_the_slow_lane(self):
        may_end = threading.Event()
        slow, prompt = Work(lambda n: may_end.wait(DEADLINE_S)), Work()

        async with running(Loop("slow", 0.001, slow, Lane.SLOW), Loop("prompt", 0.001, prompt)):
            await slow.done()
            await prompt.done(20)
            times = slow.times
            may_end.set()

        assert times == 1

    async def test_a_database_error_in_the_slow_lane_does_not_end_leadership_of_the_other(self):
        def fail(number: int) -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT nothing FROM nowhere")

        slow, prompt = Work(fail), Work()
        async with running(Loop("slow", 0.001, slow, Lane.SLOW), Loop("prompt", 0.001, prompt)):
            await prompt.done()
            await slow.done(3)
            leads = instruments.CLOCK_LEADS._value.get()

        assert leads == 1

    async def test_an_unavailable_database_ends_leadership_which_is_acquired_again(self, acquisitions):
        def fail_first(number: int) -> None:
            if number == 1:
                raise OperationalError("the database is away")

        work = Work(fail_first)

        async with running(Loop("work", 0.001, work)):
            await work.done(5)

        assert len(acquisitions) == 2

    async def test_an_error_of_one_statement_does_not_end_leadership(self, acquisitions):
        def fail_first(number: int) -> None:
            if number == 1:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("SELECT nothing FROM nowhere")

        work = Work(fail_first)

        async with running(Loop("work", 0.001, work)):
            await work.done(5)

        assert len(acquisitions) == 1

    async def test_any_error_while_acquiring_leadership_causes_a_retry(self, monkeypatch):
        tries = []

        def catch_up(at: datetime) -> bool:
            tries.append(at)
            if len(tries) < 3:
                raise KeyError("a mistake of ours")
            return False

        monkeypatch.setattr(scheduler, "catch_up", catch_up)
        work = Work()

        async with running(Loop("work", 0.001, work)):
            await work.done()

        assert len(tries) == 3

    async def test_a_stopped_clock_does_not_report_to_lead(self):
        work = Work()

        async with running(Loop("work", 0.001, work)):
            await work.done()
            leads = instruments.CLOCK_LEADS._value.get()

        assert (leads, instruments.CLOCK_LEADS._value.get()) == (1, 0)

    @pytest.mark.services
    async def test_of_two_clocks_one_leads_and_the_other_takes_over_when_it_stops(self):
        leader, successor = Work(), Work()
        async with AsyncExitStack() as rest:
            async with running(Loop("work", 0.001, leader)):
                await leader.done()
                await rest.enter_async_context(running(Loop("work", 0.001, successor)))
                await leader.done(50)
                idle = successor.times

            await successor.done(3)

        assert idle == 0

    @pytest.mark.services
    async def test_a_leader_whose_connection_was_terminated_gives_up_leadership(self, acquisitions):
        def end_own_connection(number: int) -> None:
            if number == 2:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

        leader = Work(end_own_connection)

        async with running(Loop("work", 0.001, leader)):
            await leader.done(5)

        assert len(acquisitions) == 2

    @pytest.mark.services
    async def test_a_failed_leader_leaves_no_lock_behind_in_the_pool(self):
        """The pool keeps connections open, so the lock would stay with an unused one."""

        def fail(number: int) -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")

        leader, other = Work(fail), Work()

        async with running(Loop("work", 0.001, leader)):
            await leader.done(3)
        async with running(Loop("work", 0.001, other)):
            await other.done(3)
