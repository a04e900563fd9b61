"""The filter of the list of past alerts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Self
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from tms.accounts.models import User
from tms.alerts.models import Alert, AlertState, Rule, Transition
from tms.boards.list_filters.filters import MAX_SEARCH_CHARACTERS, MIN_SEARCHED, PRIMARY_KEY, text
from tms.fleet.models import Terminal
from tms.fleet.search import terminals_like
from tms.lib.severity import Severity
from tms.shifts.period import Period

HOURS = {f"{hours}h": timedelta(hours=hours) for hours in (8, 12, 24)}
PRESETS = MappingProxyType(HOURS | {f"{days}d": timedelta(days=days) for days in (7, 30, 90)})
"""Including the parameters with which the digest and the response times link to it."""
UNRESOLVED = "unresolved"
STATES = (UNRESOLVED, AlertState.RESOLVED.value)


@dataclass(frozen=True, slots=True)
class PastFilter:
    """The filter of past alerts. Empty fields filter nothing; an unknown value counts as empty."""

    q: str = ""
    severity: tuple[str, ...] = ()
    state: str = ""
    site: str = ""
    rule: str = ""
    who: str = ""
    """Username of a person who acknowledged it at any time."""
    span: Period | None = None
    """The period in which the alert opened; None for any time."""

    @classmethod
    def of(cls, query: QueryDict, *, at: datetime) -> Self:
        q = text(query, "q", MAX_SEARCH_CHARACTERS)
        rule, state = query.get("rule", ""), query.get("state", "")
        return cls(
            q=q if len(q) >= MIN_SEARCHED else "",
            severity=tuple(sorted({name for name in query.getlist("severity") if name in Severity.values})),
            state=state if state in STATES else "",
            site=text(query, "site", 8),
            rule=rule if PRIMARY_KEY.fullmatch(rule) else "",
            who=text(query, "who", 150),
            span=_span(query, at=at),
        )

    def apply[Rows: QuerySet[Alert]](self, rows: Rows) -> Rows:
        if self.span:
            rows = rows.filter(Q(opened_at__gte=self.span.since), Q(opened_at__lt=self.span.until))
        if self.severity:
            rows = rows.filter(severity__in=self.severity)
        if self.state:
            resolved = Q(state=AlertState.RESOLVED)
            rows = rows.filter(~resolved if self.state == UNRESOLVED else resolved)
        if self.site:
            rows = rows.filter(terminal__site__code__iexact=self.site)
        if self.rule:
            rows = rows.filter(rule=int(self.rule))
        if self.who:
            rows = rows.filter(pk__in=self._acknowledgements().values("alert"))
        return rows.filter(self._matching()) if self.q else rows

    @property
    def query(self) -> str:
        names = ("q", "severity", "state", "site", "rule", "who")
        chosen = urlencode([(name, value) for name in names if (value := getattr(self, name))], doseq=True)
        return "&".join(filter(None, (chosen, self.span.query if self.span else "")))

    @property
    def is_empty(self) -> bool:
        return not self.query

    def _acknowledgements(self) -> QuerySet[Transition]:
        """Acknowledgements by the chosen person. They are found by primary key, so that PostgreSQL can estimate the
        number of rows.
        """
        person = User.objects.filter(username=self.who).values_list("pk", flat=True).first()
        return Transition.objects.acknowledgements().filter(by=person) if person else Transition.objects.none()

    def _matching(self) -> Q:
        # Lists and subqueries that PostgreSQL hashes once: an OR over joins would be evaluated per row.
        rules = Rule.objects.filter(Q(name__icontains=self.q) | Q(name_ja__icontains=self.q))
        terminals = Terminal.objects.filter(terminals_like(self.q))
        comments = Transition.objects.with_comment().filter(comment__icontains=self.q)
        return (
            Q(rule__in=list(rules.values_list("pk", flat=True)))
            | Q(terminal__in=terminals.values("pk"))
            | Q(pk__in=comments.values("alert"))
        )


def _span(query: QueryDict, *, at: datetime) -> Period | None:
    if not any(query.get(name) for name in ("span", "since", "until")):
        return None
    if query.get("since") or query.get("until"):
        return Period.between(query, at=at)
    preset = query.get("span", "")
    return Period.lasting(preset, PRESETS, at=at) if preset in PRESETS else None
