"""Simulated devices that TMS can update and configure."""

import json
from pathlib import Path

import pytest

from tests.support.people import person, signed_in
from tms.demo.behaviour import Behaviour
from tms.demo.breaking import bad_rollout, client
from tms.demo.device import DemoDevice
from tms.demo.personality import Personality
from tms.demo.releases import KEY, LEAKING, seed_releases
from tms.demo.seed_file import DemoTerminal
from tms.lib.db.clock import db_clock
from tms.rollouts.models import Rollout
from tms_agent.protocol.instants import parse
from tms_agent.requests import RequestRefused
from tms_agent.updating.manifest import Manifest

TERMINAL = DemoTerminal("SJK-KSK-01", "SJK", "kiosk", "KX-20", "4.8.2", "S1", "x")
MANIFEST = Manifest("kiosk-firmware", ("KX-20",), "4.9.0", "swu", 10, "0" * 64, parse("2030-01-01T00:00:00Z"), "", "")


def device(folder: Path) -> DemoDevice:
    return DemoDevice(TERMINAL, Personality.HEALTHY, folder=folder)


async def install(one: DemoDevice, folder: Path, **behaviour: float) -> None:
    file = folder / "update"
    file.write_text(json.dumps({"install_s": 0} | behaviour))
    await one.software.install(file, MANIFEST)


async def test_software_is_there_after_the_restart_and_stays(tmp_path: Path) -> None:
    one = device(tmp_path)

    await install(one, tmp_path, leaks_pct_per_hour=3_600)
    before = one.identity.firmware
    one.restart()

    assert (before, one.identity.firmware, device(tmp_path).identity.firmware) == ("4.8.2", "4.9.0", "4.9.0")
    assert not one.has_run_out_of_memory
    one.started_at -= 60
    assert one.has_run_out_of_memory
    assert one.sample().metrics["memory_pct"] > 95


async def test_a_device_can_fail_to_install_lie_and_stay_away(tmp_path: Path) -> None:
    one = device(tmp_path)

    with pytest.raises(RequestRefused, match="boot partition"):
        await install(one, tmp_path, fails=1)
    await install(one, tmp_path, lies=1, stays_away=1)
    one.restart()

    assert (one.identity.firmware, one.software.is_stuck) == ("4.8.2", True)


async def test_what_is_no_simulated_software_is_refused(tmp_path: Path) -> None:
    (tmp_path / "update").write_text("MZ")

    with pytest.raises(RequestRefused, match="not software of a simulated device"):
        await device(tmp_path).software.install(tmp_path / "update", MANIFEST)


async def test_a_configuration_is_applied_but_for_what_the_device_does_not_have(tmp_path: Path) -> None:
    applied = await device(tmp_path).software.apply({"display.theme": "summer-2019", "display.brightness": 60})

    assert dict(applied.refused) == {"display.theme": "this theme is not installed"}


def test_a_visitor_rolls_out_software_that_leaks(db, tmp_path: Path) -> None:
    visitor = person("demo", of="Manager")
    keys = seed_releases(visitor, {}, folder=tmp_path, at=db_clock().now())
    client.enable(tmp_path / "none")

    answer = signed_in(visitor).post("/demo/bad-rollout/")
    client.disable()

    rollout = Rollout.objects.get()
    assert list(keys) == [KEY]
    assert (answer.status_code, answer.headers["Location"]) == (302, rollout.get_absolute_url())
    assert rollout.artifacts.get() == bad_rollout.artifact()
    assert rollout.artifacts.get().version == LEAKING
    with rollout.artifacts.get().file.open() as file:
        assert Behaviour(**json.loads(file.read())).leaks_pct_per_hour > 0
