"""The database clock, as this process last read it."""

from datetime import UTC, datetime, timedelta

import pytest

from tms.lib.db.clock import SLOWEST_S, SYNCHRONISE_EVERY_S, DatabaseClock, database_clock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
A_DAY = timedelta(days=1)


class Instruments:
    """A database clock that can be stepped, and a monotonic one."""

    def __init__(self) -> None:
        self.database, self.monotonic, self.answers_after_s = NOON, 1_000.0, 0.0

    def look(self) -> datetime:
        self.go_on(self.answers_after_s)
        return self.database

    def go_on(self, seconds: float) -> None:
        self.database += timedelta(seconds=seconds)
        self.monotonic += seconds


@pytest.fixture
def instruments() -> Instruments:
    return Instruments()


@pytest.fixture
def clock(instruments: Instruments) -> DatabaseClock:
    made = DatabaseClock(instruments.look, lambda: instruments.monotonic)
    made.synchronise()
    return made


def test_between_two_readings_time_advances(clock, instruments):
    instruments.go_on(1.5)

    assert clock.now() == NOON + timedelta(seconds=1.5)


def test_drift_is_followed_and_is_not_a_step(clock, instruments):
    instruments.go_on(SYNCHRONISE_EVERY_S)
    instruments.database += timedelta(seconds=1)

    clock.synchronise()

    assert clock.now() == instruments.database
    assert clock.steps == 0


@pytest.mark.parametrize("step", [A_DAY, -A_DAY])
def test_a_step_is_followed_and_counted(clock, instruments, step):
    instruments.go_on(SYNCHRONISE_EVERY_S)
    instruments.database += step

    clock.synchronise()
    clock.synchronise()

    assert clock.now() == instruments.database
    assert clock.steps == 1


def test_it_does_not_read_more_often_than_necessary(clock, instruments):
    instruments.database += A_DAY

    clock.synchronise()

    assert clock.now() == NOON


def test_a_slow_answer_is_discarded(clock, instruments):
    instruments.go_on(SYNCHRONISE_EVERY_S)
    instruments.answers_after_s = SLOWEST_S + 20

    clock.synchronise()

    assert clock.steps == 0
    assert clock.now() == instruments.database


def test_a_clock_is_running_until_it_steps_or_answers_too_slowly(clock, instruments):
    instruments.go_on(0.1)
    went_on = clock.is_running()
    instruments.database += A_DAY
    jumped = clock.is_running()
    followed = clock.is_running()
    instruments.answers_after_s = SLOWEST_S + 1
    dawdled = clock.is_running()

    assert (went_on, jumped, followed, dawdled) == (True, False, True, False)


@pytest.mark.embedded
@pytest.mark.both
@pytest.mark.django_db
def test_the_database_clock_is_close_to_ours_here():
    assert abs(database_clock() - datetime.now(UTC)) < timedelta(minutes=1)
