"""REST operations for destinations. Secrets can be written, but are never returned."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query, Schema
from pydantic import Field

from tms.accounts import access
from tms.accounts.access.owner_form import set_owner
from tms.accounts.display_names import colleagues
from tms.accounts.permissions import Permission
from tms.fleet.owners import OwnerSchema, owner_fields, owner_name
from tms.lib.pagination import Column, Keyset
from tms.notifications.destinations import services
from tms.notifications.destinations.entries import ADDRESS, VALUE
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models import destination as models
from tms.notifications.models.destination import EventFamily
from tms.notifications.soft_delete.services import delete
from tms.notifications.transports import ENTERED, SendResult
from tms.notifications.weekly_hours import hours_values, set_hours
from tms.rest_base.body_values import BodyValues
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import Page, PageQuery, paginate
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import RequestSchema, ResponseSchema, Weekday, change_of

router = ApiRouter("destinations")
BY_NAME = Keyset((Column("name"),))
SETTING_UP = Access(Permission.EDIT_DESTINATIONS)
"""Operations that are not idempotent: a response may contain a key, and a test is no change."""
COPIED = ("name", "language", "enabled", "critical_anyway")
DestinationKind: Any = StrEnum("DestinationKind", {name.upper(): name for name in ENTERED})  # type: ignore[misc]


class DestinationFields(Schema):
    name: str
    language: str = Field("en", description="Language of notifications.")
    person: str | None = Field(None, description="Username of the person who is notified here while on call.")
    enabled: bool = True
    hours_days: list[Weekday] = Field([], description="Quiet hours: 0 is Monday; empty for every day.")
    hours_from: str = Field("", examples=["22:00"], description="Empty for no quiet hours.")
    hours_until: str = Field("", examples=["07:00"])
    hours_zone: str = Field("", description="Empty for the time zone of TMS.")
    critical_anyway: bool = Field(True, description="Deliver critical alerts in quiet hours, too.")
    events: list[EventFamily] = Field(
        [], max_length=len(EventFamily), description="Webhooks only: families of events of the fleet, as batches."
    )
    owner: OwnerSchema = OwnerSchema()


class AddressFields(DestinationFields):
    address: str = Field(
        "",
        examples=["noc@example.com"],
        description="E-mail addresses, a URL, a topic ARN or an Apprise URL; empty for kinds with `fields`.",
    )
    fields: dict[str, str] = Field(
        {},
        examples=[{"token": "xoxb-…", "channel": "C0123456789"}],
        max_length=20,
        description="Values of services such as Slack, by name. An omitted secret stays as it is.",
    )


class DestinationBody(AddressFields, RequestSchema):
    kind: DestinationKind


DestinationChange: Any = change_of(AddressFields, "DestinationChange")


class DestinationSchema(DestinationFields, ResponseSchema):
    id: int
    kind: DestinationKind
    address: str = Field(description="Address without its secrets.")
    fields: dict[str, str] = Field(description="Values of the service that are no secrets.")
    failures: int = Field(description="Consecutive failures.")

    @classmethod
    def of(cls, destination: models.Destination) -> Self:
        copied = {name: getattr(destination, name) for name in ("kind", "address", "failures")}
        return cls(id=destination.pk, **fields_of(destination), **copied, fields=dict(destination.public_values))


class DestinationPageSchema(Page[DestinationSchema]): ...


class DestinationWithKeySchema(DestinationSchema):
    key: str | None = Field(description="Signing key of a webhook; returned only once.")


class SigningKeySchema(ResponseSchema):
    key: str = Field(examples=["whsec_…"])


class TestSendSchema(ResponseSchema):
    outcome: str = Field(description="`delivered`, `retry` (a notification would be retried) or `failed`.")
    detail: str = Field(description="Response, verbatim.")
    advice: str = Field(description="What an error means, and what to do; empty if that is not known.")

    @classmethod
    def of(cls, result: SendResult) -> Self:
        return cls(outcome=result.outcome.value, detail=result.detail, advice=result.advice)


@router.get("/destinations", summary="List destinations", response=DestinationPageSchema)
def list_destinations(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> DestinationPageSchema:
    found = paginate(request, response, _destinations(request), query, order=BY_NAME)
    return DestinationPageSchema(
        items=[DestinationSchema.of(destination) for destination in found.rows], next=found.next
    )


@router.get("/destinations/{int:pk}", summary="Read a destination", response=DestinationSchema)
def read_destination(request: ApiRequest, pk: int) -> DestinationSchema:
    return DestinationSchema.of(_destination(request, pk))


@router.post(
    "/destinations", summary="Create a destination", response=DestinationWithKeySchema, status=201, access=SETTING_UP
)
def make_destination(request: ApiRequest, response: HttpResponse, body: DestinationBody) -> DestinationWithKeySchema:
    """The signing key of a webhook is returned only once; an `Idempotency-Key` does not repeat it."""
    made = models.Destination(kind=body.kind)
    key = made.new_key() if made.transport.has_signing_key else None
    _save(request, made, body.model_dump(exclude={"kind"}))
    response["Location"] = f"{request.path}/{made.pk}"
    return DestinationWithKeySchema(**dict(DestinationSchema.of(made)), key=key)


@router.patch("/destinations/{int:pk}", summary="Change a destination", response=DestinationSchema, access=SETTING_UP)
def change_destination(request: ApiRequest, pk: int, body: DestinationChange) -> DestinationSchema:
    destination = _editable(request, pk)
    changed = body.model_dump(exclude_unset=True)
    stored = fields_of(destination) | {"fields": destination.public_values}
    changed["fields"] = {**stored["fields"], **changed.get("fields", {})}
    _save(request, destination, stored | changed)
    return DestinationSchema.of(_destination(request, pk))


@router.delete("/destinations/{int:pk}", summary="Delete a destination", response=None, status=204, access=SETTING_UP)
def delete_destination(request: ApiRequest, pk: int) -> None:
    """Stops sending and cancels waiting notifications. The history is stored. The web pages can undo it."""
    delete(_editable(request, pk), at=timezone.now())


@router.post("/destinations/{int:pk}/test", summary="Send a test", response=TestSendSchema, access=SETTING_UP)
def test_destination(request: ApiRequest, pk: int) -> TestSendSchema:
    """Sends it at once and returns the response."""
    return TestSendSchema.of(send_test(_editable(request, pk)))


@router.post(
    "/destinations/{int:pk}/key", summary="Renew the key of a webhook", response=SigningKeySchema, access=SETTING_UP
)
def renew_key_of_destination(request: ApiRequest, pk: int) -> SigningKeySchema:
    """Returned only once. The previous key becomes invalid."""
    destination = _editable(request, pk)
    if not destination.transport.has_signing_key:
        raise Http404
    key = destination.renew_key()
    return SigningKeySchema(key=key)


def fields_of(destination: models.Destination) -> dict[str, Any]:
    person = destination.person.username if destination.person else None
    return {
        "person": person,
        **{name: getattr(destination, name) for name in COPIED},
        **hours_values(destination),
        "events": destination.events,
        "owner": owner_fields(destination),
    }


def _save(request: ApiRequest, destination: models.Destination, fields: Mapping[str, Any]) -> None:
    """Raises ProblemError."""
    by, found, entries = request.person, BodyValues(), _entries(destination, fields)
    current = [destination.person_id] if destination.person_id else []
    people = access.choosable(colleagues(), current, to=by)
    wanted = [fields["person"]] if fields["person"] else []
    destination.person = next(iter(found.rows(people, "username", wanted, "$.person")), None)
    for name in COPIED:
        setattr(destination, name, fields[name])
    destination.events = sorted({EventFamily(one).value for one in fields["events"]})
    set_hours(destination, fields, found.time)
    set_owner(destination, owner_name(fields["owner"], to=by))
    with found.reported():
        services.save(destination, entries, by=by)


def _entries(destination: models.Destination, fields: Mapping[str, Any]) -> dict[str, str]:
    """The address, or the values of its transport. Raises ProblemError for what it does not have."""
    names, sent = [field.name for field in destination.transport.fields], fields.get("fields") or {}
    if names and fields.get("address"):
        raise unreadable(RequestFault("$.address", f"this kind has fields instead: {', '.join(names)}"))
    if unknown := sorted(set(sent) - set(names)):
        expected = f"one of: {', '.join(names)}" if names else "an address instead of fields"
        raise unreadable(RequestFault("$.fields", f"unknown: {', '.join(unknown[:5])}; expected {expected}"))
    return {ADDRESS: fields.get("address", "")} | {VALUE + name: value for name, value in sent.items()}


def _destinations(request: ApiRequest) -> QuerySet[models.Destination]:
    rows = models.Destination.objects.not_deleted().select_related("person", "owner_site", "owner_group")
    return access.visible(rows, to=request.person)


def _editable(request: ApiRequest, pk: int) -> models.Destination:
    found = _destination(request, pk)
    access.demand(request.person, Permission.EDIT_DESTINATIONS, found)
    return found


def _destination(request: ApiRequest, pk: int) -> models.Destination:
    found = _destinations(request).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
