"""The page of a site: what happens there, its terminals, hours, contacts, maintenance, outages and availability."""

from collections.abc import Collection
from typing import Self

from django.http import QueryDict
from django.urls import reverse

from tms.accounts.access import Person, may, scope_of, within
from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope
from tms.alerts.models import Alert
from tms.boards.caches.census import PresenceCounts
from tms.boards.list_filters.filters import AlertFilter
from tms.boards.pages.base import FULL_CHANGE, BoardPage, PagePart, PageState, nav, with_nav
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows.maintenance import rows_of_site
from tms.boards.rows.site_availability import availability_of
from tms.boards.rows.site_details import (
    KindBlock,
    SiteHead,
    hours_of_site,
    kind_blocks,
    most_urgent,
    not_in_service,
    outage_lines,
    region_name,
)
from tms.boards.rows.sites import incidents_of, presence_mix, worst_incidents, worst_severity
from tms.boards.workbench.contacts import contacts_of_site
from tms.feed.change import Change
from tms.fleet.labels.tags import tags_of
from tms.fleet.models import Site
from tms.fleet.sites.hours_cache import hours_cache
from tms.fleet.sites.names import Bilingual

TEMPLATE = "boards/site.html"
MAX_TERMINALS = 10
MAX_INCIDENTS = 5
MAX_ALERTS = 5
SETTLED = ("hours", "contacts", "maintenance", "availability")
"""Parts that only people and the calendar change; then everything is read again."""


class SitePage(BoardPage):
    kind = "site"
    template = TEMPLATE
    nav_item = "sites"

    def __init__(self, scope: Scope, site: Site) -> None:
        super().__init__(scope)
        self.site = site

    @classmethod
    def open(cls, query: QueryDict, *, person: Person, **names: str) -> Self | None:
        scope = scope_of(person)
        site = within(Site.objects.filter(code=names["code"]), scope).first()
        return None if site is None else cls(scope, site)

    @property
    def address(self) -> str:
        return reverse("site", args=(self.site.code,))

    def concerns(self, change: Change) -> bool:
        return bool(change.presence or change.alerts or change.incidents or change.everything)

    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, object]:
        return {
            "may_edit": may(person, Permission.EDIT_SITES, self.site),
            "may_enrol": may(person, Permission.ENROL_TERMINALS, self.site),
            "may_plan": may(person, Permission.PLAN_MAINTENANCE, self.site),
            "may_tag": may(person, Permission.MANAGE_GROUPS, self.site),
        }

    def page_state(
        self, context: RenderContext, change: Change = FULL_CHANGE, before: PageState | None = None
    ) -> PageState:
        if before is not None and not self._is_touched(change, before):
            return with_nav(context, before)
        # Read again, because it may have been edited, deleted, or moved to a region outside of the scope.
        site = within(Site.objects.all(), self.scope).get(pk=self.site.pk)
        blocks = kind_blocks(site, self.scope, at=context.at)
        settled = before is not None and not change.everything
        urgent = context.terminals(most_urgent(blocks, MAX_TERMINALS))
        parts = {
            **nav(context),
            "state": PagePart(f"{TEMPLATE}#state", {"head": self._head(site, context)}),
            "unresolved": self._unresolved(site, context),
            "kinds": self._kinds(site, blocks),
            **{row.element: PagePart(f"{TEMPLATE}#terminal", {"terminal": row}) for row in urgent},
            "terminals-foot": self._foot(site, blocks, len(urgent)),
            "outages": self._outages(site, context),
            **({name: before.parts[name] for name in SETTLED} if before and settled else self._settled(site, context)),
        }
        return PageState(parts, {"terminals": tuple(row.element for row in urgent)})

    def _is_touched(self, change: Change, before: PageState) -> bool:
        if change.everything or change.incidents:
            return True
        shown: Collection[int] = before.parts["kinds"].values["pks"]
        if change.presence & frozenset(shown):
            return True
        return (
            bool(change.alerts)
            and within(Alert.objects.filter(pk__in=change.alerts, terminal__site=self.site), self.scope).exists()
        )

    def _head(self, site: Site, context: RenderContext) -> SiteHead:
        counts = context.census.sites.get(site.pk, PresenceCounts())
        facts = worst_incidents(context.unresolved, context.covered_incidents).get(site.pk)
        incident = context.incidents([facts.pk]) if facts else []
        return SiteHead(
            code=site.code,
            name=Bilingual(site.name, site.name_ja),
            region=region_name(site.region),
            region_key=site.region,
            address=site.address,
            time_zone=site.time_zone,
            closed_at=site.closed_at,
            mix=presence_mix(counts),
            expected=context.planned_sites.get(site.pk, ""),
            status=hours_cache().statuses([site.pk], context.at).get(site.pk),
            severity=worst_severity(counts, facts),
            incident=incident[0] if incident else None,
            tags=tuple(tags_of(site)),
        )

    def _unresolved(self, site: Site, context: RenderContext) -> PagePart:
        """The incidents of the site, and the most urgent alerts that belong to none."""
        covered = context.covered_incidents
        pks = [pk for pk in incidents_of(site.pk, context.unresolved) if covered is None or pk in covered]
        alerts = within(Alert.objects.awake().filter(terminal__site=site), self.scope)
        alone = context.alone(alerts, AlertFilter(site=site.code)).by_urgency().values_list("pk", flat=True)
        values = {
            "code": site.code,
            "incidents": tuple(context.incidents(pks[:MAX_INCIDENTS])),
            "alerts": tuple(context.alerts(list(alone[:MAX_ALERTS]))),
            "more_incidents": max(0, len(pks) - MAX_INCIDENTS),
        }
        return PagePart(f"{TEMPLATE}#unresolved", values)

    def _kinds(self, site: Site, blocks: tuple[KindBlock, ...]) -> PagePart:
        values = {
            "code": site.code,
            "blocks": blocks,
            "total": sum(block.total for block in blocks),
            "others": not_in_service(site, self.scope),
            "pks": tuple(square.pk for block in blocks for square in block.squares),
        }
        return PagePart(f"{TEMPLATE}#kinds", values)

    def _foot(self, site: Site, blocks: tuple[KindBlock, ...], shown: int) -> PagePart:
        total = sum(block.total for block in blocks)
        return PagePart(f"{TEMPLATE}#terminals-foot", {"code": site.code, "shown": shown, "total": total})

    def _outages(self, site: Site, context: RenderContext) -> PagePart:
        lines = outage_lines(site, self.scope, at=context.at)
        return PagePart(f"{TEMPLATE}#outages", {"code": site.code, "lines": lines})

    def _settled(self, site: Site, context: RenderContext) -> dict[str, PagePart]:
        availability = availability_of([site.pk], self.scope, at=context.at)[site.pk]
        status = hours_cache().statuses([site.pk], context.at).get(site.pk)
        windows = tuple(rows_of_site(site, self.scope))
        values: dict[str, dict[str, object]] = {
            "hours": {"hours": hours_of_site(site, at=context.at), "status": status, "zone": site.time_zone},
            "contacts": {"contacts": contacts_of_site(site)},
            "maintenance": {"windows": windows, "active": tuple(row.pk for row in windows if row.since <= context.at)},
            "availability": {"known": availability, "code": site.code},
        }
        return {name: PagePart(f"{TEMPLATE}#{name}", values[name]) for name in SETTLED}
