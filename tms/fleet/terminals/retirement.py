"""Stored requests to retire or move terminals, and to close a site. Alerts register their kinds."""

from typing import Self

from django.db.models import QuerySet

from tms.approvals.kinds import Payload
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import DeviceState, Site, Terminal


class RetirePayload(Payload, frozen=True):
    terminals: tuple[int, ...]
    device_becomes: DeviceState = DeviceState.SPARE
    comment: str = ""

    @property
    def rows(self) -> QuerySet[Terminal]:
        return Terminal.objects.filter(pk__in=self.terminals)


class ClosePayload(RetirePayload, frozen=True):
    """All terminals of a site that is closed for good."""

    site: int = 0

    @classmethod
    def of(cls, site: Site, device_becomes: DeviceState, comment: str) -> Self:
        in_use = site.terminals.exclude(lifecycle=Lifecycle.RETIRED).order_by("pk").values_list("pk", flat=True)
        return cls(tuple(in_use), device_becomes, comment, site.pk)


class MovePayload(Payload, frozen=True):
    """Terminals that move to a site."""

    terminals: tuple[int, ...]
    site: int

    @property
    def rows(self) -> QuerySet[Terminal]:
        return Terminal.objects.filter(pk__in=self.terminals)
