"""The first steps of a new TMS: a site, a terminal, and who is notified."""

from typing import Any, NamedTuple

from django.apps import apps
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, may_within, visible
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.fleet.models import Site, Terminal

TEXTS = (
    (_("Create a site"), _("Where terminals are installed: a shop, a station."), _("New site")),
    (_("Enrol a terminal"), _("It appears here when its device connects."), _("Enrol a terminal")),
    (_("Say who is notified"), _("A policy says who hears of which alerts, and where."), _("New policy")),
)
DESTINATION = (
    _("First a destination, such as a mail address. A policy then says what is sent to it."),
    _("New destination"),
)
"""Text and label of the last step while there is no destination."""


class FirstStep(NamedTuple):
    title: str | Promise
    text: str | Promise
    act: str | Promise
    """The label of the link."""
    address: str
    is_done: bool
    is_next: bool
    """The first one that is not done."""


class FirstRun(NamedTuple):
    steps: tuple[FirstStep, ...]
    hides_lists: bool
    """There is no terminal, so nothing that the page could list."""


def first_run(person: Person) -> FirstRun | None:
    """The steps, for people who set up TMS; None once all are done."""
    if not may_within(person, Permission.EDIT_SITES, EVERYTHING):
        return None
    has_site = visible(Site.objects.all(), to=person).exists()
    has_terminal = visible(Terminal.objects.all(), to=person).exists()
    done = (has_site, has_terminal, _notifies())
    if all(done):
        return None
    texts, addresses = [*TEXTS], [reverse(name) for name in ("new-site", "enrol", "new-policy")]
    if not _rows_of_notifications("Destination").exists():
        texts[-1], addresses[-1] = (TEXTS[-1][0], *DESTINATION), reverse("choose-destination")
    steps = tuple(
        FirstStep(*text, address, is_done, not is_done and all(done[:number]))
        for number, (text, address, is_done) in enumerate(zip(texts, addresses, done, strict=True))
    )
    return FirstRun(steps, hides_lists=not has_terminal)


def _notifies() -> bool:
    return _rows_of_notifications("Policy").filter(is_personal=False).exists()


def _rows_of_notifications(model: str) -> QuerySet[Any]:
    """Notifications are a neighbour of boards, and import nothing of them either: found by its name."""
    rows: QuerySet[Any] = apps.get_model("notifications", model).objects.not_deleted()
    return rows
