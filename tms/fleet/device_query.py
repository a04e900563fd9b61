"""The fields of queries about devices. Tags, attributes and inspections are added when their apps are ready."""

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.fleet.models import Device, DeviceState, Placement, Site, Terminal
from tms.fleet.search import sites_like
from tms.fleet.suggested_values import Existing, region_names, site_codes
from tms.query.fields import Field, FieldSet
from tms.query.tree import Operator, Value
from tms.query.value_kinds import MOMENT, PART_OF_TEXT, TEXT, choices


def devices_with(word: str) -> Q:
    """Devices with a word in their serial number, manufacturer, model, note or the names of their site."""
    columns = ("serial", "manufacturer", "model", "note")
    found = Q.create([(f"{name}__icontains", word) for name in columns], connector=Q.OR)
    return found | Q(site__in=Site.objects.filter(sites_like(word)).values("pk"))


def _serves_as(operator: Operator, wanted: Value, at: datetime) -> Q:
    placed = Placement.objects.open()
    if not wanted.text:
        return ~Q(pk__in=placed.values("device"))
    return Q(pk__in=placed.filter(TEXT.compare("terminal__uid", operator, wanted, at)).values("device"))


DEVICE_FIELDS = FieldSet(
    Field("serial", _("Serial number"), TEXT, ("serial",), suggest=Existing(Device, "serial")),
    Field("manufacturer", _("Manufacturer"), TEXT, ("manufacturer",), suggest=Existing(Device, "manufacturer")),
    Field("model", _("Model"), TEXT, ("model",), suggest=Existing(Device, "model")),
    Field("state", pgettext_lazy("device", "State"), choices(dict(DeviceState.choices)), ("state",)),
    Field(
        "site",
        _("Code or name of the site where it is"),
        TEXT,
        ("site__code", "site__name", "site__name_ja"),
        suggest=site_codes,
    ),
    Field("region", _("Region of the site"), TEXT, ("site__region",), suggest=region_names),
    Field(
        "terminal",
        _("UID of the terminal as which it serves"),
        TEXT,
        compare=_serves_as,
        suggest=Existing(Terminal, "uid"),
    ),
    Field("note", _("Part of the note"), PART_OF_TEXT, ("note",)),
    Field("created", _("Age, or the day when it was added"), MOMENT, ("created_at",)),
    words=devices_with,
)
