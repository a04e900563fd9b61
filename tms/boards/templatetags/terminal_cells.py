"""The cells of a row of terminals, in the order of the columns that the page shows."""

from functools import cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from tms.boards.columns.extras import RowExtras
from tms.boards.columns.terminals import (
    ATTRIBUTE,
    TERMINAL_COLUMNS,
    Extras,
    TerminalColumn,
    attribute_column,
)
from tms.boards.formatting import instants
from tms.boards.rendering.renderer import render_piece
from tms.boards.rows.terminals import TerminalRow
from tms.boards.templatetags.foreign import bdi

register = template.Library()


@register.simple_tag
def cells(terminal: TerminalRow, columns: tuple[str, ...], extras: RowExtras) -> SafeString:
    """Most reports change one or two cells of a row; the others are cached by their values."""
    language, known = get_language(), dict(extras)
    html = "".join(_cell(column_named(name), terminal, known, language) for name in columns)
    return SafeString(html)  # nosec B703  (the templates escaped what they were given)


@register.filter
def column_label(column: TerminalColumn) -> object:
    """The header: that of an attribute is a text of people."""
    return bdi(column.label) if column.name.startswith(ATTRIBUTE) else column.label


@cache
def column_named(name: str) -> TerminalColumn:
    """The column; that of an attribute without its label."""
    return attribute_column(name, name) if name.startswith(ATTRIBUTE) else TERMINAL_COLUMNS[name]


def _cell(column: TerminalColumn, terminal: TerminalRow, extras: Extras, language: str) -> str:
    values = column.values(terminal, extras)
    if column.partial == "seen":  # each report changes it
        at = terminal.link.last_seen_at
        return format_html('<td class="number">{}</td>', "–" if at is None else instants.time_element(at, "ago"))
    partial = "number" if isinstance(extras.get(column.name), float) else column.partial
    return render_piece(f"boards/terminal-cells.html#{partial}", language, (*values, ("width", column.width)))
