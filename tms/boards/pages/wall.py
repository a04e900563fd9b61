"""The wall: the overview for televisions."""

from django.urls import reverse

from tms.accounts.access import Person
from tms.boards import release
from tms.boards.list_filters import choices
from tms.boards.list_filters.filters import AlertFilter
from tms.boards.overview import honeycomb, on_shift
from tms.boards.pages.base import FULL_CHANGE, PagePart, PageState, SinglePage, sound_alarms
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows.alerts import AlertRow
from tms.feed.change import Change
from tms.fleet.models import Presence
from tms.lib.severity import Severity

PARTS = "boards/wall/parts.html"
MAX_ROWS = 60
"""Ten pages of six rows. Critical ones are first."""
MAX_CHANGES = 12
PRESENCES = (Presence.OFFLINE, Presence.SILENT)


class WallPage(SinglePage):
    """The overview for a television. It has no links and no actions, so that one rendering serves people and screens.

    Every board of the wall is part of it; the browser shows those that were chosen.
    """

    kind = "wall"
    template = "boards/wall/wall.html"
    nav_item = "wall"
    lasts_s = 15.0

    @property
    def address(self) -> str:
        return reverse("wall")

    def concerns(self, change: Change) -> bool:
        return bool(change.presence or change.alerts or change.incidents or change.people or change.everything)

    def with_alarms(self, context: RenderContext, before: PageState) -> PageState:
        """The state with sound alarms, but without the parts of the navigation: screens must not get requests for
        approval.
        """
        return PageState({**before.parts, "sound-alarms": sound_alarms(context)}, before.lists)

    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, object]:
        return {"legend": choices.LEGEND}

    def alert_part(self, alert: AlertRow, *, is_answer: bool = False) -> PagePart | None:
        return None if is_answer else PagePart(f"{PARTS}#alert", {"alert": alert})

    def page_state(
        self, context: RenderContext, change: Change = FULL_CHANGE, before: PageState | None = None
    ) -> PageState:
        rows = self._rows(context, change, before)
        changes, _number, _is_capped = context.recent_changes(MAX_CHANGES)
        sites = self._sites(context)
        parts = {
            "sound-alarms": sound_alarms(context),
            "wall-release": PagePart(f"{PARTS}#release", {"digest": release.digest()}),
            **self._totals(context),
            **rows,
            **sites,
            **{entry.element: PagePart(f"{PARTS}#change", {"entry": entry}) for entry in changes},
            "wall-calm": PagePart(f"{PARTS}#calm", self._calm(context, len(rows))),
            "wall-shift": PagePart(f"{PARTS}#shift", on_shift.shift(self.scope)),
        }
        lists = {
            "incidents": tuple(rows),
            "sites": tuple(sites),
            "changes": tuple(entry.element for entry in changes),
        }
        return PageState(parts, lists, lasts_s=context.lasts_s)

    def _rows(self, context: RenderContext, change: Change, before: PageState | None) -> dict[str, PagePart]:
        """Incidents, then alerts outside of incidents, both by impact."""
        correlated = context.correlated_rows(AlertFilter())[:MAX_ROWS]
        incidents = {row.element: PagePart(f"{PARTS}#{row.subject}", {"incident": row}) for row in correlated}
        pks = context.most_urgent_outside(MAX_ROWS - len(incidents))
        found = self.alert_parts(pks, context, change, before)
        return incidents | {element: found[element] for pk in pks if (element := f"alert-{pk}") in found}

    def _sites(self, context: RenderContext) -> dict[str, PagePart]:
        cells = honeycomb.cells(context.census, context.affected, expected=context.planned_sites, scope=self.scope)
        return {cell.element: PagePart(f"{PARTS}#site", {"cell": cell}) for cell in cells}

    def _totals(self, context: RenderContext) -> dict[str, PagePart]:
        census = context.census
        total = sum(census.presences[presence] for presence in Presence)
        severities = {
            f"total-{severity}": {
                "severity": severity.value,
                "number": context.problems.every[severity],
                "alerts": census.awake[severity],
                "unacknowledged": context.problems.unacknowledged[severity],
            }
            for severity in Severity
        }
        presences = {f"total-{presence}": self._presence(context, presence) for presence in PRESENCES}
        online = {"presence": Presence.ONLINE.value, "number": census.presences[Presence.ONLINE], "total": total}
        return {
            **{name: PagePart(f"{PARTS}#severity-total", values) for name, values in severities.items()},
            **{name: PagePart(f"{PARTS}#presence-total", values) for name, values in presences.items()},
            "total-maintenance": PagePart(f"{PARTS}#plan-total", {"number": context.in_maintenance}),
            "total-online": PagePart(f"{PARTS}#presence-total", online),
        }

    def _presence(self, context: RenderContext, presence: Presence) -> dict[str, object]:
        number = context.census.presences[presence]
        line = context.hour.get(presence.value, [number])
        return {"presence": presence.value, "number": number, "grown": number - line[0]}

    def _calm(self, context: RenderContext, shown: int) -> dict[str, object]:
        """What stands in place of the list: since when there are no alerts, or that the scope covers nothing."""
        if shown or not self.scope:
            return {"is_calm": False, "calm_since": None, "sees_nothing": not self.scope}
        last = context.resolved.order_by("-resolved_at")
        calm_since = last.values_list("resolved_at", flat=True).first()
        return {"is_calm": True, "calm_since": calm_since, "sees_nothing": False}
