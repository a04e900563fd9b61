"""Board pages: each computes its state for a GET, and again for every frame."""

from urllib.parse import urlsplit

from django.http import QueryDict
from django.urls import Resolver404, resolve

from tms.accounts.access import Person
from tms.boards.pages.alert import AlertPage
from tms.boards.pages.alerts import AlertsPage
from tms.boards.pages.base import BoardPage, PagePart, PageState
from tms.boards.pages.incident import IncidentPage
from tms.boards.pages.incidents import IncidentsPage
from tms.boards.pages.maintenance import MaintenancePage
from tms.boards.pages.overview import OverviewPage
from tms.boards.pages.render_context import RenderContext
from tms.boards.pages.site import SitePage
from tms.boards.pages.sites import SitesPage
from tms.boards.pages.terminal import TerminalPage
from tms.boards.pages.terminals import TerminalsPage
from tms.boards.pages.wall import WallPage

__all__ = [
    "AlertPage",
    "AlertsPage",
    "BoardPage",
    "IncidentPage",
    "IncidentsPage",
    "MaintenancePage",
    "OverviewPage",
    "PagePart",
    "PageState",
    "RenderContext",
    "SitePage",
    "SitesPage",
    "TerminalPage",
    "TerminalsPage",
    "WallPage",
    "page_at",
]

PAGES: dict[str, type[BoardPage]] = {
    "overview": OverviewPage,
    "site": SitePage,
    "sites": SitesPage,
    "terminals": TerminalsPage,
    "terminal": TerminalPage,
    "alerts": AlertsPage,
    "alert": AlertPage,
    "incident": IncidentPage,
    "incidents": IncidentsPage,
    "maintenance": MaintenancePage,
    "wall": WallPage,
}
MAX_ADDRESS_CHARACTERS = 8_000
"""Enough for a query and columns: a page of a part of its address would be another one."""


def page_at(address: str, *, person: Person) -> BoardPage | None:
    """The page at a path with its query, as a browser names it; None if there is no live page."""
    try:
        parts = urlsplit(address[:MAX_ADDRESS_CHARACTERS])
        match = resolve(parts.path)
    except (ValueError, Resolver404):  # ValueError: brackets that are no host
        return None
    if parts.scheme or parts.netloc or "\0" in parts.path:
        return None
    kind = PAGES.get(match.url_name or "")
    return None if kind is None else kind.open(QueryDict(parts.query), person=person, **match.kwargs)
