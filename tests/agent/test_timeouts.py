"""`timeout` of the agent, as Python has it from 3.11 on, and as the agent has it for 3.10."""

import asyncio

import pytest

from tms_agent import timeouts_of_3_10


@pytest.fixture(params=[asyncio.timeout, timeouts_of_3_10.timeout], ids=["asyncio", "of 3.10"])
def timeout(request):
    return request.param


async def test_what_takes_too_long_is_ended_with_the_builtin_error(timeout):
    with pytest.raises(TimeoutError):
        async with timeout(0.01):
            await asyncio.Future()


async def test_a_time_in_the_past_ends_it_at_the_next_turn(timeout):
    with pytest.raises(TimeoutError):
        async with timeout(-1):
            await asyncio.Future()


async def until(when: float) -> None:
    """Wait for the moment at which a timeout would end."""
    loop = asyncio.get_running_loop()
    moment = loop.create_future()
    loop.call_at(when, moment.set_result, None)
    await moment


async def test_what_is_done_in_time_is_not_ended(timeout):
    async with timeout(0.01) as waiting:
        when = waiting.when()

    await until(when)


async def test_it_can_be_ended_at_any_moment(timeout):
    loop, waiting = asyncio.get_running_loop(), timeout(None)
    loop.call_soon(lambda: waiting.reschedule(loop.time()))

    assert waiting.when() is None
    with pytest.raises(TimeoutError):
        async with waiting:
            await asyncio.Future()


async def test_it_can_be_put_off(timeout):
    async with timeout(0.01) as waiting:
        when = waiting.when()
        waiting.reschedule(None)
        await until(when)


async def test_a_cancellation_from_elsewhere_stays_one(timeout):
    async def wait() -> None:
        async with timeout(60):
            await asyncio.Future()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_within_it_stays_one(timeout):
    with pytest.raises(ZeroDivisionError):
        async with timeout(60):
            raise ZeroDivisionError
