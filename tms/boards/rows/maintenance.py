"""Rows of maintenance windows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from django.db.models import Prefetch, Q, QuerySet
from django.urls import reverse

from tms.accounts.access import within
from tms.accounts.display_names import Name, name_of
from tms.accounts.scope import Scope
from tms.alerts.models.maintenance import Window
from tms.fleet.models import Group, Site, Terminal
from tms.fleet.sites.names import Bilingual
from tms.lib.db.natural_order import natural

MAX_NAMED = 4
"""Sites, groups and terminals shown per window."""
MAX_CURRENT, MAX_PAST = 200, 50


class Covered(NamedTuple):
    kind: str
    name: Bilingual
    address: str


@dataclass(frozen=True, slots=True)
class WindowRow:
    pk: int
    note: str
    since: datetime
    until: datetime
    ended_at: datetime | None
    rrule: str
    zone: str
    covers: tuple[Covered, ...]
    covers_more: bool
    is_outgrown: bool
    by: Name | None
    changed_at: datetime | None
    changed_by: Name | None

    @property
    def element(self) -> str:
        return f"window-{self.pk}"

    @property
    def was_cut(self) -> bool:
        """It was ended early."""
        return self.ended_at is not None and self.ended_at < self.until


def current_rows(scope: Scope) -> list[WindowRow]:
    """Active and upcoming windows, the next first."""
    windows = Window.objects.current().order_by("occurs_at", "pk")
    return [_row(window) for window in _whole(windows, scope)[:MAX_CURRENT]]


def rows_of_site(site: Site, scope: Scope) -> list[WindowRow]:
    """Active and upcoming windows that cover terminals of a site, the next first."""
    groups = Group.objects.filter(terminals__site=site)
    covers = Q(sites=site) | Q(terminals__site=site) | Q(groups__in=groups)
    covering = Window.objects.current().filter(covers).order_by().values("pk")
    windows = Window.objects.filter(pk__in=covering).order_by("occurs_at", "pk")
    return [_row(window) for window in _whole(windows, scope)[:MAX_NAMED]]


def past_rows(scope: Scope) -> list[WindowRow]:
    """Past occurrences, latest first."""
    windows = Window.objects.past().order_by("-ended_at", "-pk")
    return [_row(window) for window in _whole(windows, scope)[:MAX_PAST]]


def _whole(windows: QuerySet[Window], scope: Scope) -> QuerySet[Window]:
    """Rows with people and what is covered, in four queries, which read one name more than is shown.

    Of what a window covers, people see the names of what they may see.
    """
    named = MAX_NAMED + 1
    sites, groups = within(Site.objects.order_by("code"), scope), within(Group.objects.order_by("name"), scope)
    terminals = within(Terminal.objects.order_by(natural("uid")), scope)
    return (
        within(windows, scope)
        .select_related("created_by", "changed_by")
        .prefetch_related(
            Prefetch("sites", sites[:named], "named_sites"),
            Prefetch("groups", groups[:named], "named_groups"),
            Prefetch("terminals", terminals[:named], "named_terminals"),
        )
    )


def _row(window: Window) -> WindowRow:
    by, changed_by = window.created_by, window.changed_by
    kinds = [getattr(window, f"named_{kind}") for kind in ("sites", "groups", "terminals")]
    return WindowRow(
        pk=window.pk,
        note=window.note,
        since=window.occurs_at,
        until=window.occurs_until,
        ended_at=window.ended_at,
        rrule=window.rrule,
        zone=window.time_zone,
        covers=(
            *map(_site, kinds[0][:MAX_NAMED]),
            *map(_group, kinds[1][:MAX_NAMED]),
            *map(_terminal, kinds[2][:MAX_NAMED]),
        ),
        covers_more=any(len(kind) > MAX_NAMED for kind in kinds),
        is_outgrown=window.is_outgrown,
        by=name_of(by) if by else None,
        changed_at=window.changed_at,
        changed_by=name_of(changed_by) if changed_by else None,
    )


def _site(site: Site) -> Covered:
    return Covered(
        "site", Bilingual(site.name, site.name_ja), f"{reverse('terminals')}?{urlencode({'site': site.code})}"
    )


def _group(group: Group) -> Covered:
    return Covered("group", Bilingual(group.name, ""), "")


def _terminal(terminal: Terminal) -> Covered:
    return Covered("terminal", Bilingual(terminal.uid, ""), terminal.get_absolute_url())


def elements(rows: Iterable[WindowRow]) -> tuple[str, ...]:
    return tuple(row.element for row in rows)
