"""Verifies the hash chain: finds the first entry that was edited, deleted or cut off.

Linear, with a few thousand entries in memory. The chain alone does not show that an entry was edited and all later
hashes were calculated again, or that its end was cut off together with the count of the day: anchors do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

from django.db.models import Max

from tms.accounts.audit.chain import ChainedEntry, entries_between
from tms.accounts.models.audit_chain import AuditDay
from tms.accounts.models.audit_entry import AuditEntry

SINCE = "it or an entry since the anchor before was rewritten"


class Fault(Enum):
    EDITED = "edited"
    DELETED = "deleted"
    CUT_OFF = "cut off"
    REWRITTEN = "rewritten"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class ChainAnchor:
    """The state of the chain at one instant: that many entries of `day`, and the hash of the last one."""

    day: date
    entries: int
    number: int
    hash: str


class Broken(Exception):
    """The first bad entry."""

    def __init__(self, fault: Fault, number: int, day: date, position: int, detail: str) -> None:
        super().__init__(f"entry {position:,} of {day} (number {number:,}) {detail}")
        self.fault, self.number, self.day, self.position = fault, number, day, position


class Verified(NamedTuple):
    """What was verified without a fault."""

    days: Sequence[date]
    entries: int
    last_hash: str
    anchors: int


@dataclass(slots=True)
class ChainVerification:
    """One pass over consecutive entries."""

    anchors: Mapping[int, ChainAnchor] = field(default_factory=dict)
    """Anchors by the number of their last entry."""
    entries: int = 0
    agreeing: int = 0
    last_hash: str = ""

    def check(self, day: AuditDay, first: int, last: int, previous: str) -> None:
        """Check the entries of `day` from number `first` to `last`. Raises Broken."""
        self.last_hash, expected = previous, first
        for entry in entries_between(first, last):
            if entry.number != expected:
                raise fault(Fault.DELETED, day, expected, "was deleted")
            self._check_entry(day, entry)
            expected += 1
        if expected <= last:
            raise fault(Fault.CUT_OFF, day, expected, f"and all later ones of the day, up to {last:,}, were deleted")

    def _check_entry(self, day: AuditDay, entry: ChainedEntry) -> None:
        if not entry.is_sealed_after(self.last_hash):
            raise fault(Fault.EDITED, day, entry.number, f"was edited: its content does not fit its hash {entry.hash}")
        self.last_hash = entry.hash
        self.entries += 1
        anchor = self.anchors.get(entry.number)
        if anchor is not None and anchor.hash != entry.hash:
            raise fault(Fault.REWRITTEN, day, entry.number, _rewritten(anchor, entry.hash))
        self.agreeing += anchor is not None


def verify(*, since: date | None = None, anchors: Sequence[ChainAnchor] = ()) -> Verified:
    """Verify all days that are kept, or those from `since` on. Raises Broken."""
    days = list(AuditDay.objects.order_by("day"))
    _check_days(days)
    first = {anchor.number: anchor for anchor in reversed(anchors)}
    found, checked = ChainVerification(first), []
    for day in days:
        if day.purged_at is not None:
            _check_last_hash(found, day)
        elif since is None or day.day >= since:
            check_day(found, day)
            checked.append(day.day)
    check_end(0)
    _check_agreement(anchors, first)
    _check_anchors(days, anchors)
    return Verified(checked, found.entries, found.last_hash, found.agreeing)


def check_day(found: ChainVerification, day: AuditDay) -> None:
    """Check all entries of the day, and that it ends as its row says. Raises Broken."""
    last = day.next_number - 1
    found.check(day, day.first_number, last, day.previous_hash)
    check_last(found, day, last)


def check_last(found: ChainVerification, day: AuditDay, number: int) -> None:
    """The last entry of a day has the hash that the day ends with. Raises Broken."""
    if number == day.next_number - 1 and found.last_hash != day.last_hash:
        raise fault(Fault.REWRITTEN, day, number, f"does not have the day's last hash {day.last_hash}")


def _check_last_hash(found: ChainVerification, day: AuditDay) -> None:
    """All that is left of a day that was purged."""
    anchor = found.anchors.get(day.next_number - 1)
    if anchor is not None and anchor.hash != day.last_hash:
        raise fault(Fault.REWRITTEN, day, anchor.number, _rewritten(anchor, day.last_hash))


def _check_days(days: Sequence[AuditDay]) -> None:
    """Each day begins where the day before ended, and the first one with number 1: rows of days are never deleted."""
    if days and days[0].first_number != 1:
        raise fault(Fault.DAY, days[0], 1, "is missing, with all entries before the day: their days were deleted")
    for before, day in pairwise(days):
        if (day.first_number, day.previous_hash) != (before.next_number, before.last_hash):
            detail = f"does not follow the end of {before.day}: a day between them was deleted, or one was edited"
            raise fault(Fault.DAY, day, day.first_number, detail)


def _check_agreement(anchors: Sequence[ChainAnchor], first: Mapping[int, ChainAnchor]) -> None:
    """All anchors of an entry have the hash of the `first` one: a chain that was rewritten gets anchors of its own."""
    for anchor in anchors:
        known = first[anchor.number]
        if anchor.hash != known.hash:
            detail = f"has the hash {known.hash} in one anchor and {anchor.hash} in another: {SINCE}"
            raise Broken(Fault.REWRITTEN, anchor.number, anchor.day, anchor.entries, detail)


def _check_anchors(days: Sequence[AuditDay], anchors: Sequence[ChainAnchor]) -> None:
    """The chain reaches as far as the last anchor."""
    number = days[-1].next_number if days else 1
    beyond = max(anchors, key=lambda anchor: anchor.number, default=None)
    if beyond is not None and beyond.number >= number:
        detail = f"and all later ones were deleted: the anchor of {beyond.day} has {beyond.entries:,} entries"
        raise Broken(Fault.CUT_OFF, number, beyond.day, beyond.entries - (beyond.number - number), detail)


def check_end(number: int) -> None:
    """The chain has at least `number` entries, and none after the last day. Raises Broken."""
    highest = AuditEntry.objects.aggregate(last=Max("number"))["last"] or 0
    day = AuditDay.objects.latest_day()  # read later, because entries are sealed meanwhile
    last = day.next_number - 1 if day else 0
    if highest > last:
        raise fault(Fault.DAY, day, highest, "belongs to a day whose row was deleted or edited")
    if last < number:
        raise fault(Fault.CUT_OFF, day, last + 1, f"and all later ones up to number {number:,} were deleted")


def _rewritten(anchor: ChainAnchor, found: str) -> str:
    return f"has the hash {found}, but {anchor.hash} in the anchor: {SINCE}"


def fault(kind: Fault, day: AuditDay | None, number: int, detail: str) -> Broken:
    if day is None:
        return Broken(kind, number, date.min, number, detail)
    return Broken(kind, number, day.day, day.position(number), detail)
