"""Who the terminal says that it is, and what commands of the customer read."""

import sys

import pytest

from tests.support.polling import wait_for_value_async
from tms_agent.device.command_probes import CommandProbes, ProbeChoices, ProbeCommand
from tms_agent.device.identity import Identity, IdentitySource, of_system
from tms_agent.device.machine import LogTail, Machine
from tms_agent.device.programs import ProgramError, output_of
from tms_agent.device.source import DeviceIdentity

SH = ("/bin/sh", "-c")


def test_without_sources_it_is_what_the_system_says():
    assert Identity().read() == DeviceIdentity(**of_system())


async def test_each_member_has_a_source_of_its_own(tmp_path):
    (tmp_path / "firmware").write_text("4.2\n")
    identity = Identity(
        {
            "serial": IdentitySource(command=[*SH, "echo S-1; echo more"]),
            "model": IdentitySource(text="Till 4"),
            "firmware": IdentitySource(file=tmp_path / "firmware"),
        }
    )
    await identity.run_commands()
    before = identity.read()

    (tmp_path / "firmware").write_text("4.3\n")

    assert before == DeviceIdentity("S-1", "Till 4", "4.2")
    assert identity.read().firmware == "4.3"


@pytest.mark.parametrize(
    ("files", "serial"),
    [
        ({"sys/class/dmi/id/product_serial": "PF1\n"}, "PF1"),
        ({"sys/class/dmi/id/product_serial": "Default string\n", "sys/class/dmi/id/board_serial": "B2\n"}, "B2"),
        ({"proc/device-tree/serial-number": "10000000abcdef\0"}, "10000000abcdef"),
        ({"sys/class/dmi/id/product_serial": "To Be Filled By O.E.M.\n"}, ""),
        ({}, ""),
    ],
)
def test_the_hardware_has_a_serial_number_or_none(tmp_path, lines, files, serial):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert Identity({"serial": IdentitySource(is_hardware=True)}, root=tmp_path).read().serial == serial
    assert ("identity.serial is unknown" in lines()) is not serial


async def test_a_source_that_fails_is_unknown_and_not_another_device(tmp_path, lines):
    sources = {"serial": IdentitySource(command=["/nowhere"]), "model": IdentitySource(file=tmp_path / "none")}
    identity = Identity(sources)

    await identity.run_commands()

    assert (identity.read().serial, identity.read().model) == ("", "")
    assert "identity.serial is unknown: /nowhere: No such file or directory" in lines()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("sleep 60 & sleep 60", "did not end within 0.2 s"),
        ("setsid sleep 5 & sleep 60", "did not end within 0.2 s"),
        ("head -c 9000000 /dev/zero", "wrote more than 64 bytes"),
        ("yes", "wrote more than 64 bytes"),
        ("exit 3", "ended with 3"),
    ],
)
async def test_a_command_has_limits(script, message):
    with pytest.raises(ProgramError, match=message):
        await output_of([*SH, script], within_s=0.2 if "sleep" in script else 20, at_most=64)


async def test_a_command_does_not_see_the_credential(monkeypatch):
    monkeypatch.setenv("TMS_AGENT_CREDENTIAL", "hush")

    assert await output_of([*SH, "echo $TMS_AGENT_CREDENTIAL."], within_s=20) == "."


async def test_commands_make_readings_in_their_own_time(tmp_path, lines):
    value = tmp_path / "value"
    value.write_text("41.5")
    probes = CommandProbes({"paper_pct": ProbeCommand(["/bin/cat", str(value)], every_s=0.01)})

    assert probes.read() == {}
    await wait_for_value_async(probes.read, {"paper_pct": 41.5})
    value.write_text("none")
    await wait_for_value_async(probes.read, {})

    assert lines().count("no reading paper_pct: /bin/cat wrote 'none'; expected one number") == 1


async def test_a_reading_can_be_switched_off_or_replaced():
    command = ProbeCommand([sys.executable, "-c", "print(7)"])
    choices = ProbeChoices(frozenset({"disk_pct", "load_1m"}), {"load_1m": command})
    machine = Machine(tail=LogTail(), probes=choices)

    first = machine.sample().metrics
    await wait_for_value_async(lambda: machine.sample().metrics.get("load_1m"), 7)

    assert not {"disk_pct", "load_1m"} & first.keys()
    assert "uptime_s" in first
