"""The list of terminals."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from math import inf
from typing import Self
from urllib.parse import parse_qsl, urlencode

from django.db.models import Count, QuerySet
from django.http import QueryDict
from django.urls import reverse

from tms.accounts.access import Person, scope_of, within
from tms.accounts.models import Density
from tms.accounts.scope import Scope
from tms.alerts.models import Alert
from tms.boards.columns.extras import RowExtras, extras_of
from tms.boards.columns.terminals import TerminalColumn
from tms.boards.list_filters import choices
from tms.boards.list_filters.filters import NOT_LISTED, PRIMARY_KEY, TerminalFilter, text
from tms.boards.list_filters.left_out import left_out, out_of_service
from tms.boards.list_filters.terminal_facets import FilterCounts, facets
from tms.boards.list_filters.terminal_layout import TerminalLayout, known_columns
from tms.boards.list_filters.terminal_orders import BY_UID, first_orders, order_of, ordered
from tms.boards.list_filters.terminal_selection import MAX_PICKED, SELECTION_ACTIONS
from tms.boards.pages.base import FULL_CHANGE, BoardPage, PagePart, PageState, counts, nav, reuse_parts
from tms.boards.pages.render_context import RenderContext
from tms.feed.change import Change
from tms.fleet.models import Terminal
from tms.lib.pagination import KeysetPage
from tms.lib.sort_order import SortHeader, SortOrder, sort_headers

TEMPLATE = "boards/terminals.html"
REORDER_AFTER = timedelta(seconds=15)
"""An order without an index, and a query that time moves, are read at most this often. Until then rows stay where they
are, with their new values.
"""
MAX_CURSOR_CHARACTERS = 400


class TerminalsPage(BoardPage):
    kind = "terminals"
    template = TEMPLATE
    nav_item = "terminals"

    def __init__(
        self,
        scope: Scope,
        chosen: TerminalFilter,
        *,
        order: SortOrder = BY_UID,
        layout: TerminalLayout | None = None,
        after: str = "",
        before: str = "",
        view: str = "",
    ) -> None:
        super().__init__(scope)
        self.chosen = chosen
        self.order = order
        self.layout = layout or TerminalLayout()
        self._is_by_uid = order.column == BY_UID.column
        self._is_due_by_time = not self._is_by_uid or chosen.is_moved_by_time
        self.lasts_s = REORDER_AFTER.total_seconds() if self._is_due_by_time else inf
        self.after, self.before = after, before if not after else ""
        self.view = view
        """The primary key of the saved view that was opened; its tab says whether the list was changed since."""

    @classmethod
    def open(cls, query: QueryDict, *, person: Person, **names: str) -> Self:
        after, before = (text(query, name, MAX_CURSOR_CHARACTERS) for name in ("after", "before"))
        layout, view = TerminalLayout.of(query, person=person), query.get("view", "")
        return cls(
            scope_of(person),
            TerminalFilter.of(query, to=person),
            order=order_of(query),
            layout=layout,
            after=after,
            before=before,
            view=view if PRIMARY_KEY.fullmatch(view) else "",
        )

    @property
    def address(self) -> str:
        return self.at(after=self.after, before=self.before)

    def at(self, *, after: str = "", before: str = "") -> str:
        """The URL of a page of this list."""
        return self._address(self.order, after=after, before=before)

    def _address(self, order: SortOrder, *, after: str = "", before: str = "") -> str:
        given = {"after": after, "before": before, "view": self.view}
        cursor = urlencode({name: value for name, value in given.items() if value})
        query = "&".join(filter(None, (self.chosen.query, self.look(order), cursor)))
        return reverse("terminals") + (f"?{query}" if query else "")

    def look(self, order: SortOrder) -> str:
        """The columns and the order as a query string."""
        given = {"columns": self.layout.parameter, "order": order.parameter(default=BY_UID)}
        return urlencode({name: value for name, value in given.items() if value}, safe=",")

    @property
    def export_fields(self) -> list[tuple[str, str]]:
        """What is shown as fields of a form, also if the columns are only those of the person."""
        look = [("columns", ",".join(self.layout.names)), ("order", self.order.parameter(default=BY_UID))]
        return [*parse_qsl(self.chosen.query), *look]

    def concerns(self, change: Change) -> bool:
        return bool(change.terminals or change.alerts or change.rules or change.everything)

    def shows_status(self, terminals: Collection[int], page_state: PageState) -> bool:
        return self.chosen.shows_status or any(_element(pk) in page_state.parts for pk in terminals)

    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, object]:
        known = known_columns()
        columns = self.layout.columns(known)
        hidden = [column for name, column in known.items() if name not in self.layout.names]
        return {
            "choices": choices.query_choices(self.chosen, self.address),
            **self._hidden(page_state),
            "columns": self._with_headers(columns),
            "column_choices": [*((column, True) for column in columns[1:]), *((column, False) for column in hidden)],
            "densities": [(one.value, one.label) for one in (Density.COMPACT, Density.STANDARD)],
            "selection_actions": SELECTION_ACTIONS,
            "max_picked": MAX_PICKED,
            "order": self.order.parameter(default=BY_UID),
        }

    def _hidden(self, page_state: PageState) -> dict[str, object]:
        """Which condition leaves the list empty, as it was when the page was opened."""
        if page_state.lists["terminals"] or self.chosen.is_empty or self.chosen.problem:
            return {}
        return {
            "left_out": left_out(self.chosen, self._listed),
            "out_of_service": out_of_service(self.chosen, self._listed),
        }

    def _with_headers(self, columns: Sequence[TerminalColumn]) -> list[tuple[TerminalColumn, SortHeader | None]]:
        headers = sort_headers(self.order, first_orders(columns), address=self._address)
        return [(column, headers.get(column.name)) for column in columns]

    def rows_needed(self, change: Change, before: PageState) -> tuple[frozenset[int], frozenset[int]]:
        return frozenset(pk for pk in change.terminals if _element(pk) in before.parts), frozenset()

    def page_state(
        self, context: RenderContext, change: Change = FULL_CHANGE, before: PageState | None = None
    ) -> PageState:
        if before is None or self._is_moved(context, change, before):
            return self._renew(context, change, before)
        touched, _ = self.rows_needed(change, before)
        rows = self._rows(context, sorted(touched), change, before)
        counted = self._counts(context) | self._with_alerts(change, before) | self._by_lifecycle(change, before)
        if self.chosen.is_empty or change.presence or self.chosen.is_moved_by(change):
            counted |= _of_choices(self._facets(context))
        return replace(before, parts={**before.parts, **counted, **rows})

    def _is_moved(self, context: RenderContext, change: Change, before: PageState) -> bool:
        """Whether the rows must be listed again."""
        if not self._is_due_by_time:
            return self.chosen.is_moved_by(change)
        is_due = before.listed_at is None or context.at - before.listed_at >= REORDER_AFTER
        return change.everything or is_due

    def _renew(self, context: RenderContext, change: Change, before: PageState | None) -> PageState:
        """The state with the rows listed again, because the set of rows may have changed."""
        found = self._facets(context)
        window = self._window(inf if self.chosen.is_empty else found.matching)
        ids = [_element(pk) for pk in window.pks]
        rows = reuse_parts(before, change, ids, is_touched=lambda values: values["terminal"].pk in change.terminals)
        missing = [pk for pk in window.pks if _element(pk) not in rows]
        rows |= self._rows(context, missing, change, before)
        shown = tuple(element for element in ids if element in rows)
        counted = self._counts(context) | self._with_alerts(change, before) | _of_choices(found)
        counted |= self._by_lifecycle(change, before)
        parts = {**counted, **self._around(context, window, found), **rows}
        return PageState(parts, {"terminals": shown}, listed_at=context.at)

    def _rows(
        self, context: RenderContext, pks: Sequence[int], change: Change, before: PageState | None
    ) -> dict[str, PagePart]:
        """The rows of these terminals. Reports do not change what other queries read; a boot may."""
        rows, names = context.terminals(pks), self.layout.names
        is_same = before is not None and not (change.everything or change.sessions)
        known = _known_extras(before, pks) if before and is_same else {}
        if extras := self.layout.extras:
            known |= extras_of([row.pk for row in rows if row.pk not in known], extras)
        return {
            row.element: PagePart(
                f"{TEMPLATE}#row", {"terminal": row, "columns": names, "extras": known.get(row.pk, ())}
            )
            for row in rows
        }

    @property
    def _listed(self) -> QuerySet[Terminal]:
        return within(Terminal.objects.all(), self.scope)

    def _window(self, number: float) -> KeysetPage:
        rows, order = ordered(self.chosen.apply(self._listed), self.order, number=number)
        return order.window(rows, after=self.after, before=self.before)

    def _facets(self, context: RenderContext) -> FilterCounts:
        return facets(self.chosen, self._listed, census=context.census, scope=self.scope, at=context.at)

    def _counts(self, context: RenderContext) -> dict[str, PagePart]:
        return nav(context) | counts({"count-all": context.census.total})

    def _by_lifecycle(self, change: Change, before: PageState | None) -> dict[str, PagePart]:
        """Number of terminals in each of the other states; what changes a state changes rules, too."""
        names = {f"count-{state}": state for state in NOT_LISTED}
        if before is not None and not (change.rules or change.everything):
            return {name: before.parts[name] for name in names}
        rows = self._listed.filter(lifecycle__in=NOT_LISTED).order_by().values_list("lifecycle")
        found = dict(rows.annotate(number=Count("pk")))
        return counts({name: found.get(state, 0) for name, state in names.items()})

    def _with_alerts(self, change: Change, before: PageState | None) -> dict[str, PagePart]:
        """Number of terminals with an unresolved alert; only alerts change it (index: alert_unresolved)."""
        if before is not None and not (change.alerts or change.everything):
            return {"count-alerts": before.parts["count-alerts"]}
        alerts = within(Alert.objects.unresolved(), self.scope)
        number = alerts.aggregate(number=Count("terminal", distinct=True))["number"]
        return counts({"count-alerts": number})

    def _around(self, context: RenderContext, window: KeysetPage, found: FilterCounts) -> dict[str, PagePart]:
        values: dict[str, object] = {
            "shown": len(window.pks),
            "matching": found.matching,
            "is_capped": found.is_capped,
            "first": self.at() if window.before else "",
            "previous": self.at(before=window.before) if window.before else "",
            "next": self.at(after=window.after) if window.after else "",
        }
        empty = {
            "is_empty": not window.pks,
            "is_filtered": not self.chosen.is_empty,
            "is_wrong": self.chosen.problem is not None,
            "outside": context.census.total,
            "sees_nothing": not self.scope,
        }
        matching = {name: values[name] for name in ("matching", "is_capped")} | {"q": self.chosen.q}
        return {
            "matching": PagePart("boards/query.html#matching", matching),
            "foot": PagePart(f"{TEMPLATE}#foot", values),
            "empty": PagePart(f"{TEMPLATE}#empty", empty),
        }


def _of_choices(found: FilterCounts) -> dict[str, PagePart]:
    numbers = {f"count-{name}": number for name, number in found.numbers.items()}
    return counts(numbers, is_capped=found.is_capped)


def _element(pk: int) -> str:
    return f"terminal-{pk}"


def _known_extras(before: PageState, pks: Iterable[int]) -> dict[int, RowExtras]:
    """What the page has read already."""
    shown = ((pk, before.parts.get(_element(pk))) for pk in pks)
    return {pk: part.values["extras"] for pk, part in shown if part}
