"""Destinations: what of them is a secret goes in, and never comes out again."""

from typing import Any, Self

from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query, Schema
from pydantic import Field

from tms.accounts import access
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.lib.pagination import Column, Keyset
from tms.notifications.destinations.forms import DestinationForm
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models import destination as models
from tms.notifications.models.destination import DestinationKind
from tms.notifications.soft_delete.services import remove
from tms.notifications.transports import Answer
from tms.notifications.weekly_hours import Weekday, told_hours
from tms.rest.form_errors import faults, numbers
from tms.rest.operation import Called, Right
from tms.rest.pagination import Page, Paging, listed
from tms.rest.problems import unreadable
from tms.rest.router import Routes
from tms.rest.schemas import Asked, Told, change_of

routes = Routes("destinations")
BY_NAME = Keyset((Column("name"),))
SETTING_UP = Right(Permission.EDIT_DESTINATIONS)
"""Nothing is kept: an answer may hold a key, and a test is no change."""
NAMES = {"where": "address"}


class DestinationFields(Schema):
    name: str
    language: str = Field("en", description="Of what is sent there.")
    person: str | None = Field(None, description="Username of whom it reaches.")
    enabled: bool = True
    hours_days: list[Weekday] = Field([], description="Quiet hours: 0 is Monday; empty: every day.")
    hours_from: str = Field("", examples=["22:00"], description="Empty: it has no quiet hours.")
    hours_until: str = Field("", examples=["07:00"])
    hours_zone: str = Field("", description="Empty: that of TMS.")
    critical_anyway: bool = Field(True, description="Critical alerts are told in quiet hours, too.")


class Addressed(DestinationFields):
    address: str = Field(
        examples=["noc@example.com"], description="E-mail addresses, a URL, an ARN, or an address of Apprise."
    )


class DestinationBody(Addressed, Asked):
    kind: DestinationKind


DestinationChange: Any = change_of(Addressed, "DestinationChange")


class Destination(DestinationFields, Told):
    id: int
    kind: DestinationKind
    address: str = Field(description="What of it may be seen.")
    failures: int = Field(description="In a row.")

    @classmethod
    def of(cls, destination: models.Destination) -> Self:
        copied = {name: getattr(destination, name) for name in ("kind", "address", "failures")}
        return cls(id=destination.pk, **fields_of(destination), **copied)


class DestinationWithKey(Destination):
    key: str | None = Field(description="By which a webhook's receiver knows TMS; shown this once.")


class Key(Told):
    key: str = Field(examples=["whsec_…"])


class Trial(Told):
    outcome: str = Field(description="`taken`, `later` or `never`.")
    said: str = Field(description="What came back, word for word.")

    @classmethod
    def of(cls, answer: Answer) -> Self:
        return cls(outcome=answer.outcome.value, said=answer.said)


@routes.look("/destinations", summary="List destinations", answer=Page[Destination])
def list_destinations(request: Called, response: HttpResponse, asked: Query[Paging]) -> Page[Destination]:
    rows = access.visible(models.Destination.objects.kept().select_related("person"), to=request.person)
    found = listed(request, response, rows, asked, order=BY_NAME)
    return Page(items=[Destination.of(destination) for destination in found.rows], next=found.next)


@routes.look("/destinations/{int:pk}", summary="Read a destination", answer=Destination)
def read_destination(request: Called, pk: int) -> Destination:
    return Destination.of(_destination(request, pk))


@routes.act("/destinations", summary="Make a destination", answer=DestinationWithKey, status=201, right=SETTING_UP)
def make_destination(request: Called, response: HttpResponse, body: DestinationBody) -> DestinationWithKey:
    """The key of a webhook's signatures is told in the answer, once: it is not kept for an `Idempotency-Key`."""
    made = models.Destination(kind=body.kind)
    form = _form(made, body.model_dump(exclude={"kind"}))
    key = made.new_key() if made.kind == DestinationKind.WEBHOOK else None
    form.save()
    response["Location"] = f"{request.path}/{made.pk}"
    return DestinationWithKey(**dict(Destination.of(made)), key=key)


@routes.act(
    "/destinations/{int:pk}", method="PATCH", summary="Change a destination", answer=Destination, right=SETTING_UP
)
def change_destination(request: Called, pk: int, body: DestinationChange) -> Destination:
    destination = _destination(request, pk)
    _form(destination, fields_of(destination) | body.model_dump(exclude_unset=True)).save()
    return Destination.of(_destination(request, pk))


@routes.act(
    "/destinations/{int:pk}", method="DELETE", summary="Delete a destination", answer=None, status=204, right=SETTING_UP
)
def delete_destination(request: Called, pk: int) -> None:
    """Nothing is sent there any more, nor what waits for it; history keeps its name. The pages can undo it."""
    remove(_destination(request, pk), at=timezone.now())


@routes.act("/destinations/{int:pk}/test", summary="Send a test", answer=Trial, right=SETTING_UP)
def test_destination(request: Called, pk: int) -> Trial:
    """At once; says what came back."""
    return Trial.of(send_test(_destination(request, pk)))


@routes.act("/destinations/{int:pk}/key", summary="Make a new key for a webhook", answer=Key, right=SETTING_UP)
def renew_key_of_destination(request: Called, pk: int) -> Key:
    """Told in the answer, once. The former one counts no more."""
    destination = _destination(request, pk)
    if destination.kind != DestinationKind.WEBHOOK:
        raise Http404
    key = destination.renew_key()
    return Key(key=key)


def fields_of(destination: models.Destination) -> dict[str, Any]:
    person = destination.person.username if destination.person else None
    copied = ("name", "language", "enabled", "critical_anyway")
    return {"person": person, **{name: getattr(destination, name) for name in copied}, **told_hours(destination)}


def _form(destination: models.Destination, fields: dict[str, Any]) -> DestinationForm:
    """A valid one. Raises Refused with all that is wrong."""
    person = fields["person"]
    numbered = numbers(User.objects.filter(is_active=True), "username", [person], "$.person")[0] if person else None
    form = DestinationForm({**fields, "where": fields.get("address"), "person": numbered}, instance=destination)
    if not form.is_valid():
        raise unreadable(*faults(form, names=NAMES))
    return form


def _destination(request: Called, pk: int) -> models.Destination:
    rows = access.visible(models.Destination.objects.kept().select_related("person"), to=request.person)
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
