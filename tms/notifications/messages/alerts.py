"""The texts and facts of alerts."""

from collections.abc import Sequence

from django.utils.translation import gettext, ngettext

from tms.alerts.models import Alert
from tms.lib.severity import Severity
from tms.notifications.messages.phrases import address, instant, local
from tms.notifications.models.delivery import NotificationKind


def about(alerts: Sequence[Alert]) -> str:
    """A single alert by its rule, several by number and site."""
    sites = {alert.terminal.site_id: alert.terminal.site for alert in alerts}
    first, number = alerts[0], len(alerts)
    if number == 1:
        values = {
            "site": first.terminal.site.local_name,
            "rule": first.rule.local_name,
            "terminal": first.terminal.uid,
        }
        return gettext("%(site)s: %(rule)s (%(terminal)s)") % values
    if len(sites) == 1:
        values = {"site": first.terminal.site.local_name, "number": str(number)}
        return ngettext("%(site)s: %(number)s alert", "%(site)s: %(number)s alerts", number) % values
    return gettext("%(number)s alerts at %(sites)s sites") % {"number": number, "sites": len(sites)}


def line(kind: NotificationKind, alert: Alert) -> str:
    summary = _summary(kind, alert)
    if (flapping := getattr(alert, "flapping", None)) is None:
        return summary
    changes = ngettext("%(number)d change", "%(number)d changes", flapping.changes) % {"number": flapping.changes}
    if flapping.ended_at is not None:
        return gettext("%(summary)s; flapped, %(changes)s") % {"summary": summary, "changes": changes}
    return gettext("%(summary)s; flapping, %(changes)s so far") % {
        "summary": summary,
        "changes": changes,
    }


def page_of(alert: Alert) -> str:
    return alert.get_absolute_url()


def _summary(kind: NotificationKind, alert: Alert) -> str:
    terminal = alert.terminal
    values = {
        "terminal": f"{terminal.uid} ({terminal.label})" if terminal.label else terminal.uid,
        "rule": alert.rule.local_name,
        "since": local(alert.opened_at, terminal.site.time_zone),
        "severity": Severity(alert.severity).label,
    }
    if kind is NotificationKind.RESOLVED and alert.resolved_at is not None:
        values["until"] = local(alert.resolved_at, terminal.site.time_zone)
        return gettext("%(terminal)s: %(rule)s, from %(since)s to %(until)s") % values
    return gettext("%(severity)s, %(terminal)s: %(rule)s, since %(since)s") % values


def facts(alert: Alert) -> dict[str, object]:
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
        "flapping": alert.is_flapping,
        "opened_at": instant(alert.opened_at),
        "acknowledged_at": instant(alert.acknowledged_at),
        "acknowledged_by": alert.acknowledged_by.username if alert.acknowledged_by else None,
        "resolved_at": instant(alert.resolved_at),
    }
