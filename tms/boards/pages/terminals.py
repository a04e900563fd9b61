from collections.abc import Collection
from typing import Any, Self
from urllib.parse import urlencode

from django.db.models import Count
from django.http import QueryDict
from django.urls import reverse

from tms.accounts.access import Person, scope_of, within
from tms.accounts.scope import Scope
from tms.alerts.models import Alert
from tms.boards.lists import choices
from tms.boards.lists.filters import TerminalFilter
from tms.boards.pages.base import EVERYTHING, BoardPage, PagePart, PageState, counts, nav, reuse_parts
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows import planned as row_planned
from tms.boards.rows.terminals import COLUMNS, TerminalRow
from tms.feed.change import Change
from tms.fleet.models import Presence, Terminal
from tms.lib.db.natural_order import natural
from tms.lib.pagination import Column, Keyset, KeysetPage

TEMPLATE = "boards/terminals.html"
BY_UID = Keyset((Column("natural_uid"),))


class TerminalsPage(BoardPage):
    kind = "terminals"
    template = TEMPLATE
    nav_item = "terminals"

    def __init__(self, scope: Scope, chosen: TerminalFilter, *, after: str = "", before: str = "") -> None:
        super().__init__(scope)
        self.chosen = chosen
        self.after, self.before = after, before if not after else ""

    @classmethod
    def open(cls, query: QueryDict, *, person: Person, **names: str) -> Self:
        after, before = (query.get(name, "")[:64] for name in ("after", "before"))
        return cls(scope_of(person), TerminalFilter.of(query), after=after, before=before)

    @property
    def address(self) -> str:
        return self.at(after=self.after, before=self.before)

    def at(self, *, after: str = "", before: str = "") -> str:
        """The URL of a page of this list."""
        cursor = urlencode({name: value for name, value in (("after", after), ("before", before)) if value})
        query = "&".join(filter(None, (self.chosen.query, cursor)))
        return reverse("terminals") + (f"?{query}" if query else "")

    def concerns(self, change: Change) -> bool:
        return bool(change.terminals or change.alerts or change.everything)

    def shows_status(self, terminals: Collection[int], page_state: PageState) -> bool:
        return bool(self.chosen.status) or any(_element(pk) in page_state.parts for pk in terminals)

    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, Any]:
        return {
            "presences": choices.presences(self.chosen),
            "planned": choices.planned(self.chosen),
            "selects": choices.selects(self.chosen, to=person),
            "columns": COLUMNS,
        }

    def rows_needed(self, change: Change, before: PageState) -> tuple[frozenset[int], frozenset[int]]:
        return frozenset(pk for pk in change.terminals if _element(pk) in before.parts), frozenset()

    def page_state(
        self, context: RenderContext, change: Change = EVERYTHING, before: PageState | None = None
    ) -> PageState:
        if before is None or self.chosen.is_moved_by(change):
            return self._renew(context, change, before)
        touched, _ = self.rows_needed(change, before)
        rows = {row.element: _row(row) for row in context.terminals(sorted(touched))}
        return PageState(
            {**before.parts, **self._counts(context), **self._with_alerts(change, before), **rows}, before.lists
        )

    def _renew(self, context: RenderContext, change: Change, before: PageState | None) -> PageState:
        """Whether the set of rows may have changed."""
        window = self._window()
        ids = [_element(pk) for pk in window.pks]
        rows = reuse_parts(before, change, ids, is_touched=lambda values: values["terminal"].pk in change.terminals)
        missing = [pk for pk in window.pks if _element(pk) not in rows]
        rows |= {row.element: _row(row) for row in context.terminals(missing)}
        shown = tuple(element for element in ids if element in rows)
        parts = {**self._counts(context), **self._with_alerts(change, before), **self._around(context, window), **rows}
        return PageState(parts, {"terminals": shown})

    def _window(self) -> KeysetPage:
        rows = self.chosen.apply(within(Terminal.objects.all(), self.scope))
        return BY_UID.window(rows.annotate(natural_uid=natural("uid")), after=self.after, before=self.before)

    def _counts(self, context: RenderContext) -> dict[str, PagePart]:
        presences = context.census.presences
        numbers = {f"count-{presence}": presences[presence] for presence in Presence.values}
        numbers["count-all"] = context.census.total
        planned = row_planned.numbers(context.census, at=context.at, scope=self.scope)
        numbers |= {f"count-expected-{plan}": number for plan, number in planned.items()}
        return nav(context) | counts(numbers)

    def _with_alerts(self, change: Change, before: PageState | None) -> dict[str, PagePart]:
        """Number of terminals with an unresolved alert; only alerts change it (index: alert_unresolved)."""
        if before is not None and not (change.alerts or change.everything):
            return {"count-alerts": before.parts["count-alerts"]}
        alerts = within(Alert.objects.unresolved(), self.scope)
        number = alerts.aggregate(number=Count("terminal", distinct=True))["number"]
        return counts({"count-alerts": number})

    def _around(self, context: RenderContext, window: KeysetPage) -> dict[str, PagePart]:
        values: dict[str, Any] = {
            "shown": len(window.pks),
            "matching": self._matching(context, window),
            "first": self.at() if window.before else "",
            "previous": self.at(before=window.before) if window.before else "",
            "next": self.at(after=window.after) if window.after else "",
        }
        empty = {
            "is_empty": not window.pks,
            "is_filtered": not self.chosen.is_empty,
            "outside": context.census.total,
            "sees_nothing": not self.scope,
        }
        return {"foot": PagePart(f"{TEMPLATE}#foot", values), "empty": PagePart(f"{TEMPLATE}#empty", empty)}

    def _matching(self, context: RenderContext, window: KeysetPage) -> int | None:
        """Number of matching terminals, if it is known without counting the fleet."""
        if not window.before and not window.after:
            return len(window.pks)
        chosen, presences = self.chosen, context.census.presences
        if chosen == TerminalFilter(presence=chosen.presence):
            return sum(presences[name] for name in chosen.presence or Presence.values)
        return None


def _element(pk: int) -> str:
    return f"terminal-{pk}"


def _row(row: TerminalRow) -> PagePart:
    return PagePart(f"{TEMPLATE}#row", {"terminal": row})
