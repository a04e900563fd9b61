"""The page of an incident."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from tms.accounts.access import Person, scope_of, within
from tms.accounts.scope import Scope
from tms.alerts.escalation_plans import EscalationPlan, plans_of
from tms.alerts.models import Alert, Incident
from tms.alerts.notification_history import notifications_of_incident
from tms.boards.pages.base import FULL_CHANGE, BoardPage, PagePart, PageState, nav, reuse_parts
from tms.boards.pages.render_context import RenderContext
from tms.boards.rows.alerts import AlertRow
from tms.boards.rows.incidents import IncidentRow
from tms.boards.workbench import cells, curve, evidence
from tms.boards.workbench.cells import Cells
from tms.boards.workbench.contacts import contacts_of
from tms.boards.workbench.evidence import FactorRow
from tms.boards.workbench.post_mortem import draft
from tms.boards.workbench.runbooks import runbooks_of
from tms.feed.change import Change

TEMPLATE = "boards/incident.html"
ROW = "boards/alerts.html#row"
MAX_MEMBERS = 100
WORKBENCH = ("cells", "curve", "factors", "unaffected", "escalation", "runbooks", "contacts", "draft")
"""Parts that are read again only when the incident changes, and when the curve has to move on."""


@dataclass(frozen=True, slots=True)
class IncidentEvidence:
    """What the post-mortem says about an incident beside its history."""

    cells: Cells
    factors: tuple[FactorRow, ...]
    plans: tuple[EscalationPlan, ...]


class IncidentPage(BoardPage):
    kind = "incident"
    template = TEMPLATE
    nav_item = "incidents"
    lasts_s = 15.0

    def __init__(self, scope: Scope, incident: Incident) -> None:
        super().__init__(scope)
        self.incident = incident

    @classmethod
    def open(cls, query: QueryDict, *, person: Person, **names: str) -> Self | None:
        scope = scope_of(person)
        incident = (
            within(Incident.objects.select_related("site", "group", "rule"), scope).filter(pk=names["pk"]).first()
        )
        return cls(scope, incident) if incident else None

    @property
    def address(self) -> str:
        return reverse("incident", args=(self.incident.pk,))

    def concerns(self, change: Change) -> bool:
        return bool(self.incident.pk in change.incidents or change.alerts or change.presence or change.everything)

    def rows_needed(self, change: Change, before: PageState) -> tuple[frozenset[int], frozenset[int]]:
        shown = (before.parts[element].values["alert"] for element in before.lists["members"])
        return frozenset(), frozenset(row.pk for row in shown if row.is_touched_by(change))

    def static_context(self, page_state: PageState, *, person: Person) -> dict[str, object]:
        return {"shown": page_state.parts[f"incident-{self.incident.pk}"].values["incident"]}

    def alert_part(self, alert: AlertRow, *, is_answer: bool = False) -> PagePart:
        return PagePart(ROW, {"alert": alert, "is_answer": is_answer})

    def page_state(
        self, context: RenderContext, change: Change = FULL_CHANGE, before: PageState | None = None
    ) -> PageState:
        incident = next(iter(context.incidents([self.incident.pk])), None)
        if incident is None or not self._is_covered():
            raise Incident.DoesNotExist
        members = self._members(context, change, before)
        bench = self._reuse(context, change, before) or self._workbench(context, incident)
        state = PagePart(f"{TEMPLATE}#state", {"incident": incident, "next": bench["escalation"].values["next"]})
        timeline = self._timeline(incident, until=context.until)
        parts = {
            **nav(context),
            **members,
            **bench,
            incident.element: state,
            "members-note": PagePart(f"{TEMPLATE}#members-note", _note(incident, len(members))),
            **timeline,
        }
        return PageState(parts, {"timeline": tuple(reversed(timeline)), "members": tuple(members)})

    def _reuse(self, context: RenderContext, change: Change, before: PageState | None) -> Mapping[str, PagePart] | None:
        if before is None or change.everything or self.incident.pk in change.incidents:
            return None
        drawn = before.parts["curve"].values["curve"]
        is_old = drawn is not None and not self._is_over(before) and drawn.until <= context.at
        return None if is_old else {name: before.parts[name] for name in WORKBENCH}

    def _is_over(self, before: PageState) -> bool:
        return bool(before.parts[f"incident-{self.incident.pk}"].values["incident"].is_resolved)

    def _workbench(self, context: RenderContext, incident: IncidentRow) -> Mapping[str, PagePart]:
        at, scope = context.at, self.scope
        alerts = within(Alert.objects.filter(incident=self.incident), scope)
        found = IncidentEvidence(
            cells.cells_of(alerts, is_of_rule=incident.rule is not None),
            evidence.factors_of(self.incident, scope=scope),
            plans_of(incident.pk, scope, at=at),
        )
        upcoming = found.plans[0].next_step if found.plans and incident.is_open else None
        zone = timezone.get_default_timezone()
        markdown = draft(incident, found.cells, found.factors, at=at.replace(second=0, microsecond=0), zone=zone)
        values: dict[str, dict[str, object]] = {
            "cells": {"cells": found.cells, "rule": incident.rule},
            "curve": {"curve": curve.curve_of(incident, alerts, at=at), "rule": incident.rule},
            "factors": {"factors": found.factors, "has_all": scope.is_everything, "rule": incident.rule},
            "unaffected": {
                "unaffected": evidence.unaffected(self.incident, scope=scope),
                "rule": incident.rule,
            },
            "escalation": {"plans": found.plans, "next": upcoming, "is_open": incident.is_open},
            "runbooks": {"runbooks": runbooks_of(alerts)},
            "contacts": {"contacts": contacts_of(self.incident), "site": incident.site, "is_past": False},
            "draft": {"markdown": markdown, "pk": incident.pk},
        }
        return {name: PagePart(f"{TEMPLATE}#{name}", values[name]) for name in WORKBENCH}

    def _timeline(self, incident: IncidentRow, *, until: datetime | None) -> dict[str, PagePart]:
        """Its transitions and notifications, in chronological order."""
        transitions = {f"transition-{index}": row for index, row in enumerate(incident.transitions)}
        notifications = notifications_of_incident(incident.pk, self.scope, until=until)
        sent = {f"notification-{one.number}": one for one in notifications}
        instants = {element: row.at for element, row in transitions.items()}
        instants |= {element: one.at for element, one in sent.items()}
        parts = {
            element: PagePart(f"{TEMPLATE}#transition", {"id": element, "transition": transition})
            for element, transition in transitions.items()
        }
        parts |= {
            element: PagePart("boards/alert.html#notification", {"id": element, "notification": one})
            for element, one in sent.items()
        }
        return {element: parts[element] for element in sorted(parts, key=lambda element: instants[element])}

    def _is_covered(self) -> bool:
        """An incident leaves a scope when an alert of another site joins it."""
        rows = Incident.objects.filter(pk=self.incident.pk)
        return self.scope.is_everything or within(rows, self.scope).exists()

    def _members(self, context: RenderContext, change: Change, before: PageState | None) -> dict[str, PagePart]:
        pks = self._listed_alerts(context)
        ids = [f"alert-{pk}" for pk in pks]
        rows = reuse_parts(before, change, ids, is_touched=lambda values: values["alert"].is_touched_by(change))
        missing = [pk for pk in pks if f"alert-{pk}" not in rows]
        rows |= {row.element: self.alert_part(row) for row in context.alerts(missing)}
        return {element: rows[element] for element in ids if element in rows}

    def _listed_alerts(self, context: RenderContext) -> list[int]:
        """Alerts: the unresolved ones, most urgent first, then the others, newest first."""
        alerts = within(Alert.objects.filter(incident=self.incident), self.scope)
        unresolved = list(alerts.unresolved().by_urgency().values_list("pk", flat=True)[:MAX_MEMBERS])
        resolved = alerts.exclude(resolved_at=None).order_by("-resolved_at", "-pk")
        return [*unresolved, *resolved.values_list("pk", flat=True)[: MAX_MEMBERS - len(unresolved)]]


def _note(incident: IncidentRow, shown: int) -> dict[str, int]:
    return {"open": incident.open_count, "joined": incident.joined_count, "shown": shown, "pk": incident.pk}
