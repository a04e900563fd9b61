"""The terminals of a rollout: a page of them with their states in words, and what needs a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

from django.db.models import Case, Count, Min, QuerySet, Value, When
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.artifacts.fitting import Misfit
from tms.jobs.guards import Skip
from tms.jobs.reasons import REASONS as HOLDS
from tms.lib.pagination import Column, Keyset
from tms.rollouts.models import ATTENTION, Rollout, RolloutItem, RolloutItemState
from tms.rollouts.models.item import WORKING
from tms.rollouts.outcomes import TMS_AWAY

A_PAGE = 50
MAX_REASONS = 8
IN_ORDER = Keyset((Column("rank", int), Column("pk", int)))
SHOWS: Mapping[str, Sequence[str]] = {
    "attention": ATTENTION,
    "working": WORKING,
    "postponed": (RolloutItemState.POSTPONED,),
    "done": (RolloutItemState.DONE,),
    "waiting": (RolloutItemState.WAITING,),
    "out": (RolloutItemState.SKIPPED, RolloutItemState.CANCELLED, RolloutItemState.EXPIRED),
}
"""The states behind each filter."""
RANK = Case(*(When(state__in=states, then=rank) for rank, states in enumerate(SHOWS.values())), default=len(SHOWS))
ICONS: Mapping[str, str] = {
    RolloutItemState.WAITING: "minus",
    RolloutItemState.POSTPONED: "pause",
    RolloutItemState.ORDERED: "next",
    RolloutItemState.DOWNLOADING: "download",
    RolloutItemState.INSTALLING: "artifact",
    RolloutItemState.RESTARTING: "rebooting",
    RolloutItemState.SETTLING: "clock",
    RolloutItemState.DONE: "check",
    RolloutItemState.FAILED: "fault",
    RolloutItemState.OLD_VERSION: "fault",
    RolloutItemState.NEW_VERSION: "fault",
    RolloutItemState.NOT_BACK: "offline",
    RolloutItemState.SKIPPED: "next",
    RolloutItemState.CANCELLED: "close",
    RolloutItemState.EXPIRED: "clock",
}
REMEDIES: Mapping[str, str | Promise] = {
    RolloutItemState.FAILED: _("try again"),
    RolloutItemState.OLD_VERSION: _("try again"),
    RolloutItemState.NEW_VERSION: _("counts as updated once confirmed"),
    RolloutItemState.NOT_BACK: _("look at the terminal"),
}
RETRIED = (RolloutItemState.FAILED, RolloutItemState.OLD_VERSION)
WAITS: Mapping[str, str | Promise] = {
    **HOLDS,
    Skip.UNSUPPORTED: _("Its agent is not set up for changes"),
    Skip.NOT_PERMITTED: _("The starter of the rollout may not change it"),
    Misfit.MODEL: _("Another model"),
    Misfit.UNKNOWN_VERSION: _("Its version is not known"),
    Misfit.TOO_OLD: _("Its version is too old for this one"),
    Misfit.TOO_NEW: _("Its version is not to be replaced by this one"),
    Misfit.NO_UPDATES: _("Its agent is not set up for updates"),
    "current": _("Ran it before"),
    "replaced": _("It was replaced"),
    "moved": _("It was moved to another site"),
    TMS_AWAY: _("TMS was away"),
    "no_space": _("No space left"),
    "hash_mismatch": _("The file was not the one that was signed"),
    "signature": _("The signature is not valid for it"),
    "expired": _("The manifest has expired"),
    "download": _("The download failed"),
    "unfit": _("Is not for this terminal, it says"),
    "undone": _("The terminal undid it"),
    "refused": _("The terminal refused it"),
    "storage": _("The terminal could not store it"),
    "failed": _("Failed"),
}


class ItemsQuery(NamedTuple):
    """Which terminals the address asks for."""

    show: str = ""
    after: str = ""

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Self:
        show = values.get("show", "")
        return cls(show if show in SHOWS else "", values.get("after", "")[:80])

    def address(self, **other: str) -> str:
        values = {"show": self.show, "after": self.after, **other}
        return f"?{urlencode({name: value for name, value in values.items() if value})}"


@dataclass(frozen=True, slots=True)
class RolloutItemRow:
    item: RolloutItem
    postpone_limit: int

    @property
    def icon(self) -> str:
        return ICONS[self.item.state]

    @property
    def is_failed(self) -> bool:
        return self.item.state in ATTENTION

    @property
    def pct(self) -> int | None:
        """How much of the file it has; None if it is not downloading."""
        command = self.item.command
        if self.item.state != RolloutItemState.DOWNLOADING or command is None or command.progress_pct is None:
            return None
        return min(max(int(command.progress_pct), 0), 100)

    @property
    def detail(self) -> str:
        return _detail(self.item, self.postpone_limit)

    @property
    def until(self) -> datetime | None:
        """What the detail ends with."""
        match self.item.state:
            case RolloutItemState.RESTARTING | RolloutItemState.NOT_BACK:
                return self.item.back_by
            case RolloutItemState.POSTPONED:
                return self.item.not_before
        return None

    @property
    def at(self) -> datetime | None:
        return self.item.ended_at or self.item.state_at


def _detail(item: RolloutItem, limit: int) -> str:
    match item.state:
        case RolloutItemState.WAITING:
            return str(WAITS.get(item.reason, item.reason))
        case RolloutItemState.POSTPONED:
            return gettext("%(n)s of %(limit)s times, again at") % {"n": item.postponed, "limit": limit}
        case RolloutItemState.RESTARTING:
            return gettext("back by")
        case RolloutItemState.NOT_BACK:
            return gettext("expected by")
        case RolloutItemState.OLD_VERSION if item.version_before:
            return gettext("still %(version)s after its restart") % {"version": item.version_before}
        case RolloutItemState.DONE if item.version_before:
            return gettext("was %(version)s") % {"version": item.version_before}
    return item.error or str(WAITS.get(item.reason, item.reason))


class RolloutItemsPage(NamedTuple):
    rows: list[RolloutItemRow]
    after: str
    """The cursor of the next page; empty if there is none."""


def items_of(rollout: Rollout, person: User) -> QuerySet[RolloutItem]:
    return visible(RolloutItem.objects.filter(rollout=rollout), to=person)


def items_page(items: QuerySet[RolloutItem], rollout: Rollout, query: ItemsQuery) -> RolloutItemsPage:
    """What needs a person first, then what is going on."""
    rows = items.filter(state__in=SHOWS[query.show]) if query.show else items
    rows = rows.annotate(rank=RANK)
    found = IN_ORDER.window(rows, after=query.after, size=A_PAGE)
    by_pk = RolloutItem.objects.select_related("terminal__site", "command", "wave").in_bulk(found.pks)
    shown = [RolloutItemRow(by_pk[pk], rollout.postpone_limit) for pk in found.pks if pk in by_pk]
    return RolloutItemsPage(shown, found.after)


class AttentionReason(NamedTuple):
    """Terminals that need a person for the same reason."""

    state: str
    reason: str
    error: str
    """The text that the terminals gave, of failures that have no reason."""
    number: int
    uid: str
    """One of them."""

    @property
    def label(self) -> str:
        if self.state == RolloutItemState.FAILED and (self.error or self.reason):
            return self.error or str(WAITS.get(self.reason, self.reason))
        return str(RolloutItemState(self.state).label)

    @property
    def icon(self) -> str:
        return ICONS[self.state]

    @property
    def remedy(self) -> str | Promise:
        return REMEDIES[self.state]

    @property
    def is_retried(self) -> bool:
        return self.state in RETRIED

    @property
    def is_confirmed(self) -> bool:
        return self.state == RolloutItemState.NEW_VERSION


def attention_of(items: QuerySet[RolloutItem]) -> list[AttentionReason]:
    """The most frequent reasons. Two queries, over the few items that failed."""
    said = Case(When(state=RolloutItemState.FAILED, reason="failed", then="error"), default=Value(""))
    rows = items.filter(state__in=ATTENTION).annotate(said=said).order_by().values_list("state", "reason", "said")
    counted = list(rows.annotate(n=Count("pk"), first=Min("terminal")).order_by("-n", "state", "said")[:MAX_REASONS])
    uids = dict(items.filter(terminal__in=[row[4] for row in counted]).values_list("terminal", "terminal__uid"))
    return [
        AttentionReason(state, reason, error, number, uids.get(first, ""))
        for state, reason, error, number, first in counted
    ]
