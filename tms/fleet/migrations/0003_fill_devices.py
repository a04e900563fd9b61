"""Regions from the names at sites, a device for each terminal, and planned terminals.

Each batch is a transaction of its own, so that no lock lasts long: the release before serves meanwhile. Running it again
continues where it ended.
"""

from datetime import datetime
from itertools import batched
from typing import Any

from django.db import migrations, transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q
from django.db.models.functions import Now

BATCH = 1_000
NAMED = (
    ("fleet", "Site", "region"),
    ("accounts", "Grant", "region"),
    ("accounts", "GroupMapping", "region"),
    ("accounts", "WallScreen", "region"),
)


def fill_regions(apps: Any, schema_editor: Any) -> None:
    names: set[str] = set()
    for app, model, column in NAMED:
        rows = apps.get_model(app, model).objects.exclude(**{column: ""})
        names.update(rows.values_list(column, flat=True).distinct())
    region = apps.get_model("fleet", "Region")
    known = set(region.objects.values_list("name", flat=True))
    region.objects.bulk_create([region(name=name) for name in sorted(names - known)])


def fill_devices(apps: Any, schema_editor: Any) -> None:
    """One serial number at several terminals stays with the one that was seen last; the others get a device without."""
    terminal, placement = apps.get_model("fleet", "Terminal"), apps.get_model("fleet", "Placement")
    missing = terminal.objects.filter(~Exists(placement.objects.filter(terminal=OuterRef("pk")))).order_by("pk")
    owner_of = _owners_of_serials(apps)
    for pks in batched(list(missing.values_list("pk", flat=True)), BATCH):
        with transaction.atomic():
            _place(apps, list(terminal.objects.filter(pk__in=pks).order_by("pk")), owner_of)


def _owners_of_serials(apps: Any) -> dict[str, int]:
    """The terminal that keeps a serial number, for those that several terminals reported."""
    terminal, device = apps.get_model("fleet", "Terminal"), apps.get_model("fleet", "Device")
    reported = terminal.objects.exclude(serial="").order_by()
    several = reported.values("serial").annotate(number=Count("pk")).filter(number__gt=1).values("serial")
    rows = reported.filter(serial__in=several).order_by(F("state__last_seen_at").asc(nulls_first=True), "pk")
    owner_of = dict(rows.values_list("serial", "pk"))
    return owner_of | dict.fromkeys(device.objects.exclude(serial="").values_list("serial", flat=True), 0)


def _place(apps: Any, terminals: list[Any], owner_of: dict[str, int]) -> None:
    device, placement = apps.get_model("fleet", "Device"), apps.get_model("fleet", "Placement")
    devices = device.objects.bulk_create(
        device(
            serial=row.serial if owner_of.get(row.serial, row.pk) == row.pk else "",
            model=row.model,
            state="in_service",
            site_id=row.site_id,
        )
        for row in terminals
    )
    placed = list(zip(devices, terminals, strict=True))
    placement.objects.bulk_create(
        placement(device=device, terminal=row, began_at=row.created_at) for device, row in placed
    )
    keys = list(apps.get_model("fleet", "Credential").objects.filter(terminal__in=terminals, device=None))
    device_of = {row.pk: device for device, row in placed}
    for key in keys:
        key.device = device_of[key.terminal_id]
    apps.get_model("fleet", "Credential").objects.bulk_update(keys, ["device"], batch_size=500)


def fill_lifecycle(apps: Any, schema_editor: Any) -> None:
    """Never seen: planned. Seen, but without a valid key: out of service since the last key ended."""
    terminal = apps.get_model("fleet", "Terminal")
    in_service = terminal.objects.filter(lifecycle="in_service").order_by("pk")
    never = in_service.filter(state__presence="never", state__last_seen_at=None)
    for pks in batched(list(never.values_list("pk", flat=True)), BATCH):
        terminal.objects.filter(pk__in=pks).update(lifecycle="planned")
    for rows in batched(_without_key(apps, in_service), BATCH):
        with transaction.atomic():
            _take_out_of_service(apps, dict(rows))


def _without_key(apps: Any, terminals: Any) -> list[tuple[int, datetime]]:
    """The terminals without a valid key, and when their last one ended."""
    key = apps.get_model("fleet", "Credential")
    valid = key.objects.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), terminal=OuterRef("pk"), revoked_at=None)
    ended = terminals.filter(~Exists(valid), credentials__isnull=False, state__last_seen_at__isnull=False)
    last = ended.annotate(
        revoked=Max("credentials__revoked_at"),
        expired=Max("credentials__expires_at", filter=Q(credentials__revoked_at=None)),
    )
    rows = last.values_list("pk", "revoked", "expired")
    return [(pk, max(filter(None, (revoked, expired)))) for pk, revoked, expired in rows]


def _take_out_of_service(apps: Any, ended_at: dict[int, datetime]) -> None:
    terminal, change = apps.get_model("fleet", "Terminal"), apps.get_model("fleet", "IdentityChange")
    rows = list(terminal.objects.filter(pk__in=ended_at, lifecycle="in_service"))
    for row in rows:
        row.lifecycle, row.lifecycle_at = "out_of_service", ended_at[row.pk]
    terminal.objects.bulk_update(rows, ["lifecycle", "lifecycle_at"], batch_size=500)
    change.objects.bulk_create(
        change(
            terminal=row,
            at=row.lifecycle_at,
            field="lifecycle",
            before="in_service",
            after="out_of_service",
            source="person",
        )
        for row in rows
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("fleet", "0002_lifecycle"),
        ("accounts", "0003_region_of_screens"),
    ]

    operations = [
        migrations.RunPython(fill_regions, migrations.RunPython.noop),
        migrations.RunPython(fill_devices, migrations.RunPython.noop),
        migrations.RunPython(fill_lifecycle, migrations.RunPython.noop),
    ]
