"""A draft of the post-mortem of an incident as Markdown, written from what the page shows."""

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from django.utils.translation import gettext, ngettext, pgettext

from tms.alerts.models import IncidentTransitionKind
from tms.boards.rows.incidents import IncidentRow
from tms.boards.workbench.cells import Cells
from tms.boards.workbench.evidence import FactorRow
from tms.lib.calendar.durations import spell

ESCAPED = str.maketrans({character: f"\\{character}" for character in "\\`*_[]<>#|"})


def draft(incident: IncidentRow, cells: Cells, factors: Sequence[FactorRow], *, at: datetime, zone: tzinfo) -> str:
    """Times are those of `zone`."""
    return "\n".join(_lines(incident, cells, factors, at=at, zone=zone)) + "\n"


def _lines(
    incident: IncidentRow, cells: Cells, factors: Sequence[FactorRow], *, at: datetime, zone: tzinfo
) -> Iterator[str]:
    yield f"# {_plain(incident.title)}"
    yield ""
    until = incident.resolved_at or at
    lasted = spell((until - incident.opened_at).total_seconds())
    opened = f"{incident.opened_at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
    yield _fact(gettext("Opened"), opened)
    number = ngettext("%(n)s terminal", "%(n)s terminals", cells.number) % {"n": f"{cells.number:,}"}
    duration = gettext("for %(length)s") if incident.is_resolved else gettext("for %(length)s so far")
    yield _fact(gettext("Impact"), f"{number}, {duration % {'length': lasted}}")
    yield _fact(gettext("Acknowledged"), _acknowledgement_text(incident))
    yield _fact(gettext("Cause"), _cause(factors))
    yield ""
    yield f"## {gettext('Timeline')}"
    yield ""
    for row in incident.transitions:
        by = f", {_plain(row.by.text)}" if row.by else ""
        comment = f": {_plain(row.comment)}" if row.comment else ""
        kind = IncidentTransitionKind(row.kind).label
        yield f"- {row.at.astimezone(zone):%H:%M:%S} {kind} ({row.open_count:,}){by}{comment}"
    yield ""
    yield f"## {gettext('Actions')}"
    yield ""
    yield "- [ ] "


def _acknowledgement_text(incident: IncidentRow) -> str:
    first = incident.first_acknowledgement
    if first is None:
        return pgettext("resolved", "Unacknowledged")
    after = gettext("after %(length)s") % {"length": spell(incident.acknowledged_after_s or 0)}
    return f"{_plain(first.by.text)}, {after}" if first.by else after


def _cause(factors: Sequence[FactorRow]) -> str:
    named = [one for one in factors if one.is_named]
    if not named:
        return gettext("no common factor above half of the terminals")
    return "; ".join(f"{_plain(str(one.name))} ({one.number:,}/{one.of:,}, {one.lift:.1f}×)" for one in named)


def _fact(label: str, text: str) -> str:
    return f"**{label}.** {text}  "


def _plain(text: str) -> str:
    """Text from outside, without effect in Markdown."""
    return " ".join(text.split()).translate(ESCAPED)
