"""The last inspection of devices: as a field of queries (`inspected>90d`), and for their list."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Max, OuterRef, Q, Subquery
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
    last = Inspection.objects.valid().filter(device=OuterRef("pk")).order_by("-at", "-pk")  # index: inspection_device
    newest = Device.objects.filter(pk__in=devices).annotate(last=Subquery(last.values("pk")[:1]))
    return {found.device_id or 0: found for found in Inspection.objects.filter(pk__in=newest.values("last"))}


def _inspected(operator: Operator, wanted: Any, at: datetime) -> Q:
    # An aggregate, because a subquery would look up each device for itself, and twice if it may be without any.
    last = Max("inspections__at", filter=Q(inspections__superseded_at=None))
    devices = Device.objects.order_by().annotate(inspected_at=last)
    return Q(pk__in=devices.filter(MOMENT.compare("inspected_at", operator, wanted, at)).values("pk"))
