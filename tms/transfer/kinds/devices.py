"""Devices in files. Those without a serial number cannot be named, and are in none."""

from collections.abc import Collection, Sequence
from itertools import batched

import msgspec
from django.utils.translation import gettext_lazy as _

from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.fleet.models import AttributeSubject, Device, DeviceState, Placement
from tms.lib.db import rows as db_rows
from tms.transfer.kinds.base import BATCH, Reach, Work, check_site, delete_unused, site_pks, split_rows
from tms.transfer.kinds.cells import FileColumn, choice, lines, site_code, text
from tms.transfer.kinds.labelled import TAG_COLUMN, LabelledRows
from tms.transfer.rows import FileRow, Key, StoredRow

OWN = ("manufacturer", "model", "state", "note")


class DeviceUpdate(msgspec.Struct, frozen=True, gc=False):
    id: int
    manufacturer: str
    model: str
    state: str
    note: str
    site_id: int | None


class DeviceRows(LabelledRows):
    name = "devices"
    label = _("Devices")
    model = Device
    subject = AttributeSubject.DEVICE
    permission = Permission.MANAGE_TERMINALS
    key = ("serial",)
    columns = (
        FileColumn("serial", text(64), ("KX21-000123", "KX21-000124"), is_required=True),
        FileColumn("manufacturer", text(64), ("Kiosk Works", "Kiosk Works")),
        FileColumn("model", text(64), ("KX-21", "KX-21")),
        FileColumn("state", choice(DeviceState), ("spare", "in_repair"), default=DeviceState.SPARE.value),
        FileColumn("site", site_code, ("SJK", "SJK")),
        FileColumn("note", lines(500)),
        TAG_COLUMN,
    )

    def stored_rows(self, keys: Collection[Key], reach: Reach) -> dict[Key, StoredRow]:
        columns = ("pk", "serial", "site__code", *OWN)
        return {
            (serial,): StoredRow(pk, {**dict(zip(OWN, values, strict=True)), "site": site or ""})
            for some in batched([serial for (serial,) in keys], BATCH)
            for pk, serial, site, *values in Device.objects.filter(serial__in=some).order_by().values_list(*columns)
        }

    def check(self, rows: Sequence[FileRow], reach: Reach) -> None:
        self.check_permitted(rows, reach)
        serving = _serving([row.pk for row in rows if row.pk is not None])
        may_everywhere = reach.may_within(EVERYTHING)
        for row in rows:
            check_site(row, reach)
            if row.after.get("site") == "" and not may_everywhere:
                row.refuse("site", "", "forbidden-site")
            _check_state(row, is_serving=row.pk in serving)
        self.check_labels(rows, reach)

    def write(self, rows: Sequence[FileRow], work: Work) -> None:
        new, changed = split_rows(rows)
        sites = site_pks(row.after["site"] for row in rows if row.after.get("site"))
        for some in batched(new, BATCH):
            made = Device.objects.bulk_create(
                Device(
                    serial=row.key[0],
                    site_id=sites.get(row.after["site"]),
                    **{name: row.after[name] for name in OWN},
                )
                for row in some
            )
            for row, device in zip(some, made, strict=True):
                row.pk = device.pk
            self.write_labels(some, are_new=True)
            work.advance(len(some))
        for some in batched(changed, BATCH):
            devices = Device.objects.select_for_update(of=("self",)).order_by("pk").in_bulk([row.pk for row in some])
            db_rows.update(Device, [_updated(devices[row.stored_pk], row, sites) for row in some])
            self.write_labels(some)
            work.advance(len(some))

    def delete(self, rows: Sequence[FileRow], work: Work) -> set[Key]:
        return delete_unused(Device, rows, self.stored([row.key for row in rows], work.reach))

    def keys(self, reach: Reach) -> list[Key]:
        known = reach.visible(Device.objects.exclude(serial="")).order_by("serial")
        return [(serial,) for serial in known.values_list("serial", flat=True)]


def _updated(device: Device, row: FileRow, sites: dict[str, int]) -> DeviceUpdate:
    values = {name: row.after.get(name, getattr(device, name)) for name in OWN}
    site = sites.get(row.after["site"]) if "site" in row.after else device.site_id
    return DeviceUpdate(device.pk, **values, site_id=site)


def _serving(pks: Sequence[int]) -> set[int]:
    return {
        pk
        for some in batched(pks, BATCH)
        for pk in Placement.objects.open().filter(device__in=some).values_list("device", flat=True)
    }


def _check_state(row: FileRow, *, is_serving: bool) -> None:
    if is_serving and (column := next((name for name in ("state", "site") if name in row.after), "")):
        row.refuse(column, row.after[column], "device-serves")
    elif not is_serving and row.after.get("state") == DeviceState.IN_SERVICE:
        row.refuse("state", row.after["state"], "device-not-placed")
