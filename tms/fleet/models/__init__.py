"""The models of the fleet. Django finds them here; other apps import them from here."""

from tms.fleet.models.credential import Credential, EnrolmentToken
from tms.fleet.models.node import Node
from tms.fleet.models.opening_hours import OpeningHours, SpecialDay
from tms.fleet.models.outage import Outage
from tms.fleet.models.presence import PresenceChange
from tms.fleet.models.site import OnHolidays, Site
from tms.fleet.models.site_contact import SiteContact
from tms.fleet.models.states import BY_URGENCY, CAUSED_BY_TMS, Cause, Presence, Status
from tms.fleet.models.terminal import SEARCHED, Group, StateQuerySet, Terminal, TerminalKind, TerminalState

__all__ = [
    "BY_URGENCY",
    "CAUSED_BY_TMS",
    "SEARCHED",
    "Cause",
    "Credential",
    "EnrolmentToken",
    "Group",
    "Node",
    "OnHolidays",
    "OpeningHours",
    "Outage",
    "Presence",
    "PresenceChange",
    "Site",
    "SiteContact",
    "SpecialDay",
    "StateQuerySet",
    "Status",
    "Terminal",
    "TerminalKind",
    "TerminalState",
]
