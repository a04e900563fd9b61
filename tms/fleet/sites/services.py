"""Services for sites that people edit. Boards show every change at once."""

from collections.abc import Iterable

from django.db import transaction

from tms.accounts.audit import recorder
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import Site, SiteContact
from tms.fleet.models.opening_hours import OpeningHours, SpecialDay


@transaction.atomic
def update_site(site: Site) -> None:
    """Save a new or edited site. Any board may show its name, so every board reads again."""
    site.save()
    publish(Change(everything=True))


@transaction.atomic
def set_hours(site: Site, week: Iterable[OpeningHours], special_days: Iterable[SpecialDay]) -> None:
    """Save an edited site and replace all its hours."""
    with recorder.change(site):
        update_site(site)
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
