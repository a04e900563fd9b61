"""REST operations for tags and attributes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query
from pydantic import Field

from tms.accounts.access import demand_within, permitted
from tms.accounts.permissions import Permission
from tms.accounts.scope.value import EVERYTHING
from tms.fleet.labels import attributes, tags
from tms.fleet.models import Attribute, AttributeSubject, AttributeType, Device, Site, Terminal
from tms.fleet.router import router
from tms.lib.pagination import Column, Keyset
from tms.rest_base.body_values import BodyValues
from tms.rest_base.etags import IF_MATCH, require_match, set_etag, version_of
from tms.rest_base.found_rows import unique
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import Page, PageQuery, paginate
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.schemas import RequestSchema, ResponseSchema, change_of

BY_NAME = Keyset((Column("name"),))
CHANGED = "tms:attribute-changed"
MAX_ROWS = 5_000
MAX_AT_ONCE = 50
KEYS: Mapping[AttributeSubject, tuple[type[Model], str]] = {
    AttributeSubject.TERMINAL: (Terminal, "uid"),
    AttributeSubject.SITE: (Site, "code"),
    AttributeSubject.DEVICE: (Device, "serial"),
}
MAKING = Access(Permission.MANAGE_GROUPS, is_idempotent=True)
EDITING = Access(Permission.MANAGE_GROUPS, refusals=(409, 412, 428), headers=(IF_MATCH,))


class AttributeChangeBody(RequestSchema):
    label: str = Field(min_length=1, max_length=60, examples=["Floor"])
    label_ja: str = Field("", max_length=60, examples=["階"])
    choices: list[str] = Field([], max_length=100, description="What a choice may be; the others have none.")


class AttributeBody(AttributeChangeBody):
    name: str = Field(max_length=32, description="Its name in queries: `attr.floor:2`.", examples=["floor"])
    type: AttributeType = AttributeType.TEXT
    subject: AttributeSubject = Field(AttributeSubject.TERMINAL, description="The rows that have it.")


AttributeChange: Any = change_of(AttributeChangeBody, "AttributeChange")


class AttributeSchema(ResponseSchema):
    name: str = Field(examples=["floor"])
    label: str
    label_ja: str
    type: AttributeType
    subject: AttributeSubject
    choices: list[str]

    @classmethod
    def of(cls, attribute: Attribute) -> Self:
        return cls(**{name: getattr(attribute, name) for name in cls.model_fields})


class AttributePageSchema(Page[AttributeSchema]): ...


class LabelsBody(RequestSchema):
    subject: AttributeSubject
    rows: list[str] = Field(
        min_length=1,
        max_length=MAX_ROWS,
        description="UIDs of terminals, codes of sites, serials of devices.",
    )
    add: list[str] = Field([], max_length=MAX_AT_ONCE, description="Tags.", examples=[["lobby"]])
    remove: list[str] = Field([], max_length=MAX_AT_ONCE, description="Tags.")
    attributes: dict[str, str] = Field(
        {},
        max_length=MAX_AT_ONCE,
        description="Texts by name; empty for no value.",
        examples=[{"floor": "2"}],
    )


class LabelsSchema(ResponseSchema):
    tagged: int = Field(description="Number of rows whose tags changed.")
    valued: int = Field(description="Number of rows whose attributes changed.")


@router.get("/attributes", summary="List attributes", response=AttributePageSchema)
def list_attributes(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> AttributePageSchema:
    """The definitions. The values are those of terminals, sites and devices."""
    found = paginate(request, response, Attribute.objects.all(), query, order=BY_NAME)
    return AttributePageSchema(items=[AttributeSchema.of(each) for each in found.rows], next=found.next)


@router.get("/attributes/{name}", summary="Read an attribute", response=AttributeSchema)
def read_attribute(request: ApiRequest, response: HttpResponse, name: str) -> AttributeSchema:
    """The `ETag` of the response is required to change the attribute."""
    return _answer(response, get_object_or_404(Attribute, name=name))


@router.post("/attributes", summary="Create an attribute", response=AttributeSchema, status=201, access=MAKING)
def make_attribute(request: ApiRequest, response: HttpResponse, body: AttributeBody) -> AttributeSchema:
    """Needs the permission for everything, because everybody reads the definition."""
    demand_within(request.person, Permission.MANAGE_GROUPS, EVERYTHING)
    attribute = Attribute(**body.model_dump())
    with unique("$.name", body.name):
        _save(attribute)
    response["Location"] = f"{request.path}/{attribute.name}"
    return _answer(response, attribute)


@router.patch("/attributes/{name}", summary="Change an attribute", response=AttributeSchema, access=EDITING)
@transaction.atomic
def change_attribute(request: ApiRequest, response: HttpResponse, name: str, body: AttributeChange) -> AttributeSchema:
    """Values that are no choice any more stay until they are changed."""
    attribute = _editable(request, name)
    for field, value in body.model_dump(exclude_unset=True).items():
        setattr(attribute, field, value)
    _save(attribute)
    return _answer(response, attribute)


@router.delete("/attributes/{name}", summary="Delete an attribute", response=None, status=204, access=EDITING)
@transaction.atomic
def delete_attribute(request: ApiRequest, name: str) -> None:
    """Deletes its values, too."""
    attributes.delete_attribute(_editable(request, name))


@router.post("/labels", summary="Change tags and attributes of many rows", response=LabelsSchema, access=MAKING)
@transaction.atomic
def change_labels(request: ApiRequest, body: LabelsBody) -> LabelsSchema:
    """All or nothing. Needs the permission for each of the rows. Repeating it changes nothing."""
    model, key = KEYS[body.subject]
    named = BodyValues()
    editable = permitted(model._default_manager.all(), by=request.person, permission=Permission.MANAGE_GROUPS)
    rows = [row.pk for row in named.rows(editable, key, body.rows, "$.rows")]
    defined = Attribute.objects.filter(subject=body.subject)
    known = {each.name: each for each in named.rows(defined, "name", list(body.attributes), "$.attributes")}
    with named.reported(), _named_faults():
        tagged = tags.change_tags(model, rows, add=body.add, remove=body.remove)
        values = {known[name]: text for name, text in body.attributes.items()}
        valued = attributes.set_values(model, rows, values)
    return LabelsSchema(tagged=len(tagged.rows), valued=valued)


def _editable(request: ApiRequest, name: str) -> Attribute:
    demand_within(request.person, Permission.MANAGE_GROUPS, EVERYTHING)
    attribute = get_object_or_404(Attribute.objects.select_for_update(no_key=True), name=name)
    require_match(request, _version(attribute), kind=CHANGED)
    return attribute


def _answer(response: HttpResponse, attribute: Attribute) -> AttributeSchema:
    set_etag(response, _version(attribute))
    return AttributeSchema.of(attribute)


def _version(attribute: Attribute) -> int:
    return version_of(attribute.label, attribute.label_ja, attribute.choices)


def _save(attribute: Attribute) -> None:
    try:
        attributes.save_attribute(attribute)
    except ValidationError as error:
        found = error.message_dict.items()
        raise unreadable(*(RequestFault(f"$.{field}", " ".join(messages)) for field, messages in found)) from None


@contextmanager
def _named_faults() -> Iterator[None]:
    """What is no tag or no value of an attribute is a fault of the body."""
    try:
        yield
    except ValidationError as error:
        raise unreadable(RequestFault("$.add", " ".join(error.messages))) from None
    except tags.TooManyTags as error:
        raise unreadable(RequestFault("$.add", str(error))) from None
    except attributes.BadValue as error:
        raise unreadable(RequestFault(f"$.attributes.{error.attribute.name}", str(error))) from None
