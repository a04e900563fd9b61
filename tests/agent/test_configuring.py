"""A configuration that cuts the link is undone, and answers say what became of it."""

import asyncio
import errno
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.agent.recorded_answers import Recorded
from tests.support.polling import DEADLINE_S
from tms_agent.configuring.configurator import AppliedConfiguration, Configurator
from tms_agent.log import Log
from tms_agent.protocol.downlink import ConfigCall
from tms_agent.protocol.frames import ConfigFrame
from tms_agent.requests import RequestRefused

AT = datetime(2026, 12, 1, tzinfo=UTC)


class Handler:
    """Applies configurations to nothing, as a customer's program would."""

    def __init__(self) -> None:
        self.applied: list[Mapping[str, Any]] = []
        self.fails_on: list[Mapping[str, Any]] = []
        self.answer = AppliedConfiguration()
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, values: Mapping[str, Any]) -> AppliedConfiguration:
        self.applied.append(dict(values))
        await self.gate.wait()
        if values in self.fails_on:
            raise RequestRefused("the printer says no")
        return self.answer


class Terminal:
    """A terminal's configurator, with a handler and a link from a test. `restart` is a power cut."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.handler, self.recorded = Handler(), Recorded()
        self.reconnected = asyncio.Event()
        self.start()

    def start(self, undo_after_s: float = 60) -> None:
        self.configurator = Configurator(
            self.folder,
            self.handler,
            answers=self.recorded,
            reconnect=self.reconnected.set,
            log=Log("T-1"),
            undo_after_s=undo_after_s,
        )
        self.configurator.resume()

    def restart(self, undo_after_s: float = 60) -> None:
        self.configurator.cancel()
        self.start(undo_after_s)

    def send(self, version: int, **values: Any) -> None:
        self.configurator.start(ConfigCall(f"v{version}", ConfigFrame(version, values, AT)))

    async def on_trial(self, version: int, **values: Any) -> None:
        self.reconnected.clear()
        self.send(version, **values)
        async with asyncio.timeout(DEADLINE_S):
            await self.reconnected.wait()

    async def kept(self, version: int, **values: Any) -> tuple[Any, ...]:
        await self.on_trial(version, **values)
        self.configurator.link_booted()
        return await self.recorded.next()

    @property
    def in_force(self) -> Any:
        path = self.folder / "configuration.json"
        return json.loads(path.read_text()) if path.exists() else None


@pytest.fixture
async def terminal(tmp_path):
    made = Terminal(tmp_path)
    yield made
    made.configurator.cancel()


async def test_a_configuration_is_kept_once_a_new_link_has_booted(terminal):
    terminal.handler.answer = AppliedConfiguration({"logo": "no such file", "ghost": "x"}, needs_restart=True)

    await terminal.on_trial(7, logo="a.png", volume=3)
    on_trial = terminal.configurator.version, terminal.in_force
    terminal.configurator.link_booted()
    answer = await terminal.recorded.next()

    assert on_trial == (7, None)
    assert answer == (
        "v7",
        {"version": 7, "applied": ["volume"], "refused": {"logo": "no such file"}, "needs_restart": True},
    )
    assert terminal.in_force == {"version": 7, "values": {"logo": "a.png", "volume": 3}}


async def test_one_that_cuts_the_link_is_undone_in_time(terminal):
    await terminal.kept(1, volume=1)
    terminal.restart(undo_after_s=0.01)

    await terminal.on_trial(2, volume=2)
    answer = await terminal.recorded.next()

    assert answer == ("v2", "undone: TMS could not be reached with it within 0 s")
    assert terminal.handler.applied[-2:] == [{"volume": 2}, {"volume": 1}]
    assert (terminal.configurator.version, terminal.in_force["version"]) == (1, 1)


async def test_one_that_the_handler_refuses_is_undone_at_once(terminal):
    await terminal.kept(1, volume=1)
    terminal.handler.fails_on = [{"volume": 2}]

    terminal.send(2, volume=2)

    assert await terminal.recorded.next() == ("v2", "undone: the printer says no")
    assert terminal.handler.applied[-1] == {"volume": 1}


async def test_if_the_former_one_fails_as_well_the_answer_says_so(terminal):
    await terminal.kept(1, volume=1)
    terminal.handler.fails_on = [{"volume": 2}, {"volume": 1}]

    terminal.send(2, volume=2)
    _, reason = await terminal.recorded.next()

    assert "version 1 could not be applied again: the printer says no" in reason


@pytest.mark.parametrize("boots", [True, False])
async def test_a_trial_survives_a_power_cut(terminal, boots):
    await terminal.kept(1, volume=1)
    await terminal.on_trial(2, volume=2)

    terminal.restart(undo_after_s=60 if boots else 0.01)
    if boots:
        terminal.configurator.link_booted()
    request_id, answer = await terminal.recorded.next()

    assert request_id == "v2"
    assert (answer["version"] if boots else answer[:6]) == (2 if boots else "undone")
    assert terminal.configurator.version == (2 if boots else 1)


async def test_one_that_cannot_be_stored_is_undone(terminal, monkeypatch):
    await terminal.kept(1, volume=1)
    await terminal.on_trial(2, volume=2)

    monkeypatch.setattr("tms_agent.storage.documents.write", full_disk)
    terminal.configurator.link_booted()
    answer = await terminal.recorded.next()

    assert answer == ("v2", "undone: it cannot be stored: No space left on device")
    assert terminal.handler.applied[-1] == {"volume": 1}
    assert terminal.configurator.version == 1


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_a_power_cut_while_it_is_applied_undoes_it(terminal):
    await terminal.kept(1, volume=1)
    terminal.handler.gate.clear()
    terminal.send(2, volume=2)
    await asyncio.sleep(0)  # lets it begin

    terminal.handler.gate.set()
    terminal.restart()
    answer = await terminal.recorded.next()

    assert answer == ("v2", "undone: the terminal restarted while the configuration was applied")
    assert terminal.handler.applied[-1] == {"volume": 1}


async def test_a_second_one_waits_for_the_end_of_the_first(terminal):
    await terminal.on_trial(2, volume=2)

    terminal.send(3, volume=3)

    assert await terminal.recorded.next() == ("v3", "another configuration is on trial; try again in a few minutes")


async def test_too_large_values_are_refused_before_anything_happens(terminal):
    terminal.send(2, text="x" * 40_001)
    _, reason = await terminal.recorded.next()

    assert reason.endswith("at most 40000 are possible")
    assert terminal.handler.applied == []


async def test_a_damaged_file_counts_as_none(terminal):
    await terminal.kept(1, volume=1)
    (terminal.folder / "configuration.json").write_text("{")

    assert terminal.configurator.version == 0
