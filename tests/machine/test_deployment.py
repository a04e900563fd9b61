"""Deployments by the pipeline to a machine that has just booted, through Run Command."""

import asyncio

import pytest

import deploy.aws
from deploy.pipeline.__main__ import main
from tests.faults.scenario.observer import TerminalObserver
from tests.machine.machine import Machine
from tests.machine.observed import nothing_happened_to
from tests.machine.run_command import Aws

pytestmark = pytest.mark.services


@pytest.fixture
def aws(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Aws:
    aws = Aws(machine)
    monkeypatch.setattr(deploy.aws.boto3, "client", aws.client)
    return aws


def step(*arguments: str) -> int:
    return main([*arguments, "--every", "0.2"])


async def test_a_machine_that_has_just_booted_rolls_back_without_a_download(machine, terminals):
    assert machine.releases() == {"first"}
    async with TerminalObserver(terminals, report_every_s=1) as observer:
        await observer.wait_until_linked()

        message = await asyncio.to_thread(machine.deploy, "rollback")

        assert machine.releases() == {"earlier"}
        assert "earlier runs" in message
        await nothing_happened_to(observer, machine)
    with pytest.raises(RuntimeError, match="no release to roll back to"):  # it never rolls forward
        machine.deploy("rollback")


async def test_a_rollout_without_new_machines_and_a_rollback_of_all_machines(machine, terminals, aws):
    aws.put_parameter(Name="/tms/release", Value="earlier")
    aws.mark_good("oldest")
    for version in ("next", "oldest"):
        machine.publish_again(version)
    async with TerminalObserver(terminals, report_every_s=1) as observer:
        await observer.wait_until_linked()
        await observer.wait_for_acknowledgements(len(terminals))

        assert await asyncio.to_thread(step, "migrate", "ec2", "next") == 0
        assert await asyncio.to_thread(step, "roll-out", "ec2", "next", "--in-place") == 0
        assert machine.releases() == {"next"}
        await nothing_happened_to(observer, machine)
        assert not (machine.releases_folder / "oldest").exists()
        assert await asyncio.to_thread(step, "roll-back", "ec2") == 0
        assert machine.releases() == {"oldest"}

        await nothing_happened_to(observer, machine)
    assert step("roll-back", "ec2") == 1  # it never rolls forward
    assert [name for name, *_ in aws.commands] == [
        "tms-migrate",
        *("tms-install", "tms-install", "tms-switch"),
        *("tms-install", "tms-rollback"),
    ]


async def test_a_release_that_does_not_start_changes_nothing_for_machine_parameter_and_terminals(
    machine, terminals, aws, capsys
):
    assert machine.releases() == {"oldest"}
    machine.publish_again("broken")
    (machine.copy_release("broken") / "deploy/machine/run").write_text("#!/bin/sh\nexit 1\n")
    async with TerminalObserver(terminals, report_every_s=1) as observer:
        await observer.wait_until_linked()

        assert await asyncio.to_thread(step, "roll-out", "ec2", "broken", "--in-place") == 1

        assert "broken does not run; back on oldest" in capsys.readouterr().err
        assert machine.releases() == {"oldest"}
        await nothing_happened_to(observer, machine)
    assert aws.get_parameter(Name="/tms/release")["Parameter"]["Value"] == "oldest"
    before = machine.pid_of("tms:node-1")
    assert step("roll-back", "ec2") == 0  # to what is current: some machines of a larger group may run the broken one
    assert (machine.releases(), machine.pid_of("tms:node-1")) == ({"oldest"}, before)
