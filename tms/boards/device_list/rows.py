"""The rows of a list of devices, and the same as CSV."""

from collections.abc import Collection, Sequence
from itertools import batched
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from tms.fleet.models import Device, DeviceTag, Placement, Terminal
from tms.inspections.device_query import last_inspections
from tms.inspections.models import Inspection
from tms.lib.csv_export import Cell, More
from tms.lib.pagination import Column, Keyset

BY_SERIAL = Keyset((Column("serial"), Column("pk", int)))
AT_ONCE = 500
HEAD = (
    *("serial", "manufacturer", "model", "state", "site", "site_name", "terminal", "location"),
    *("tags", "last_inspected_at", "result", "note", "id"),
)


class DeviceRow(NamedTuple):
    device: Device
    terminal: Terminal | None
    """The one as which it serves. A person who sees the device sees this terminal."""
    tags: Sequence[str]
    inspected: Inspection | None
    """The last inspection, wherever it served then."""


def device_rows(pks: Sequence[int]) -> list[DeviceRow]:
    """Four queries, for any number of devices."""
    devices = Device.objects.select_related("site").in_bulk(pks)
    placed = Placement.objects.open().filter(device__in=pks).select_related("terminal")
    terminals = {placement.device_id: placement.terminal for placement in placed}
    tags, inspected = _tags(pks), last_inspections(pks)
    return [
        DeviceRow(devices[pk], terminals.get(pk), tags.get(pk, ()), inspected.get(pk)) for pk in pks if pk in devices
    ]


def rows_to_export(devices: QuerySet[Device]) -> More:
    """Keys are read at once, the rows in chunks."""
    chunks = batched(devices.order_by("serial", "pk").values_list("pk", flat=True), AT_ONCE)
    return lambda: [_cells(row) for row in device_rows(next(chunks, ()))]


def _tags(pks: Collection[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for pk, name in DeviceTag.objects.filter(device__in=pks).order_by("name").values_list("device", "name"):
        found.setdefault(pk, []).append(name)
    return found


def _cells(row: DeviceRow) -> Sequence[Cell]:
    device, site, terminal = row.device, row.device.site, row.terminal
    return (
        device.serial,
        device.manufacturer,
        device.model,
        device.state,
        site.code if site else "",
        site.local_name if site else "",
        terminal.uid if terminal else "",
        terminal.label if terminal else "",
        " ".join(row.tags),
        timezone.localtime(row.inspected.at).isoformat(timespec="minutes") if row.inspected else "",
        row.inspected.result if row.inspected else "",
        device.note,
        device.pk,
    )
