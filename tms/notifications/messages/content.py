from collections.abc import Mapping, Sequence
from datetime import datetime
from types import ModuleType
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.display_names import name_of
from tms.lib.severity import Severity
from tms.notifications.messages import alerts, incidents
from tms.notifications.messages.phrases import address
from tms.notifications.models.delivery import Delivery, News
from tms.notifications.subjects import Subject
from tms.notifications.transports.message import Message

MOST_LINES = 20
"""For people; machines get all."""
WORST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


def worded(delivery: Delivery, subjects: Sequence[Subject], *, at: datetime) -> dict[str, Any]:
    """The content of a message, as it is kept with the delivery. All are alerts, or all are incidents."""
    of, name = (incidents, "incidents") if delivery.is_of_incidents else (alerts, "alerts")
    with translation.override(delivery.language):
        ordered = sorted(subjects, key=lambda one: (WORST_FIRST.index(Severity(one.severity)), one.opened_at))
        news = News(delivery.news)
        return {
            "kind": news.value,
            "at": at.isoformat(),
            "title": _title(news, of.about(ordered), first=ordered[0], is_escalated=delivery.step > 0),
            "lines": _lines(of, news, ordered),
            "facts": {
                "policy": delivery.policy.name if delivery.policy else "",
                "step": delivery.step,
                name: [of.facts(one) for one in ordered],
            },
            "subject": delivery.place,
            "severity": ordered[0].severity,
        }


def message_of(delivery: Delivery) -> Message:
    content: Mapping[str, Any] = delivery.content
    return Message(
        **{**content, "at": datetime.fromisoformat(content["at"])},
        uid=str(delivery.uid),
        possible_duplicate=delivery.possible_duplicate,
    )


PLAIN: Mapping[News, str | Promise] = {
    News.RESOLVED: _("Recovered: %(about)s"),
    News.CALM: _("Calm again, but still wrong: %(about)s"),
    News.ASSIGNED: _("You are asked to take it: %(about)s"),
    News.REMINDED: _("You have it for long, without a word: %(about)s"),
}
"""Titles that say nothing else than what it is about."""


def _title(news: News, about: str, *, first: Subject, is_escalated: bool) -> str:
    """What happened, to `about`; `first` is the worst of what it happened to."""
    if news in PLAIN:
        return PLAIN[news] % {"about": about}
    if news is News.ACKNOWLEDGED:
        who = first.acknowledged_by
        return gettext("%(who)s is on it: %(about)s") % {"who": name_of(who).text if who else "TMS", "about": about}
    values = {"severity": Severity(first.severity).label, "about": about}
    if is_escalated:
        return gettext("%(severity)s, still nobody on it: %(about)s") % values
    if news is News.FLAPPING:
        return gettext("%(severity)s, flapping: %(about)s") % values
    if news is News.WORSENED:
        return gettext("Now %(severity)s: %(about)s") % values
    return gettext("%(severity)s: %(about)s") % values


def _lines(of: ModuleType, news: News, subjects: Sequence[Subject]) -> list[str]:
    lines = [of.line(news, one) for one in subjects[:MOST_LINES]]
    if (more := len(subjects) - MOST_LINES) > 0:
        lines.append(ngettext("and %d more", "and %d more", more) % more)
    if settings.PUBLIC_URL:
        lines.append(address(subjects[0].get_absolute_url() if len(subjects) == 1 else of.MANY))
    return lines
