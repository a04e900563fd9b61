"""The live pages at a past instant: the same parts and templates, read from a `PastContext`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from tms.accounts.access import Person, within
from tms.alerts.models import Alert, AlertState
from tms.boards.alert_surroundings import surroundings
from tms.boards.list_filters import choices
from tms.boards.list_filters.correlated_alerts import MAX_MEMBERS
from tms.boards.pages import alerts
from tms.boards.pages.alert import AlertPage
from tms.boards.pages.alerts import AlertsPage
from tms.boards.pages.base import BoardPage, PagePart, PageState, counts
from tms.boards.pages.overview import OverviewPage
from tms.boards.pages.render_context import RenderContext
from tms.boards.pages.terminal import TerminalPage
from tms.boards.replay.alert_filter import alerts_among
from tms.boards.replay.context import PastContext
from tms.boards.rows.alerts import AlertRow
from tms.boards.rows.impact_order import BY_IMPACT
from tms.boards.rows.planned import Expected, PlannedKind
from tms.boards.rows.terminal_details import TerminalFacts, TerminalPlans, past_facts
from tms.fleet.models import Terminal
from tms.lib.db.natural_order import natural
from tms.lib.pagination import Keyset, KeysetPage
from tms.lib.severity import RANKS
from tms.replay.state import AlertFacts
from tms.telemetry.history import series


class PastPage(BoardPage):
    """Mixed into a page. Its `page_state` gets a `PastContext`, and `instant` is set before."""

    results: ClassVar[str] = ""
    """The partial of the template that its filter replaces."""
    instant: datetime


class PastOverview(PastPage, OverviewPage):
    def _dropped_terminals(self, context: RenderContext) -> PagePart:
        """It is about terminals that are reconnecting now."""
        return PagePart("boards/dropped-terminals.html#dropped-terminals", {"dropped_terminals": ()})

    def _shift(self) -> PagePart:
        """Open boards are not recorded. The template shows who acted instead."""
        return PagePart("boards/overview.html#shift", {"people": ()})


class PastAlerts(PastPage, AlertsPage):
    results = "boards/alerts.html#results"

    def _window(self, context: RenderContext) -> KeysetPage:
        assert isinstance(context, PastContext)
        if self.state == alerts.RESOLVED:
            today = context.resolved.filter(resolved_at__gte=alerts.midnight(context.at))
            return alerts.BY_RECOVERY.window(
                self.chosen.apply(today, scope=self.scope), after=self.after, before=self.before
            )
        facts = alerts_among(self._in_state(context), self.chosen, scope=self.scope)
        if self._is_correlated:
            facts = context.outside(facts, who=self.chosen.who)
        return self._page_of(facts, context)

    def _in_state(self, context: PastContext) -> list[AlertFacts]:
        if self.state == alerts.SNOOZED:
            return [one for one in context.moment.facts if one.state == AlertState.SNOOZED]
        return context.awake

    def _page_of(self, facts: Collection[AlertFacts], context: PastContext) -> KeysetPage:
        order, keys = self._keys(facts, context)
        return order.window_of(keys, after=self.after, before=self.before)

    def _keys(self, facts: Collection[AlertFacts], context: PastContext) -> tuple[Keyset, Sequence[tuple[object, ...]]]:
        """The order, and the sorted columns of it."""
        if self.order == alerts.IMPACT:
            return BY_IMPACT, context.impact.ranked(facts)
        if self.order == alerts.OLDEST:
            return alerts.BY_AGE, sorted((one.opened_at, one.pk) for one in facts)
        keys = ((RANKS[one.severity], int(one.state != AlertState.OPEN), one.opened_at, one.pk) for one in facts)
        return alerts.BY_URGENCY, sorted(keys)

    def _members(self, context: RenderContext, incidents: Collection[int]) -> Mapping[int, list[int]]:
        assert isinstance(context, PastContext)
        order = {one.pk: (RANKS[one.severity], one.state != AlertState.OPEN, one.opened_at) for one in context.awake}
        found = {
            pk: sorted((one for one in context.moment.members(pk) if one in order), key=order.__getitem__)[:MAX_MEMBERS]
            for pk in incidents
        }
        chosen = within(Alert.objects.filter(pk__in=set().union(*found.values())), self.scope)
        by_uid = list(chosen.order_by(natural("terminal__uid"), "pk").values_list("pk", flat=True)) if found else []
        return {pk: [one for one in by_uid if one in set(members)] for pk, members in found.items()}

    def _counts_of_filters(self, context: RenderContext) -> dict[str, PagePart]:
        return counts(self._numbers(context))


class PastAlert(PastPage, AlertPage):
    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, object]:
        around = surroundings(self.alert, scope=self.scope, at=self.instant, until=self.instant)
        return super().static_context(page_state, person=person) | around

    def _row(self, context: RenderContext) -> AlertRow | None:
        assert isinstance(context, PastContext)
        return context.alert(self.alert.pk)


class PastTerminal(PastPage, TerminalPage):
    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, object]:
        until = self.instant.timestamp()
        length_s = series.SPANS[self.span].length.total_seconds()
        found = super().static_context(page_state, person=person)
        return found | {"chart_since": until - length_s, "chart_until": until}

    def _chart(self, at: datetime) -> dict[str, object]:
        return choices.chart(self.terminal, self.span, at=self.instant)

    def _facts(self, context: RenderContext) -> TerminalFacts:
        assert isinstance(context, PastContext)
        then = context.moment.terminal(self.terminal)
        if then is None:
            raise Terminal.DoesNotExist
        site = then.state.terminal.site_id
        status = context.hours.statuses([site])[site]
        expected = Expected(PlannedKind.CLOSED, status.opens_at) if status.opens_at else None
        if then.maintenance is not None:
            expected = Expected(PlannedKind.MAINTENANCE, then.maintenance)
        plans = TerminalPlans(expected, status)
        return past_facts(then.state.terminal, then.state, then.alerts, plans, at=context.at, scope=self.scope)
