"""Presence, status and their causes: the values of a terminal's state."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Presence(models.TextChoices):
    """What TMS knows of the link to a terminal; independent of what the terminal reports and what people plan."""

    ONLINE = "online", pgettext_lazy("presence", "Online")
    SILENT = "silent", pgettext_lazy("presence", "Silent")
    REBOOTING = "rebooting", pgettext_lazy("presence", "Rebooting")
    CLOSED = "closed", pgettext_lazy("presence", "Closed")
    OFFLINE = "offline", pgettext_lazy("presence", "Offline")
    NEVER = "never", pgettext_lazy("presence", "Never seen")


BY_URGENCY = (
    Presence.OFFLINE,
    Presence.SILENT,
    Presence.REBOOTING,
    Presence.CLOSED,
    Presence.NEVER,
    Presence.ONLINE,
)
"""Presences by urgency."""


class Status(models.TextChoices):
    """What a terminal reports about itself."""

    OK = "ok", pgettext_lazy("status", "OK")
    DEGRADED = "degraded", pgettext_lazy("status", "Degraded")
    FAULT = "fault", pgettext_lazy("status", "Fault")


class Cause(models.TextChoices):
    """The cause of a terminal's presence."""

    NONE = "", ""
    REBOOT = "reboot", _("announced reboot")
    UPDATE = "update", _("announced update")
    CLOSING = "closing", _("announced closing time")
    SHUTDOWN = "shutdown", _("shut down normally")
    CONNECTION_LOST = "connection_lost", _("connection lost")
    LEASE_RAN_OUT = "lease_ran_out", _("no data received")
    DID_NOT_RETURN = "did_not_return", _("not back on time")
    NODE_STOPPED = "node_stopped", _("TMS restarted")
    NODE_LOST = "node_lost", _("TMS node lost")
    REPLACED = "replaced", _("credential used elsewhere")


CAUSED_BY_TMS = frozenset({Cause.NODE_STOPPED, Cause.NODE_LOST})
"""Silences that TMS itself caused."""
