from typing import Any, Self

from django.http import QueryDict
from django.urls import reverse

from tms.accounts.access import Person, scope_of, within
from tms.accounts.scope import Scope
from tms.alerts.models import Alert, Incident
from tms.boards.pages.base import EVERYTHING, BoardPage, PagePart, PageState, nav, reuse_parts
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows.alerts import AlertRow
from tms.boards.rows.incidents import IncidentRow
from tms.feed.change import Change

TEMPLATE = "boards/incident.html"
ROW = "boards/alerts.html#row"
MAX_MEMBERS = 100


class IncidentPage(BoardPage):
    kind = "incident"
    template = TEMPLATE
    nav_item = "incidents"

    def __init__(self, scope: Scope, incident: Incident) -> None:
        super().__init__(scope)
        self.incident = incident

    @classmethod
    def open(cls, query: QueryDict, *, person: Person, **names: str) -> Self | None:
        scope = scope_of(person)
        incident = within(Incident.objects.all(), scope).filter(pk=names["pk"]).first()
        return cls(scope, incident) if incident else None

    @property
    def address(self) -> str:
        return reverse("incident", args=(self.incident.pk,))

    def concerns(self, change: Change) -> bool:
        return bool(self.incident.pk in change.incidents or change.alerts or change.presence or change.everything)

    def rows_needed(self, change: Change, before: PageState) -> tuple[frozenset[int], frozenset[int]]:
        shown = (before.parts[element].values["alert"] for element in before.lists["members"])
        return frozenset(), frozenset(row.pk for row in shown if row.is_touched_by(change))

    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, Any]:
        return {"shown": page_state.parts[f"incident-{self.incident.pk}"].values["incident"]}

    def alert_part(self, alert: AlertRow, *, is_answer: bool = False) -> PagePart:
        return PagePart(ROW, {"alert": alert, "is_answer": is_answer})

    def page_state(
        self, context: RenderContext, change: Change = EVERYTHING, before: PageState | None = None
    ) -> PageState:
        incident = next(iter(context.incidents([self.incident.pk])), None)
        if incident is None or not self._is_covered():
            raise Incident.DoesNotExist
        members = self._members(context, change, before)
        transitions = {f"transition-{index}": transition for index, transition in enumerate(incident.transitions)}
        parts = {
            **nav(context),
            **members,
            incident.element: PagePart(f"{TEMPLATE}#state", {"incident": incident}),
            "members-note": PagePart(f"{TEMPLATE}#members-note", _note(incident, len(members))),
            **{
                element: PagePart(f"{TEMPLATE}#transition", {"id": element, "transition": transition})
                for element, transition in transitions.items()
            },
        }
        return PageState(parts, {"timeline": tuple(reversed(transitions)), "members": tuple(members)})

    def _is_covered(self) -> bool:
        """An incident leaves a scope when an alert of another site joins it."""
        rows = Incident.objects.filter(pk=self.incident.pk)
        return self.scope.is_everything or within(rows, self.scope).exists()

    def _members(self, context: RenderContext, change: Change, before: PageState | None) -> dict[str, PagePart]:
        """Most urgent first; of a resolved incident, newest first."""
        alerts = within(Alert.objects.filter(incident=self.incident), self.scope)
        unresolved = list(alerts.unresolved().by_urgency().values_list("pk", flat=True)[:MAX_MEMBERS])
        resolved = alerts.exclude(resolved_at=None).order_by("-resolved_at", "-pk")
        pks = [*unresolved, *resolved.values_list("pk", flat=True)[: MAX_MEMBERS - len(unresolved)]]
        ids = [f"alert-{pk}" for pk in pks]
        rows = reuse_parts(before, change, ids, is_touched=lambda values: values["alert"].is_touched_by(change))
        missing = [pk for pk in pks if f"alert-{pk}" not in rows]
        rows |= {row.element: self.alert_part(row) for row in context.alerts(missing)}
        return {element: rows[element] for element in ids if element in rows}


def _note(incident: IncidentRow, shown: int) -> dict[str, int]:
    return {"open": incident.open_count, "joined": incident.joined_count, "shown": shown, "pk": incident.pk}
