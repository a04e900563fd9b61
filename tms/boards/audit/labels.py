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

from tms.alerts.models import IncidentTransitionKind, TransitionKind
from tms.commands import catalogue

ACTIONS: Mapping[str, str | Promise] = {
    "created": pgettext_lazy("audit", "Created"),
    "changed": pgettext_lazy("audit", "Changed"),
    "deleted": pgettext_lazy("audit", "Deleted"),
    "restored": pgettext_lazy("audit", "Restored"),
    "reset": pgettext_lazy("audit", "Reset"),
    "extended": pgettext_lazy("audit", "Extended"),
    "outgrown": pgettext_lazy("audit", "Outgrew its approval"),
    "covered": pgettext_lazy("audit", "Covers all again"),
    "ended": pgettext_lazy("audit", "Ended"),
    "cancelled": pgettext_lazy("audit", "Cancelled"),
    "paused": pgettext_lazy("audit", "Paused"),
    "resumed": pgettext_lazy("audit", "Resumed"),
    "stopped": pgettext_lazy("audit", "Stopped by TMS"),
    "revoked": pgettext_lazy("audit", "Revoked"),
    "closed": pgettext_lazy("audit", "Closed"),
    "paired": pgettext_lazy("audit", "Paired"),
    "granted": pgettext_lazy("audit", "Granted"),
    "withdrawn": pgettext_lazy("audit", "Withdrawn"),
    "invited": pgettext_lazy("audit", "Invited"),
    "invited-again": pgettext_lazy("audit", "Invited again"),
    "invitation-accepted": pgettext_lazy("audit", "Invitation accepted"),
    "member-added": pgettext_lazy("audit", "Member added"),
    "member-removed": pgettext_lazy("audit", "Member removed"),
    "provisioned": pgettext_lazy("audit", "Provisioned"),
    "deprovisioned": pgettext_lazy("audit", "Deprovisioned"),
    "released": pgettext_lazy("audit", "Managed in TMS"),
    "disabled": pgettext_lazy("audit", "Disabled"),
    "enabled": pgettext_lazy("audit", "Enabled"),
    "name-confirmed": pgettext_lazy("audit", "Name confirmed"),
    "sessions-ended": pgettext_lazy("audit", "Signed out everywhere"),
    "rotated": pgettext_lazy("audit", "Key rotated"),
    "session-ended": pgettext_lazy("audit", "Session ended"),
    "factor-added": pgettext_lazy("audit", "Factor added"),
    "factor-removed": pgettext_lazy("audit", "Factor removed"),
    "recovery-codes-made": pgettext_lazy("audit", "Recovery codes made"),
    "recovery-code-used": pgettext_lazy("audit", "Recovery code used"),
    "passkey-counter-back": pgettext_lazy("audit", "Passkey counter went back"),
    "password-reset": pgettext_lazy("audit", "Password reset"),
    "break-glass-used": pgettext_lazy("audit", "Break-glass account used"),
    "password-changed": pgettext_lazy("audit", "Password changed"),
    "key-issued": pgettext_lazy("audit", "Key issued"),
    "key-renewed": pgettext_lazy("audit", "Key renewed"),
    "key-revoked": pgettext_lazy("audit", "Key revoked"),
    "enrolment-token-made": pgettext_lazy("audit", "Enrolment token created"),
    "enrolment-token-withdrawn": pgettext_lazy("audit", "Enrolment token withdrawn"),
    "enrolled": pgettext_lazy("audit", "Enrolled"),
    "moved": pgettext_lazy("audit", "Moved"),
    "state-changed": pgettext_lazy("audit", "State changed"),
    "device-replaced": pgettext_lazy("audit", "Device replaced"),
    "device-placed": pgettext_lazy("audit", "Device placed"),
    "replacement-undone": pgettext_lazy("audit", "Replacement undone"),
    "device-swapped": pgettext_lazy("audit", "Device swapped"),
    "device-confirmed": pgettext_lazy("audit", "Device confirmed"),
    "device-blocked": pgettext_lazy("audit", "Device blocked"),
    "members-changed": pgettext_lazy("audit", "Members changed"),
    "tags-changed": pgettext_lazy("audit", "Tags changed"),
    "tag-renamed": pgettext_lazy("audit", "Tag renamed"),
    "tag-deleted": pgettext_lazy("audit", "Tag deleted"),
    "attributes-changed": pgettext_lazy("audit", "Attributes changed"),
    "factory-list-read": pgettext_lazy("audit", "Factory list read"),
    "keys-rotated": pgettext_lazy("audit", "Keys of a site rotated"),
    "identity-linked": pgettext_lazy("audit", "Linked to a provider"),
    "identity-unlinked": pgettext_lazy("audit", "Unlinked from a provider"),
    "logged-out": pgettext_lazy("audit", "Signed out by a provider"),
    "checked": pgettext_lazy("audit", "Provider checked"),
    "sign-in-tested": pgettext_lazy("audit", "Sign-in tested"),
    "signed-in": pgettext_lazy("audit", "Signed in"),
    "signed-out": pgettext_lazy("audit", "Signed out"),
    "sign-in-failed": pgettext_lazy("audit", "Sign-in failed"),
    "unclaimed": pgettext_lazy("audit", "Claim released"),
    "commented": pgettext_lazy("audit", "Commented"),
    "joined": pgettext_lazy("audit", "Alerts added"),
    "moved_out": pgettext_lazy("audit", "Alerts moved out"),
    "merged": pgettext_lazy("audit", "Merged"),
    "commanded": pgettext_lazy("audit", "Sent a command"),
    "file-downloaded": pgettext_lazy("audit", "File downloaded"),
    "broken": pgettext_lazy("audit", "Demo fault"),
    "fault-undone": pgettext_lazy("audit", "Demo fault undone"),
    "requested": pgettext_lazy("audit", "Asked for approval"),
    "approved": pgettext_lazy("audit", "Approved"),
    "rejected": pgettext_lazy("audit", "Rejected"),
    "expired": pgettext_lazy("audit", "Expired"),
    "acted-alone": pgettext_lazy("audit", "Acted without a second person"),
    "imported": pgettext_lazy("audit", "Imported"),
    "inspected": pgettext_lazy("audit", "Device inspected"),
    "round-started": pgettext_lazy("audit", "Inspection round started"),
    "round-closed": pgettext_lazy("audit", "Inspection round closed"),
    "import-undone": pgettext_lazy("audit", "Import undone"),
    "bulk-edited": pgettext_lazy("audit", "Terminals edited"),
    "bulk-edit-undone": pgettext_lazy("audit", "Edit of terminals undone"),
    "exported": pgettext_lazy("audit", "Exported"),
    "signed-off": pgettext_lazy("audit", "Digest signed off"),
    "digest-sent": pgettext_lazy("audit", "Digest sent"),
    "report-sent": pgettext_lazy("audit", "Report sent"),
    "resent": pgettext_lazy("audit", "Resent"),
    "tested": pgettext_lazy("audit", "Test sent"),
    "anchored": pgettext_lazy("audit", "Anchored"),
    "purged": pgettext_lazy("audit", "Purged"),
    "added": pgettext_lazy("audit", "Added"),
    "removed": pgettext_lazy("audit", "Removed"),
    "asked": pgettext_lazy("audit", "Asked for approval"),
    "configured": pgettext_lazy("audit", "Configuration sent"),
    "confirmed": pgettext_lazy("audit", "Confirmed"),
    "continued": pgettext_lazy("audit", "Continued"),
    "discarded": pgettext_lazy("audit", "Discarded"),
    "drafted": pgettext_lazy("audit", "Drafted"),
    "made-ready": pgettext_lazy("audit", "Made ready"),
    "planned": pgettext_lazy("audit", "Planned"),
    "retried": pgettext_lazy("audit", "Tried again"),
    "values-changed": pgettext_lazy("audit", "Values changed"),
    "rolled_back": pgettext_lazy("audit", "Rolled back"),
}
DEMO_FAULTS: Mapping[Any, str | Promise] = {
    "cut-site": _("line cut"),
    "heat": _("heat"),
    "use-up-paper": _("paper empty"),
    "jam-reader": _("card reader"),
    "clone": _("clone"),
    "crash": _("crash"),
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
    "added": _("added"),
    "removed": _("removed"),
    "expires_at": _("expires at"),
    "uses": _("number of uses"),
    "contacts": _("contacts"),
    "format": _("format"),
    "filter": _("filter"),
    "rows": _("rows"),
    "entries": _("entries"),
    "account": _("account"),
    "factors": _("with"),
    "steps": _("escalation steps"),
    "members": _("people on call"),
    "opening_hours": _("opening hours"),
    "special_days": _("special days"),
    "note": _("note"),
    "alerts.window.note": _("Purpose"),
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
    "site": _("site"),
    "sites": _("sites"),
    "group": _("group"),
    "groups": _("groups"),
    "terminal": _("terminal"),
    "terminals": _("terminals"),
    "devices": _("devices"),
    "tag": _("tag"),
    "person": _("person"),
    "position": _("position"),
    "weekdays": _("weekdays"),
    "hours_days": _("weekdays"),
    "after_s": _("after (seconds)"),
    "destination": _("destination"),
    "destinations": _("destinations"),
    "rotations": _("rotations"),
    "public_values": _("settings of the service"),
    "encrypted_secrets": _("secrets"),
    "is_personal": _("personal"),
    "is_mobile": _("phone"),
    "key": _("key"),
    "higher_thresholds": _("thresholds of higher severities"),
    "is_active": _("active"),
    "times": _("times"),
    "covered_until": _("covered until"),
    "customer": _("customer"),
    "factor_due_at": _("second factor due"),
    "created_at": _("created"),
    "created_by": _("created by"),
    "deleted_at": _("deleted"),
    "digest": _("fingerprint"),
    "address_digest": _("fingerprint"),
    "external_id": _("external ID"),
    "rotation": _("rotation"),
    "policy": _("policy"),
    "words": _("search words"),
    "retry_at": _("next attempt"),
    "next_at": _("next due"),
}
"""Fields that no model has, or to which their model gives no name."""
KINDS: Mapping[str, str | Promise] = {
    "accounts.auditday": _("chain of"),
    "availability.siteday": _("availability"),
    "fleet.terminaltag": _("tag"),
    "shifts.note": _("note"),
}
"""Kinds with a name of their own here."""
MAX_CHARACTERS = 80


