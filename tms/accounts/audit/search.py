"""The filters of the audit trail, for its page and its REST operation."""

from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from django.db.models import Q, QuerySet

from tms.accounts.models.audit_entry import AuditEntry

SIGN_INS = ("signed-in", "signed-out", "sign-in-failed")
OPERATED = ("alerts.alert", "alerts.incident")
GROUPS = {
    "sign-ins": Q(action__in=SIGN_INS),
    "people": Q(subject_type__startswith="accounts.") & ~Q(action__in=(*SIGN_INS, "anchored", "purged")),
    "alerts": Q(subject_type__in=OPERATED) & ~Q(action="exported"),
    "commands": Q(action="commanded"),
    "exports": Q(action="exported"),
    "configuration": ~Q(subject_type__startswith="accounts.")
    & ~Q(subject_type__in=OPERATED)
    & ~Q(action__in=("commanded", "exported")),
    "chain": Q(action__in=("anchored", "purged")),
}
"""Kinds of actions that people look for."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Empty fields filter nothing."""

    q: str = ""
    """Part of the name of a person, a token or an object, or an address."""
    who: str = ""
    """Username."""
    what: str = ""
    """One of `GROUPS`, or an action."""
    kind: str = ""
    """The kind of an object: `alerts.rule`."""
    object_id: str = ""
    """Its primary key; only with a kind."""
    via: str = ""
    address: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def apply(self, rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        exact = {
            "actor_name": self.who,
            "subject_type": self.kind,
            "subject_id": self.object_id,
            "via": self.via,
            "at__gte": self.since,
            "at__lt": self.until,
        }
        rows = rows.filter(**{name: value for name, value in exact.items() if value})
        if self.what:
            rows = rows.filter(GROUPS.get(self.what, Q(action=self.what)))
        if self.address:
            known = address_of(self.address)
            rows = rows.filter(address=known) if known else rows.none()
        return rows.filter(self._matches()) if self.q else rows

    def _matches(self) -> Q:
        known = address_of(self.q)
        if known:
            return Q(address=known)
        names = ("actor_name", "token_name", "subject_name")
        return Q(*(Q(**{f"{name}__icontains": self.q}) for name in names), _connector=Q.OR)


def address_of(text: str) -> str | None:
    """The IP address in canonical form; None if it is none."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return None
