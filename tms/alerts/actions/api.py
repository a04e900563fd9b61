"""Operator actions on alerts: on one, or on many in one transaction."""

from typing import Any

from django.utils import timezone
from pydantic import Field, create_model

from tms.accounts.access import demand, permitted
from tms.alerts import models
from tms.alerts.actions.action import AlertTarget, OperatorAction
from tms.alerts.actions.approvals import GATED, propose_many
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.actions.schemas import SelectionSchema
from tms.alerts.api import as_seen, one
from tms.alerts.schemas import AlertSchema
from tms.approvals.api import check
from tms.approvals.services import alone
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Id, ResponseSchema

router = ApiRouter("alerts")
CONFIRM = Field(None, description="Number of alerts, where `tms:confirmation-needed` asks for it.")
SEEN = Field(None, description="Version that you read. The action is rejected if it has changed since.")


class BulkResultSchema(ResponseSchema):
    changed: int = Field(description="Number of alerts changed. Others, and those that you may only read, are skipped.")


def add_operations(router: ApiRouter, action: OperatorAction, target: AlertTarget) -> None:
    """Both operations of an action: on one alert, and on many."""
    name, access = action.name.replace("-", "_"), Access(action.permission, is_idempotent=True)
    for_one = create_model(f"{_title(action)}Alert", __base__=action.schema, version=(Id | None, SEEN))
    gated: dict[str, Any] = {"confirm": (int | None, CONFIRM)} if action.name in GATED else {}
    for_many = create_model(
        f"{_title(action)}Alerts", __base__=action.schema, selection=(SelectionSchema, ...), **gated
    )

    def act(request: ApiRequest, pk: int, body: for_one) -> AlertSchema:  # type: ignore[valid-type]
        sent: Any = body
        at, alert = timezone.now(), one(request.person, pk)
        demand(request.person, action.permission, alert)
        rows = models.Alert.objects.filter(pk=alert.pk)
        terms = sent.terms(at, by=request.person, alerts=rows)
        target.perform(rows, by=request.person, at=at, version=sent.version, **terms)
        (changed,) = as_seen([one(request.person, pk)], by=request.person)
        return changed

    def act_on_many(request: ApiRequest, body: for_many) -> BulkResultSchema:  # type: ignore[valid-type]
        sent: Any = body
        at, by = timezone.now(), request.person
        chosen = target.when.filter(sent.selection.alerts(by))
        alerts = permitted(chosen, by=by, permission=action.permission)
        terms = sent.terms(at, by=by, alerts=alerts)
        if not gated:
            return BulkResultSchema(changed=target.run(alerts, by=by, at=at, **terms))
        proposal = propose_many(action.name, alerts, terms, by=by, at=at)
        check(proposal, confirm=sent.confirm, reason=sent.comment, by=by, at=at)
        with alone(proposal, reason=sent.comment, by=by):
            return BulkResultSchema(changed=target.run(alerts, by=by, at=at, **terms))

    # The name of a view is the id of its operation, and the name of its URL.
    act.__name__, act_on_many.__name__ = f"{name}_alert", f"{name}_alerts"
    router.post(
        f"/alerts/{{int:pk}}/{action.name}",
        summary=action.summary.format("an alert"),
        response=AlertSchema,
        access=access,
    )(act)
    router.post(
        f"/alerts/{action.name}", summary=action.summary.format("many alerts"), response=BulkResultSchema, access=access
    )(act_on_many)


def _title(action: OperatorAction) -> str:
    return action.name.title().replace("-", "")


for _action in ACTIONS.values():
    if _action.alert:
        add_operations(router, _action, _action.alert)
