"""The models of the fleet. Django finds them here; other apps import them from here."""

from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models.attribute import (
    Attribute,
    AttributeSubject,
    AttributeType,
    DeviceAttribute,
    SiteAttribute,
    TerminalAttribute,
)
from tms.fleet.models.credential import Credential, EnrolmentToken
from tms.fleet.models.device import Device, DeviceState, Placement
from tms.fleet.models.identity_change import IdentityChange, IdentityField, IdentitySource
from tms.fleet.models.node import Node
from tms.fleet.models.opening_hours import OpeningHours, SpecialDay
from tms.fleet.models.outage import Outage
from tms.fleet.models.presence import PresenceChange
from tms.fleet.models.region import Region
from tms.fleet.models.saved_view import SavedView, ViewedList
from tms.fleet.models.site import OnHolidays, Site
from tms.fleet.models.site_contact import SiteContact
from tms.fleet.models.states import BY_URGENCY, CAUSED_BY_TMS, Cause, Presence, Status
from tms.fleet.models.tag import DeviceTag, SiteTag, TerminalTag
from tms.fleet.models.terminal import SEARCHED, Group, StateQuerySet, Terminal, TerminalKind, TerminalState
from tms.fleet.models.unexpected_device import UnexpectedDevice

__all__ = [
    "BY_URGENCY",
    "CAUSED_BY_TMS",
    "SEARCHED",
    "Attribute",
    "AttributeSubject",
    "AttributeType",
    "Cause",
    "Credential",
    "Device",
    "DeviceAttribute",
    "DeviceState",
    "DeviceTag",
    "EnrolmentToken",
    "Group",
    "IdentityChange",
    "IdentityField",
    "IdentitySource",
    "Lifecycle",
    "Node",
    "OnHolidays",
    "OpeningHours",
    "Outage",
    "Placement",
    "Presence",
    "PresenceChange",
    "Region",
    "SavedView",
    "Site",
    "SiteAttribute",
    "SiteContact",
    "SiteTag",
    "SpecialDay",
    "StateQuerySet",
    "Status",
    "Terminal",
    "TerminalAttribute",
    "TerminalKind",
    "TerminalState",
    "TerminalTag",
    "UnexpectedDevice",
    "ViewedList",
]
