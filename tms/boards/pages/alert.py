"""The page of an alert."""

from datetime import datetime
from typing import Self

from django.http import QueryDict
from django.urls import reverse

from tms.accounts.access import Person, scope_of, within
from tms.accounts.scope import Scope
from tms.alerts.models import Alert
from tms.alerts.notification_history import notifications_of
from tms.boards.pages.base import FULL_CHANGE, BoardPage, PagePart, PageState, covers_terminal, nav
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows.alerts import AlertRow
from tms.feed.change import Change

TEMPLATE = "boards/alert.html"


class AlertPage(BoardPage):
    kind = "alert"
    template = TEMPLATE
    nav_item = "alerts"

    def __init__(self, scope: Scope, alert: Alert) -> None:
        super().__init__(scope)
        self.alert = alert

    @classmethod
    def open(cls, query: QueryDict, *, person: Person, **names: str) -> Self | None:
        scope = scope_of(person)
        alerts = within(Alert.objects.select_related("rule__site", "rule__group", "terminal__site"), scope)
        alert = alerts.filter(pk=names["pk"]).first()
        return cls(scope, alert) if alert else None

    @property
    def address(self) -> str:
        return reverse("alert", args=(self.alert.pk,))

    def concerns(self, change: Change) -> bool:
        return bool(change.alerts or change.presence or change.everything)

    def rows_needed(self, change: Change, before: PageState) -> tuple[frozenset[int], frozenset[int]]:
        return frozenset(), frozenset({self.alert.pk})

    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, object]:
        return {"shown": page_state.parts[f"alert-{self.alert.pk}"].values["alert"]}

    def alert_part(self, alert: AlertRow, *, is_answer: bool = False) -> PagePart:
        return PagePart(f"{TEMPLATE}#state", {"alert": alert, "is_answer": is_answer})

    def page_state(
        self, context: RenderContext, change: Change = FULL_CHANGE, before: PageState | None = None
    ) -> PageState:
        alert = self._row(context)
        if alert is None or not covers_terminal(alert.terminal, self.scope):
            raise Alert.DoesNotExist
        timeline = self._timeline(alert, until=context.until)
        return PageState(
            {**nav(context), alert.element: self.alert_part(alert), **timeline}, {"timeline": tuple(reversed(timeline))}
        )

    def _row(self, context: RenderContext) -> AlertRow | None:
        return next(iter(context.alerts([self.alert.pk])), None)

    def _timeline(self, alert: AlertRow, *, until: datetime | None) -> dict[str, PagePart]:
        """Its transitions and notifications, in chronological order."""
        transitions = {f"transition-{index}": transition for index, transition in enumerate(alert.transitions)}
        sent = notifications_of(alert.pk, self.scope, until=until)
        notifications = {f"notification-{one.number}": one for one in sent}
        instants = {element: transition.at for element, transition in transitions.items()} | {
            element: one.at for element, one in notifications.items()
        }
        parts = {
            element: PagePart(f"{TEMPLATE}#transition", {"id": element, "transition": transition})
            for element, transition in transitions.items()
        }
        parts |= {
            element: PagePart(f"{TEMPLATE}#notification", {"id": element, "notification": one})
            for element, one in notifications.items()
        }
        return {element: parts[element] for element in sorted(parts, key=lambda element: instants[element])}
