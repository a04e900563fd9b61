"""The permissions of actions: a role is a set of them, a grant gives a role for a scope (`tms.accounts.access`)."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Permission(models.TextChoices):
    """The value is its public name, in the API's errors and in the documentation; the label completes "may …"."""

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
    EDIT_SITES = "fleet.change_site", _("create, change and close sites, with their hours and contacts")
    MANAGE_TERMINALS = "fleet.manage_terminals", _("create, edit, move, replace and retire terminals")
    ENROL_TERMINALS = "fleet.enrol_terminals", _("enrol terminals, and issue, rotate and revoke their keys")
    MANAGE_GROUPS = "fleet.manage_groups", _("change groups of terminals")
    IMPORT_FLEET = "fleet.import_fleet", _("import sites and terminals from files")
    INSPECT_TERMINALS = "inspections.inspect_terminals", _("inspect devices, and record what they found")
    MANAGE_INSPECTIONS = "inspections.manage_inspections", _("start and close inspection rounds")
    RUN_JOBS = "fleet.run_jobs", _("run jobs: a command on many terminals")
    RUN_ROLLOUTS = "fleet.run_rollouts", _("roll out software and configurations, and approve, stop and roll back")
    EDIT_CONFIGURATION = "fleet.edit_configuration", _("change configuration values")
    MANAGE_ARTIFACTS = "fleet.manage_artifacts", _("upload and withdraw artifacts, and change signing keys")
    DEFINE_COMMANDS = "fleet.define_commands", _("define commands of terminals")
    MANAGE_PEOPLE = "accounts.manage_people", _("manage people, teams and their grants")
    EDIT_ROLES = "accounts.edit_roles", _("change roles")
    EDIT_PROVIDERS = "accounts.edit_providers", _("change identity providers, and so who may sign in")
    READ_AUDIT = "accounts.read_audit", _("read the audit trail")
    MANAGE_TOKENS = "accounts.manage_tokens", _("issue and revoke API tokens of service accounts")
    MANAGE_SCREENS = "accounts.manage_screens", _("pair, change and revoke wall screens")

    @property
    def key(self) -> str:
        """The name in templates and style sheets: `handle_alerts`."""
        return self.name.lower()
