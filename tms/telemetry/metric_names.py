"""Labels and units of metrics. An unknown metric is labelled with its name; its suffix defines the unit."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tms.protocol.limits import METRIC_BOUND


class Metric(NamedTuple):
    label: str | Promise
    unit: str
    decimals: int = 0
    least: float | None = None
    most: float | None = None


LABELS: dict[str, str | Promise] = {
    "temperature_c": _("Temperature"),
    "cpu_pct": _("CPU"),
    "memory_pct": _("Memory"),
    "disk_pct": _("Disk"),
    "link_rtt_ms": _("Round-trip time"),
    "paper_pct": _("Paper"),
    "uptime_s": _("Uptime"),
    "network_in_bps": _("Received"),
    "network_out_bps": _("Sent"),
}
ENDINGS = {
    "pct": Metric("", "%", 0, 0, 100),
    "c": Metric("", " °C", 0),
    "ms": Metric("", " ms", 0, 0),
    "s": Metric("", " s", 0, 0),
    "mb": Metric("", " MB", 0, 0),
    "gb": Metric("", " GB", 1, 0),
    "bps": Metric("", " bit/s", 0, 0),
    "rpm": Metric("", " rpm", 0, 0),
    "v": Metric("", " V", 1),
    "dbm": Metric("", " dBm", 0),
}
BARE = Metric("", "", 1)


def metric(name: str) -> Metric:
    ending = ENDINGS.get(name.rpartition("_")[2], BARE)
    return ending._replace(label=LABELS.get(name, name))


def between(name: str, lowest: float | None, highest: float | None) -> str:
    """`58–67 °C`."""
    unit = metric(name).unit
    return f"{worded(name, lowest).removesuffix(unit)}–{worded(name, highest)}"


def worded(name: str, value: float | None) -> str:
    """`61 °C`; a dash without a value. Large values have no decimals."""
    if value is None:
        return "–"
    known = metric(name)
    if abs(value) > METRIC_BOUND:  # stored before values were limited
        return f"{value:.3g}{known.unit}"
    decimals = known.decimals if abs(value) < 100 else 0
    return f"{value:,.{decimals}f}{known.unit}"
