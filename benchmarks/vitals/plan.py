"""The devices and sizes of the measurement of page loads."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Device:
    """A screen and a network as Lighthouse simulates them, with its throttling of requests in the browser."""

    width: int
    height: int
    latency_ms: float
    down_kbit: float
    up_kbit: float
    is_phone: bool = False

    @property
    def context(self) -> dict[str, Any]:
        """Options of the browser's context."""
        phone = {"has_touch": True, "device_scale_factor": 2} if self.is_phone else {}
        return {"viewport": {"width": self.width, "height": self.height}, **phone}

    @property
    def network(self) -> dict[str, Any]:
        down, up = (kbit * 1000 / 8 for kbit in (self.down_kbit, self.up_kbit))
        return {"offline": False, "latency": self.latency_ms, "downloadThroughput": down, "uploadThroughput": up}


DEVICES = {
    "desktop": Device(1440, 900, latency_ms=40, down_kbit=10_240, up_kbit=10_240),
    "phone": Device(390, 844, latency_ms=562.5, down_kbit=1_474.6, up_kbit=675, is_phone=True),
}
"""`phone` is Lighthouse's slow 4G."""


@dataclass(frozen=True)
class VitalsPlan:
    fleet: int = 5_000
    rows: int = 50
    """The number of rows of the plain page."""
    loads: int = 5
    cpu: float = 4.0
    """How many times slower the CPU is."""
    settle_s: float = 4.0
    """The time after the load within which boards get their first frame."""


TINY = VitalsPlan(fleet=60, loads=1, cpu=1.0, settle_s=0.5)
"""A plan to check that everything works; its figures mean nothing."""
