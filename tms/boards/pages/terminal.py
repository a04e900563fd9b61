"""The page of a terminal."""

from collections.abc import Collection
from datetime import datetime
from typing import Self
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.access import Person, scope_of, within
from tms.accounts.scope import Scope
from tms.boards.formatting import instants
from tms.boards.list_filters import choices
from tms.boards.pages.base import FULL_CHANGE, BoardPage, PagePart, PageState, covers_terminal, nav, with_nav
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows import outages, timeline
from tms.boards.rows.terminal_details import TerminalFacts, command_rows, facts_of
from tms.boards.rows.timeline import KINDS, TimelineEntry
from tms.feed.change import Change
from tms.fleet.models import Terminal
from tms.telemetry.history.series import DEFAULT_SPAN, SPANS

TEMPLATE = "boards/terminal.html"
MAX_ENTRIES = 50
MAX_COMMANDS = 8
TABS = {
    "all": tuple(KINDS),
    "alerts": ("alerts",),
    "commands": ("commands",),
    "events": ("events",),
    "link": ("presence", "outages", "boots"),
    "identity": ("identity",),
}
TAB_LABELS = {
    "all": pgettext_lazy("timeline", "All"),
    "alerts": _("Alerts"),
    "commands": _("Commands"),
    "events": _("Events"),
    "link": _("Presence"),
    "identity": pgettext_lazy("timeline", "Identity"),
}


class TerminalPage(BoardPage):
    kind = "terminal"
    template = TEMPLATE
    nav_item = "terminals"

    def __init__(
        self, scope: Scope, terminal: Terminal, *, tab: str = "all", before: datetime | None = None, span: str = ""
    ) -> None:
        super().__init__(scope)
        self.terminal = terminal
        self.span = span if span in SPANS else DEFAULT_SPAN
        self.tab = tab if tab in TABS else "all"
        self.before = before

    @classmethod
    def open(cls, query: QueryDict, *, person: Person, **names: str) -> Self | None:
        scope = scope_of(person)
        terminal = within(Terminal.objects.select_related("site"), scope).filter(uid=names["uid"]).first()
        if terminal is None:
            return None
        before = instants.parse(query.get("before", ""))
        return cls(scope, terminal, tab=query.get("show", ""), before=before, span=query.get("span", ""))

    @property
    def address(self) -> str:
        return self.at(tab=self.tab, before=self.before)

    def at(self, *, tab: str = "all", before: datetime | None = None) -> str:
        """The URL of a part of its timeline."""
        parameters = {"show": "" if tab == "all" else tab, "before": before.isoformat() if before else ""}
        query = urlencode({name: value for name, value in parameters.items() if value})
        return reverse("terminal", args=(self.terminal.uid,)) + (f"?{query}" if query else "")

    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, object]:
        return {
            "tabs": [choices.Choice(tab, TAB_LABELS[tab], tab == self.tab, self.at(tab=tab)) for tab in TABS],
            **self._chart(timezone.now()),
        }

    def _chart(self, at: datetime) -> dict[str, object]:
        return choices.chart(self.terminal, self.span, at=at)

    def concerns(self, change: Change) -> bool:
        touched = self.terminal.pk in change.terminals
        return bool(touched or change.alerts or change.presence or change.everything)

    def shows_status(self, terminals: Collection[int], page_state: PageState) -> bool:
        return self.terminal.pk in terminals

    def page_state(
        self, context: RenderContext, change: Change = FULL_CHANGE, before: PageState | None = None
    ) -> PageState:
        if before is not None and not change.everything and self.terminal.pk not in change.terminals:
            return with_nav(context, before)
        if not covers_terminal(self.terminal.pk, self.scope):
            raise Terminal.DoesNotExist
        until = context.until
        entries = timeline.timeline(
            self.terminal,
            kinds=TABS[self.tab],
            before=self.before,
            limit=MAX_ENTRIES,
            scope=self.scope,
            until=until,
        )
        commands = command_rows(self.terminal, limit=MAX_COMMANDS, until=until)
        sums = outages.sums_by_cause(self.terminal, at=context.at, until=until)
        parts = {
            **nav(context),
            **_state(self._facts(context)),
            **{row.element: PagePart(f"{TEMPLATE}#entry", {"entry": row}) for row in entries},
            **{row.element: PagePart("boards/commands.html#command", {"command": row}) for row in commands},
            "outages": PagePart(f"{TEMPLATE}#outages", {"sums": sums}),
            "timeline-foot": PagePart(f"{TEMPLATE}#timeline-foot", self._foot(entries)),
        }
        lists = {
            "timeline": tuple(row.element for row in entries),
            "commands": tuple(row.element for row in commands),
        }
        return PageState(parts, lists)

    def _facts(self, context: RenderContext) -> TerminalFacts:
        return facts_of(self.terminal, at=context.at, scope=self.scope)

    def _foot(self, entries: list[TimelineEntry]) -> dict[str, object]:
        is_full = len(entries) == MAX_ENTRIES
        return {
            "is_empty": not entries,
            "newest": self.at(tab=self.tab) if self.before else "",
            "older": self.at(tab=self.tab, before=entries[-1].at) if is_full else "",
        }


def _state(facts: TerminalFacts) -> dict[str, PagePart]:
    values = {"facts": facts}
    return {
        name: PagePart(f"{TEMPLATE}#{name}", values) for name in ("state", "reading-latest", "readings", "open-alerts")
    }
