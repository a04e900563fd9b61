"""Filters of lists. They are part of the URL, so a link shows a colleague the same rows."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Self
from urllib.parse import parse_qsl, urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from tms.accounts.access import Person, within
from tms.accounts.scope import Scope
from tms.alerts.models import Alert, AlertState, Incident
from tms.alerts.models.alert import FLAPPING
from tms.alerts.search import alerts_like
from tms.boards.list_filters import old_parameters
from tms.boards.list_filters.query_filter import MAX_QUERY_CHARACTERS, QueryFilter, read
from tms.feed.change import Change
from tms.fleet.models import Lifecycle, Terminal
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.lib.severity import Severity
from tms.query.editing import all_of, condition
from tms.query.errors import QueryError
from tms.query.fields import MovedBy
from tms.query.query import Query

NOT_LISTED = tuple(state.value for state in Lifecycle if state is not Lifecycle.IN_SERVICE)
"""The lifecycle states of terminals that a list shows only if it is asked for them."""
MIN_SEARCHED = 2
MAX_SEARCH_CHARACTERS = 64
PRIMARY_KEY = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class TerminalFilter(QueryFilter):
    """A query about terminals; an empty one selects those in service."""

    known = TERMINAL_FIELDS

    @classmethod
    def of(cls, query: QueryDict, *, to: Person | None = None) -> Self:
        """The filter of a URL. `to`: the person, whose groups old links name by primary key."""
        q = text(query, "q", MAX_QUERY_CHARACTERS)
        return cls(all_of(*old_parameters.conditions(query, to=to), q if len(q) >= MIN_SEARCHED else ""))

    def apply(self, rows: QuerySet[Terminal]) -> QuerySet[Terminal]:
        is_stated = self.problem or "state" in self.used
        return (rows if is_stated else rows.filter(lifecycle=Lifecycle.IN_SERVICE)).filter(self.condition)

    @property
    def explicit(self) -> Self:
        """The same with the state that a list adds to a query without one: for pages that take the query alone."""
        if "state" in self.used or self.problem:
            return self
        return type(self)(all_of(self.q, condition("state", [Lifecycle.IN_SERVICE.value])))

    @cached_property
    def _moved_by(self) -> frozenset[MovedBy]:
        return frozenset(field.moved_by for name in self.used if (field := TERMINAL_FIELDS.find(name)))

    @property
    def is_moved_by_time(self) -> bool:
        """Whether rows may come and go without a change that says so: as time passes, or with each report."""
        return not self._moved_by.isdisjoint((MovedBy.TIME, MovedBy.READING))

    def is_moved_by(self, change: Change) -> bool:
        """Whether rows may have been added or removed. Name, site and kind change only at a first boot."""
        moved = {MovedBy.PRESENCE: change.presence, MovedBy.STATUS: change.status, MovedBy.ALERT: change.alerts}
        return bool(change.everything or change.sessions or any(moved.get(each) for each in self._moved_by))

    @property
    def shows_status(self) -> bool:
        """Whether the status that terminals report decides which rows there are."""
        return MovedBy.STATUS in self._moved_by

    def toggled(self, field: str, value: str) -> Self:
        """The filter with one more value of a field, or one less."""
        return self.with_only(field, *sorted({*self.chosen(field)} ^ {value}))

    @property
    def site(self) -> str:
        """The site that all rows are at, if the query names one."""
        return named[0] if len(named := self.chosen("site")) == 1 else ""

    @property
    def is_empty(self) -> bool:
        return not self.q


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
    return read(text, TERMINAL_FIELDS)


def _all_known(chosen: Iterable[str], values: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted({name for name in chosen if name in values}))
