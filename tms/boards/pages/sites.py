"""The list of sites."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Self
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, may, scope_of, visible, within
from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope
from tms.boards.caches.census import PresenceCounts
from tms.boards.caches.incidents import IncidentFacts
from tms.boards.list_filters.choices import Choice
from tms.boards.list_filters.site_filter import CLOSED, CLOSED_NOW, IN_MAINTENANCE, STATES, WITH_INCIDENT, SiteFilter
from tms.boards.pages.base import FULL_CHANGE, BoardPage, PagePart, PageState, counts, nav
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows.planned import PlannedKind
from tms.boards.rows.site_availability import SiteAvailability, availability_of
from tms.boards.rows.sites import ListedSite, SiteListRow, impact_key, listed_sites, site_row, worst_incidents
from tms.feed.change import Change
from tms.fleet.models import Region, Site
from tms.fleet.sites.hours_cache import SiteStatus, hours_cache
from tms.lib.db.natural_order import natural_key

TEMPLATE = "boards/sites.html"
SIZE = 100
MAX_PAGES = 1_000
IMPACT, NAME = "impact", "name"
ORDERS = ((IMPACT, _("By impact")), (NAME, _("By name")))
AVAILABILITY_LASTS = timedelta(hours=1)


class SiteFacts(NamedTuple):
    """What is known of the sites of a scope, by primary key."""

    incidents: dict[int, IncidentFacts]
    expected: dict[int, str]
    statuses: dict[int, SiteStatus]

    def is_closed_now(self, site: int) -> bool:
        return site in self.statuses and self.statuses[site].opens_at is not None


class KnownAvailability(NamedTuple):
    """What was read of the availability, and when."""

    read_at: datetime
    of_sites: dict[int, SiteAvailability]


class SitesPage(BoardPage):
    kind = "sites"
    template = TEMPLATE
    nav_item = "sites"

    def __init__(self, scope: Scope, chosen: SiteFilter, *, order: str = IMPACT, number: int = 1) -> None:
        super().__init__(scope)
        self.chosen = chosen
        self.order = order
        self.number = number
        self._availability: KnownAvailability | None = None

    @classmethod
    def open(cls, query: QueryDict, *, person: Person, **names: str) -> Self:
        page = query.get("page", "")
        number = int(page) if page.isascii() and page.isdigit() and len(page) < len(str(MAX_PAGES)) else 1
        order = NAME if query.get("order") == NAME else IMPACT
        return cls(scope_of(person), SiteFilter.of(query), order=order, number=max(1, number))

    @property
    def address(self) -> str:
        return self.at(self.number)

    def at(self, number: int = 1) -> str:
        """The URL of a page of this list."""
        return self._address(self.chosen, number)

    def _address(self, chosen: SiteFilter, number: int = 1) -> str:
        given = {"order": NAME if self.order == NAME else "", "page": str(number) if number > 1 else ""}
        query = "&".join(filter(None, (chosen.query, urlencode({name: one for name, one in given.items() if one}))))
        return reverse("sites") + (f"?{query}" if query else "")

    def concerns(self, change: Change) -> bool:
        return bool(change.presence or change.alerts or change.incidents or change.everything)

    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, object]:
        regions = visible(Region.objects.order_by("name"), to=person)
        return {
            "tabs": {
                state.replace("-", "_") or "all": {
                    "address": self._address(self.chosen.in_tab(state)),
                    "is_current": state == self.chosen.state,
                }
                for state in ("", *STATES)
            },
            "regions": [Choice(one.name, one.local_name, one.name == self.chosen.region) for one in regions],
            "orders": [Choice(value, label, value == self.order) for value, label in ORDERS],
            "may_edit": may(person, Permission.EDIT_SITES),
            "may_import": may(person, Permission.IMPORT_FLEET),
        }

    def page_state(
        self, context: RenderContext, change: Change = FULL_CHANGE, before: PageState | None = None
    ) -> PageState:
        found = listed_sites(self.chosen.apply(within(Site.objects.all(), self.scope)))
        in_use = [site for site in found if site.closed_at is None]
        facts = _facts(context, in_use)
        tabs = {
            "": in_use,
            WITH_INCIDENT: [site for site in in_use if site.pk in facts.incidents],
            CLOSED_NOW: [site for site in in_use if facts.is_closed_now(site.pk)],
            IN_MAINTENANCE: [site for site in in_use if facts.expected.get(site.pk) == PlannedKind.MAINTENANCE],
            CLOSED: [site for site in found if site.closed_at is not None],
        }
        matching = self._in_order(tabs[self.chosen.state], context, facts)
        shown = matching[(self.number - 1) * SIZE : self.number * SIZE]
        rows = self._rows(shown, context, facts)
        numbers = {f"count-{state or 'all'}": len(sites) for state, sites in tabs.items()}
        parts = {
            **nav(context),
            **counts(numbers),
            **self._around(context, matching, shown),
            **{row.element: PagePart(f"{TEMPLATE}#row", {"site": row}) for row in rows},
        }
        return PageState(parts, {"sites": tuple(row.element for row in rows)})

    def _in_order(self, sites: list[ListedSite], context: RenderContext, facts: SiteFacts) -> list[ListedSite]:
        if self.order == NAME or self.chosen.state == CLOSED:
            return sorted(sites, key=lambda site: natural_key(str(site.label.name)))
        return sorted(
            sites,
            key=lambda site: impact_key(
                site,
                context.census,
                facts.incidents.get(site.pk),
                expected=facts.expected.get(site.pk, ""),
                is_closed=facts.is_closed_now(site.pk),
            ),
        )

    def _rows(self, shown: Sequence[ListedSite], context: RenderContext, facts: SiteFacts) -> list[SiteListRow]:
        worst = {site.pk: facts.incidents[site.pk] for site in shown if site.pk in facts.incidents}
        incidents = {row.pk: row for row in context.incidents([one.pk for one in worst.values()])}
        availability = self._availability_of([site.pk for site in shown], at=context.at)
        return [
            site_row(
                site,
                context.census.sites.get(site.pk, PresenceCounts()),
                worst.get(site.pk),
                incident=incidents.get(worst[site.pk].pk) if site.pk in worst else None,
                expected=facts.expected.get(site.pk, ""),
                status=facts.statuses.get(site.pk),
                availability=availability.get(site.pk),
            )
            for site in shown
        ]

    def _availability_of(self, sites: Sequence[int], *, at: datetime) -> dict[int, SiteAvailability]:
        """Read once for each row and not for each frame: it changes once a day."""
        known = self._availability
        if known is None or at - known.read_at > AVAILABILITY_LASTS:
            known = KnownAvailability(at, {})
        if missing := [site for site in sites if site not in known.of_sites]:
            known = known._replace(of_sites=known.of_sites | availability_of(missing, self.scope, at=at))
        self._availability = known
        return known.of_sites

    def _around(
        self, context: RenderContext, matching: Sequence[ListedSite], shown: Sequence[ListedSite]
    ) -> dict[str, PagePart]:
        tallies = context.census.sites
        foot = {
            "sites": len(matching),
            "shown": len(shown),
            "terminals": sum(tallies[site.pk].total for site in matching if site.pk in tallies),
            "first": self.at() if self.number > 2 else "",
            "previous": self.at(self.number - 1) if self.number > 1 else "",
            "next": self.at(self.number + 1) if self.number * SIZE < len(matching) else "",
        }
        empty = {
            "is_empty": not shown,
            "is_filtered": not self.chosen.is_empty,
            "state": self.chosen.state,
            "clear": self._address(SiteFilter().in_tab(self.chosen.state)),
            "sees_nothing": not self.scope,
        }
        return {"foot": PagePart(f"{TEMPLATE}#foot", foot), "empty": PagePart(f"{TEMPLATE}#empty", empty)}


def _facts(context: RenderContext, sites: Sequence[ListedSite]) -> SiteFacts:
    return SiteFacts(
        worst_incidents(context.unresolved, context.covered_incidents),
        dict(context.planned_sites),
        hours_cache().statuses([site.pk for site in sites], context.at),
    )
