"""What a delivery says, in its language: a title, a line for each alert, and the same as facts for machines."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, ngettext

from tms.accounts.names import name_of
from tms.alerts.models import Alert
from tms.notifications.delivery import Delivery, News
from tms.notifications.message import Message
from tms.telemetry.models import Severity

MOST_LINES = 20
"""For people; machines get all."""
WORST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


def worded(delivery: Delivery, alerts: Sequence[Alert], *, at: datetime) -> dict[str, Any]:
    """The content of a message, as it is kept with the delivery."""
    with translation.override(delivery.language):
        ordered = sorted(alerts, key=lambda alert: (WORST_FIRST.index(Severity(alert.severity)), alert.opened_at))
        news = News(delivery.news)
        return {
            "kind": news.value,
            "at": at.isoformat(),
            "title": _title(delivery, news, ordered),
            "lines": _lines(news, ordered),
            "facts": {
                "policy": delivery.policy.name if delivery.policy else "",
                "step": delivery.step,
                "alerts": [_facts(alert) for alert in ordered],
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


def _title(delivery: Delivery, news: News, alerts: Sequence[Alert]) -> str:
    about = _about(alerts)
    if news is News.RESOLVED:
        return gettext("Recovered: %(about)s") % {"about": about}
    if news is News.ACKNOWLEDGED:
        who = alerts[0].acknowledged_by
        return gettext("%(who)s is on it: %(about)s") % {"who": name_of(who).text if who else "TMS", "about": about}
    values = {"severity": Severity(alerts[0].severity).label, "about": about}
    if delivery.step:
        return gettext("%(severity)s, still nobody on it: %(about)s") % values
    if news is News.WORSENED:
        return gettext("Now %(severity)s: %(about)s") % values
    return gettext("%(severity)s: %(about)s") % values


def _about(alerts: Sequence[Alert]) -> str:
    """One alert by name, several by number and place."""
    sites = {alert.terminal.site_id: alert.terminal.site for alert in alerts}
    first, number = alerts[0], len(alerts)
    if number == 1:
        values = {
            "place": first.terminal.site.local_name,
            "rule": first.rule.local_name,
            "terminal": first.terminal.uid,
        }
        return gettext("%(place)s: %(rule)s (%(terminal)s)") % values
    if len(sites) == 1:
        values = {"place": first.terminal.site.local_name, "number": str(number)}
        return ngettext("%(place)s: %(number)s alert", "%(place)s: %(number)s alerts", number) % values
    return gettext("%(number)s alerts at %(sites)s sites") % {"number": number, "sites": len(sites)}


def _lines(news: News, alerts: Sequence[Alert]) -> list[str]:
    lines = [_line(news, alert) for alert in alerts[:MOST_LINES]]
    if (more := len(alerts) - MOST_LINES) > 0:
        lines.append(ngettext("and %d more", "and %d more", more) % more)
    if settings.PUBLIC_URL:
        lines.append(address(alerts[0].get_absolute_url() if len(alerts) == 1 else "/alerts/"))
    return lines


def _line(news: News, alert: Alert) -> str:
    terminal = alert.terminal
    values = {
        "terminal": f"{terminal.uid} ({terminal.label})" if terminal.label else terminal.uid,
        "rule": alert.rule.local_name,
        "since": _local(alert.opened_at, terminal.site.time_zone),
        "severity": Severity(alert.severity).label,
    }
    if news is News.RESOLVED and alert.resolved_at is not None:
        values["until"] = _local(alert.resolved_at, terminal.site.time_zone)
        return gettext("%(terminal)s: %(rule)s, from %(since)s to %(until)s") % values
    return gettext("%(severity)s, %(terminal)s: %(rule)s, since %(since)s") % values


def _local(at: datetime, zone: str) -> str:
    """By the clocks of the site, and which those are."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S %Z}"


def _facts(alert: Alert) -> dict[str, Any]:
    terminal, site = alert.terminal, alert.terminal.site
    return {
        "id": alert.pk,
        "url": address(alert.get_absolute_url()),
        "rule": {"id": alert.rule_id, "name": alert.rule.name},
        "terminal": {"uid": terminal.uid, "label": terminal.label},
        "site": {"code": site.code, "name": site.name},
        "severity": alert.severity,
        "state": alert.state,
        "value": alert.value,
        "opened_at": alert.opened_at.isoformat(),
        "acknowledged_at": alert.acknowledged_at.isoformat() if alert.acknowledged_at else None,
        "acknowledged_by": alert.acknowledged_by.username if alert.acknowledged_by else None,
        "resolved_at": alert.resolved_at.isoformat() if alert.resolved_at else None,
    }


def address(path: str) -> str:
    """Where people find it; a path alone while TMS_PUBLIC_URL is not set."""
    return settings.PUBLIC_URL.rstrip("/") + path
