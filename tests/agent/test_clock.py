"""A terminal with a wrong clock reports correct times, or reports that they are unknown."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.agent.fake_source import FakeSource
from tests.agent.fake_timers import FakeTimers
from tests.agent.fake_tms import FakeLink
from tests.agent.running_agent import RunningAgent
from tms.protocol import frames, uplink
from tms_agent.device.clock import ZERO, Anchor, BootClock, machine_clock
from tms_agent.log import Log
from tms_agent.options import Options
from tms_agent.protocol.frames import ReportFrame, TerminalEvent
from tms_agent.recorder import Recorder
from tms_agent.storage.journal import SqliteJournal
from tms_agent.storage.spool import Bounds, Spool
from tms_agent.storage.state import AgentPhase
from tms_agent.storage.writer import JournalWriter

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
NEVER_SET = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)


class Machine:
    """A machine with a boot clock, and a wall clock that can be set."""

    def __init__(self, wall: datetime = NEVER_SET) -> None:
        self.boots = 0
        self.boot(wall)

    def boot(self, wall: datetime) -> None:
        self.boots += 1
        self.elapsed_s = 60.0
        self.wall = wall
        self.clock = BootClock(f"machine-boot-{self.boots}", lambda: self.elapsed_s)

    def run(self, seconds: float) -> None:
        self.elapsed_s += seconds
        self.wall += timedelta(seconds=seconds)

    @property
    def options(self) -> Options:
        return Options(jitter=lambda: 1.0, now=lambda: self.wall, clock=self.clock)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
async def start_offline(tms, start, machine, tmp_path) -> AsyncIterator[Callable]:
    """Start the agent on `machine`, with the spool on its disk, while TMS is unreachable."""
    journals: list[SqliteJournal] = []

    async def start_offline() -> RunningAgent:
        for journal in journals:
            journal.close()
        journals[:] = [SqliteJournal(tmp_path / "spool", "T-1")]
        tms.refuse(503, Retry_After="3600")
        writer = JournalWriter(journals[0], asyncio.get_running_loop().call_later)
        running = start(spool=Spool(writer), options=machine.options)
        await running.until(lambda state: state.phase is AgentPhase.WAITING)
        return running

    yield start_offline
    for journal in journals:
        journal.close()


async def linked(tms, running: RunningAgent, *, server_time: datetime, **answer) -> FakeLink:
    """The network works again."""
    running.agent.offline_for(0)
    return await tms.booted(server_time=server_time, **answer)


def instants(reports: list[frames.ReportFrame]) -> list[datetime | None]:
    return [report.at for report in reports]


async def test_without_a_clock_and_through_steps_and_restarts_every_time_is_correct_or_unknown(
    tms, start_offline, machine
):
    running = await start_offline()
    for _ in range(2):
        running.agent.report_now()
        machine.run(600)

    # The first link dates reports of 1970.
    link = await linked(tms, running, server_time=NOON)
    first = await link.reports(2)
    await link.ack(2)
    assert instants(first) == [NOON - timedelta(minutes=20), NOON - timedelta(minutes=10)]
    assert all(report.late for report in first)

    # NTP sets the clock forward, too far, and back.
    for wall in (NOON, datetime(2038, 1, 19, tzinfo=UTC), datetime(2015, 1, 1, tzinfo=UTC)):
        machine.wall = wall
        machine.run(30)
        running.agent.report_now()
    live = await link.reports(3)
    await link.ack(5)
    assert instants(live) == [NOON + timedelta(seconds=30 * n) for n in (1, 2, 3)]
    assert not any(report.late for report in live)

    # Offline again, and the agent restarts within the same boot of the machine.
    link.cut()
    await running.until(lambda state: not state.is_connected)
    machine.run(60)
    running.agent.report_now()
    await running.end()
    running = await start_offline()
    machine.run(60)
    running.agent.report_now()
    await running.end()

    # The machine restarts twice; the boot in between never connects to TMS, and its clock shows 2015.
    machine.boot(datetime(2015, 1, 1, tzinfo=UTC))
    running = await start_offline()
    running.source.events = [TerminalEvent(machine.wall, "door_open")]
    running.agent.report_now()
    await running.end()
    machine.boot(NEVER_SET)
    running = await start_offline()
    machine.run(10)
    running.agent.report_now()
    machine.run(50)

    link = await linked(tms, running, server_time=NOON + timedelta(hours=3))
    last = await link.reports(4)
    assert instants(last) == [
        NOON + timedelta(seconds=150),
        NOON + timedelta(seconds=210),
        None,
        NOON + timedelta(hours=3, seconds=-50),
    ]
    assert [event.at for event in last[2].events] == [None]
    assert all(report.late for report in last)


async def test_each_boot_answer_corrects_the_clock(tms, start_offline, machine):
    running = await start_offline()
    link = await linked(tms, running, server_time=NOON)
    link.cut()
    await running.until(lambda state: not state.is_connected)
    running.agent.report_now()
    machine.run(3600)

    link = await tms.booted(server_time=NOON + timedelta(seconds=3601))

    assert (await link.report()).at == NOON + timedelta(seconds=1)


async def test_an_undated_boot_waits_for_a_tms_that_accepts_it(tms, start_offline, machine):
    running = await start_offline()
    running.agent.report_now()
    await running.end()
    machine.boot(NEVER_SET)
    running = await start_offline()

    old = await linked(tms, running, server_time=NOON, accepts_undated=False)
    running.agent.report_now()
    live = await old.report()
    await old.ack(1)
    await running.until(lambda state: state.acked_seq == 1)
    old.cut()
    new = await tms.booted(server_time=NOON)
    undated = await new.report()

    assert (live.at, live.late) == (NOON, False)
    assert (undated.at, undated.late) == (None, True)
    assert undated.boot_id != live.boot_id


async def test_a_goodbye_uses_the_time_of_tms(tms, start_offline, machine):
    running = await start_offline()
    link = await linked(tms, running, server_time=NOON)
    await running.until(lambda state: state.is_connected)

    running.agent.stop("reboot", machine.wall + timedelta(minutes=3))

    assert (await link.expect(uplink.GoodbyeCall)).params.back_at == NOON + timedelta(minutes=3)


async def test_a_deadline_uses_the_time_of_tms_regardless_of_the_wall_clock(tms, start_offline, machine):
    running = await start_offline()
    link = await linked(tms, running, server_time=datetime.now(UTC))

    for wall in (datetime(2038, 1, 19, tzinfo=UTC), NEVER_SET):
        machine.wall = wall
        assert (await link.command("ping")).result == {"echo": {}}


@pytest.mark.parametrize(
    ("set_to", "happened", "age_s"),
    [
        (None, NEVER_SET + timedelta(seconds=25), 5),
        (None, NEVER_SET - timedelta(hours=1), 3630),  # a device that reports late
        (None, NEVER_SET + timedelta(days=9), 0),
        (None, datetime(1900, 1, 1, tzinfo=UTC), 30),
        (NOON, NEVER_SET + timedelta(seconds=25), 30),
        (NOON, NOON - timedelta(seconds=4), 4),
        (datetime(1969, 1, 1, tzinfo=UTC), NEVER_SET + timedelta(seconds=25), 0),
    ],
)
def test_an_event_is_dated_by_its_clock_or_by_the_last_sample(machine, set_to, happened, age_s):
    source, spool = FakeSource(), Spool()
    recorder = Recorder(source, spool, clock=machine.clock, wall=lambda: machine.wall, log=Log("T-1"))
    machine.run(30)
    machine.wall = set_to or machine.wall

    source.events = [TerminalEvent(happened, "door_open")]
    recorder.record(round_trip_s=0)

    report = next(iter(spool)).report
    assert report.at - report.events[0].at == timedelta(seconds=age_s)


def test_thinning_follows_the_order_of_reports_regardless_of_the_wall_clock(machine):
    spool = Spool(bounds=Bounds(reports=20))
    recorder = Recorder(FakeSource(), spool, clock=machine.clock, wall=lambda: machine.wall, log=Log("T-1"))
    for number in range(40):
        machine.run(60)
        machine.wall = datetime(2038 if number % 2 else 1970, 1, 1, tzinfo=UTC)
        recorder.record(round_trip_s=0)

    remaining = [entry.seq for entry in spool]
    assert remaining == sorted(remaining)
    assert remaining[-5:] == [36, 37, 38, 39, 40]


def test_anchors_are_deleted_when_no_report_needs_them_except_the_newest(tmp_path):
    path = tmp_path / "spool"
    with closing(SqliteJournal(path, "T-1")) as journal:
        spool = Spool(JournalWriter(journal, FakeTimers().later))
        for number in range(3):
            spool.append(f"boot-{number}", ReportFrame(1, ZERO), clock=f"c{number}")
            spool.set_anchor(Anchor(f"c{number}", 0.0, NOON))
        spool.acknowledge("boot-0", 1)
        spool.acknowledge("boot-2", 1)
        spool.save()

    with closing(SqliteJournal(path, "T-1")) as journal:
        assert sorted(anchor.clock for anchor in journal.load_anchors()) == ["c1", "c2"]


def test_the_boot_clock_of_this_machine_advances_and_has_a_boot_id():
    clock = machine_clock()

    first, second = clock.now(), clock.now()

    assert first <= second
    assert clock.id == machine_clock().id
    assert len(clock.id) >= 32
