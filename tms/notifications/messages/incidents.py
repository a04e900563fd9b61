"""The texts of incidents."""

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext, ngettext

from tms.alerts.models import Incident
from tms.lib.severity import Severity
from tms.notifications.messages.phrases import ALERTS_PATH, address, instant, local
from tms.notifications.models.delivery import NotificationKind


def about(incidents: Sequence[Incident]) -> str:
    """A single incident by what was lost, several by number."""
    if len(incidents) == 1:
        return incidents[0].title
    return ngettext("%d incident", "%d incidents", len(incidents)) % len(incidents)


def line(kind: NotificationKind, incident: Incident) -> str:
    zone = incident.site.time_zone if incident.site else settings.TIME_ZONE
    values = {
        "title": incident.title,
        "since": local(incident.opened_at, zone),
        "severity": Severity(incident.severity).label,
    }
    if kind is NotificationKind.RESOLVED and incident.resolved_at is not None:
        values["until"] = local(incident.resolved_at, zone)
        summary = gettext("%(title)s, from %(since)s to %(until)s") % values
        return "; ".join(filter(None, (summary, _rest(incident), _goes_on(incident))))
    summary = gettext("%(severity)s, %(title)s, since %(since)s") % values
    return "; ".join(filter(None, (summary, incident.common_factor_text)))


def page_of(incident: Incident) -> str:
    """People who see a part of it have no page of the incident, but its alerts in their list."""
    return incident.get_absolute_url() if incident.size else ALERTS_PATH


def _rest(incident: Incident) -> str:
    """Alerts that did not recover, and are notified on their own from now on; unknown for a part of an incident."""
    if not incident.size:
        return ""
    number = sum(incident.transitions.filter(kind="dissolved").values_list("number", flat=True))
    return ngettext("%d is notified separately", "%d are notified separately", number) % number if number else ""


def _goes_on(incident: Incident) -> str:
    """The incident of many sites that it was merged into; unknown for a part of an incident."""
    if not incident.size or incident.merged_into is None:
        return ""
    return gettext("goes on as %(title)s") % {"title": incident.merged_into.title}


def facts(incident: Incident) -> dict[str, object]:
    site, who = incident.site, incident.acknowledged_by
    return {
        "id": incident.pk,
        "url": address(page_of(incident)),
        "in_common": {"factor": incident.factor, "name": incident.name},
        "also_in_common": _also(incident),
        "site": {"code": site.code, "name": site.name} if site else None,
        "rule": incident.rule.local_name if incident.rule else None,
        "lost": incident.lost,
        "size": incident.size or None,
        "alerts": incident.joined_count,
        "open_count": incident.open_count,
        "severity": incident.severity,
        "state": incident.shown_state,
        "opened_at": instant(incident.opened_at),
        "acknowledged_at": instant(incident.acknowledged_at),
        "acknowledged_by": who.username if who else None,
        "resolved_at": instant(incident.resolved_at),
        "merged_into": incident.merged_into_id if incident.size else None,
    }


def _also(incident: Incident) -> dict[str, object] | None:
    if not incident.common_factor:
        return None
    return {"factor": incident.common_factor, "name": incident.common_name, "terminals": incident.common_count}
