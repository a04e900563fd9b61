"""The stored request to retire terminals. Alerts register its kind, because they know what it means for the sites."""

from django.db.models import QuerySet

from tms.approvals.kinds import Payload
from tms.fleet.models import DeviceState, Terminal

RETIRE = "retire"


class RetirePayload(Payload, frozen=True):
    terminals: tuple[int, ...]
    device_becomes: DeviceState = DeviceState.SPARE
    comment: str = ""

    @property
    def rows(self) -> QuerySet[Terminal]:
        return Terminal.objects.filter(pk__in=self.terminals)
