"""Verifies the hash chain continuously, run by the clock: first what is new, then some older entries in turn."""

from datetime import datetime

import structlog
from django.db.models import F

from tms.accounts.audit.verification import Broken, ChainVerification, Fault, check_end, check_last, fault
from tms.accounts.models.audit_chain import AuditCheck, AuditDay
from tms.accounts.models.audit_entry import AuditEntry

log = structlog.get_logger(__name__)

NEW_ENTRIES = 50_000
"""New entries that one pass verifies at most."""
OLD_ENTRIES = 10_000
"""Older ones that each pass verifies again."""


def verify_some(at: datetime) -> None:
    """Verify the entries since the last pass, and the next older ones. Stores the result, and logs a break once."""
    check = AuditCheck.objects.current()
    was_broken, check.at = check.is_broken, at
    try:
        _advance(check, at)
        check.broken_number, check.broken_reason, check.broken_at = None, "", None
    except Broken as broken:
        check.broken_number, check.broken_reason = broken.number, str(broken)[:500]
        if not was_broken:
            check.broken_at = at
            log.critical("audit_chain_broken", number=broken.number, day=str(broken.day), reason=str(broken))
    check.save()


def _advance(check: AuditCheck, at: datetime) -> None:
    """Both positions stay where they are if an entry after them is bad. Raises Broken."""
    check_end(check.new_number)
    check.new_number = _verify_after(check.new_number, NEW_ENTRIES)
    check.old_number = _verify_after(check.old_number, OLD_ENTRIES)
    if check.old_number >= check.new_number:
        check.old_number, check.round_ended_at = 0, at


def _verify_after(number: int, limit: int) -> int:
    """Verify up to `limit` entries after this number; returns the last one. Raises Broken."""
    found = ChainVerification()
    while limit > 0 and (day := _day_after(number)) is not None:
        first = max(number + 1, day.first_number)
        last = min(day.next_number - 1, first + limit - 1)
        found.check(day, first, last, _hash_before(day, first))
        check_last(found, day, last)
        number, limit = last, limit - (last - first + 1)
    return number


def _day_after(number: int) -> AuditDay | None:
    """The day of the next entry."""
    return AuditDay.objects.not_purged().filter(first_number__gt=number + 1 - F("entries")).order_by("day").first()


def _hash_before(day: AuditDay, first: int) -> str:
    if first == day.first_number:
        return day.previous_hash
    before = AuditEntry.objects.filter(number=first - 1).values_list("hash", flat=True).first()
    if before is None:
        raise fault(Fault.DELETED, day, first - 1, "was deleted")
    return before
