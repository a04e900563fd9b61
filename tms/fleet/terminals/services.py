"""Who is in the fleet, as people set it up by hand. Boards see every change at once."""

from collections.abc import Iterable

from django.db import transaction

from tms.accounts.audit import recorder
from tms.fleet.models import Site, Terminal
from tms.fleet.models.opening_hours import OpeningHours, OwnDay
from tms.fleet.terminals.parents import refuse_circle
from tms.feed.change import Change
from tms.feed.publisher import publish


@transaction.atomic
def amend(terminal: Terminal) -> None:
    """Save what was edited of a terminal. A new one is enrolled instead (`tms.fleet.credentials.services`).

    One that moved, or became another kind, leaves some lists and comes into others, so every board reads again.
    Raises Circle when it would be linked through itself.
    """
    refuse_circle(terminal.pk, terminal.parent_id)
    stood = Terminal.objects.values_list("site_id", "kind").get(pk=terminal.pk)
    terminal.save()
    is_elsewhere = stood != (terminal.site_id, terminal.kind)
    publish(Change(terminals=frozenset({terminal.pk}), everything=is_elsewhere))


@transaction.atomic
def amend_site(site: Site) -> None:
    """Save a new or edited site. Its name stands in rows of any board, so every board reads again."""
    site.save()
    publish(Change(everything=True))


@transaction.atomic
def set_hours(site: Site, week: Iterable[OpeningHours], own_days: Iterable[OwnDay]) -> None:
    """Save an edited site with all its hours, in place of those it had."""
    with recorder.change(site):
        amend_site(site)
        site.opening_hours.all().delete()
        site.own_days.all().delete()
        OpeningHours.objects.bulk_create(week)
        OwnDay.objects.bulk_create(own_days)


@transaction.atomic
def forget(terminal: Terminal) -> None:
    """Delete a terminal with its keys and its history."""
    keys = frozenset(terminal.credentials.values_list("pk", flat=True))
    terminal.delete()
    publish(Change(revoked=keys, everything=True))
