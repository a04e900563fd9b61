from datetime import UTC, datetime
from types import SimpleNamespace

import psutil
import pytest

from tms.protocol import uplink
from tms_agent.device.machine import LogTail, Machine
from tms_agent.device.probes import Probes
from tms_agent.device.source import CommandRun
from tms_agent.protocol import frames
from tms_agent.protocol.uplink import report as encoded


@pytest.fixture
def machine() -> Machine:
    return Machine(tail=LogTail())


def test_tms_accepts_the_measured_metrics(machine):
    sample = machine.sample()
    report = frames.ReportFrame(1, datetime.now(UTC), sample.status, dict(sample.metrics))

    decoded = next(uplink.decode(encoded(report)))

    assert isinstance(decoded, uplink.ReportCall)
    assert {"cpu_pct", "memory_pct", "disk_pct", "uptime_s", "load_1m"} <= decoded.params.metrics.keys()


def test_a_probe_that_the_platform_lacks_is_omitted(monkeypatch):
    def lacking(*_: object, **__: object):
        raise AttributeError("not on this platform")

    monkeypatch.setattr(psutil, "sensors_temperatures", lacking, raising=False)
    monkeypatch.setattr("shutil.disk_usage", lacking)

    readings = Probes().read()

    assert "temperature_c" not in readings
    assert "disk_pct" not in readings
    assert "memory_pct" in readings


@pytest.mark.parametrize(
    ("chips", "wanted"),
    [
        ({}, None),
        ({"coretemp": [61.0, 64.5], "nvme": [80.0]}, 64.5),
        ({"nvme": [55.0], "iwlwifi": [48.0]}, 55.0),
        ({"coretemp": [0.0], "acpitz": [40.0]}, None),
        ({"cpu_thermal": [9_999.0]}, None),
    ],
)
def test_the_temperature_is_that_of_the_processor_if_available(monkeypatch, chips, wanted):
    sensors = {name: [SimpleNamespace(current=celsius) for celsius in values] for name, values in chips.items()}
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: sensors, raising=False)

    assert Probes().read().get("temperature_c") == wanted


def test_traffic_is_a_rate_without_the_loopback(monkeypatch):
    cards = iter(
        {
            "eth0": SimpleNamespace(bytes_recv=received, bytes_sent=sent),
            "lo": SimpleNamespace(bytes_recv=9, bytes_sent=9),
        }
        for received, sent in ((1_000, 100), (3_000, 400), (50, 50))
    )
    monkeypatch.setattr(psutil, "net_io_counters", lambda **_: next(cards))
    seconds = iter((0.0, 10.0, 20.0))
    probes = Probes(clock=lambda: next(seconds))

    first, after_a_reset = probes.read(), probes.read()

    assert (first["net_received_bytes_s"], first["net_sent_bytes_s"]) == (200.0, 30.0)
    assert "net_received_bytes_s" not in after_a_reset


def test_a_machine_under_load_reports_degraded(monkeypatch, machine):
    normal = machine.sample()
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(used=975, free=25))

    assert (normal.status, machine.sample().status) == ("ok", "degraded")


async def test_a_permitted_reboot_sends_a_goodbye_with_the_time_of_return():
    machine = Machine(tail=LogTail(), allows_reboot=True)

    outcome = await machine.handle(frames.CommandFrame("reboot", {}, datetime.now(UTC)), CommandRun())

    assert outcome.goodbye.reason == "reboot"
    assert outcome.result["back_at"] == outcome.goodbye.back_at.isoformat(timespec="seconds")
