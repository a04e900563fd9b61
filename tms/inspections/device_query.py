"""The last inspection of devices: as a field of queries (`inspected>90d`), and for their list."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from tms.fleet.device_query import DEVICE_FIELDS
from tms.fleet.models import Device
from tms.inspections.models import Inspection
from tms.query.fields import Field, MovedBy
from tms.query.tree import Operator
from tms.query.value_kinds import MOMENT


def add_fields() -> None:
    label = _("Time since it was last inspected")
    DEVICE_FIELDS.add(Field("inspected", label, MOMENT, compare=_inspected, moved_by=MovedBy.TIME))


def last_inspections(devices: Collection[int]) -> Mapping[int, Inspection]:
    """The last inspection of each of these devices, by the key of the device; those never inspected are missing."""
    newest = Device.objects.filter(pk__in=devices).annotate(last=_last("pk")).exclude(last=None)
    return {found.device_id or 0: found for found in Inspection.objects.filter(pk__in=newest.values("last"))}


def _inspected(operator: Operator, wanted: Any, at: datetime) -> Q:
    devices = Device.objects.annotate(inspected_at=_last("at"))
    return Q(pk__in=devices.filter(MOMENT.compare("inspected_at", operator, wanted, at)).values("pk"))


def _last(column: str) -> Subquery:
    """Of the last inspection of a device (index: inspection_device)."""
    found: QuerySet[Inspection] = Inspection.objects.valid().filter(device=OuterRef("pk"))
    return Subquery(found.order_by("-at", "-pk").values(column)[:1])
