"""The list of maintenance windows."""

from django.urls import reverse

from tms.boards.pages.base import FULL_CHANGE, PagePart, PageState, SinglePage, nav, with_nav
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows.maintenance import WindowRow, current_rows, elements, past_rows
from tms.feed.change import Change

TEMPLATE = "boards/maintenance.html"


class MaintenancePage(SinglePage):
    """Active, upcoming and past maintenance."""

    kind = "maintenance"
    template = TEMPLATE
    nav_item = "maintenance"

    @property
    def address(self) -> str:
        return reverse("maintenance")

    def concerns(self, change: Change) -> bool:
        return change.everything or bool(change.alerts)

    def page_state(
        self, context: RenderContext, change: Change = FULL_CHANGE, before: PageState | None = None
    ) -> PageState:
        if before is not None and not change.everything:
            return with_nav(context, before)
        current, past = current_rows(self.scope), past_rows(self.scope)
        active = [row for row in current if row.since <= context.at < row.until]
        upcoming = [row for row in current if row.since > context.at]
        lists = {"windows-on": active, "windows-coming": upcoming, "windows-over": past}
        parts = {
            **nav(context),
            **{row.element: _part(row, is_active=True) for row in active},
            **{row.element: _part(row, is_active=False) for row in (*upcoming, *past)},
            **{f"no-{name}": _blank(name, rows) for name, rows in lists.items()},
        }
        return PageState(parts, {name: elements(rows) for name, rows in lists.items()})


def _part(row: WindowRow, *, is_active: bool) -> PagePart:
    return PagePart(f"{TEMPLATE}#row", {"window": row, "is_active": is_active})


def _blank(name: str, rows: list[WindowRow]) -> PagePart:
    values: dict[str, object] = {"list": name, "is_empty": not rows}
    return PagePart(f"{TEMPLATE}#blank", values)
