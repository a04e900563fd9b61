"""The list of incidents."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import NamedTuple, Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from tms.accounts.access import Person, scope_of, within
from tms.accounts.me.time_zone import zone_of_reader
from tms.accounts.scope import Scope
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.models import Incident, IncidentState, IncidentTransitionKind
from tms.alerts.statistics import incident_times
from tms.boards.list_filters import incident_filter
from tms.boards.list_filters.choices import Choice
from tms.boards.list_filters.filters import text
from tms.boards.list_filters.incident_filter import OPEN, PAST, IncidentFilter
from tms.boards.list_filters.incident_orders import NEWEST_FIRST, SORT_KEYS, ordered
from tms.boards.pages.base import FULL_CHANGE, BoardPage, PagePart, PageState, counts, nav, with_nav
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows.incidents import MAX_ROWS, IncidentRow
from tms.feed.change import Change
from tms.lib.pagination import KeysetPage
from tms.lib.severity import Severity
from tms.lib.sort_order import SortOrder, sort_headers

TEMPLATE = "boards/incidents.html"
RESOLVED = Q(state=IncidentState.RESOLVED)
WAS_ACKNOWLEDGED = Q(transitions__kind=IncidentTransitionKind.ACKNOWLEDGED)


class IncidentGroup(NamedTuple):
    """Rows under one head of the list."""

    elements: list[str]
    head: Mapping[str, object]
    """The context of the head, besides its id."""


class IncidentsPage(BoardPage):
    """Open incidents, then past ones: newest first and by the day on which they opened, or in the order of a column."""

    kind = "incidents"
    template = TEMPLATE
    nav_item = "incidents"
    lasts_s = 60.0

    def __init__(
        self,
        scope: Scope,
        chosen: IncidentFilter,
        *,
        order: SortOrder = NEWEST_FIRST,
        after: str = "",
        before: str = "",
        zone: ZoneInfo,
    ) -> None:
        super().__init__(scope)
        self.chosen = chosen
        self.order = order
        self.zone = zone
        """The time zone by whose days and months the list is divided."""
        self.after, self.before = after, before if not after else ""

    @classmethod
    def open(cls, query: QueryDict, *, person: Person, **names: str) -> Self:
        after, before = (text(query, name, 100) for name in ("after", "before"))
        order = SortOrder.of(query, SORT_KEYS, default=NEWEST_FIRST)
        zone = zone_of_reader(person)
        return cls(scope_of(person), IncidentFilter.of(query), order=order, after=after, before=before, zone=zone)

    @property
    def variant(self) -> str:
        return self.zone.key

    @property
    def address(self) -> str:
        return self.at(after=self.after, before=self.before)

    def at(self, *, after: str = "", before: str = "") -> str:
        """The URL of a page of this list."""
        return self._in_order(self.order, after=after, before=before)

    def _in_order(self, order: SortOrder, *, after: str = "", before: str = "") -> str:
        given = {"order": order.parameter(default=NEWEST_FIRST), "after": after, "before": before}
        return _address(self.chosen, urlencode({name: value for name, value in given.items() if value}))

    def concerns(self, change: Change) -> bool:
        return bool(change.incidents or change.alerts or change.everything)

    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, object]:
        months = incident_filter.months(timezone.now(), self.zone)
        return {
            "tabs": _tabs(self.chosen, person),
            "severities": [Choice(name.value, name.label, name.value in self.chosen.severity) for name in Severity],
            "months": [(name, incident_filter.month_of(name, self.zone)[0]) for name in months],
            "zone": self.zone.key,
            "headers": sort_headers(self.order, dict.fromkeys(SORT_KEYS, True), address=self._in_order),
            "order": self.order.parameter(default=NEWEST_FIRST),
            "bulk": [action for action in ACTIONS.values() if action.incident],
        }

    def page_state(
        self, context: RenderContext, change: Change = FULL_CHANGE, before: PageState | None = None
    ) -> PageState:
        if before is not None and not (change.incidents or change.everything):
            return with_nav(context, before)
        unresolved = self._unresolved_rows(context)
        window = self._window()
        past = context.incidents(window.pks)
        groups = self._groups(unresolved, past, at=context.at)
        rows = {row.element: PagePart(f"{TEMPLATE}#row", {"incident": row}) for row in (*unresolved, *past)}
        listed = [element for group in groups.values() for element in group.elements]
        heads = {name: PagePart(f"{TEMPLATE}#group", {"id": name, **group.head}) for name, group in groups.items()}
        order = [element for name, group in groups.items() for element in (name, *group.elements)]
        around = {"month": self._month(context.at), **self._around(window, len(listed))}
        parts = {**nav(context), **self._counts(), **around, **heads, **rows}
        return PageState(parts, {"incidents": tuple(order)})

    def _month(self, at: datetime) -> PagePart:
        """Response times of the chosen month, or of the current one."""
        name = self.chosen.month or incident_filter.months(at, self.zone)[0]
        since, until = incident_filter.month_of(name, self.zone)
        opened_then = within(Incident.objects.filter(opened_at__gte=since, opened_at__lt=until), self.scope)
        return PagePart(f"{TEMPLATE}#month", {"month": since, "times": incident_times.times(opened_then)})

    def _listed_incidents(self) -> QuerySet[Incident]:
        return self.chosen.apply(within(Incident.objects.all(), self.scope), zone=self.zone)

    def _unresolved_rows(self, context: RenderContext) -> list[IncidentRow]:
        """The unresolved incidents. They precede all past ones, so they are on the first page."""
        if self.after or self.before or self.chosen.state == PAST:
            return []
        rows, order = ordered(self._listed_incidents().exclude(RESOLVED), self.order, scope=self.scope)
        return context.incidents(order.window(rows, size=MAX_ROWS).pks)

    def _window(self) -> KeysetPage:
        """The window of past incidents (index: incident_opened; in another order all that match are read)."""
        if self.chosen.state == OPEN:
            return KeysetPage(())
        rows, order = ordered(self._listed_incidents().filter(RESOLVED), self.order, scope=self.scope)
        return order.window(rows, after=self.after, before=self.before, size=MAX_ROWS)

    def _groups(
        self, unresolved: list[IncidentRow], past: list[IncidentRow], *, at: datetime
    ) -> Mapping[str, IncidentGroup]:
        """The unresolved ones, and those of each day, by the id of the head."""
        groups: dict[str, IncidentGroup] = {}
        if unresolved:
            head: dict[str, object] = {
                "number": len(unresolved),
                "terminals": sum(row.lost for row in unresolved),
                "unacknowledged": sum(row.is_open for row in unresolved),
            }
            groups["group-open"] = IncidentGroup([row.element for row in unresolved], head)
        if past and self.order.column != NEWEST_FIRST.column:
            return groups | {"group-past": IncidentGroup([row.element for row in past], {})}
        days = incident_filter.days({row.pk: row.opened_at for row in past}, self.zone)
        today = timezone.localdate(at, self.zone)
        for day, pks in days.items():
            elements = [f"incident-{pk}" for pk in pks]
            head = {"day": day, **self._of_day(day), **_relative(day, today)}
            groups[f"group-{day}"] = IncidentGroup(elements, head)
        return groups

    def _of_day(self, day: date) -> dict[str, int]:
        since, until = incident_filter.day_of(day, self.zone)
        rows = self._listed_incidents().filter(RESOLVED, opened_at__gte=since, opened_at__lt=until)
        numbers = rows.aggregate(
            resolved=Count("pk", distinct=True), acknowledged=Count("pk", filter=WAS_ACKNOWLEDGED, distinct=True)
        )
        return {"resolved": numbers["resolved"], "recovered": numbers["resolved"] - numbers["acknowledged"]}

    def _counts(self) -> dict[str, PagePart]:
        """Tabs in the current filter; each choice of the filter with all other choices and the tab."""
        chosen = self.chosen
        every = replace(chosen, severity=(), wide=False).in_tab()
        rows = every.apply(within(Incident.objects.all(), self.scope), zone=self.zone)
        of_severity = Q(severity__in=chosen.severity or Severity.values)
        of_width = Q(site=None) if chosen.wide else Q()
        in_tab = chosen.in_this_tab
        numbers = rows.aggregate(
            all=Count("pk", filter=of_severity & of_width),
            open=Count("pk", filter=of_severity & of_width & ~RESOLVED),
            **{name: Count("pk", filter=in_tab & of_width & Q(severity=name)) for name in Severity.values},
            wide=Count("pk", filter=in_tab & of_severity & Q(site=None)),
        )
        numbers["past"] = numbers["all"] - numbers["open"]
        return counts({f"count-{name}": number for name, number in numbers.items()})

    def _around(self, window: KeysetPage, shown: int) -> dict[str, PagePart]:
        foot = {
            "shown": shown,
            "first": self.at() if window.before else "",
            "previous": self.at(before=window.before) if window.before else "",
            "next": self.at(after=window.after) if window.after else "",
        }
        is_filtered = not self.chosen.is_empty
        outside = 0 if shown or not is_filtered else within(Incident.objects.all(), self.scope).count()
        empty = {
            "is_empty": not shown,
            "is_filtered": is_filtered,
            "outside": outside,
            "sees_nothing": not self.scope,
        }
        return {"foot": PagePart(f"{TEMPLATE}#foot", foot), "empty": PagePart(f"{TEMPLATE}#empty", empty)}


def _address(chosen: IncidentFilter, cursor: str = "") -> str:
    query = "&".join(filter(None, (chosen.query, cursor)))
    return reverse("incidents") + (f"?{query}" if query else "")


def _tabs(chosen: IncidentFilter, person: Person) -> dict[str, dict[str, object]]:
    """The URL of each tab with the same filter, and whether it is the current one."""
    me = person.get_username()
    tabs = {
        "all": chosen.in_tab(),
        "open": chosen.in_tab(state=OPEN),
        "mine": chosen.in_tab(state=OPEN, who=me),
        "past": chosen.in_tab(state=PAST),
    }
    current = next((name for name, tab in tabs.items() if tab == chosen), "")
    return {name: {"address": _address(tab), "is_current": name == current} for name, tab in tabs.items()}


def _relative(day: date, today: date) -> dict[str, bool]:
    return {"is_today": day == today, "is_yesterday": day == today - timedelta(days=1)}
