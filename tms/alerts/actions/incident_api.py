"""Operator actions on incidents. Each also applies to all alerts of the incident."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.utils import timezone
from pydantic import create_model

from tms.accounts.access import demand
from tms.alerts import models
from tms.alerts.actions.action import IncidentTarget, OperatorAction
from tms.alerts.actions.api import CONFIRM, SEEN
from tms.alerts.actions.approvals import GATED, propose_incidents
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.correlation.api import one
from tms.alerts.correlation.schemas import IncidentSchema
from tms.approvals.api import check
from tms.approvals.services import alone
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Id

router = ApiRouter("incidents")


def add_operation(router: ApiRouter, action: OperatorAction, target: IncidentTarget) -> None:
    name, access = action.name.replace("-", "_"), Access(action.permission, is_idempotent=True)
    title = action.name.title().replace("-", "")
    gated: dict[str, Any] = {"confirm": (int | None, CONFIRM)} if action.name in GATED else {}
    schema = create_model(f"{title}Incident", __base__=action.schema, version=(Id | None, SEEN), **gated)

    def act(request: ApiRequest, pk: int, body: schema) -> IncidentSchema:  # type: ignore[valid-type]
        sent: Any = body
        at, incident = timezone.now(), one(request.person, pk)
        demand(request.person, action.permission, incident)
        rows, by = models.Incident.objects.filter(pk=incident.pk), request.person
        gate: AbstractContextManager[None] = nullcontext()
        alerts = models.Alert.objects.unresolved().filter(incident=incident.pk)
        terms = sent.terms(at, by=by, alerts=alerts)
        if gated:
            proposal = propose_incidents(action.name, rows, terms, by=by, at=at)
            check(proposal, confirm=sent.confirm, reason=sent.comment, by=by, at=at)
            gate = alone(proposal, reason=sent.comment, by=by)
        with gate:
            target.perform(rows, by=by, at=at, version=sent.version, **terms)
        return IncidentSchema.of(one(request.person, pk))

    act.__name__ = f"{name}_incident"
    path, summary = f"/incidents/{{int:pk}}/{action.name}", action.summary.format("an incident")
    router.post(path, summary=summary, response=IncidentSchema, access=access)(act)


for _action in ACTIONS.values():
    if _action.incident:
        add_operation(router, _action, _action.incident)
