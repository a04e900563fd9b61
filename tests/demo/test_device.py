"""Simulated devices: each personality has effects, and TMS accepts every sample."""

import asyncio
from collections import Counter
from itertools import pairwise

import pytest

from tms.commands.kinds import CATALOG
from tms.demo.commands import COMMANDS
from tms.demo.device import HANDLERS, DemoDevice
from tms.demo.personality import Personality, personality_of
from tms.demo.seed_file import DemoTerminal
from tms.protocol import uplink
from tms_agent.device.source import CommandError, CommandRun
from tms_agent.protocol import frames
from tms_agent.protocol.uplink import report as encoded


def device(personality: Personality, kind: str = "kiosk") -> DemoDevice:
    return DemoDevice(DemoTerminal("SJK-KSK-01", "SJK", kind, "KX-20", "4.8.2", "S1", "x"), personality)


@pytest.mark.parametrize("personality", Personality)
def test_tms_accepts_every_sample_as_a_report(personality, now):
    for _ in range(200):
        sample = device(personality).sample()
        report = frames.ReportFrame(
            seq=1, at=now, status=sample.status, metrics=dict(sample.metrics), events=tuple(sample.events)
        )
        [taken] = uplink.decode(encoded(report))

        assert isinstance(taken, uplink.ReportCall)


def test_paper_runs_out_and_is_refilled():
    thirsty = device(Personality.THIRSTY)

    levels = [thirsty.sample().metrics["paper_pct"] for _ in range(500)]

    assert min(levels) < 10
    assert any(after > before for before, after in pairwise(levels))


def test_a_jammed_reader_reports_it_and_recovers():
    jammed = device(Personality.JAMMED)

    codes = Counter(event.code for _ in range(2_000) for event in jammed.sample().events)

    assert codes["card_reader_fault"] > 1
    assert abs(codes["card_reader_fault"] - codes["card_reader_ok"]) <= 1


def test_a_reboot_sends_a_goodbye_with_a_return_time(now):
    outcome = asyncio.run(device(Personality.HEALTHY).handle(frames.CommandFrame("reboot", {}, now), CommandRun()))

    assert outcome.goodbye is not None
    assert outcome.goodbye.reason == "reboot"
    assert outcome.goodbye.back_at is not None


def test_an_unknown_command_is_refused_with_the_expected_ones(now):
    with pytest.raises(CommandError, match=", ".join(HANDLERS)):
        asyncio.run(device(Personality.HEALTHY).handle(frames.CommandFrame("dance", {}, now), CommandRun()))


def test_a_device_names_what_it_can_do_and_does_what_the_demo_defines(now):
    kiosk, gate = device(Personality.HEALTHY), device(Personality.HEALTHY, kind="gate")
    kiosk.paper_pct = 50.0

    done = [
        asyncio.run(kiosk.handle(frames.CommandFrame(name, args, now), CommandRun())).result
        for name, args in (
            ("set-volume", {"level": 20}),
            ("set-volume", {"level": 70, "channel": "main"}),
            ("print-test-page", {"copies": 2}),
        )
    ]
    kiosk.paper_pct = 5.0

    assert done == [
        {"channel": "main", "before": 50, "level": 20},
        {"channel": "main", "before": 20, "level": 70},
        {"printed": 2, "paper_pct": 49.8},
    ]
    assert set(kiosk.capabilities) - set(gate.capabilities) == {"print-test-page"}
    assert set(HANDLERS) == {*CATALOG, *COMMANDS}
    with pytest.raises(CommandError, match="paper 5%"):
        asyncio.run(kiosk.handle(frames.CommandFrame("print-test-page", {}, now), CommandRun()))


@pytest.mark.parametrize(("name", "begins"), [("logs", b"20"), ("screenshot", b"\x89PNG")])
def test_a_device_has_the_files_of_the_commands_of_tms(now, name, begins):
    outcome = asyncio.run(device(Personality.HEALTHY).handle(frames.CommandFrame(name, {}, now), CommandRun()))

    [file] = outcome.files
    content = file.path.read_bytes()
    file.path.unlink()
    assert content.startswith(begins)
    assert (file.media_type in CATALOG[name].file_types, file.is_temporary) == (True, True)


def test_a_terminal_keeps_its_character_and_most_are_healthy():
    characters = Counter(personality_of(f"T-{number}") for number in range(2_000))

    assert personality_of("T-1") is personality_of("T-1")
    assert characters[Personality.HEALTHY] > 1_500
    assert set(characters) == set(Personality)
