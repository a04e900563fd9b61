"""Incidents as CSV: those that match a filter, as their list shows them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from tms.accounts.access import Person, scope_of, visible
from tms.accounts.me.time_zone import chosen_zone, zone_of_reader
from tms.alerts.models import Incident
from tms.boards.list_filters.incident_filter import IncidentFilter
from tms.boards.list_filters.incident_orders import NEWEST_FIRST, ordered
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows.incidents import IncidentRow
from tms.lib.csv_export import Cell, More

AT_ONCE = 500
HEAD = (
    *("id", "opened_at", "severity", "state", "title", "factor", "name", "site", "lost", "size", "alerts"),
    *("common_factor", "acknowledged_at", "acknowledged_by", "acknowledged_after_s", "resolved_at", "lasted_s"),
    "comment",
)


def rows_to_export(chosen: IncidentFilter, pks: Sequence[int], *, to: Person, at: datetime) -> More:
    """All that match, or only those with `pks`; in chunks by keyset, newest first."""
    chunks = _chunks(chosen, pks, to=to, at=at)
    return lambda: next(chunks, ())


def _chunks(
    chosen: IncidentFilter, pks: Sequence[int], *, to: Person, at: datetime
) -> Iterator[Sequence[Sequence[Cell]]]:
    after, zone, scope = "", chosen_zone(to) or UTC, scope_of(to)
    found = chosen.apply(visible(Incident.objects.all(), to=to), zone=zone_of_reader(to))
    rows, order = ordered(found.filter(pk__in=pks) if pks else found, NEWEST_FIRST, scope=scope)
    while True:
        window = order.window(rows, after=after, size=AT_ONCE)
        yield [_cells(row, zone) for row in RenderContext(at, scope).incidents(window.pks)]
        if not (after := window.after):
            return


def _cells(row: IncidentRow, zone: tzinfo) -> Sequence[Cell]:
    first = row.first_acknowledgement
    return (
        row.pk,
        _local_text(row.opened_at, zone),
        row.severity,
        row.state,
        row.title,
        row.factor,
        str(row.name),
        row.site,
        row.lost,
        row.size or None,
        row.joined_count,
        row.common_factor_text,
        _local_text(first.at if first else None, zone),
        first.by.text if first and first.by else None,
        row.acknowledged_after_s,
        _local_text(row.resolved_at, zone),
        row.lasted_s,
        row.comment,
    )


def _local_text(at: datetime | None, zone: tzinfo) -> str | None:
    """An instant in the time zone that the person chose, with its offset; otherwise in UTC."""
    return at.astimezone(zone).isoformat() if at else None
