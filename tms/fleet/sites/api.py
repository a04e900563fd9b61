"""REST operations to create, change, close and reopen sites, and for their contacts."""

from typing import Annotated, Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from ninja import Schema
from pydantic import AfterValidator, Field

from tms.accounts.access import demand_within
from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope
from tms.approvals.acts import Act
from tms.approvals.api import check
from tms.approvals.gate import propose
from tms.approvals.services import alone
from tms.fleet.devices.schemas import AfterRemoval
from tms.fleet.models import DeviceState, Site, SiteContact
from tms.fleet.router import router
from tms.fleet.schemas import SiteSchema
from tms.fleet.sites import services
from tms.fleet.sites.services import SiteValues
from tms.fleet.terminals.retirement import ClosePayload
from tms.lib.calendar.time_zones import zone_named
from tms.rest_base.etags import IF_MATCH, require_match, set_etag
from tms.rest_base.found_rows import find, find_permitted, find_to_change, unique
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.schemas import RequestSchema, ResponseSchema, change_of

CHANGED = "tms:site-changed"
MAX_CONTACTS = 20
MAKING = Access(Permission.EDIT_SITES, is_idempotent=True)
EDITING = Access(Permission.EDIT_SITES, refusals=(409, 412, 428), headers=(IF_MATCH,))
SETTING = Access(Permission.EDIT_SITES)


def _zone(name: str) -> str:
    if zone_named(name) is None:
        raise ValueError("unknown time zone; use an IANA name such as Asia/Tokyo")
    return name


class SiteFields(Schema):
    code: str = Field(min_length=1, max_length=8, pattern=r"^[-a-zA-Z0-9_]+$", examples=["SJK"])
    name: str = Field(min_length=1, max_length=100, examples=["Shinjuku South"])
    name_ja: str = Field("", max_length=100, examples=["新宿南口"])
    region: str = Field("", max_length=100, description="Name of a region; empty for none.", examples=["Kanto"])
    address: str = Field("", max_length=200)
    time_zone: Annotated[str, AfterValidator(_zone)] = Field("Asia/Tokyo", max_length=64, examples=["Asia/Tokyo"])


class SiteBody(SiteFields, RequestSchema):
    """A whole site."""


SiteChange: Any = change_of(SiteFields, "SiteChange")


class SiteClosingBody(RequestSchema):
    device_becomes: AfterRemoval = Field("spare", description="The state of the devices of its terminals.")
    comment: str = Field("", max_length=500)
    confirm: int | None = Field(None, description="Number of terminals, where `tms:confirmation-needed` asks for it.")


class SiteReopeningBody(RequestSchema):
    comment: str = Field("", max_length=500)


class SiteTerminalsSchema(ResponseSchema):
    terminals: int = Field(description="Number of terminals that were retired, or brought back.")


class ContactSchema(RequestSchema):
    name: str = Field(min_length=1, max_length=100, examples=["Station office"])
    phone: str = Field("", max_length=32, examples=["+81 3 1234 5678"])
    email: str = Field("", max_length=254, examples=["office@example.com"])
    note: str = Field("", max_length=200)

    @classmethod
    def of(cls, contact: SiteContact) -> Self:
        return cls(name=contact.name, phone=contact.phone, email=contact.email, note=contact.note)


class SiteContactsSchema(RequestSchema):
    """Whom to call about a site, in this order."""

    contacts: list[ContactSchema] = Field(max_length=MAX_CONTACTS)

    @classmethod
    def of(cls, site: Site) -> Self:
        return cls(contacts=[ContactSchema.of(contact) for contact in site.contacts.all()])


@router.post("/sites", summary="Create a site", response=SiteSchema, status=201, access=MAKING)
def make_site(request: ApiRequest, response: HttpResponse, body: SiteBody) -> SiteSchema:
    """Needs the permission for its region; without a region, for everything."""
    _demand_region(request, body.region)
    with unique("$.code", body.code):
        site = _saved(Site(), SiteValues(**body.model_dump()))
    response["Location"] = f"{request.path}/{site.code}"
    return _answer(response, site)


