"""REST schemas of devices and placements."""

from datetime import datetime
from typing import Any, Literal, Self

from ninja import Schema
from pydantic import Field

from tms.fleet.models import Device, DeviceState, Placement, UnexpectedDevice
from tms.rest_base.etags import version_of
from tms.rest_base.pagination import Page
from tms.rest_base.schemas import Id, RequestSchema, ResponseSchema, change_of

type AfterRemoval = Literal["spare", "in_repair", "retired", "lost"]
"""What a device may become when it leaves its terminal."""


class DeviceFields(Schema):
    serial: str = Field("", max_length=64, description="Serial number; empty until it reported one.", examples=["K21"])
    manufacturer: str = Field("", max_length=64, examples=["Kronos"])
    model: str = Field("", max_length=64, examples=["KX-21"])
    state: AfterRemoval = Field("spare", description="A device that serves is `in_service`; it cannot be set.")
    site: str = Field("", max_length=8, description="Code of the site where it is kept; empty for none.")
    note: str = Field("", max_length=500)


class DeviceBody(DeviceFields, RequestSchema):
    """A whole device."""


DeviceChange: Any = change_of(DeviceFields, "DeviceChange")


class DeviceSchema(ResponseSchema):
    id: int
    serial: str
    manufacturer: str
    model: str
    state: DeviceState
    site: str | None = Field(description="Code of the site where it is; null if it is at none.")
    note: str
    created_at: datetime

    @classmethod
    def of(cls, device: Device) -> Self:
        values = {name: getattr(device, name) for name in OF_DEVICE}
        return cls(id=device.pk, site=device.site.code if device.site else None, **values)

    @property
    def version(self) -> int:
        return version_of(*self.model_dump().values())


class DevicePageSchema(Page[DeviceSchema]): ...


class PlacementSchema(ResponseSchema):
    """A device served as the terminal, from when until when."""

    device: int = Field(description="The id of the device.")
    serial: str
    model: str
    began_at: datetime
    ended_at: datetime | None = Field(description="Null while it serves.")
    placed_by: str | None = Field(description="Username; null if the device connected by itself.")

    @classmethod
    def of(cls, placement: Placement) -> Self:
        by = placement.placed_by
        return cls(
            device=placement.device_id,
            serial=placement.device.serial,
            model=placement.device.model,
            began_at=placement.began_at,
            ended_at=placement.ended_at,
            placed_by=by.username if by else None,
        )


class PlacementPageSchema(Page[PlacementSchema]): ...


class ReplacementBody(RequestSchema):
    """The device that takes the place: a known one by `device`, or one by its serial number."""

    device: Id | None = None
    serial: str = Field("", max_length=64, examples=["K22"])
    manufacturer: str = Field("", max_length=64)
    model: str = Field("", max_length=64)
    removed_becomes: AfterRemoval = Field("in_repair", description="The state of the device that is removed.")
    comment: str = Field("", max_length=500)


class ReplacementSchema(ResponseSchema):
    device: DeviceSchema
    removed: DeviceSchema | None = Field(description="The device that was removed; its keys are revoked.")
    credential: str = Field(description="The key of the new device. It is shown only now.")


class UndoBody(RequestSchema):
    comment: str = Field("", max_length=500)


class SwapBody(RequestSchema):
    other: str = Field(max_length=64, description="UID of the other terminal.")
    comment: str = Field("", max_length=500)


class UnexpectedDeviceSchema(ResponseSchema):
    """A device that connected as a terminal without being placed there. Its reports are stored all the same."""

    id: int
    terminal: str = Field(description="UID")
    serial: str
    model: str
    address: str | None
    expected_serial: str
    first_seen_at: datetime
    last_seen_at: datetime
    decision: str = Field(description="`confirmed`, `blocked`, `gone` (the placed device is back); empty while open.")
    decided_at: datetime | None

    @classmethod
    def of(cls, row: UnexpectedDevice) -> Self:
        return cls(id=row.pk, terminal=row.terminal.uid, **{name: getattr(row, name) for name in OF_UNEXPECTED})


class UnexpectedDevicePageSchema(Page[UnexpectedDeviceSchema]): ...


class ConfirmationBody(RequestSchema):
    removed_becomes: AfterRemoval = Field("in_repair", description="The state of the device that it replaced.")
    comment: str = Field("", max_length=500)


class BlockingBody(RequestSchema):
    comment: str = Field("", max_length=500)


OF_DEVICE = ("serial", "manufacturer", "model", "state", "note", "created_at")
OF_UNEXPECTED = (
    *("serial", "model", "address", "expected_serial", "first_seen_at", "last_seen_at"),
    *("decision", "decided_at"),
)
