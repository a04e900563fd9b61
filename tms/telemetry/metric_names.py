"""The catalogue of metrics: names for people, and units. The unit of an unknown metric follows from its suffix."""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tms.lib.calendar.durations import spell
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
    "load_1m": _("Load, 1 min"),
    "link_rtt_ms": _("Round-trip time"),
    "paper_pct": _("Paper"),
    "uptime_s": _("Uptime"),
    "net_received_bytes_s": _("Network received"),
    "net_sent_bytes_s": _("Network sent"),
    "network_in_bps": _("Received"),
    "network_out_bps": _("Sent"),
}
ENDINGS = {
    "pct": Metric("", "%", 0, 0, 100),
    "c": Metric("", " °C", 0),
    "ms": Metric("", " ms", 0, 0),
    "bytes_s": Metric("", " B/s", 0, 0),
    "s": Metric("", " s", 0, 0),
    "mb": Metric("", " MB", 0, 0),
    "gb": Metric("", " GB", 1, 0),
    "bps": Metric("", " bit/s", 0, 0),
    "rpm": Metric("", " rpm", 0, 0),
    "v": Metric("", " V", 1),
    "dbm": Metric("", " dBm", 0),
}
"""The first that fits."""
BARE = Metric("", "", 1)
RATES = frozenset({" B/s", " bit/s"})
"""Units that get a prefix: 12.3 kB/s."""
PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def metric(name: str) -> Metric:
    ending = next((ending for ending in ENDINGS if name.endswith(f"_{ending}")), "")
    label = LABELS.get(name) or name.removesuffix(f"_{ending}").replace("_", " ").capitalize()
    return ENDINGS.get(ending, BARE)._replace(label=label)


def named(text: str, known: Iterable[str] = ()) -> str:
    """The metric of `known` or of the catalogue that people call `text`; otherwise `text`, which may be a name."""
    said = text.strip().casefold()
    return next((name for name in (*LABELS, *known) if str(metric(name).label).casefold() == said), text)


def between(name: str, lowest: float | None, highest: float | None) -> str:
    """`58–67 °C`."""
    unit = metric(name).unit
    return f"{worded(name, lowest).removesuffix(unit)}–{worded(name, highest)}"


def worded(name: str, value: float | None) -> str:
    """`61 °C`, `20 min 3 s`; a dash without a value. Large values have no decimals."""
    if value is None:
        return "–"
    known = metric(name)
    if abs(value) > METRIC_BOUND:
        return f"{value:.3g}{known.unit}"
    if known.unit == " s" and value >= 60:
        return spell(value)
    if known.unit in RATES and (prefix := next((one for one in PREFIXES if abs(value) >= one[0]), None)):
        return f"{value / prefix[0]:.3g} {prefix[1]}{known.unit.strip()}"
    is_count = known.unit == "" and float(value).is_integer()
    decimals = known.decimals if abs(value) < 100 and not is_count else 0
    return f"{value:,.{decimals}f}{known.unit}"
