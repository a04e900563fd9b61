"""The chained days of the audit trail, and how far they are verified."""

from typing import Self

from django.db import models


class AuditDayQuerySet(models.QuerySet["AuditDay"]):
    def not_purged(self) -> Self:
        """Days whose entries have not been purged."""
        return self.filter(purged_at=None)

    def latest_day(self) -> "AuditDay | None":
        return self.order_by("-day").first()


class AuditDay(models.Model):
    """The chain of one day: how many entries it has, and the hashes between which they lie.

    A day begins with the last hash of the day before. The row stays when its entries are purged.
    """

    day = models.DateField(primary_key=True)
    """The day in `TMS_TIME_ZONE`, by the time of sealing."""
    first_number = models.BigIntegerField()
    entries = models.BigIntegerField(default=0)
    previous_hash = models.CharField(max_length=64, blank=True)
    """The last hash of the day before; empty on the first day."""
    last_hash = models.CharField(max_length=64, blank=True)
    anchored_entries = models.BigIntegerField(default=0)
    """How many entries the latest anchor covers."""
    anchored_at = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True)

    objects = AuditDayQuerySet.as_manager()

    class Meta:
        ordering = ("day",)

    def __str__(self) -> str:
        return self.day.isoformat()

    @property
    def next_number(self) -> int:
        """The number of the first entry after this day."""
        return self.first_number + self.entries

    def position(self, number: int) -> int:
        """The position within the day, from 1, of the entry with this number."""
        return number - self.first_number + 1


class AuditCheckQuerySet(models.QuerySet["AuditCheck"]):
    def current(self) -> "AuditCheck":
        return self.get_or_create(pk=1)[0]


class AuditCheck(models.Model):
    """How far the clock has verified the chain. There is one row."""

    at = models.DateTimeField(null=True)
    """When it verified last."""
    new_number = models.BigIntegerField(default=0)
    """The last entry that was verified after it had been sealed."""
    old_number = models.BigIntegerField(default=0)
    """The last entry of the round through all entries, which begins again at its end."""
    round_ended_at = models.DateTimeField(null=True)
    broken_number = models.BigIntegerField(null=True)
    """The first bad entry."""
    broken_reason = models.CharField(max_length=500, blank=True)
    broken_at = models.DateTimeField(null=True)

    objects = AuditCheckQuerySet.as_manager()

    def __str__(self) -> str:
        return f"verified at {self.at}"

    @property
    def is_broken(self) -> bool:
        return self.broken_number is not None


def day_of(number: int) -> AuditDay | None:
    """The day of the entry with this number."""
    return AuditDay.objects.filter(first_number__lte=number).order_by("-first_number").first()
