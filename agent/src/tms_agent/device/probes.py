"""Readings of the machine that the agent runs on. What the platform lacks is omitted; most of them need psutil."""

import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

try:
    import psutil
except ImportError:
    HAS_PSUTIL = False
    UNAVAILABLE: tuple[type[Exception], ...] = (OSError, AttributeError)
else:
    HAS_PSUTIL = True
    UNAVAILABLE = (OSError, AttributeError, psutil.Error)

from tms_agent.device.clock import uptime_s

PROCESSOR_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "soc_thermal", "acpitz")
PLAUSIBLE_C = range(-60, 160)

Probe = Callable[[], Iterator[tuple[str, float]]]

READINGS = {
    "disk_use": ("disk_pct",),
    "load": ("load_1m",),
    "uptime": ("uptime_s",),
    "processor": ("cpu_pct",),
    "memory": ("memory_pct",),
    "temperature": ("temperature_c",),
    "network": ("net_received_bytes_s", "net_sent_bytes_s"),
}
"""The readings of each probe."""
NAMES = frozenset(name for names in READINGS.values() for name in names)


class Probes:
    """Rates are since the last reading, so keep one object."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, off: Collection[str] = ()) -> None:
        """`off`: the names of readings that are not wanted."""
        self._clock = clock
        self._off = off
        self._disk = Path.home().anchor or "/"
        probes: dict[str, Probe] = {"disk_use": self._disk_use, "load": self._load, "uptime": self._uptime}
        if HAS_PSUTIL:
            probes |= {"processor": self._processor, "memory": self._memory}
            probes |= {"temperature": self._temperature, "network": self._network}
            self._traffic = self._count_traffic()
            psutil.cpu_percent()  # the first call only starts the measurement
        self._probes = [probe for name, probe in probes.items() if not set(READINGS[name]) <= set(off)]

    def read(self) -> Mapping[str, float]:
        readings: dict[str, float] = {}
        for probe in self._probes:
            try:
                readings.update(probe())
            except UNAVAILABLE:
                continue  # not available on this platform
        return {name: round(value, 2) for name, value in readings.items() if name not in self._off}

    def _uptime(self) -> Iterator[tuple[str, float]]:
        yield "uptime_s", uptime_s()

    def _processor(self) -> Iterator[tuple[str, float]]:
        yield "cpu_pct", psutil.cpu_percent()

    def _memory(self) -> Iterator[tuple[str, float]]:
        yield "memory_pct", psutil.virtual_memory().percent

    def _disk_use(self) -> Iterator[tuple[str, float]]:
        disk = shutil.disk_usage(self._disk)
        yield "disk_pct", 100 * disk.used / max(1, disk.used + disk.free)  # the rest only root may use

    def _temperature(self) -> Iterator[tuple[str, float]]:
        chips = psutil.sensors_temperatures()
        processor = [chips[name] for name in PROCESSOR_SENSORS if name in chips][:1]
        sensors = [sensor.current for chip in processor or chips.values() for sensor in chip]
        plausible = [celsius for celsius in sensors if celsius and int(celsius) in PLAUSIBLE_C]
        if plausible:
            yield "temperature_c", max(plausible)

    def _network(self) -> Iterator[tuple[str, float]]:
        before, self._traffic = self._traffic, self._count_traffic()
        (received, sent, at), (received_before, sent_before, before_at) = self._traffic, before
        if at > before_at and received >= received_before and sent >= sent_before:
            yield "net_received_bytes_s", (received - received_before) / (at - before_at)
            yield "net_sent_bytes_s", (sent - sent_before) / (at - before_at)

    def _load(self) -> Iterator[tuple[str, float]]:
        yield "load_1m", (psutil if HAS_PSUTIL else os).getloadavg()[0]

    def _count_traffic(self) -> tuple[int, int, float]:
        cards = psutil.net_io_counters(pernic=True, nowrap=True)
        counters = [counter for name, counter in cards.items() if not name.startswith("lo")]
        received = sum(counter.bytes_recv for counter in counters)
        return received, sum(counter.bytes_sent for counter in counters), self._clock()
