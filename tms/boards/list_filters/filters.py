"""Filters of lists. They are part of the URL, so a link shows a colleague the same rows."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from functools import reduce
from operator import or_
from typing import Self
from urllib.parse import parse_qsl, urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.models import Alert, AlertState, Incident
from tms.alerts.models.alert import FLAPPING
from tms.alerts.search import alerts_like
from tms.boards.rows.planned import PlannedKind, is_expected
from tms.feed.change import Change
from tms.fleet.models import Group, Lifecycle, Presence, Status, Terminal, TerminalKind
from tms.fleet.models.outage import Outage
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.lib.severity import Severity
from tms.query.errors import QueryError
from tms.query.fields import MovedBy
from tms.query.query import Query

ANY = "any"
NOT_LISTED = tuple(state.value for state in Lifecycle if state is not Lifecycle.IN_SERVICE)
"""The lifecycle states of terminals that a list shows only if it is asked for them."""
MIN_SEARCHED = 2
MAX_SEARCH_CHARACTERS = 64
MAX_QUERY_CHARACTERS = 2_000
PRIMARY_KEY = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class TerminalFilter:
    """Empty fields filter nothing; an unknown value counts as empty. A query that is none selects nothing."""

    q: str = ""
    """A query: conditions and words."""
    presence: tuple[str, ...] = ()
    status: str = ""
    severity: str = ""
    site: str = ""
    kind: str = ""
    lost_with: str = ""
    """Name of a node that dropped them; they have not reconnected since."""
    expected: tuple[str, ...] = ()
    """Planned absence: maintenance or a closed site."""
    lifecycle: str = ""
    """The lifecycle state; empty for *in service*."""
    group: str = ""
    """The primary key of a group."""

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        q, group = text(query, "q", MAX_QUERY_CHARACTERS), query.get("group", "")
        return cls(
            q=q if len(q) >= MIN_SEARCHED else "",
            presence=_all_known(query.getlist("presence"), Presence.values),
            status=_if_known(query.get("status"), Status.values),
            severity=_if_known(query.get("severity"), [ANY, *Severity.values]),
            site=text(query, "site", 8),
            kind=_if_known(query.get("kind"), TerminalKind.values),
            lost_with=text(query, "lost_with", 64),
            expected=_all_known(query.getlist("expected"), PlannedKind.values),
            lifecycle=_if_known(query.get("lifecycle"), NOT_LISTED),
            group=group if PRIMARY_KEY.fullmatch(group) else "",
        )

    def apply(self, rows: QuerySet[Terminal]) -> QuerySet[Terminal]:
        if state := self.lifecycle or ("" if "state" in self.used else Lifecycle.IN_SERVICE):
            rows = rows.filter(lifecycle=state)
        if self.presence:
            rows = rows.filter(state__presence__in=self.presence)
        if self.status:
            rows = rows.filter(state__status=self.status)
        if self.severity:
            rows = rows.filter(pk__in=_alerts(self.severity).values("terminal"))
        if self.site:
            rows = rows.filter(site__code__iexact=self.site)
        if self.kind:
            rows = rows.filter(kind=self.kind)
        if self.group:
            rows = rows.filter(pk__in=Group.terminals.through.objects.filter(group=int(self.group)).values("terminal"))
        if self.lost_with:
            rows = rows.filter(pk__in=Outage.objects.lost_with(self.lost_with).values("terminal"))
        if self.expected:
            at = timezone.now()
            rows = rows.filter(reduce(or_, (is_expected(kind, at=at) for kind in self.expected)))
        return self._select(rows) if self.q else rows

    def _select(self, rows: QuerySet[Terminal]) -> QuerySet[Terminal]:
        read = read_query(self.q)
        return rows.none() if isinstance(read, QueryError) else rows.filter(read.where(timezone.now()))

    @property
    def problem(self) -> QueryError | None:
        """Why the query is none."""
        read = read_query(self.q)
        return read if isinstance(read, QueryError) else None

    @property
    def corrected(self) -> str:
        """The query with its mistake corrected; empty if nothing is like what was meant."""
        problem = self.problem
        return problem.correction.of(self.q) if problem and problem.correction else ""

    @property
    def used(self) -> Collection[str]:
        """The fields that the query has conditions on."""
        read = read_query(self.q)
        return () if isinstance(read, QueryError) else read.used

    @property
    def is_moved_by_time(self) -> bool:
        """Whether rows may come and go without a change that says so: as time passes, or with each report."""
        return any((field := TERMINAL_FIELDS.find(name)) and field.moved_by is not MovedBy.CHANGE for name in self.used)

    @property
    def query(self) -> str:
        """The filter as a query string; equal filters have equal strings."""
        chosen = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return urlencode([(name, value) for name, value in chosen if value], doseq=True)

    @property
    def is_empty(self) -> bool:
        return self == type(self)()

    def is_moved_by(self, change: Change) -> bool:
        """Whether rows may have been added or removed. Name, site and kind change only at a first boot."""
        return bool(
            change.everything
            or change.sessions
            or ((self.presence or self.lost_with) and change.presence)
            or (self.status and change.terminals)
            or (self.severity and change.alerts)
        )


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """`site` is a code, `rule` and `incident` are primary keys."""

    q: str = ""
    severity: tuple[str, ...] = ()
    unacknowledged: bool = False
    site: str = ""
    rule: str = ""
    stale: bool = False
    who: str = ""
    """Username of the person who acknowledged it or is assigned."""
    incident: str = ""
    flapping: bool = False

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        q = text(query, "q", MAX_SEARCH_CHARACTERS)
        rule, incident = query.get("rule", ""), query.get("incident", "")
        return cls(
            q=q if len(q) >= MIN_SEARCHED else "",
            severity=_all_known(query.getlist("severity"), Severity.values),
            unacknowledged=query.get("unacknowledged") == "1",
            site=text(query, "site", 8),
            rule=rule if PRIMARY_KEY.fullmatch(rule) else "",
            stale=query.get("stale") == "1",
            who=text(query, "who", 150),
            incident=incident if PRIMARY_KEY.fullmatch(incident) else "",
            flapping=query.get("flapping") == "1",
        )

    def apply[Rows: QuerySet[Alert]](self, rows: Rows, *, scope: Scope) -> Rows:
        """The `rows` that match. An incident that the scope does not cover has none, as if it did not exist."""
        if self.severity:
            rows = rows.filter(severity__in=self.severity)
        if self.unacknowledged:
            rows = rows.filter(acknowledged_at=None)
        if self.site:
            rows = rows.filter(terminal__site__code__iexact=self.site)
        if self.rule:
            rows = rows.filter(rule=int(self.rule))
        if self.stale:
            rows = rows.filter(state=AlertState.ACKNOWLEDGED, is_stale=True)
        if self.who:
            rows = rows.filter(Q(acknowledged_by__username=self.who) | Q(assigned_to__username=self.who))
        if self.incident:
            rows = rows.filter(incident__in=within(Incident.objects.filter(pk=int(self.incident)), scope))
        if self.flapping:
            rows = rows.filter(FLAPPING)
        return rows.filter(alerts_like(self.q)) if self.q else rows

    @property
    def may_correlate(self) -> bool:
        """Whether an incident's row may replace its alerts: not if the filter selects individual alerts."""
        return not (self.q or self.rule or self.stale or self.incident or self.flapping)

    @property
    def query(self) -> str:
        chosen = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return urlencode([(name, 1 if value is True else value) for name, value in chosen if value], doseq=True)

    @property
    def marks(self) -> list[tuple[str, str]]:
        """The filter as hidden fields of a form."""
        return parse_qsl(self.query)

    @property
    def is_empty(self) -> bool:
        return self == type(self)()


def text(query: QueryDict, name: str, most: int) -> str:
    """The search text without U+0000, which no text of the database contains. Forms and sockets pass it on."""
    return query.get(name, "").replace("\0", "").strip()[:most]


def read_query(text: str) -> Query | QueryError:
    """The query about terminals that the text is, or why it is none."""
    try:
        return Query.of(text, TERMINAL_FIELDS)
    except QueryError as error:
        return error


def _if_known(value: str | None, values: Collection[str]) -> str:
    return value if value is not None and value in values else ""


def _all_known(chosen: Iterable[str], values: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted({name for name in chosen if name in values}))


def _alerts(severity: str) -> QuerySet[Alert]:
    unresolved = Alert.objects.unresolved()
    return unresolved if severity == ANY else unresolved.filter(severity=severity)
