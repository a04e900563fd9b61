"""What a list shows of all there is. It lives in the address: a link pasted to a colleague shows the same."""

from dataclasses import dataclass, fields
from typing import Self
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from tms.alerts.models import Alert
from tms.fleet.models import Presence, Site, Status, Terminal, TerminalKind
from tms.live.change import Change
from tms.telemetry.models import Severity

ANY = "any"
LEAST_SEARCHED = 2
LONGEST_SEARCH = 64
ADDRESS_MARKS = frozenset("0123456789abcdefABCDEF.:")


@dataclass(frozen=True, slots=True)
class TerminalFilter:
    """Empty fields filter nothing; a value that does not exist counts as empty."""

    q: str = ""
    presence: tuple[str, ...] = ()
    status: str = ""
    severity: str = ""
    site: str = ""
    kind: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        q = query.get("q", "").strip()[:LONGEST_SEARCH]
        return cls(
            q=q if len(q) >= LEAST_SEARCHED else "",
            presence=tuple(sorted({name for name in query.getlist("presence") if name in Presence.values})),
            status=_known(query.get("status"), Status.values),
            severity=_known(query.get("severity"), [ANY, *Severity.values]),
            site=query.get("site", "")[:8],
            kind=_known(query.get("kind"), TerminalKind.values),
        )

    def apply(self, rows: QuerySet[Terminal]) -> QuerySet[Terminal]:
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
        return rows.filter(_search(self.q)) if self.q else rows

    @property
    def query(self) -> str:
        """As it stands in an address; the same filter has one spelling."""
        chosen = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return urlencode([(name, value) for name, value in chosen if value], doseq=True)

    @property
    def is_empty(self) -> bool:
        return self == type(self)()

    def is_moved_by(self, change: Change) -> bool:
        """Whether rows may have come or gone. A terminal's name, site and kind change only with its first boot."""
        return bool(
            change.everything
            or change.sessions
            or (self.presence and change.presence)
            or (self.status and change.terminals)
            or (self.severity and change.alerts)
        )


@dataclass(frozen=True, slots=True)
class AlertFilter:
    q: str = ""
    severity: tuple[str, ...] = ()
    nobody: bool = False

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        q = query.get("q", "").strip()[:LONGEST_SEARCH]
        return cls(
            q=q if len(q) >= LEAST_SEARCHED else "",
            severity=tuple(sorted({name for name in query.getlist("severity") if name in Severity.values})),
            nobody=query.get("nobody") == "1",
        )

    def apply(self, rows: QuerySet[Alert]) -> QuerySet[Alert]:
        if self.severity:
            rows = rows.filter(severity__in=self.severity)
        if self.nobody:
            rows = rows.filter(acknowledged_at=None)
        if self.q:
            rule = Q(rule__name__icontains=self.q) | Q(rule__name_ja__icontains=self.q)
            rows = rows.filter(rule | Q(comment__icontains=self.q) | _search(self.q, prefix="terminal__"))
        return rows

    @property
    def query(self) -> str:
        chosen = [("q", self.q), ("severity", self.severity), ("nobody", "1" if self.nobody else "")]
        return urlencode([(name, value) for name, value in chosen if value], doseq=True)

    @property
    def is_empty(self) -> bool:
        return self == type(self)()


def _known(value: str | None, values: list[str]) -> str:
    return value if value in values else ""


def _alerts(severity: str) -> QuerySet[Alert]:
    unresolved = Alert.objects.unresolved()
    return unresolved if severity == ANY else unresolved.filter(severity=severity)


def _search(text: str, *, prefix: str = "") -> Q:
    """Where a person would look for a terminal: its UID, place, serial number, model, site and address."""
    sites = Site.objects.filter(Q(code__iexact=text) | Q(name__icontains=text) | Q(name_ja__icontains=text))
    found = Q(**{f"{prefix}site__in": sites.values("pk")})
    for name in ("uid", "label", "serial", "model"):
        found |= Q(**{f"{prefix}{name}__icontains": text})
    if ADDRESS_MARKS.issuperset(text):
        found |= Q(**{f"{prefix}address__startswith": text})
    return found
