"""REST operations for devices and their placements."""

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts.access import demand, demand_within, visible
from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope
from tms.fleet.device_query import DEVICE_FIELDS
from tms.fleet.devices import placements, services, undo
from tms.fleet.devices.schemas import (
    DeviceBody,
    DeviceChange,
    DevicePageSchema,
    DeviceSchema,
    PlacementPageSchema,
    PlacementSchema,
    ReplacementBody,
    ReplacementSchema,
    SwapBody,
    UndoBody,
)
from tms.fleet.devices.services import DeviceValues
from tms.fleet.models import Device, DeviceState, Lifecycle, Placement, Site, Terminal
from tms.fleet.rest_queries import condition_of
from tms.fleet.router import router
from tms.lib.pagination import Column, Keyset, instant
from tms.query.parser import MAX_CHARACTERS
from tms.rest_base.etags import IF_MATCH, require_match, set_etag
from tms.rest_base.found_rows import find, find_permitted, find_to_change, named_in_body, unique
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import PageQuery, paginate
from tms.rest_base.problems import ProblemError, RequestFault, unreadable

OLDEST_FIRST = Keyset((Column("pk", int),))
NEWEST_FIRST = Keyset((Column("began_at", instant, is_descending=True), Column("pk", int, is_descending=True)))
CHANGED = "tms:device-changed"
MAKING = Access(Permission.MANAGE_TERMINALS, is_idempotent=True)
EDITING = Access(Permission.MANAGE_TERMINALS, refusals=(409, 412, 428), headers=(IF_MATCH,))
REPLACING = Access(Permission.MANAGE_TERMINALS, refusals=(409,))
"""Not idempotent: the stored response would contain the key."""
UNDOING = Access(Permission.MANAGE_TERMINALS, is_idempotent=True, refusals=(409,))


class DeviceQuery(PageQuery):
    q: str = Field("", max_length=MAX_CHARACTERS, description="A query, such as `state:spare model:KX-21`.")
    state: DeviceState | None = None
    site: str = Field("", max_length=8, description="Site code.")
    model: str = Field("", max_length=64)
    serial: str = Field("", max_length=64)

    def apply(self, rows: QuerySet[Device]) -> QuerySet[Device]:
        wanted = {"state": self.state, "site__code": self.site, "model": self.model, "serial": self.serial}
        rows = rows.filter(**{name: value for name, value in wanted.items() if value})
        return rows.filter(condition_of(self.q, DEVICE_FIELDS)) if self.q else rows


@router.get("/devices", summary="List devices", response=DevicePageSchema)
def list_devices(request: ApiRequest, response: HttpResponse, query: Query[DeviceQuery]) -> DevicePageSchema:
    """Devices that serve, and spare, defective and former ones. One without a site is seen by people of everything."""
    rows = visible(query.apply(Device.objects.select_related("site")), to=request.person)
    found = paginate(request, response, rows, query, order=OLDEST_FIRST)
    return DevicePageSchema(items=[DeviceSchema.of(device) for device in found.rows], next=found.next)


@router.get("/devices/{int:pk}", summary="Read a device", response=DeviceSchema)
def read_device(request: ApiRequest, response: HttpResponse, pk: int) -> DeviceSchema:
    """The `ETag` of the response is required to change the device."""
    return _answer(response, find(request, Device.objects.select_related("site"), pk=pk))


@router.post("/devices", summary="Create a device", response=DeviceSchema, status=201, access=MAKING)
def make_device(request: ApiRequest, response: HttpResponse, body: DeviceBody) -> DeviceSchema:
    """A device that serves as no terminal yet. Needs the permission for its site; without a site, for everything."""
    values = _values(request, body.model_dump(), None)
    with unique("$.serial", body.serial):
        device = services.create_device(values)
    response["Location"] = f"{request.path}/{device.pk}"
    return _answer(response, device)


@router.patch("/devices/{int:pk}", summary="Change a device", response=DeviceSchema, access=EDITING)
@transaction.atomic
def change_device(request: ApiRequest, response: HttpResponse, pk: int, body: DeviceChange) -> DeviceSchema:
    """Omitted fields stay unchanged. 409 for the serial number, state or site of a device that serves: replace it."""
    device = find_to_change(request, Device.objects.all(), Permission.MANAGE_TERMINALS, pk=pk)
    shown = DeviceSchema.of(device)
    require_match(request, shown.version, kind=CHANGED)
    fields = {name: getattr(shown, name) for name in DeviceBody.model_fields} | body.model_dump(exclude_unset=True)
    with unique("$.serial", fields["serial"]):
        services.edit_device(device, _values(request, fields, device.site))
    return _answer(response, device)


