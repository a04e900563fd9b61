"""The content of messages: composed when a delivery is decided, and read again for each attempt."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import ModuleType
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.display_names import name_of
from tms.alerts.models import Incident
from tms.lib.severity import RANKS, Severity
from tms.notifications import visibility
from tms.notifications.action_links.links import KINDS, MessageLink, token_of
from tms.notifications.action_links.services import LinkOutcome, preview
from tms.notifications.messages import alerts, incidents
from tms.notifications.messages.phrases import ALERTS_PATH, address
from tms.notifications.models.delivery import Delivery, NotificationKind
from tms.notifications.subjects import Subject, site_code_of
from tms.notifications.transports.message import Attachment, Message

MAX_LINES = 20
"""The number of lines for people; machines get all of them."""


def compose(delivery: Delivery, subjects: Sequence[Subject], *, at: datetime) -> dict[str, object]:
    """The content of a message, as it is stored with the delivery. All are alerts, or all are incidents."""
    of, name = (incidents, "incidents") if delivery.is_of_incidents else (alerts, "alerts")
    with translation.override(delivery.language):
        known = [_of_owner(delivery, one) for one in subjects]
        ordered = sorted(known, key=lambda one: (RANKS[one.severity], one.opened_at))
        kind = NotificationKind(delivery.kind)
        return {
            "kind": kind.value,
            "at": at.isoformat(),
            "title": _title(kind, of.about(ordered), first=ordered[0], is_escalated=delivery.step > 0),
            "lines": _lines(of, kind, ordered),
            "facts": {
                "policy": delivery.policy.name if delivery.policy else "",
                "step": delivery.step,
                name: [of.facts(one) for one in ordered],
            },
            "subject": delivery.site_code if delivery.site_code in map(site_code_of, known) else "",
            "severity": ordered[0].severity,
        }


def _of_owner(delivery: Delivery, subject: Subject) -> Subject:
    """An incident with what the owner of the destination, or the person of the browser, may know of it."""
    return visibility.of_scope(subject, delivery.destination.audience) if isinstance(subject, Incident) else subject


def message_of(delivery: Delivery) -> Message:
    content: Mapping[str, Any] = delivery.content
    attached = content.get("attachment")
    return Message(
        **{
            **content,
            "at": datetime.fromisoformat(content["at"]),
            "attachment": Attachment(**attached) if attached else None,
        },
        uid=str(delivery.uid),
        possible_duplicate=delivery.possible_duplicate,
        acknowledge_path=acknowledge_path(delivery),
    )


PLAIN: Mapping[NotificationKind, str | Promise] = {
    NotificationKind.RESOLVED: _("Resolved: %(about)s"),
    NotificationKind.STABLE: _("Flapping stopped, still unresolved: %(about)s"),
    NotificationKind.ASSIGNED: _("Assigned to you: %(about)s"),
    NotificationKind.REMINDER: _("Reminder, no update since you acknowledged: %(about)s"),
}
"""Titles without a severity."""


def _title(kind: NotificationKind, about: str, *, first: Subject, is_escalated: bool) -> str:
    """The title of a message. `about`: the subjects in short; `first`: the most severe of them."""
    if kind in PLAIN:
        return PLAIN[kind] % {"about": about}
    if kind is NotificationKind.ACKNOWLEDGED:
        who = first.acknowledged_by
        return gettext("Acknowledged by %(who)s: %(about)s") % {
            "who": name_of(who).text if who else "TMS",
            "about": about,
        }
    values = {"severity": Severity(first.severity).label, "about": about}
    if is_escalated:
        return gettext("%(severity)s, still unacknowledged: %(about)s") % values
    if kind is NotificationKind.FLAPPING:
        return gettext("%(severity)s, flapping: %(about)s") % values
    if kind is NotificationKind.WORSENED:
        return gettext("Worsened to %(severity)s: %(about)s") % values
    return gettext("%(severity)s: %(about)s") % values


def _lines(of: ModuleType, kind: NotificationKind, subjects: Sequence[Subject]) -> list[str]:
    lines = [of.line(kind, one) for one in subjects[:MAX_LINES]]
    if (more := len(subjects) - MAX_LINES) > 0:
        lines.append(ngettext("and %d more", "and %d more", more) % more)
    if settings.PUBLIC_URL:
        lines.append(address(of.page_of(subjects[0]) if len(subjects) == 1 else ALERTS_PATH))
    return lines


def acknowledge_path(delivery: Delivery) -> str:
    """The path of the link to acknowledge; empty if there is nothing to acknowledge, or the recipient may not.

    Made for each attempt, and the same each time; the content that is stored with a delivery never has it.
    """
    at = delivery.leased_at or delivery.due_at
    if delivery.kind not in KINDS or not delivery.destination.transport.has_links:
        return ""
    if preview(MessageLink(delivery), at=at).outcome is not LinkOutcome.READY:
        return ""
    return reverse("act", args=[token_of(delivery)])
