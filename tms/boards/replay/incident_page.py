"""The page of an incident at a past instant: its members, cells and curve of then, without escalation and draft."""

from collections import Counter
from collections.abc import Collection, Mapping
from functools import cached_property

from tms.accounts.access import within
from tms.alerts.models import Alert, AlertQuerySet, AlertState
from tms.boards.pages.base import FULL_CHANGE, PagePart, PageState
from tms.boards.pages.incident import MAX_MEMBERS, TEMPLATE, IncidentPage
from tms.boards.pages.render_context import RenderContext
from tms.boards.replay.context import PastContext
from tms.boards.replay.pages import PastPage
from tms.boards.rows.incidents import IncidentRow
from tms.boards.workbench.cells import Cells, CellsThen, cells_of
from tms.boards.workbench.contacts import contacts_of
from tms.boards.workbench.curve import curve_of
from tms.boards.workbench.evidence import factors_then, unaffected_then
from tms.boards.workbench.runbooks import runbooks_of
from tms.feed.change import Change
from tms.fleet.models import Presence, Terminal
from tms.lib.severity import RANKS
from tms.replay.state import Moment

ONLINE = Presence.ONLINE.value


class MembersThen:
    """The alerts of an incident at an instant, and their terminals."""

    def __init__(self, moment: Moment, incident: int) -> None:
        self._moment = moment
        self._incident = incident

    @cached_property
    def alerts(self) -> AlertQuerySet:
        rows = Alert.objects.filter(pk__in=self._moment.every_member(self._incident))
        return within(rows, self._moment.scope)

    @cached_property
    def terminals(self) -> Collection[int]:
        return set(self.alerts.values_list("terminal", flat=True))

    def cells(self, *, is_of_rule: bool) -> Cells:
        terminals = within(Terminal.objects.filter(pk__in=self.terminals), self._moment.scope).select_related("site")
        by_pk = {terminal.pk: terminal for terminal in terminals}
        self._moment.rewind(by_pk.values())
        then = CellsThen(self._moment.presences, self._unresolved, by_pk)
        return cells_of(self.alerts, is_of_rule=is_of_rule, then=then)

    def online_beside(self, site: int | None) -> Counter[str]:
        """Other terminals at the site that were online, by kind."""
        if site is None:
            return Counter()
        counts = self._moment.presence_counts.items()
        online = Counter({kind: number for (at, presence, kind), number in counts if (at, presence) == (site, ONLINE)})
        mine = self._moment.placed(self.terminals).items()
        there = [(pk, one.kind) for pk, one in mine if one.site == site and one.is_counted]
        online.subtract(kind for pk, kind in there if pk not in self._moment.presences)
        return online

    @cached_property
    def _unresolved(self) -> set[int]:
        return set(self._moment.members(self._incident))


class PastIncident(PastPage, IncidentPage):
    _members_then: MembersThen

    def page_state(
        self, context: RenderContext, change: Change = FULL_CHANGE, before: PageState | None = None
    ) -> PageState:
        assert isinstance(context, PastContext)
        self._members_then = MembersThen(context.moment, self.incident.pk)
        return super().page_state(context, change, before)

    def _listed_alerts(self, context: RenderContext) -> list[int]:
        assert isinstance(context, PastContext)
        unresolved = [one for one in context.moment.facts if one.incident == self.incident.pk]
        unresolved.sort(key=lambda one: (RANKS[one.severity], one.state != AlertState.OPEN, one.opened_at, one.pk))
        resolved = self._members_then.alerts.filter(resolved_at__lte=context.at)
        newest = resolved.order_by("-resolved_at", "-pk").values_list("pk", flat=True)
        return [*(one.pk for one in unresolved), *newest[:MAX_MEMBERS]][:MAX_MEMBERS]

    def _workbench(self, context: RenderContext, incident: IncidentRow) -> Mapping[str, PagePart]:
        members, rule, scope = self._members_then, incident.rule, self.scope
        cells = members.cells(is_of_rule=rule is not None)
        online = members.online_beside(self.incident.site_id)
        values: dict[str, dict[str, object]] = {
            "cells": {"cells": cells, "rule": rule},
            "curve": {"curve": curve_of(incident, members.alerts, at=context.at), "rule": rule},
            "factors": {
                "factors": factors_then(self.incident, members.terminals, scope=scope),
                "has_all": scope.is_everything,
                "rule": rule,
            },
            "unaffected": {
                "unaffected": unaffected_then(self.incident, members.terminals, online, scope=scope),
                "rule": rule,
            },
            "escalation": {"plans": (), "next": None, "is_open": incident.is_open},
            "runbooks": {"runbooks": runbooks_of(members.alerts)},
            "contacts": {"contacts": contacts_of(self.incident), "site": incident.site, "is_past": True},
        }
        return {name: PagePart(f"{TEMPLATE}#{name}", of_part) for name, of_part in values.items()}
