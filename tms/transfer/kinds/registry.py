"""Every kind of rows that a file may hold, in the order in which a new fleet is filled."""

from tms.transfer.kinds.base import RowKind
from tms.transfer.kinds.contacts import ContactRows
from tms.transfer.kinds.devices import DeviceRows
from tms.transfer.kinds.groups import GroupRows
from tms.transfer.kinds.hours import HoursRows
from tms.transfer.kinds.regions import RegionRows
from tms.transfer.kinds.sites import SiteRows
from tms.transfer.kinds.terminals import TerminalRows

KINDS: dict[str, RowKind] = {
    kind.name: kind
    for kind in (RegionRows(), SiteRows(), HoursRows(), ContactRows(), DeviceRows(), TerminalRows(), GroupRows())
}
