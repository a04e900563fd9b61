"""The texts of incidents."""

from collections.abc import Sequence
from copy import copy
from typing import Any

from django.conf import settings
from django.utils.translation import gettext, ngettext

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.models import Alert, AlertState, Incident
from tms.alerts.models.factor import Factor
from tms.fleet.models import Group, Site
from tms.lib.severity import Severity
from tms.notifications.messages.phrases import address, instant, local
from tms.notifications.models.delivery import NotificationKind
from tms.notifications.subjects import severity_within

MANY = "/alerts/"
"""The page of all of them."""


def of_scope(incident: Incident, owner: Scope) -> Incident:
    """The incident as the owner of a destination may know it: without numbers, names and severities from outside.

    An incident that the owner sees as a whole stays as it is, but for another one that it was merged into. Of another
    one only its alerts in the scope count, for its severity, too; of how many terminals they are, and what else they
    share, stays unknown, and so does a site, group or region outside of the scope.
    """
    if owner.is_everything:
        return incident
    if within(Incident.objects.filter(pk=incident.pk), owner).exists():
        return _with_known_successor(incident, owner)
    seen = within(Alert.objects.filter(incident=incident), owner).values_list("terminal", "state")
    part = copy(incident)
    part.lost, part.size = len({terminal for terminal, _state in seen}), 0
    part.severity = severity_within(incident, owner)
    part.joined_count = len(seen)
    part.resolved_count = sum(state == AlertState.RESOLVED for _terminal, state in seen)
    part.common_factor, part.common_name, part.common_count = "", "", 0
    return part if _is_named_within(incident, owner) else _unnamed(part)


def _with_known_successor(incident: Incident, owner: Scope) -> Incident:
    """What it was merged into may be about other sites, too."""
    if incident.merged_into is None:
        return incident
    known = copy(incident)
    known.merged_into = of_scope(incident.merged_into, owner)
    return known


def _is_named_within(incident: Incident, owner: Scope) -> bool:
    """Whether the owner sees the site, group or region that gives the incident its name, if one does.

    People merge incidents of any sites, so that it need not be one of the alerts in the scope.
    """
    if incident.site_id is not None:
        return within(Site.objects.filter(pk=incident.site_id), owner).exists()
    if incident.group_id is not None:
        return within(Group.objects.filter(pk=incident.group_id), owner).exists()
    if incident.named_factor is Factor.REGION:
        return within(Site.objects.filter(region=incident.bare_key), owner).exists()
    return True


def _unnamed(part: Incident) -> Incident:
    part.site = part.group = None
    part.key = ""
    return part


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
    return incident.get_absolute_url() if incident.size else MANY


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


def facts(incident: Incident) -> dict[str, Any]:
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


def _also(incident: Incident) -> dict[str, Any] | None:
    if not incident.common_factor:
        return None
    return {"factor": incident.common_factor, "name": incident.common_name, "terminals": incident.common_count}
