"""The results of a run: a page of items, why some wait and why others failed, and the sites. Bounded by pages and by
grouped queries, whatever the number of items.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from django.db.models import Count, QuerySet
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import get_language

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.fleet.models import Site
from tms.jobs.models import Item, ItemState, JobRun
from tms.jobs.pages.progress import RunProgress
from tms.jobs.reasons import item_reason
from tms.lib.pagination import Column, Keyset, instant

A_PAGE = 50
MAX_FAILURES, MAX_REASONS = 8, 10
MAX_SITES = 10
NEWEST = Keyset((Column("ended_at", instant, is_descending=True), Column("pk", int, is_descending=True)))
NEXT_FIRST = Keyset((Column("not_before", instant), Column("pk", int)))
IN_ORDER = Keyset((Column("pk", int),))
ORDERS: Mapping[str, Keyset] = {ItemState.WAITING: NEXT_FIRST, ItemState.SENT: IN_ORDER}
ICONS: Mapping[str, str] = {
    ItemState.WAITING: "clock",
    ItemState.SENT: "play",
    ItemState.DONE: "check",
    ItemState.FAILED: "fault",
    ItemState.EXPIRED: "clock",
    ItemState.SKIPPED: "next",
    ItemState.CANCELLED: "close",
}


class ResultsQuery(NamedTuple):
    """Which results the address asks for."""

    show: str = ""
    after: str = ""
    all_sites: bool = False

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Self:
        show = values.get("show", "")
        return cls(show if show in ItemState.values else "", values.get("after", "")[:80], values.get("sites") == "all")

    def address(self, run: JobRun, **other: str) -> str:
        sites = "all" if self.all_sites else ""
        values = {"run": str(run.pk), "show": self.show, "after": self.after, "sites": sites, **other}
        return f"?{urlencode({name: value for name, value in values.items() if value})}"


@dataclass(frozen=True, slots=True)
class ResultRow:
    item: Item

    @property
    def icon(self) -> str:
        return ICONS[self.item.state]

    @property
    def reason(self) -> str | Promise:
        return item_reason(self.item.state, self.item.reason)

    @property
    def took(self) -> timedelta | None:
        command = self.item.command
        if command is None or command.sent_at is None or command.answered_at is None:
            return None
        return command.answered_at - command.sent_at

    @property
    def at(self) -> datetime | None:
        return self.item.ended_at


class ItemsPage(NamedTuple):
    rows: list[ResultRow]
    after: str
    """The cursor of the next page; empty if there is none."""


def items_of(run: JobRun, person: User) -> QuerySet[Item]:
    return visible(Item.objects.filter(run=run), to=person)


def items_page(items: QuerySet[Item], query: ResultsQuery) -> ItemsPage:
    """The newest results first; what waits, in the order in which it is looked at."""
    is_over = query.show not in ORDERS
    rows = items.filter(ended_at__isnull=False) if is_over else items
    rows = rows.filter(state=query.show) if query.show else rows
    found = ORDERS.get(query.show, NEWEST).window(rows, after=query.after, size=A_PAGE)
    by_pk = Item.objects.select_related("terminal__site", "command").in_bulk(found.pks)
    return ItemsPage([ResultRow(by_pk[pk]) for pk in found.pks if pk in by_pk], found.after)


class WaitingReason(NamedTuple):
    label: str | Promise
    number: int


def waiting_reasons(items: QuerySet[Item]) -> list[WaitingReason]:
    """Why items wait, most first. One query over what waits (index: item_waiting)."""
    rows = items.filter(state=ItemState.WAITING).order_by().values_list("reason").annotate(number=Count("pk"))
    found = sorted(rows, key=lambda row: (-row[1], row[0]))[:MAX_REASONS]
    return [WaitingReason(item_reason(ItemState.WAITING, reason), number) for reason, number in found]


class FailureReason(NamedTuple):
    reason: str
    error: str
    number: int

    @property
    def label(self) -> str | Promise:
        return item_reason(ItemState.FAILED, self.reason)

    @property
    def query(self) -> str:
        """The part of an address that chooses these for a retry."""
        return urlencode({"reason": self.reason, "error": self.error})


def failure_reasons(items: QuerySet[Item]) -> list[FailureReason]:
    """The most frequent ones (index: item_failed)."""
    rows = items.filter(state=ItemState.FAILED).order_by().values_list("reason", "error").annotate(number=Count("pk"))
    return [FailureReason(*row) for row in rows.order_by("-number", "reason", "error")[:MAX_FAILURES]]


@dataclass(frozen=True, slots=True)
class SiteShare:
    """The items of one site."""

    code: str
    name: str
    progress: RunProgress


class SiteCounts(NamedTuple):
    """The progress at each site, by primary key; sites with failures first, then those with most to do."""

    by_site: Mapping[int, RunProgress]

    @property
    def total(self) -> RunProgress:
        """The sum of all sites."""
        found: Counter[str] = Counter()
        for progress in self.by_site.values():
            found.update(progress.counts)
        return RunProgress(found)

    def shares(self, limit: int | None) -> list[SiteShare]:
        """The first sites, with their names."""
        pks = list(self.by_site)[:limit]
        is_japanese = get_language() == "ja"
        rows = Site.objects.filter(pk__in=pks).values_list("pk", "code", "name", "name_ja")
        names = {pk: (code, (name_ja if is_japanese else "") or name) for pk, code, name, name_ja in rows}
        return [SiteShare(*names[pk], self.by_site[pk]) for pk in pks if pk in names]


def site_counts(items: QuerySet[Item]) -> SiteCounts:
    """One grouped query over all items of a run."""
    found: dict[int, dict[str, int]] = {}
    rows = items.order_by().values_list("terminal__site_id", "state").annotate(number=Count("pk"))
    for site, state, number in rows:
        found.setdefault(site, {})[state] = number
    progress = {site: RunProgress(counts) for site, counts in found.items()}

    def rank(site: int) -> tuple[int, int, int]:
        counted = progress[site]
        return -counted[ItemState.FAILED], counted.ended - counted.total, site

    return SiteCounts({site: progress[site] for site in sorted(progress, key=rank)})


def failed_terminals(items: QuerySet[Item], reason: str, error: str | None, *, limit: int) -> list[str]:
    """The UIDs of failed items, of one reason and error or of all."""
    failed = items.filter(state=ItemState.FAILED)
    if reason:
        failed = failed.filter(reason=reason)
    if error is not None:
        failed = failed.filter(error=error)
    return list(failed.order_by("pk").values_list("terminal__uid", flat=True)[:limit])
