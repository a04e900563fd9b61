"""The columns that a list of terminals can have: one entry each, for the page, its menu and its export.

The cell of a column is a partial of the template `boards/terminal-cells.html`, rendered once for equal values.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.boards.rows.common import LinkView
from tms.boards.rows.terminals import COLUMNS as READINGS
from tms.boards.rows.terminals import TerminalRow
from tms.fleet.models import Presence
from tms.lib.csv_text import Cell
from tms.telemetry import metric_names

UID = "uid"
"""The first column of every list: it names the row."""
ATTRIBUTE = "attr."
"""What the names of columns begin with that show an attribute, as in queries."""
MAX_COLUMNS = 30
ONLINE = LinkView(Presence.ONLINE, None, "", None, None, None)

type Extras = Mapping[str, Hashable]
"""What shown columns need of a terminal beyond its row, by column."""
type CellValues = tuple[tuple[str, Hashable], ...]
"""The values that a cell is rendered from, by name."""


@dataclass(frozen=True, slots=True)
class TerminalColumn:
    name: str
    label: object
    """Its header: a text, or an attribute, whose label depends on the language."""
    values: Callable[[TerminalRow, Extras], CellValues]
    cells: Callable[[TerminalRow, Extras], tuple[Cell, ...]]
    """Its cells in CSV, one for each name of `head`."""
    partial: str = "text"
    head: tuple[str, ...] = ()
    """The names of its columns in CSV; its own name if empty."""
    is_number: bool = False
    is_default: bool = False
    is_extra: bool = False
    """Whether it needs another query, made once for a page that shows it."""
    width: str = ""
    """`wide`: only on wide screens; `mid`: not on phones."""

    @property
    def heads(self) -> tuple[str, ...]:
        return self.head or (self.name,)


def _of_row(
    name: str, label: object, *, partial: str = "text", is_default: bool = False, width: str = ""
) -> TerminalColumn:
    """A column of the row itself, of which `name` is an attribute."""
    text = attrgetter(name)
    return TerminalColumn(
        name,
        label,
        lambda row, _: (("text", text(row)),),
        lambda row, _: (text(row),),
        partial,
        is_default=is_default,
        width=width,
    )


def _extra(name: str, label: object, *, partial: str = "text") -> TerminalColumn:
    """A column of text that another query reads."""
    return TerminalColumn(
        name,
        label,
        lambda _, extras: (("text", extras.get(name, "")),),
        lambda _, extras: (str(extras.get(name, "")),),
        partial,
        is_extra=True,
    )


def _words(name: str, label: object, *, is_default: bool = False) -> TerminalColumn:
    """A column of several words that another query reads."""

    def words(extras: Extras) -> tuple[str, ...]:
        found = extras.get(name, ())
        assert isinstance(found, tuple)
        return found

    return TerminalColumn(
        name,
        label,
        lambda _, extras: (("words", words(extras)),),
        lambda _, extras: (" ".join(words(extras)) if name == "tags" else ", ".join(words(extras)),),
        "words",
        is_default=is_default,
        is_extra=True,
        width="wide" if is_default else "",
    )


def _reading(at: int, metric: str, *, is_default: bool = False) -> TerminalColumn:
    def values(row: TerminalRow, _: Extras) -> CellValues:
        reading = row.readings[at]
        return ("text", metric_names.worded(metric, reading.value)), ("over", reading.over)

    return TerminalColumn(
        metric,
        metric_names.metric(metric).label,
        values,
        lambda row, _: (row.readings[at].value,),
        "reading",
        is_number=True,
        is_default=is_default,
        width="wide" if is_default else "",
    )


def _who(row: TerminalRow, _: Extras) -> CellValues:
    return ("uid", row.uid), ("site", row.site_label.name), ("lifecycle", row.lifecycle)


def _presence(row: TerminalRow, _: Extras) -> CellValues:
    """The instants that change with each report are left out: they are not shown here."""
    link = ONLINE if row.link.presence == Presence.ONLINE else row.link._replace(last_seen_at=None)
    return ("link", link), ("expected", row.expected), ("status", row.status)


def _planned(row: TerminalRow) -> str:
    return str(row.expected.kind) if row.expected else ""


READING_COLUMNS = tuple(
    _reading(at, metric, is_default=metric in ("temperature_c", "paper_pct")) for at, metric in enumerate(READINGS)
)
_ALL = (
    TerminalColumn(UID, _("Terminal"), _who, lambda row, _: (row.uid,), "who", is_default=True),
    TerminalColumn(
        "presence",
        _("Presence"),
        _presence,
        lambda row, _: (row.link.presence, _planned(row)),
        "presence",
        head=("presence", "expected"),
        is_default=True,
    ),
    _of_row("status", _("Status"), partial="status", is_default=True, width="mid"),
    TerminalColumn(
        "severity",
        _("Alert"),
        lambda row, _: (("severity", row.severity), ("alerts", row.alerts)),
        lambda row, _: (row.severity, row.alerts),
        "severity",
        head=("severity", "alerts"),
        is_default=True,
        width="mid",
    ),
    TerminalColumn(
        "site",
        _("Site and location"),
        lambda row, _: (("site", row.site_label.name), ("label", row.label)),
        lambda row, _: (row.site_label.code, str(row.site_label.name), row.label),
        "place",
        head=("site", "site_name", "label"),
        is_default=True,
        width="wide",
    ),
    _of_row("label", _("Location")),
    _of_row("model", _("Model"), is_default=True, width="wide"),
    _of_row("firmware", _("Firmware"), is_default=True, width="wide"),
    _words("tags", _("Tags"), is_default=True),
    TerminalColumn(
        "seen",
        _("Last seen"),
        lambda row, _: (("at", row.link.last_seen_at),),
        lambda row, _: (row.link.last_seen_at.isoformat() if row.link.last_seen_at else "",),
        "seen",
        head=("last_seen_at",),
        is_number=True,
        is_default=True,
    ),
    *READING_COLUMNS,
    _extra("kind", _("Kind"), partial="kind"),
    _of_row("lifecycle", pgettext_lazy("lifecycle", "State"), partial="lifecycle"),
    _extra("serial", _("Serial number")),
    _extra("address", _("Address")),
    _extra("agent", _("Agent")),
    _words("groups", _("Groups")),
)
TERMINAL_COLUMNS: Mapping[str, TerminalColumn] = {column.name: column for column in _ALL}
"""All but those of attributes, in the order of the menu."""
DEFAULT_COLUMNS = tuple(column.name for column in _ALL if column.is_default)


def attribute_column(name: str, label: object, *, is_number: bool = False) -> TerminalColumn:
    """The column of an attribute, whose `name` is `attr.floor`."""

    def value(extras: Extras) -> Cell:
        found = extras.get(name)
        return found if isinstance(found, str | float) else None

    return TerminalColumn(
        name,
        label,
        lambda _, extras: (("text", _written(value(extras))),),
        lambda _, extras: (value(extras),),
        "number" if is_number else "text",
        is_number=is_number,
        is_extra=True,
    )


def chosen_columns(names: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """The columns that a text names, each once; the UID comes first. Unknown names are left out."""
    chosen = dict.fromkeys(name for name in names if name in known)
    return (UID, *[name for name in chosen if name != UID][: MAX_COLUMNS - 1]) if chosen else ()


def _written(value: Cell) -> str:
    """A value of an attribute for people: numbers without needless decimals."""
    if isinstance(value, float):
        return f"{value:.12g}"
    return "" if value is None else str(value)
