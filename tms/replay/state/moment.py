"""The fleet as it was at a past instant, as far as a scope covers it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from django.db.models import Count, Q

from tms.accounts.access import within
from tms.accounts.scope import EVERYTHING, Scope
from tms.alerts.correlation.forming import undecided_since
from tms.alerts.maintenance import coverage, history
from tms.alerts.models import Alert, AlertState, Incident, Rule, RuleSource, Window
from tms.fleet.lifecycle import COUNTED
from tms.fleet.models import Outage, Presence, Site, Terminal, TerminalState
from tms.replay.state import alerts, base, identity, incidents, terminals
from tms.replay.state.alerts import AlertFacts, AlertsThen
from tms.replay.state.base import Base, Instant, Visibility
from tms.replay.state.identity import Placed, PlacedTwice
from tms.replay.state.limits import MomentLimit, has_history, limits
from tms.replay.state.members import joined, members

MAX_LOOKED_UP_TERMINALS = 5_000
"""The number of terminals that are not online above which all terminals are read instead of looked up."""

type PresenceCount = tuple[int, str, str]
"""(site, presence, kind of terminal)"""
type AlertCount = tuple[int, str, str, int, str, str, int | None, int | None, datetime | None]
"""(site, severity, state, rule, model, firmware, acknowledged by, incident, undecided since)"""


class TerminalThen(NamedTuple):
    state: TerminalState
    alerts: list[Alert]
    """The unresolved ones, oldest first."""
    outage: Outage | None
    """The outage that was open, without what became known at its end."""
    maintenance: datetime | None
    """The end of the maintenance that covered it."""


class Moment:
    """Read when it is used, and once. Rows have the columns of then: they are to be shown, and never saved.

    `at` is not after `now`. With `visibility` only rows that were committed count.
    """

    def __init__(
        self, at: datetime, scope: Scope = EVERYTHING, *, now: datetime, visibility: Visibility | None = None
    ) -> None:
        self.at = at
        self.scope = scope
        self._now = now
        self._instant = Instant(at, visibility)

    @cached_property
    def presence_counts(self) -> Mapping[PresenceCount, int]:
        """Number of terminals in service. Empty if the history of that time has been deleted."""
        if not has_history(self.at, now=self._now):
            return {}
        counts = self._counted_today()
        for pk, (today, then) in self._moved.items():
            presence = self.presences.get(pk, Presence.ONLINE.value)
            counts[today.site, presence, today.kind] -= today.is_counted
            counts[then.site, presence, then.kind] += then.is_counted
        return +counts

    def _counted_today(self) -> Counter[PresenceCount]:
        """The terminals that existed and are in service today, at their sites of today, with their presence of then."""
        existing = within(self._instant.existing().counted(), self.scope).order_by()
        if len(self.presences) > MAX_LOOKED_UP_TERMINALS:
            rows = existing.values_list("pk", "site_id", "kind")
            return Counter((site, self.presences.get(pk, Presence.ONLINE.value), kind) for pk, site, kind in rows)
        away = existing.filter(pk__in=list(self.presences)).values_list("pk", "site_id", "kind")
        counts = Counter((site, self.presences[pk], kind) for pk, site, kind in away)
        not_online = Counter({(site, kind): 0 for site, _, kind in counts})
        for (site, _, kind), number in counts.items():
            not_online[site, kind] += number
        for site, kind, number in existing.values_list("site_id", "kind").annotate(number=Count("pk")):
            if online := number - not_online[site, kind]:
                counts[site, Presence.ONLINE.value, kind] = online
        return counts

    def placed(self, terminals: Collection[int]) -> Mapping[int, Placed]:
        """Where these terminals counted, as far as the scope covers them."""
        return identity.placed_of(terminals, self._instant, self.scope)

    def rewind(self, terminals: Iterable[Terminal]) -> None:
        """Give rows of terminals the name, site, firmware, … of then."""
        identity.rewind(terminals, self._instant, self.scope)

    @cached_property
    def presences(self) -> Mapping[int, str]:
        """The presence of each terminal of the whole fleet; those that were online are missing."""
        return base.presences(self._instant, self._base)

    @cached_property
    def alert_counts(self) -> Mapping[AlertCount, int]:
        """Number of unresolved alerts. As on boards, also with incidents that the scope does not cover."""
        return Counter(
            (
                *(row.site, row.severity, row.state, row.rule, row.model, row.firmware, row.acknowledged_by),
                *(row.incident, self.undecided_since(row)),
            )
            for row in self._alerts.facts.values()
        )

    def undecided_since(self, row: AlertFacts) -> datetime | None:
        """The value of `AlertQuerySet.with_undecided_since`, for alerts that had opened shortly before."""
        opened_at = row.opened_at.replace(microsecond=0)
        is_undecided = opened_at > undecided_since(self.at) and row.incident is None and row.state == AlertState.OPEN
        return opened_at if is_undecided and row.rule in self._presence_rules else None

    @cached_property
    def _presence_rules(self) -> Collection[int]:
        return set(Rule.objects.filter(kind=RuleSource.PRESENCE).values_list("pk", flat=True))

    @cached_property
    def facts(self) -> Sequence[AlertFacts]:
        """Every unresolved alert, oldest first; with its incident, if the scope covers that."""
        rows = sorted(self._alerts.facts.values(), key=lambda row: (row.opened_at, row.pk))
        if self.scope.is_everything:
            return rows
        shown = {incident.pk for incident in self.incidents}
        return [row if row.incident in shown else row._replace(incident=None) for row in rows]

    def alerts(self, pks: Collection[int]) -> list[Alert]:
        """The alerts that were unresolved, in the order of `pks`; with rule, terminal, site and people."""
        facts = {row.pk: row for row in self.facts}
        known = [pk for pk in pks if pk in facts]
        links = self.terminal_states([facts[pk].terminal for pk in known])
        incident_of = {pk: incident for pk in known if (incident := facts[pk].incident) is not None}
        return alerts.rewound(known, self._alerts.then, incident_of, links, self._instant)

    def alert(self, pk: int) -> Alert | None:
        """The alert as it was, also if it was resolved; None if it was not open yet, or is outside of the scope."""
        if found := self.alerts([pk]):
            return found[0]
        row = within(Alert.objects.filter(pk=pk), self.scope).values_list("terminal_id", flat=True).first()
        then = alerts.states([pk], self._instant) if row is not None else {}
        if row is None or pk not in then:
            return None
        belonged = members(dict(Alert.objects.filter(pk=pk).values_list("pk", "incident")), self._instant)
        return alerts.rewound([pk], then, belonged.incident_of, self.terminal_states([row]), self._instant)[0]

    @cached_property
    def incidents(self) -> Sequence[Incident]:
        """The unresolved ones, oldest first; with site, group and people."""
        rows = within(incidents.candidates(self._instant), self.scope)
        then = incidents.states(list(rows.values_list("pk", flat=True)), self._instant)
        unresolved = {pk: one for pk, one in then.items() if one.is_unresolved}
        return incidents.rewound(Incident.objects.all(), unresolved, self._open_counts, self._instant, self.scope)

    def incident(self, pk: int) -> Incident | None:
        """The incident as it was, also if it was resolved; None if it was not open yet, or is outside of the scope."""
        rows = within(Incident.objects.filter(pk=pk), self.scope)
        then = incidents.states(list(rows.values_list("pk", flat=True)), self._instant)
        found = incidents.rewound(rows, then, self._open_counts, self._instant, self.scope)
        return found[0] if found else None

    def members(self, incident: int) -> list[int]:
        """Its unresolved alerts, as far as the scope covers them, oldest first."""
        return [row.pk for row in self.facts if row.incident == incident]

    def every_member(self, incident: int) -> list[int]:
        """Its alerts, as far as the scope covers them: also those that were resolved."""
        ever = joined([incident], self._instant)[incident]
        rows = within(Alert.objects.filter(pk__in=ever, opened_at__lte=self.at), self.scope)
        belonged = members(dict(rows.values_list("pk", "incident")), self._instant).incident_of
        return sorted(pk for pk, of in belonged.items() if of == incident)

    def terminal_states(self, pks: Collection[int]) -> dict[int, TerminalState]:
        """The states of some hundred terminals at most, with terminal and site of then. `last_seen_at` is that of the
        newest report.
        """
        if not pks:
            return {}
        existing = within(self._instant.existing(), self.scope)
        found = terminals.states(existing.filter(pk__in=list(pks)), self._instant)
        self.rewind(state.terminal for state in found.values())
        return found

    def terminal(self, terminal: Terminal) -> TerminalThen | None:
        """The state of a terminal; None if it did not exist, or is outside of the scope."""
        state = self.terminal_states([terminal.pk]).get(terminal.pk)
        if state is None:
            return None
        state.metrics = terminals.readings(terminal.pk, self._instant)
        unresolved = [row.pk for row in self.facts if row.terminal == terminal.pk]
        return TerminalThen(state, self.alerts(unresolved), self._outage(terminal), self._maintenance(state.terminal))

    def _maintenance(self, terminal: Terminal) -> datetime | None:
        """The end of the maintenance that covered a terminal, whose row has the values of then."""
        if not self.windows:
            return None
        groups = identity.groups_of(identity.facts_of([terminal.pk], self._instant, self.scope).get(terminal.pk, {}))
        groups_of = {} if groups is None else {terminal.pk: groups}
        covers = coverage.coverage_of({terminal.pk: terminal.site_id}, among=self.windows, groups_of=groups_of)
        return covers[terminal.pk].until if terminal.pk in covers else None

    @cached_property
    def windows(self) -> Sequence[Window]:
        """The maintenance windows that were active, with the occurrence of then, of the whole fleet."""
        return history.active(self.at)

    @cached_property
    def maintenance_sites(self) -> Mapping[int, datetime]:
        """The sites that were in maintenance as a whole, with its end."""
        until = {window.pk: window.occurs_until for window in self.windows}
        covered = Window.sites.through.objects.filter(window__in=until).values_list("window", "site")
        sites: dict[int, datetime] = {}
        for window, site in covered if until else ():
            sites[site] = max(until[window], sites.get(site, until[window]))
        shown = within(Site.objects.filter(pk__in=sites), self.scope).values_list("pk", flat=True) if sites else ()
        return {site: sites[site] for site in shown}

    @cached_property
    def maintenance_count(self) -> int:
        """Number of terminals in service that were in maintenance."""
        if not self.windows:
            return 0
        covered = within(self._instant.existing().filter(coverage.in_scope(self.windows)), self.scope)
        counted = dict(covered.distinct().values_list("pk", "lifecycle"))
        return sum(
            self._moved[pk].then.is_counted if pk in self._moved else state in COUNTED for pk, state in counted.items()
        )

    @property
    def limits(self) -> Sequence[MomentLimit]:
        """What cannot be known about it, and why."""
        is_estimated = self._alerts.members.is_estimated
        return list(limits(self.at, now=self._now, are_members_estimated=is_estimated))

    @cached_property
    def _moved(self) -> Mapping[int, PlacedTwice]:
        """The terminals of the scope that counted elsewhere."""
        return dict(identity.moved(self._instant, self.scope))

    @cached_property
    def _base(self) -> Base | None:
        return base.nearest(self.at)

    @cached_property
    def _alerts(self) -> AlertsThen:
        return alerts.read(base.unresolved(self._instant, self._base), self.scope, self._instant)

    @cached_property
    def _open_counts(self) -> Mapping[int, int]:
        return Counter(row.incident for row in self._alerts.facts.values() if row.incident is not None)

    def _outage(self, terminal: Terminal) -> Outage | None:
        """The outage at the instant (index: outage_terminal)."""
        open_then = Q(ended_at=None) | Q(ended_at__gt=self.at)
        rows = Outage.objects.filter(open_then, terminal=terminal, began_at__lte=self.at)
        found = rows.order_by("-began_at").first()
        if found is not None:
            found.ended_at, found.cause, found.has_restarted, found.uptime_s = None, "", None, None
            found.offline_at = found.offline_at if found.offline_at and found.offline_at <= self.at else None
        return found
