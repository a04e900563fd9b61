"""Services for sites that people create, edit and close. Boards show every change at once."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import transaction
from django.db.models import QuerySet

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.approvals import clearance
from tms.approvals.acts import Act
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import DeviceState, Region, Site, SiteContact, Terminal
from tms.fleet.models.opening_hours import OpeningHours, SpecialDay
from tms.fleet.terminals import lifecycle_changes
from tms.fleet.terminals.retirement import ClosePayload

HOURS_COLUMNS = ("holiday_calendar", "on_holidays")


class UnknownRegion(ValueError):
    """There is no region of this name."""

    code = "tms:unknown-region"


@dataclass(frozen=True, slots=True)
class SiteValues:
    """What people set of a site, besides its hours and contacts."""

    code: str
    name: str
    name_ja: str = ""
    region: str = ""
    address: str = ""
    time_zone: str = "Asia/Tokyo"


def create_site(values: SiteValues) -> Site:
    """Raises UnknownRegion, and IntegrityError if the code exists."""
    return _save(Site(), values)


def edit_site(site: Site, values: SiteValues) -> Site:
    """Raises UnknownRegion, and IntegrityError if another site has the code."""
    return _save(site, values)


def _save(site: Site, values: SiteValues) -> Site:
    with recorder.change(site):
        if values.region and not Region.objects.select_for_update(no_key=True).filter(name=values.region).exists():
            raise UnknownRegion(values.region)
        for name in SiteValues.__slots__:
            setattr(site, name, getattr(values, name))
        _store(site, SiteValues.__slots__)
    return site


@transaction.atomic
def _store(site: Site, columns: Collection[str]) -> None:
    """Save a new site, or these columns of one: others may close it meanwhile. Every board may show it."""
    site.save(update_fields=None if site._state.adding else columns)
    publish(Change(everything=True))


@transaction.atomic
def close_site(site: Site, *, device_becomes: DeviceState, by: User | None, at: datetime, comment: str = "") -> int:
    """Close a site for good: all its terminals are retired. Returns how many were. Raises NotAgreed."""
    agreed = ClosePayload.of(site, device_becomes, comment)
    clearance.demand(Act.CLOSE_SITE, by=by, at=at, **msgspec.structs.asdict(agreed))
    if not Site.objects.filter(pk=site.pk, closed_at=None).update(closed_at=at):
        return 0
    terminals = list(site.terminals.exclude(lifecycle=Lifecycle.RETIRED).values_list("pk", flat=True))
    number = lifecycle_changes.retire(terminals, device_becomes=device_becomes, by=by, at=at, comment=comment)
    recorder.record("closed", site, {"terminals": (number, 0)}, comment=comment)
    publish(Change(everything=True))
    site.closed_at = at
    return number


@transaction.atomic
def reopen_site(site: Site, *, by: User | None, at: datetime, comment: str = "") -> int:
    """Open a closed site again, and bring back the terminals that were retired with it. Returns how many came back.

    After the time in which terminals may return, the site opens without them: its code is taken for good otherwise.
    """
    closed_at = Site.objects.select_for_update().get(pk=site.pk).closed_at
    if closed_at is None:
        return 0
    Site.objects.filter(pk=site.pk).update(closed_at=None)
    retired = returning_terminals(site, closed_at, at=at)
    number = lifecycle_changes.bring_back(list(retired.values_list("pk", flat=True)), by=by, at=at, comment=comment)
    recorder.record("reopened", site, {"terminals": (0, number)}, comment=comment)
    publish(Change(everything=True))
    site.closed_at = None
    return number


def returning_terminals(site: Site, closed_at: datetime, *, at: datetime) -> QuerySet[Terminal]:
    """The terminals that come back if the site is opened again."""
    retired = site.terminals.filter(lifecycle=Lifecycle.RETIRED, lifecycle_at=closed_at)
    return retired if closed_at >= at - lifecycle_changes.BRING_BACK_WITHIN else retired.none()


@transaction.atomic
def set_hours(site: Site, week: Iterable[OpeningHours], special_days: Iterable[SpecialDay]) -> None:
    """Save an edited site and replace all its hours."""
    with recorder.change(site):
        _store(site, HOURS_COLUMNS)
        site.opening_hours.all().delete()
        site.special_days.all().delete()
        OpeningHours.objects.bulk_create(week)
        SpecialDay.objects.bulk_create(special_days)


@transaction.atomic
def set_contacts(site: Site, contacts: Iterable[SiteContact]) -> None:
    """Replace all its contacts, in this order."""
    with recorder.change(site):
        site.contacts.all().delete()
        for position, contact in enumerate(contacts):
            contact.site, contact.position = site, position
            contact.save(force_insert=True)
    publish(Change(everything=True))
