"""Planned absence of a terminal: the reason and its end.

Shown beside the presence, which is what TMS knows of the link: a plan does not change it (see docs/decisions).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import Scope
from tms.alerts.maintenance import coverage
from tms.boards.caches.census import Census
from tms.boards.caches.plans import plan_cache
from tms.fleet.sites.hours_cache import hours_cache


class PlannedKind(TextChoices):
    MAINTENANCE = "maintenance", _("Maintenance")
    CLOSED = "closed", _("Site closed")


class Expected(NamedTuple):
    kind: str
    until: datetime
    note: str = ""
    by: str = ""


def expected_of(site_of: Mapping[int, int], *, at: datetime) -> dict[int, Expected]:
    """Planned absence of these terminals (with their sites); maintenance takes precedence over closing time."""
    closed = hours_cache().closed(set(site_of.values()), at)
    found = {pk: Expected(PlannedKind.CLOSED, closed[site]) for pk, site in site_of.items() if site in closed}
    covers = coverage.coverage_of(site_of, among=plan_cache().maintenance(at).windows)
    return found | {
        pk: Expected(PlannedKind.MAINTENANCE, cover.until, cover.note, cover.by) for pk, cover in covers.items()
    }


def expected_at(census: Census, *, at: datetime) -> dict[int, str]:
    """Planned absence of sites as a whole."""
    closed = dict.fromkeys(hours_cache().closed(census.sites.keys(), at), PlannedKind.CLOSED.value)
    return closed | dict.fromkeys(plan_cache().maintenance(at).sites, PlannedKind.MAINTENANCE.value)


def numbers(census: Census, *, at: datetime, scope: Scope) -> dict[str, int]:
    """Number of terminals by planned absence. `census`: what the scope covers."""
    tallies = census.sites
    return {
        PlannedKind.MAINTENANCE.value: plan_cache().in_maintenance(scope, at),
        PlannedKind.CLOSED.value: sum(tallies[site].total for site in hours_cache().closed(tallies.keys(), at)),
    }