def action_label(action: str) -> str:
    """An operator action is recorded under the name of its transition, and has its label unless it is in `ACTIONS`."""
    return str(ACTIONS.get(action) or _label_of_transition(action) or action.replace("-", " ").capitalize())


def _label_of_transition(action: str) -> str | Promise:
    kinds = IncidentTransitionKind.__members__ | TransitionKind.__members__
    return kinds[name].label if (name := action.upper()) in kinds else ""


def kind_label(kind: str, *, is_one: bool = True) -> str:
    """The name of a kind of object: *rule* for `alerts.rule`. A kind that no longer exists keeps its own."""
    found = model_of(kind)
    if kind in KINDS or found is None:
        return str(KINDS.get(kind, kind))
    return str(found._meta.verbose_name if is_one else found._meta.verbose_name_plural)


def field_label(kind: str, name: str) -> str:
    default = name.replace("_", " ")
    label = default if kind in KINDS else getattr(_field(kind, name), "verbose_name", default)
    return str(label if label != default else FIELDS.get(f"{kind}.{name}") or FIELDS.get(name, default))


def value_label(kind: str, name: str, value: object) -> str:
    """A value before or after a change, in a line: the label of a choice, fields of related rows by name."""
    if value is None or value in ("", [], {}):
        return gettext("nothing")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return gettext(", ").join(value_label(kind, name, each) for each in value)
    field = _field(kind, name)
    if isinstance(value, dict):
        inner = field.related_model._meta.label_lower if field is not None and field.related_model else kind
        parts = [(key, each) for key, each in value.items() if each not in (None, "", [], {})]
        return gettext(", ").join(f"{field_label(inner, key)} {value_label(inner, key, each)}" for key, each in parts)
    if name == "command" and isinstance(value, str):
        spec = catalogue.find(value)
        return str(spec.label) if spec else value
    if name == "fault":
        return str(DEMO_FAULTS.get(value, value))
    choices = dict(getattr(field, "flatchoices", ())) if isinstance(value, str) else {}
    return str(choices.get(value, value))


def model_of(kind: str) -> type[models.Model] | None:
    try:
        return apps.get_model(kind)
    except (LookupError, ValueError):
        return None


def _field(kind: str, name: str) -> Any:
    """The field of a model, also of rows that belong to it; None if there is none."""
    found = model_of(kind)
    with suppress(FieldDoesNotExist):
        return found._meta.get_field(name) if found is not None and name else None
    return None


def shortened(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"
