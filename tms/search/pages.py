"""The pages that a person may open, by name."""

from collections.abc import Iterator
from typing import NamedTuple

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import may, may_within
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.demo.breaking import client
from tms.demo.breaking.forms import PERMISSION as BREAKING
from tms.search.hits import Fit, Hit, HitGroup, SourceQuery, Text, fit_of


class PageEntry(NamedTuple):
    url: str
    label: Text
    icon: str
    permissions: tuple[Permission, ...] = ()
    """One of them suffices; without any, everyone may open it."""
    keys: tuple[str, ...] = ()
    is_for_everything: bool = False
    """The permission must be held for everything."""
    is_of_demo: bool = False


PAGES = (
    PageEntry("overview", _("Overview"), "overview", keys=("g", "o")),
    PageEntry("alerts", _("Alerts"), "alerts", keys=("g", "a")),
    PageEntry("past-alerts", _("History of alerts"), "alerts"),
    PageEntry("alert-times", _("Response times"), "clock"),
    PageEntry("incidents", _("Incidents"), "incidents", keys=("g", "i")),
    PageEntry("terminals", _("Terminals"), "terminals", keys=("g", "t")),
    PageEntry("saved-views", _("Views"), "terminals"),
    PageEntry("sites", _("Sites"), "sites"),
    PageEntry("devices", _("Devices"), "devices"),
    PageEntry("regions", _("Regions"), "sites", (Permission.EDIT_SITES,)),
    PageEntry("enrol", _("Enrol a terminal"), "plus", (Permission.ENROL_TERMINALS,)),
    PageEntry("enrol-many", _("Enrolment tokens"), "key", (Permission.ENROL_TERMINALS,)),
    PageEntry("imports", _("Import and export"), "download", (Permission.IMPORT_FLEET,)),
    PageEntry("rollouts", _("Rollouts"), "rollouts", keys=("g", "r")),
    PageEntry("new-rollout", _("New rollout"), "plus", (Permission.RUN_ROLLOUTS,)),
    PageEntry("inspections", _("Inspections"), "inspect"),
    PageEntry("new-round", _("New round"), "plus", (Permission.MANAGE_INSPECTIONS,)),
    PageEntry("replay", _("Replay"), "replay"),
    PageEntry("availability", _("Availability"), "availability"),
    PageEntry("wall", _("Wall"), "wall"),
    PageEntry("groups", _("Groups"), "groups"),
    PageEntry("rules", _("Rules"), "rules"),
    PageEntry("correlation", _("Correlation"), "rules"),
    PageEntry("destinations", _("Destinations"), "letter"),
    PageEntry("policies", _("Notification policies"), "escalate"),
    PageEntry("rotations", _("On call"), "clock"),
    PageEntry("deliveries", _("Deliveries"), "letter"),
    PageEntry("maintenance", _("Maintenance"), "maintenance"),
    PageEntry("digest", _("Shift digest"), "comment"),
    PageEntry("people", _("People"), "people", (Permission.MANAGE_PEOPLE,)),
    PageEntry("teams", _("Teams"), "people", (Permission.MANAGE_PEOPLE,)),
    PageEntry("service-accounts", _("Service accounts"), "key", (Permission.MANAGE_PEOPLE,)),
    PageEntry("roles", _("Roles"), "shield", (Permission.MANAGE_PEOPLE, Permission.EDIT_ROLES)),
    PageEntry(
        "identity-providers", _("Identity providers"), "key", (Permission.EDIT_PROVIDERS,), is_for_everything=True
    ),
    PageEntry("wall-screens", _("Wall screens"), "wall", (Permission.MANAGE_SCREENS,)),
    PageEntry("audit", _("Audit trail"), "eye", (Permission.READ_AUDIT,), is_for_everything=True),
    PageEntry("slo", _("Service level"), "clock"),
    PageEntry("me", _("Your account"), "person"),
    PageEntry("security", _("Sign-in and security"), "lock"),
    PageEntry("keys", _("Keyboard shortcuts"), "command", keys=("?",)),
    PageEntry("break-something", _("Break something"), "event", (BREAKING,), is_of_demo=True),
)


def pages(search: SourceQuery) -> HitGroup:
    """The pages whose names fit the text; without a text, all of them."""
    hits = sorted(_hits(search), key=lambda hit: hit.fit) if search.terms else list(_hits(search))
    return HitGroup("pages", _("Pages"), hits[: search.limit] if search.terms else hits, len(hits))


def may_open(person: User, page: PageEntry) -> bool:
    if page.is_of_demo and not client.is_demo():
        return False
    if page.is_for_everything:
        return all(may_within(person, permission, EVERYTHING) for permission in page.permissions)
    return not page.permissions or any(may(person, permission) for permission in page.permissions)


def _hits(search: SourceQuery) -> Iterator[Hit]:
    """A page is also found by its English name in the URL."""
    for page in PAGES:
        names = (str(page.label), page.url.replace("-", " "))
        fit = fit_of(search.terms, *names) if search.terms else Fit.EQUAL
        if fit < Fit.ELSEWHERE and may_open(search.person, page):
            yield Hit(
                kind="page",
                name=page.url,
                title=str(page.label),
                href=reverse(page.url),
                icon=page.icon,
                keys=page.keys,
                fit=fit,
            )
