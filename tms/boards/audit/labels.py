"""Names of actions, objects and fields in the audit trail."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

ACTIONS: Mapping[str, str | Promise] = {
    "created": pgettext_lazy("audit", "Created"),
    "changed": pgettext_lazy("audit", "Changed"),
    "deleted": pgettext_lazy("audit", "Deleted"),
    "restored": pgettext_lazy("audit", "Restored"),
    "reset": pgettext_lazy("audit", "Reset"),
    "extended": pgettext_lazy("audit", "Extended"),
    "ended": pgettext_lazy("audit", "Ended"),
    "cancelled": pgettext_lazy("audit", "Cancelled"),
    "revoked": pgettext_lazy("audit", "Revoked"),
    "paired": pgettext_lazy("audit", "Paired"),
    "granted": pgettext_lazy("audit", "Granted"),
    "withdrawn": pgettext_lazy("audit", "Withdrawn"),
    "invited": pgettext_lazy("audit", "Invited"),
    "invited-again": pgettext_lazy("audit", "Invited again"),
    "invitation-accepted": pgettext_lazy("audit", "Invitation accepted"),
    "member-added": pgettext_lazy("audit", "Member added"),
    "member-removed": pgettext_lazy("audit", "Member removed"),
    "disabled": pgettext_lazy("audit", "Disabled"),
    "enabled": pgettext_lazy("audit", "Enabled"),
    "sessions-ended": pgettext_lazy("audit", "Signed out everywhere"),
    "rotated": pgettext_lazy("audit", "Key rotated"),
    "session-ended": pgettext_lazy("audit", "Session ended"),
    "factor-added": pgettext_lazy("audit", "Factor added"),
    "factor-removed": pgettext_lazy("audit", "Factor removed"),
    "recovery-codes-made": pgettext_lazy("audit", "Recovery codes made"),
    "recovery-code-used": pgettext_lazy("audit", "Recovery code used"),
    "password-reset": pgettext_lazy("audit", "Password reset"),
    "break-glass-used": pgettext_lazy("audit", "Break-glass account used"),
    "password-changed": pgettext_lazy("audit", "Password changed"),
    "key-issued": pgettext_lazy("audit", "Key issued"),
    "key-renewed": pgettext_lazy("audit", "Key renewed"),
    "key-revoked": pgettext_lazy("audit", "Key revoked"),
    "enrolment-token-made": pgettext_lazy("audit", "Enrolment token created"),
    "enrolled": pgettext_lazy("audit", "Enrolled"),
    "identity-linked": pgettext_lazy("audit", "Linked to a provider"),
    "identity-unlinked": pgettext_lazy("audit", "Unlinked from a provider"),
    "signed-in": pgettext_lazy("audit", "Signed in"),
    "signed-out": pgettext_lazy("audit", "Signed out"),
    "sign-in-failed": pgettext_lazy("audit", "Sign-in failed"),
    "acknowledged": pgettext_lazy("audit", "Acknowledged"),
    "claimed": pgettext_lazy("audit", "Claimed"),
    "unclaimed": pgettext_lazy("audit", "Claim released"),
    "reopened": pgettext_lazy("audit", "Reopened"),
    "snoozed": pgettext_lazy("audit", "Snoozed"),
    "assigned": pgettext_lazy("audit", "Assigned"),
    "commented": pgettext_lazy("audit", "Commented"),
    "resolved": pgettext_lazy("audit", "Resolved"),
    "commanded": pgettext_lazy("audit", "Sent a command"),
    "broken": pgettext_lazy("audit", "Broken in the demo"),
    "fault-undone": pgettext_lazy("audit", "Fault of the demo undone"),
    "requested": pgettext_lazy("audit", "Asked for approval"),
    "approved": pgettext_lazy("audit", "Approved"),
    "rejected": pgettext_lazy("audit", "Rejected"),
    "expired": pgettext_lazy("audit", "Expired"),
    "acted-alone": pgettext_lazy("audit", "Acted without a second person"),
    "exported": pgettext_lazy("audit", "Exported"),
    "digest-sent": pgettext_lazy("audit", "Digest sent"),
    "resent": pgettext_lazy("audit", "Resent"),
    "tested": pgettext_lazy("audit", "Test sent"),
    "anchored": pgettext_lazy("audit", "Anchored"),
    "purged": pgettext_lazy("audit", "Purged"),
}
GROUPS: Mapping[str, str | Promise] = {
    "configuration": _("Configuration"),
    "people": _("People and access"),
    "sign-ins": _("Sign-ins"),
    "alerts": _("Alerts and incidents"),
    "commands": _("Commands"),
    "exports": _("Exports"),
    "chain": _("Anchors and purges"),
}
"""The values of the filter, as in `tms.accounts.audit.search`."""
FIELDS: Mapping[str, str | Promise] = {
    "transitions": _("entries of the history"),
    "alerts": _("number of alerts"),
    "contract": _("contract"),
    "until": _("until"),
    "to": _("to"),
    "by": _("on behalf of"),
    "command": _("command"),
    "args": _("arguments"),
    "id": "ID",
    "action": _("action"),
    "approved_by": _("approved by"),
    "why": _("why"),
    "changed": _("number of changes"),
    "format": _("format"),
    "filter": _("filter"),
    "rows": _("rows"),
    "entries": _("entries"),
    "account": _("account"),
    "factors": _("factors"),
    "steps": _("escalation steps"),
    "members": _("people on call"),
    "opening_hours": _("opening hours"),
    "special_days": _("special days"),
    "note": _("note"),
    "time_zone": _("time zone"),
    "first_on": _("first day"),
    "starts_at": _("begins"),
    "length_s": _("length (seconds)"),
    "rrule": _("recurrence"),
    "occurs_at": _("occurrence from"),
    "occurs_until": _("occurrence until"),
    "ended_at": _("ended"),
    "grants": _("grants"),
    "people": _("people"),
    "mappings": _("group mappings"),
}
"""Fields that no model has, or to which their model gives no name."""
KINDS: Mapping[str, str | Promise] = {"accounts.auditday": _("chain of")}
"""Kinds with a name of their own here."""
LONGEST = 80


def action_label(action: str) -> str:
    return str(ACTIONS.get(action, action.replace("-", " ").capitalize()))


def kind_label(kind: str, *, is_one: bool = True) -> str:
    """The name of a kind of object: *rule* for `alerts.rule`. A kind that no longer exists keeps its own."""
    found = model_of(kind)
    if kind in KINDS or found is None:
        return str(KINDS.get(kind, kind))
    return str(found._meta.verbose_name if is_one else found._meta.verbose_name_plural)


def field_label(kind: str, name: str) -> str:
    found = None if kind in KINDS else model_of(kind)
    default = name.replace("_", " ")
    with suppress(FieldDoesNotExist):
        if found is not None and (label := getattr(found._meta.get_field(name), "verbose_name", default)) != default:
            return str(label)
    return str(FIELDS.get(name, default))


def value_label(kind: str, name: str, value: Any) -> str:
    """A value before or after a change, in a line; the label of a choice."""
    found = model_of(kind)
    try:
        choices = dict(getattr(found._meta.get_field(name), "flatchoices", ())) if found and name else {}
    except FieldDoesNotExist:
        choices = {}
    return str(choices[value]) if isinstance(value, str) and value and value in choices else shown(value)


def model_of(kind: str) -> type[models.Model] | None:
    try:
        return apps.get_model(kind)
    except (LookupError, ValueError):
        return None


def shown(value: Any) -> str:
    """A value in a line."""
    if value is None or value in ("", [], {}):
        return gettext("nothing")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(shown(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {shown(each)}" for name, each in value.items() if each != "")
    return str(value)


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
