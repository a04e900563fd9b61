"""The permissions of actions. Everyone signed in may read; each action needs one of these."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _


class Permission(models.TextChoices):
    """The value is Django's full name of the permission; the label completes "may …"."""

    HANDLE_ALERTS = "accounts.handle_alerts", _("acknowledge, snooze, assign and resolve alerts and incidents")
    SEND_COMMANDS = "accounts.send_commands", _("send commands to terminals")
    SEND_DANGEROUS_COMMANDS = "accounts.send_dangerous_commands", _("send dangerous commands, such as a reboot")
    PLAN_MAINTENANCE = "accounts.plan_maintenance", _("plan, extend and end maintenance")
    WRITE_NOTES = "accounts.write_notes", _("write notes for the next shift")
    SEND_DIGESTS = "accounts.send_digests", _("send shift digests")
    RESEND_DELIVERIES = "accounts.resend_deliveries", _("resend notifications")
    OVERRIDE_SHIFTS = "accounts.override_shifts", _("override on-call shifts")
    EDIT_RULES = "accounts.edit_rules", _("change rules and correlation settings")
    EDIT_DESTINATIONS = "accounts.edit_destinations", _("change destinations")
    EDIT_POLICIES = "accounts.edit_policies", _("change notification policies")
    EDIT_ROTATIONS = "accounts.edit_rotations", _("change rotations")
    PLAN_DIGESTS = "accounts.plan_digests", _("schedule shift digests")
    EDIT_SITES = "fleet.change_site", _("change sites and their opening hours")

    @property
    def key(self) -> str:
        """The name in templates and style sheets: `handle_alerts`."""
        return self.name.lower()

    @property
    def codename(self) -> str:
        return self.value.partition(".")[2]

    @classmethod
    def of_actions(cls) -> list[Self]:
        """Those that belong to no model; `Action` declares them."""
        return [permission for permission in cls if permission.value.startswith("accounts.")]


class Action(models.Model):  # noqa: DJ008  (there is never a row)
    """Has no table: it declares the permissions of actions, so that groups can have them."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [(permission.codename, f"Can {permission.label}") for permission in Permission.of_actions()]
        verbose_name = _("action")
        verbose_name_plural = _("actions")