@router.patch("/sites/{code}", summary="Change a site", response=SiteSchema, access=EDITING)
@transaction.atomic
def change_site(request: ApiRequest, response: HttpResponse, code: str, body: SiteChange) -> SiteSchema:
    """Omitted fields stay unchanged. Another region needs the permission for both: it decides who sees the site."""
    site = _editable(request, code)
    values = {name: getattr(site, name) for name in SiteValues.__slots__} | body.model_dump(exclude_unset=True)
    if values["region"] != site.region:
        _demand_region(request, values["region"])
        if site.region:
            _demand_region(request, site.region)
    with unique("$.code", values["code"]):
        _saved(site, SiteValues(**values))
    return _answer(response, site)


@router.post("/sites/{code}/close", summary="Close a site for good", response=SiteTerminalsSchema, access=MAKING)
def close_site(request: ApiRequest, code: str, body: SiteClosingBody) -> SiteTerminalsSchema:
    """Retires all its terminals: their keys are revoked. Many of them, or the last working lane of a site that is
    open, need a second person. Repeating it changes nothing.
    """
    site, at = find_permitted(request, Site.objects.all(), Permission.EDIT_SITES, code=code), timezone.now()
    becomes = DeviceState(body.device_becomes)
    proposal = propose(Act.CLOSE_SITE, ClosePayload.of(site, becomes, body.comment), by=request.person, at=at)
    check(proposal, confirm=body.confirm, reason=body.comment, by=request.person, at=at)
    with alone(proposal, reason=body.comment, by=request.person):
        number = services.close_site(site, device_becomes=becomes, by=request.person, at=at, comment=body.comment)
    return SiteTerminalsSchema(terminals=number)


@router.post("/sites/{code}/reopen", summary="Reopen a closed site", response=SiteTerminalsSchema, access=MAKING)
@transaction.atomic
def reopen_site(request: ApiRequest, code: str, body: SiteReopeningBody) -> SiteTerminalsSchema:
    """Brings back the terminals that were retired with it. 409 after 30 days."""
    site = find_to_change(request, Site.objects.all(), Permission.EDIT_SITES, code=code)
    number = services.reopen_site(site, by=request.person, at=timezone.now(), comment=body.comment)
    return SiteTerminalsSchema(terminals=number)


@router.get("/sites/{code}/contacts", summary="Read the contacts of a site", response=SiteContactsSchema)
def read_contacts(request: ApiRequest, code: str) -> SiteContactsSchema:
    return SiteContactsSchema.of(find(request, Site.objects.all(), code=code))


@router.put(
    "/sites/{code}/contacts", summary="Replace the contacts of a site", response=SiteContactsSchema, access=SETTING
)
@transaction.atomic
def replace_contacts(request: ApiRequest, code: str, body: SiteContactsSchema) -> SiteContactsSchema:
    site = find_to_change(request, Site.objects.all(), Permission.EDIT_SITES, code=code)
    _check_addresses(body)
    services.set_contacts(site, [SiteContact(**contact.model_dump()) for contact in body.contacts])
    return SiteContactsSchema.of(site)


def _editable(request: ApiRequest, code: str) -> Site:
    site = find_to_change(request, Site.objects.all(), Permission.EDIT_SITES, code=code)
    require_match(request, SiteSchema.of(site).version, kind=CHANGED)
    return site


def _demand_region(request: ApiRequest, region: str) -> None:
    demand_within(request.person, Permission.EDIT_SITES, Scope.of(region=region))


def _saved(site: Site, values: SiteValues) -> Site:
    try:
        return services.edit_site(site, values) if site.pk else services.create_site(values)
    except services.UnknownRegion:
        raise unreadable(RequestFault("$.region", f"unknown: {values.region}; create the region first")) from None


def _check_addresses(body: SiteContactsSchema) -> None:
    for number, contact in enumerate(body.contacts):
        try:
            if contact.email:
                validate_email(contact.email)
        except ValidationError as error:
            raise unreadable(RequestFault(f"$.contacts[{number}].email", error.messages[0])) from None


def _answer(response: HttpResponse, site: Site) -> SiteSchema:
    shown = SiteSchema.of(site)
    set_etag(response, shown.version)
    return shown
