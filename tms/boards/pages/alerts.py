"""The list of alerts."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, time
from itertools import chain
from typing import Self
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from tms.accounts.access import Person, scope_of, within
from tms.accounts.scope import Scope
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.models import Alert, AlertQuerySet
from tms.boards.list_filters import choices, correlated_alerts
from tms.boards.list_filters.facets import facets
from tms.boards.list_filters.filters import PRIMARY_KEY, AlertFilter
from tms.boards.overview.common_factors import acting_people, common_factors
from tms.boards.pages.base import FULL_CHANGE, BoardPage, PagePart, PageState, counts, incident_part, nav
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows.alerts import AlertRow
from tms.boards.rows.forming import FormingRow
from tms.boards.rows.impact_order import BY_IMPACT
from tms.boards.rows.incidents import IncidentRow
from tms.feed.change import Change
from tms.lib.pagination import Column, Keyset, KeysetPage, instant
from tms.lib.severity import Severity

TEMPLATE = "boards/alerts.html"
IMPACT, SEVERITY, OLDEST = "impact", "severity", "oldest"
OPEN, SNOOZED, RESOLVED = "open", "snoozed", "resolved"
BY_URGENCY = Keyset((Column("rank", int), Column("acknowledged", int), Column("opened_at", instant), Column("pk", int)))
BY_AGE = Keyset((Column("opened_at", instant), Column("pk", int)))
BY_RECOVERY = Keyset((Column("resolved_at", instant, True), Column("pk", int, True)))


class AlertsPage(BoardPage):
    kind = "alerts"
    template = TEMPLATE
    nav_item = "alerts"
    lasts_s = 15.0

    def __init__(
        self,
        scope: Scope,
        chosen: AlertFilter,
        *,
        state: str = OPEN,
        after: str = "",
        before: str = "",
        expanded: frozenset[int] = frozenset(),
        order: str = IMPACT,
    ) -> None:
        super().__init__(scope)
        self.chosen = chosen
        self.state = state
        self.after, self.before = after, before if not after else ""
        self.expanded = expanded
        self.order = order if state == OPEN else SEVERITY

    @classmethod
    def open(cls, query: QueryDict, *, person: Person, **names: str) -> Self:
        after, before = (query.get(name, "")[:100] for name in ("after", "before"))
        state = query.get("state", "")
        state = state if state in (SNOOZED, RESOLVED) else OPEN
        expanded = [
            int(pk) for pk in query.getlist("expand")[: correlated_alerts.MAX_EXPANDED] if PRIMARY_KEY.fullmatch(pk)
        ]
        order = query.get("order", "")
        return cls(
            scope_of(person),
            AlertFilter.of(query),
            state=state,
            after=after,
            before=before,
            expanded=frozenset(expanded),
            order=order if order in (SEVERITY, OLDEST) else IMPACT,
        )

    @property
    def address(self) -> str:
        return self.at(after=self.after, before=self.before, expanded=self.expanded)

    def at(self, *, after: str = "", before: str = "", expanded: Iterable[int] = ()) -> str:
        """The URL of a page of this list."""
        return self._address(self.order, after=after, before=before, expanded=expanded)

    def _address(self, order: str, *, after: str = "", before: str = "", expanded: Iterable[int] = ()) -> str:
        order = order if self.state == OPEN and order != IMPACT else ""
        state = "" if self.state == OPEN else self.state
        parameters = {"state": state, "order": order, "after": after, "before": before}
        given = {name: value for name, value in parameters.items() if value}
        cursor = urlencode(given | {"expand": sorted(expanded)}, doseq=True)
        query = "&".join(filter(None, (self.chosen.query, cursor)))
        return reverse("alerts") + (f"?{query}" if query else "")

    def concerns(self, change: Change) -> bool:
        return bool(change.presence or change.alerts or change.incidents or change.everything)

    def rows_needed(self, change: Change, before: PageState) -> tuple[frozenset[int], frozenset[int]]:
        shown = (before.parts[element].values.get("alert") for element in before.lists["alerts"])
        return frozenset(), frozenset(row.pk for row in shown if row and row.is_touched_by(change))

    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, object]:
        is_mine = self.state == OPEN and self.chosen.who == person.get_username()
        orders = choices.orders(self.order)
        bulk = [action for action in ACTIONS.values() if action.alert]
        return {
            "severities": choices.severities(self.chosen),
            "is_mine": is_mine,
            "bulk": bulk,
            "orders": orders,
            "headers": {order: self._address(order) for order in (IMPACT, SEVERITY, OLDEST)},
        }

    def alert_part(self, alert: AlertRow, *, is_answer: bool = False) -> PagePart:
        is_member = self._is_correlated and alert.incident in self.expanded
        return PagePart(f"{TEMPLATE}#{'member' if is_member else 'row'}", {"alert": alert, "is_answer": is_answer})

    def page_state(
        self, context: RenderContext, change: Change = FULL_CHANGE, before: PageState | None = None
    ) -> PageState:
        window = self._window(context)
        incidents = self._incidents(context)
        expanded = [row.pk for row in incidents if row.pk in self.expanded]
        members = self._members(context, expanded)
        pks = [*chain.from_iterable(members.values()), *window.pks]
        rows = self.alert_parts(pks, context, change, before) | {
            row.element: self._incident_part(row) for row in incidents
        }
        heads = [[row.element, *_elements(members.get(row.pk, ()))] for row in incidents]
        ids = [*chain.from_iterable(heads), *_elements(window.pks)]
        shown = tuple(dict.fromkeys(element for element in ids if element in rows))
        return PageState(
            {**self._counts(context), **self._around(context, window, len(incidents)), **rows},
            {"alerts": shown},
            lasts_s=context.lasts_s,
        )

    def _members(self, context: RenderContext, incidents: Collection[int]) -> Mapping[int, list[int]]:
        """The alerts to show below each of these incidents."""
        return correlated_alerts.members(incidents, scope=self.scope)

    @property
    def _is_correlated(self) -> bool:
        """Whether incidents replace their alerts: in the list of open alerts."""
        return self.state == OPEN and self.chosen.may_correlate

    def _incidents(self, context: RenderContext) -> list[IncidentRow | FormingRow]:
        """The incidents. They precede all alerts, so they are on the first page."""
        if not self._is_correlated or self.after or self.before:
            return []
        return context.correlated_rows(self.chosen)

    def _incident_part(self, incident: IncidentRow | FormingRow) -> PagePart:
        toggled = self.at(expanded=self.expanded ^ {incident.pk})
        return incident_part(incident, "row", is_expanded=incident.pk in self.expanded, toggle=toggled)

    def _window(self, context: RenderContext) -> KeysetPage:
        rows = self.chosen.apply(within(self._listed_alerts(context), self.scope), scope=self.scope)
        if self._is_correlated:
            rows = context.alone(rows, self.chosen)
        if self.order == IMPACT:
            return BY_IMPACT.window_of(context.impact.order(rows), after=self.after, before=self.before)
        orders = {RESOLVED: BY_RECOVERY, OLDEST: BY_AGE}
        order = orders.get(self.state) or orders.get(self.order) or BY_URGENCY
        return order.window(rows, after=self.after, before=self.before)

    def _listed_alerts(self, context: RenderContext) -> AlertQuerySet:
        if self.state == RESOLVED:
            return Alert.objects.filter(resolved_at__gte=midnight(context.at))
        alerts = Alert.objects.snoozed() if self.state == SNOOZED else Alert.objects.awake()
        return alerts.by_urgency()

    def _counts(self, context: RenderContext) -> dict[str, PagePart]:
        numbers = {
            "count-open": context.problems.every.total(),
            "count-snoozed": context.census.snoozed.total(),
            "count-resolved": context.resolved.filter(resolved_at__gte=midnight(context.at)).count(),
        }
        return nav(context) | counts(numbers) | self._counts_of_filters(context)

    def _counts_of_filters(self, context: RenderContext) -> dict[str, PagePart]:
        if self.state != OPEN:
            return counts(self._numbers(context))
        matching = {"count-matching": self._matching(context)}
        if not self.chosen.is_empty:
            return counts(matching) | self._facets(context)
        further = {
            "count-stale": within(Alert.objects.stale(), self.scope).count(),
            "count-flapping": within(Alert.objects.awake().flapping(), self.scope).count(),
        }
        return counts(matching | self._numbers(context) | further)

    def _numbers(self, context: RenderContext) -> dict[str, int]:
        """Numbers of the choices without a filter."""
        shown = context.census.snoozed if self.state == SNOOZED else context.problems.every
        numbers = {f"count-{severity}": shown[severity] for severity in Severity.values}
        return numbers | {"count-unacknowledged": context.problems.unacknowledged.total()}

    def _facets(self, context: RenderContext) -> dict[str, PagePart]:
        """The number of each choice, with the other filters applied."""
        alerts = correlated_alerts.decided(within(Alert.objects.awake(), self.scope), context.forming, at=context.at)
        found, is_capped = facets(self.chosen, alerts, scope=self.scope, among=context.covered_incidents)
        return counts({f"count-{name}": number for name, number in found.items()}, is_capped=is_capped)

    def _matching(self, context: RenderContext) -> int:
        """Number of unacknowledged alerts that match the filter; queried only if the census does not have it."""
        chosen, unacknowledged = self.chosen, context.census.unacknowledged
        if chosen == AlertFilter(severity=chosen.severity, unacknowledged=chosen.unacknowledged):
            return sum(unacknowledged[name] for name in chosen.severity or Severity.values)
        return chosen.apply(within(Alert.objects.unacknowledged(), self.scope), scope=self.scope).count()

    def _around(self, context: RenderContext, window: KeysetPage, incidents: int) -> dict[str, PagePart]:
        foot: dict[str, object] = {
            "shown": len(window.pks),
            "first": self.at() if window.before else "",
            "previous": self.at(before=window.before) if window.before else "",
            "next": self.at(after=window.after) if window.after else "",
        }
        empty = {
            "is_empty": not window.pks and not incidents,
            "is_filtered": not self.chosen.is_empty,
            "state": self.state,
            "outside": context.census.awake.total(),
            "sees_nothing": not self.scope,
            "is_past": context.until is not None,
        }
        return {
            "foot": PagePart(f"{TEMPLATE}#foot", foot),
            "empty": PagePart(f"{TEMPLATE}#empty", empty),
            "shares": PagePart(f"{TEMPLATE}#shares", self._shares(context)),
        }

    def _shares(self, context: RenderContext) -> dict[str, object]:
        return {
            "shares": common_factors(context.census, scope=self.scope),
            "acting_people": acting_people(context.census),
        }


def _elements(pks: Iterable[int]) -> list[str]:
    return [f"alert-{pk}" for pk in pks]


def midnight(at: datetime) -> datetime:
    """The begin of the day in the time zone of TMS."""
    zone = timezone.get_default_timezone()
    return timezone.make_aware(datetime.combine(timezone.localtime(at, zone).date(), time.min), zone)
