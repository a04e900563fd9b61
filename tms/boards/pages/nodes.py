"""Was it us? What the overview says while terminals come back that a node of TMS dropped."""

from datetime import datetime

from tms.boards.pages.base import Part
from tms.fleet.nodes import dropped_terminals

TEMPLATE = "boards/losses.html"


def losses_part(at: datetime) -> Part:
    return Part(f"{TEMPLATE}#losses", {"losses": dropped_terminals.followed(at)})
