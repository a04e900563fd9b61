"""Every kind of rows that a file may hold, in the order in which a new fleet is filled."""

from tms.transfer.kinds.base import Kind
from tms.transfer.kinds.contacts import Contacts
from tms.transfer.kinds.devices import Devices
from tms.transfer.kinds.groups import Groups
from tms.transfer.kinds.hours import Hours
from tms.transfer.kinds.regions import Regions
from tms.transfer.kinds.sites import Sites
from tms.transfer.kinds.terminals import Terminals

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (Regions(), Sites(), Hours(), Contacts(), Devices(), Terminals(), Groups())
}
