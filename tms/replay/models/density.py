"""Stored counts for the density of long times. Derived from the rows: they may be deleted, and are made again."""

from __future__ import annotations

from django.db import models

from tms.accounts.scope import BySite


class CountedDay(models.Model):
    """A day of UTC whose counts are stored."""

    day = models.DateTimeField(unique=True)
    """The begin of the day."""
    until = models.DateTimeField()
    """The end of what is counted: that of the day, except for the newest one."""
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"


class FleetCount(models.Model):
    """What began in the whole fleet within a quarter of an hour; without a row it was nothing."""

    begins_at = models.DateTimeField(unique=True)
    alerts = models.PositiveIntegerField()
    critical = models.PositiveIntegerField()
    incidents = models.PositiveIntegerField()
    outages = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.begins_at:%Y-%m-%d %H:%M}"


class SiteCount(models.Model):
    """What began at the terminals of a site within six hours; without a row it was nothing."""

    begins_at = models.DateTimeField()
    site = models.ForeignKey("fleet.Site", models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    """The site, without a database constraint, which would check each of many rows: Django deletes them with their
    site.
    """
    alerts = models.PositiveIntegerField()
    critical = models.PositiveIntegerField()
    outages = models.PositiveIntegerField()

    scope_path = BySite("site")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("begins_at", "site"), name="sitecount_one"),)

    def __str__(self) -> str:
        return f"{self.begins_at:%Y-%m-%d %H:%M} {self.site_id}"
