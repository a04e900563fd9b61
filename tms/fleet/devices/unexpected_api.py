"""REST operations for devices that connected without being placed: list, confirm, block."""

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts.access import demand, visible
from tms.accounts.permissions import Permission
from tms.fleet.devices import services, unexpected
from tms.fleet.devices.schemas import (
    BlockingBody,
    ConfirmationBody,
    UnexpectedDevicePageSchema,
    UnexpectedDeviceSchema,
)
from tms.fleet.models import DeviceState, UnexpectedDevice
from tms.fleet.router import router
from tms.lib.pagination import Column, Keyset
from tms.rest_base.found_rows import find, find_permitted
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import PageQuery, paginate

NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
DECIDING = Access(Permission.MANAGE_TERMINALS, is_idempotent=True)


class UnexpectedDeviceQuery(PageQuery):
    terminal: str = Field("", max_length=64, description="UID")
    undecided: bool = Field(False, description="Only those that a person should look at.")


@router.get("/unexpected-devices", summary="List unexpected devices", response=UnexpectedDevicePageSchema)
def list_unexpected_devices(
    request: ApiRequest, response: HttpResponse, query: Query[UnexpectedDeviceQuery]
) -> UnexpectedDevicePageSchema:
    rows = visible(UnexpectedDevice.objects.select_related("terminal"), to=request.person)
    rows = rows.undecided() if query.undecided else rows
    rows = rows.filter(terminal__uid=query.terminal) if query.terminal else rows
    found = paginate(request, response, rows, query, order=NEWEST_FIRST)
    return UnexpectedDevicePageSchema(items=[UnexpectedDeviceSchema.of(row) for row in found.rows], next=found.next)


@router.post(
    "/unexpected-devices/{int:pk}/confirm",
    summary="Confirm that a device was replaced",
    response=UnexpectedDeviceSchema,
    access=DECIDING,
)
@transaction.atomic
def confirm_device(request: ApiRequest, pk: int, body: ConfirmationBody) -> UnexpectedDeviceSchema:
    """The device becomes the placed one, and keeps its key. If it serves as another terminal, it leaves that one, for
    which the permission is needed, too.
    """
    row = find_permitted(request, UnexpectedDevice.objects.all(), Permission.MANAGE_TERMINALS, pk=pk)
    if served := services.terminal_of(row.serial):
        demand(request.person, Permission.MANAGE_TERMINALS, served)
    unexpected.confirm(
        row,
        removed_becomes=DeviceState(body.removed_becomes),
        by=request.person,
        at=timezone.now(),
        comment=body.comment,
    )
    return _answer(request, pk)


@router.post(
    "/unexpected-devices/{int:pk}/block",
    summary="Revoke the key of an unexpected device",
    response=UnexpectedDeviceSchema,
    access=DECIDING,
)
@transaction.atomic
def block_device(request: ApiRequest, pk: int, body: BlockingBody) -> UnexpectedDeviceSchema:
    """Its link closes within seconds. The placed device needs a new key if both used the same one."""
    row = find_permitted(request, UnexpectedDevice.objects.all(), Permission.MANAGE_TERMINALS, pk=pk)
    unexpected.block(row, by=request.person, at=timezone.now(), comment=body.comment)
    return _answer(request, pk)


def _answer(request: ApiRequest, pk: int) -> UnexpectedDeviceSchema:
    return UnexpectedDeviceSchema.of(find(request, UnexpectedDevice.objects.select_related("terminal"), pk=pk))
