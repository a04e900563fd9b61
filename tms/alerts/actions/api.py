"""What is done to alerts: to one, or to many in one transaction."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone
from pydantic import Field, create_model

from tms.accounts.permissions import Permission
from tms.alerts import lifecycle, models
from tms.alerts.actions.registry import DEEDS
from tms.alerts.actions.schemas import Assigning, Commenting, Saying, SelectionSchema, Snoozing, Taking, Terms
from tms.alerts.api import one
from tms.alerts.lifecycle import AlreadyResolved, ChangedMeanwhile
from tms.alerts.models import AlertState
from tms.alerts.schemas import Alert
from tms.rest.operation import Access, ApiRequest
from tms.rest.problems import ProblemError
from tms.rest.router import ApiRouter
from tms.rest.schemas import Id, ResponseSchema

router = ApiRouter("alerts")
HANDLING = Access(Permission.HANDLE_ALERTS, is_idempotent=True)


class Done(ResponseSchema):
    done: int = Field(description="To how many. What suits no longer, because of a recovery, say, is left alone.")


class Kind(NamedTuple):
    terms: type[Terms]
    summary: str


KINDS = {
    "acknowledge": Kind(Taking, "Acknowledge"),
    "claim": Kind(Terms, "Take a look at"),
    "release": Kind(Terms, "Take back that somebody looks at"),
    "change": Kind(Taking, "Change the acknowledgement of"),
    "withdraw": Kind(Commenting, "Open again"),
    "snooze": Kind(Snoozing, "Put off"),
    "assign": Kind(Assigning, "Assign"),
    "comment": Kind(Saying, "Comment on"),
    "resolve": Kind(Commenting, "Resolve by hand"),
}
SEEN = Field(None, description="That of the alert as it was seen: it is refused when the alert changed since.")


def offer(name: str, kind: Kind) -> None:
    """Both operations of a deed."""
    to_one = create_model(f"{name.title()}Alert", __base__=kind.terms, version=(Id | None, SEEN))
    to_many = create_model(f"{name.title()}Alerts", __base__=kind.terms, which=(SelectionSchema, ...))

    def do_one(request: ApiRequest, pk: int, body: to_one) -> Alert:  # type: ignore[valid-type]
        return _acknowledge(request, pk, body) if name == "acknowledge" else _do(request, name, pk, body)

    def do_many(request: ApiRequest, body: to_many) -> Done:  # type: ignore[valid-type]
        do: Callable[..., int] = lifecycle.acknowledge_all if name == "acknowledge" else DEEDS[name].do
        at = timezone.now()
        return Done(done=do(body.which.alerts(request.person), by=request.person, at=at, **body.of(at)))  # type: ignore[attr-defined]

    do_one.__name__, do_many.__name__ = f"{name}_alert", f"{name}_alerts"
    many = f"/alerts/{name}"
    router.post(f"/alerts/{{int:pk}}/{name}", summary=f"{kind.summary} an alert", response=Alert, access=HANDLING)(
        do_one
    )
    router.post(many, summary=f"{kind.summary} many alerts", response=Done, access=HANDLING)(do_many)


def _acknowledge(request: ApiRequest, pk: int, body: Any) -> Alert:
    """To have it already is as good as to take it now."""
    alert, at = one(request.person, pk), timezone.now()
    taken = lifecycle.acknowledge(alert, by=request.person, at=at, version=body.version, **body.of(at))
    now = one(request.person, pk)
    if not taken.first and now.acknowledged_by_id != request.person.pk:
        holder = now.acknowledged_by.username if now.acknowledged_by else "somebody"
        raise ProblemError(409, "tms:already-acknowledged", f"{holder} has it already")
    return Alert.of(now)


@transaction.atomic
def _do(request: ApiRequest, name: str, pk: int, body: Any) -> Alert:
    """As it was seen. What is so already stays so, and is no error."""
    alert, at, deed = one(request.person, pk), timezone.now(), DEEDS[name]
    rows = models.Alert.objects.filter(pk=alert.pk)
    if name != "resolve":  # which locks the terminal's state first
        (alert,) = rows.select_for_update(of=("self",))
    if alert.state == AlertState.RESOLVED:
        raise AlreadyResolved(alert)
    if body.version not in {None, alert.version}:
        raise ChangedMeanwhile(alert)
    if not deed.suits(rows).exists():
        raise ProblemError(
            409, "tms:unsuitable", f"this cannot be done to an alert that is {alert.state}, or not of its rule"
        )
    if not deed.do(rows, by=request.person, at=at, **body.of(at)) and name == "resolve":
        raise ChangedMeanwhile(alert)
    return Alert.of(one(request.person, pk))


for _name, _kind in KINDS.items():
    offer(_name, _kind)
