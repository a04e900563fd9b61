"""The overview."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.urls import reverse

from tms.accounts.access import Person
from tms.accounts.scope import Scope
from tms.boards.caches.next_steps import next_step_cache
from tms.boards.list_filters import choices
from tms.boards.list_filters.filters import AlertFilter
from tms.boards.overview import honeycomb, on_shift
from tms.boards.overview.first_run import first_run
from tms.boards.pages.base import FULL_CHANGE, PagePart, PageState, SinglePage, incident_part, nav
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows.alerts import AlertRow
from tms.boards.rows.forming import FormingRow
from tms.boards.rows.incidents import IncidentRow
from tms.boards.rows.lost_sites import lost_sites
from tms.feed.change import Change
from tms.fleet.models import Presence
from tms.fleet.nodes import dropped_terminals
from tms.lib.severity import Severity
from tms.lib.sparklines import spark

TEMPLATE = "boards/overview.html"
MAX_ALERTS = 20
MAX_INCIDENTS = 10
MAX_CHANGES = 12
SEVERAL = 2
GROWTH_SHOWN = frozenset({Presence.OFFLINE, Presence.SILENT})
"""Presences whose growth over the hour is shown; the others vary by design."""


PLANNED = frozenset({Presence.REBOOTING, Presence.CLOSED, Presence.NEVER})
"""Presences that need nobody: a number without a line."""


class OverviewPage(SinglePage):
    kind = "overview"
    template = TEMPLATE
    nav_item = "overview"
    lasts_s = 15.0

    @property
    def address(self) -> str:
        return reverse("overview")

    def concerns(self, change: Change) -> bool:
        return bool(
            change.presence or change.alerts or change.incidents or change.people or change.nodes or change.everything
        )

    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, object]:
        return {
            "columns": honeycomb.columns(len(page_state.lists["sites"])),
            "legend": choices.LEGEND,
            "first_run": first_run(person),
        }

    def alert_part(self, alert: AlertRow, *, is_answer: bool = False) -> PagePart:
        return PagePart(f"{TEMPLATE}#alert", {"alert": alert, "is_answer": is_answer})

    def page_state(
        self, context: RenderContext, change: Change = FULL_CHANGE, before: PageState | None = None
    ) -> PageState:
        correlated = context.correlated_rows(AlertFilter())[:MAX_INCIDENTS]
        incidents = {row.element: self._incident(row, context) for row in correlated}
        alerts = self._alerts(context, change, before, most=MAX_ALERTS - len(incidents))
        shown = len(alerts) + len(correlated)
        changes, number, is_capped = context.recent_changes(MAX_CHANGES)
        parts = {
            **nav(context),
            "dropped-terminals": self._dropped_terminals(context),
            **dict(_totals(context)),
            **incidents,
            **alerts,
            **{change.element: PagePart(f"{TEMPLATE}#change", {"entry": change}) for change in changes},
            **self._sites(context, shown),
            "incidents-note": PagePart(f"{TEMPLATE}#incidents-note", {"number": context.problems.every.total()}),
            "changes-note": PagePart(f"{TEMPLATE}#changes-note", {"number": number, "is_capped": is_capped}),
            "shift": self._shift(),
        }
        lists = {
            "incidents": (*incidents, *alerts),
            "changes": tuple(change.element for change in changes),
            "sites": tuple(element for element in parts if element.startswith("site-")),
        }
        return PageState(parts, lists, lasts_s=context.lasts_s)

    def _incident(self, row: IncidentRow | FormingRow, context: RenderContext) -> PagePart:
        """The row of an incident; if it has several sites, also each of them, and the next step of the escalation."""
        since = context.sites_since(row)
        if len(since) < SEVERAL:
            return incident_part(row, "short")
        is_due = row.pk and row.is_open and context.until is None
        step = next_step_cache().get().of(row.pk, self.scope, at=context.at) if is_due else None
        return incident_part(row, "short", lost=lost_sites(since, context.census), next=step)

    def _alerts(
        self, context: RenderContext, change: Change, before: PageState | None, *, most: int
    ) -> dict[str, PagePart]:
        """The rows outside of incidents with the greatest impact, in order."""
        pks = context.most_urgent_outside(most)
        rows = self.alert_parts(pks, context, change, before)
        return {element: rows[element] for pk in pks if (element := f"alert-{pk}") in rows}

    def _dropped_terminals(self, context: RenderContext) -> PagePart:
        return dropped_terminals_part(context.at, self.scope)

    def _shift(self) -> PagePart:
        return PagePart(f"{TEMPLATE}#shift", on_shift.shift(self.scope))

    def _sites(self, context: RenderContext, shown: int) -> dict[str, PagePart]:
        """The cells, and what is said below the list: nothing is clear while a cell has a colour."""
        cells = honeycomb.cells(context.census, context.affected, expected=context.planned_sites, scope=self.scope)
        need = sum(cell.needs_a_person for cell in cells)
        note = {"number": len(cells), "need": need}
        silent = sum(cell.is_widespread for cell in cells)
        return {
            "incidents-rest": PagePart(f"{TEMPLATE}#incidents-rest", self._rest(context, shown, silent)),
            **{cell.element: PagePart(f"{TEMPLATE}#site", {"cell": cell}) for cell in cells},
            "sites-note": PagePart(f"{TEMPLATE}#sites-note", note),
        }

    def _rest(self, context: RenderContext, shown: int, silent: int) -> dict[str, object]:
        """The line below the list: how many more alerts there are, or since when there are none.

        `silent`: number of sites at which much is silent.
        """
        total, sees_nothing = context.census.awake.total(), not self.scope
        if total or sees_nothing:
            more = max(0, context.problems.every.total() - shown)
            return {"more": more, "is_calm": False, "calm_since": None, "sees_nothing": sees_nothing, "silent": 0}
        last = context.resolved.order_by("-resolved_at")
        calm_since = last.values_list("resolved_at", flat=True).first()
        return {"more": 0, "is_calm": True, "calm_since": calm_since, "sees_nothing": False, "silent": silent}


def _totals(context: RenderContext) -> Iterable[tuple[str, PagePart]]:
    census = context.census
    for severity in Severity:
        values: dict[str, object] = {
            "severity": severity.value,
            "alerts": census.awake[severity],
            "unacknowledged": context.problems.unacknowledged[severity],
        }
        yield f"total-{severity}", _total(severity.value, context.problems.every[severity], values, context)
    for presence in Presence:
        values = {"presence": presence.value, "is_planned": presence in PLANNED}
        yield f"total-{presence}", _total(presence.value, census.presences[presence], values, context)
    yield "total-maintenance", PagePart(f"{TEMPLATE}#plan-total", {"number": context.in_maintenance})


def _total(name: str, number: int, values: Mapping[str, object], context: RenderContext) -> PagePart:
    """`name`: of a severity or a presence."""
    partial = "severity-total" if "severity" in values else "presence-total"
    line = context.hour.get(name, [number])
    grown = number - line[0] if name in GROWTH_SHOWN else 0
    return PagePart(f"{TEMPLATE}#{partial}", {**values, "number": number, "spark": spark(line), "grown": grown})


def dropped_terminals_part(at: datetime, scope: Scope) -> PagePart:
    """The recovery of dropped terminals, for people who see everything: the numbers are of all terminals of a node."""
    dropped = dropped_terminals.recovery_of(at) if scope.is_everything else ()
    return PagePart("boards/dropped-terminals.html#dropped-terminals", {"dropped_terminals": dropped})
