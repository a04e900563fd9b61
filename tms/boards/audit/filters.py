"""The filters of the page. They are part of its URL."""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from tms.accounts.audit.search import GROUPS, AuditFilter
from tms.accounts.display_names import name_of
from tms.accounts.models import User
from tms.accounts.models.audit_entry import Via
from tms.boards.audit import labels
from tms.boards.list_filters.choices import Choice
from tms.boards.list_filters.filters import MAX_SEARCH_CHARACTERS, MIN_SEARCHED, PRIMARY_KEY, text
from tms.lib.calendar.local_time import instant
from tms.shifts.period import Period

TODAY, ALL = "today", "all"
SPANS = {TODAY: _("Today"), "7d": _("7 d"), "30d": _("30 d"), "90d": _("90 d"), ALL: _("Any time")}
NAMES = ("q", "who", "what", "kind", "object", "via", "address")
MAX_KIND_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class PageFilter:
    chosen: AuditFilter
    span: str = TODAY
    """One of `SPANS`; empty for a period from one instant to another."""
    period: Period | None = None

    @classmethod
    def of(cls, query: QueryDict, *, at: datetime) -> Self:
        q, object_id, via = text(query, "q", MAX_SEARCH_CHARACTERS), query.get("object", ""), query.get("via", "")
        period = Period.between(query, at=at) if query.get("since") or query.get("until") else None
        given = query.get("span", "")
        span = "" if period else given if given in SPANS else ALL if object_id else TODAY
        kind = text(query, "kind", MAX_KIND_CHARACTERS)
        chosen = AuditFilter(
            q=q if len(q) >= MIN_SEARCHED else "",
            who=text(query, "who", 150),
            what=text(query, "what", 32),
            kind=kind,
            object_id=object_id if kind and PRIMARY_KEY.fullmatch(object_id) else "",
            via=via if via in Via.values else "",
            address=text(query, "address", 64),
        )
        since, until = (period.since, period.until) if period else (_since(span, at), None)
        return cls(replace(chosen, since=since, until=until), span, period)

    @property
    def query(self) -> str:
        """The filter as it is in the URL."""
        values = {name: getattr(self.chosen, "object_id" if name == "object" else name) for name in NAMES}
        period = self.period.query if self.period else urlencode({"span": self.span})
        return "&".join(filter(None, (urlencode({name: value for name, value in values.items() if value}), period)))

    @property
    def is_bare(self) -> bool:
        """Whether it filters by the period only."""
        return not any(getattr(self.chosen, "object_id" if name == "object" else name) for name in NAMES)

    def choices(self) -> dict[str, object]:
        people = User.objects.filter(is_active=True).order_by("last_name", "first_name", "username")
        chosen = self.chosen
        actions = (
            labels.GROUPS
            if chosen.what in GROUPS or not chosen.what
            else {
                **labels.GROUPS,
                chosen.what: labels.action_label(chosen.what),
            }
        )
        return {
            "people": [Choice(one.username, name_of(one).text, one.username == chosen.who) for one in people],
            "actions": [Choice(name, label, name == chosen.what) for name, label in actions.items()],
            "vias": [Choice(one.value, one.label, one.value == chosen.via) for one in Via],
            "spans": [Choice(name, label, name == self.span) for name, label in SPANS.items()],
        }


def _since(span: str, at: datetime) -> datetime | None:
    if span == ALL:
        return None
    if span == TODAY:
        zone = ZoneInfo(settings.TIME_ZONE)
        return instant(datetime.combine(at.astimezone(zone).date(), time()), zone)
    return at - timedelta(days=int(span.removesuffix("d")))