@router.get("/terminals/{uid}/placements", summary="List the devices of a terminal", response=PlacementPageSchema)
def list_placements(
    request: ApiRequest, response: HttpResponse, uid: str, query: Query[PageQuery]
) -> PlacementPageSchema:
    """Which device served as the terminal, newest first."""
    terminal = find(request, Terminal.objects.all(), uid=uid)
    rows = visible(Placement.objects.filter(terminal=terminal), to=request.person)
    found = paginate(request, response, rows.select_related("device", "placed_by"), query, order=NEWEST_FIRST)
    return PlacementPageSchema(items=[PlacementSchema.of(placement) for placement in found.rows], next=found.next)


@router.post(
    "/terminals/{uid}/replace",
    summary="Replace the device of a terminal",
    response=ReplacementSchema,
    status=201,
    access=REPLACING,
)
@transaction.atomic
def replace_device(request: ApiRequest, uid: str, body: ReplacementBody) -> ReplacementSchema:
    """History, alerts, availability and groups stay with the terminal. The keys of the device before are revoked; the
    response has that of the new one, only now. Also places the first device of a terminal.
    """
    terminal = find_permitted(request, Terminal.objects.all(), Permission.MANAGE_TERMINALS, uid=uid)
    if terminal.lifecycle == Lifecycle.RETIRED:
        raise ProblemError(409, "tms:retired", f"{uid} is retired; bring it back first")
    done = placements.replace(
        terminal,
        _replacement(request, body),
        removed_becomes=DeviceState(body.removed_becomes),
        by=request.person,
        at=timezone.now(),
        comment=body.comment,
    )
    for device in filter(None, (done.device, done.removed)):
        device.refresh_from_db()
    return ReplacementSchema(
        device=DeviceSchema.of(done.device),
        removed=DeviceSchema.of(done.removed) if done.removed else None,
        credential=str(done.credential),
    )


@router.post(
    "/terminals/{uid}/replace/undo",
    summary="Undo the replacement of a device",
    response=DeviceSchema,
    access=UNDOING,
)
@transaction.atomic
def undo_replacement(request: ApiRequest, uid: str, body: UndoBody) -> DeviceSchema:
    """The device before serves again, with its keys; the new one is a spare, without key and token. Possible for 10
    minutes, until the new device connects. Returns the device before.
    """
    terminal = find_permitted(request, Terminal.objects.all(), Permission.MANAGE_TERMINALS, uid=uid)
    device = undo.undo(terminal, by=request.person, at=timezone.now(), comment=body.comment)
    device.refresh_from_db()
    return DeviceSchema.of(device)


@router.post(
    "/terminals/{uid}/swap",
    summary="Exchange the devices of two terminals",
    response=PlacementPageSchema,
    access=MAKING,
)
@transaction.atomic
def swap_devices(request: ApiRequest, uid: str, body: SwapBody) -> PlacementPageSchema:
    """Needs the permission for both. Keys go with the devices, which connect again. Returns the two new placements."""
    one = find_permitted(request, Terminal.objects.all(), Permission.MANAGE_TERMINALS, uid=uid)
    other = named_in_body(request, Terminal.objects.all(), "$.other", uid=body.other)
    if one == other:
        raise unreadable(RequestFault("$.other", "must be another terminal"))
    demand(request.person, Permission.MANAGE_TERMINALS, other)
    placements.swap(one, other, by=request.person, at=timezone.now(), comment=body.comment)
    rows = visible(Placement.objects.open().filter(terminal__in=(one, other)), to=request.person)
    placed = rows.select_related("device", "placed_by").order_by("terminal")
    return PlacementPageSchema(items=[PlacementSchema.of(placement) for placement in placed], next=None)


def _values(request: ApiRequest, fields: dict[str, str], before: Site | None) -> DeviceValues:
    """The values, if the person may keep devices at the site. `before`: where it is."""
    code = fields["site"]
    site = named_in_body(request, Site.objects.all(), "$.site", code=code) if code else None
    if site is None or site != before:
        scope = Scope.of(site=site.pk if site else None)
        demand_within(request.person, Permission.MANAGE_TERMINALS, scope)
    return DeviceValues(**{**fields, "site": site, "state": DeviceState(fields["state"])})  # type: ignore[arg-type]


def _replacement(request: ApiRequest, body: ReplacementBody) -> Device:
    """A known device, for which the person has the permission, or a new one."""
    if (body.device is None) is (not body.serial):
        raise unreadable(RequestFault("$", "name the new device by either `device` or `serial`"))
    if body.device is not None:
        device = named_in_body(request, Device.objects.all(), "$.device", pk=body.device)
    else:
        known = Device.objects.filter(serial=body.serial).first()
        if known is None:
            return placements.known_device(body.serial, model=body.model, manufacturer=body.manufacturer)
        device = known
    demand(request.person, Permission.MANAGE_TERMINALS, device)
    return device


def _answer(response: HttpResponse, device: Device) -> DeviceSchema:
    shown = DeviceSchema.of(device)
    set_etag(response, shown.version)
    return shown
