"""What the page says about the hash chain."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Max, Sum
from django.urls import reverse

from tms.accounts.audit.sealing import local_day
from tms.accounts.models import AuditCheck, AuditDay, AuditEntry


@dataclass(frozen=True, slots=True)
class ChainProof:
    verified_at: datetime | None
    broken_reason: str
    broken_address: str
    """The address of the first bad entry, or of the one before it if it was deleted."""
    today: int
    stored: int
    days: int
    anchored_at: datetime | None
    bucket: str

    @property
    def is_broken(self) -> bool:
        return bool(self.broken_reason)


def chain_proof(at: datetime) -> ChainProof:
    check = AuditCheck.objects.filter(pk=1).first() or AuditCheck()
    days = AuditDay.objects.not_purged()
    totals = days.aggregate(stored=Sum("entries"), anchored_at=Max("anchored_at"))
    today = days.filter(day=local_day(at)).values_list("entries", flat=True).first()
    return ChainProof(
        verified_at=check.at,
        broken_reason=check.broken_reason,
        broken_address=_address(check.broken_number),
        today=today or 0,
        stored=totals["stored"] or 0,
        days=settings.AUDIT_DAYS,
        anchored_at=totals["anchored_at"],
        bucket=settings.AUDIT_BUCKET,
    )


def _address(number: int | None) -> str:
    if number is None:
        return ""
    entry = AuditEntry.objects.filter(number__lte=number).order_by("-number").first()
    return f"{reverse('audit')}?span=all&before={entry.pk + 1}#entry-{entry.pk}" if entry else ""
