"""What the owner of a destination, or the person of a browser, may know of an incident that they see only in part."""

from copy import copy

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.models import Alert, AlertState, Incident
from tms.alerts.models.factor import Factor
from tms.fleet.models import Group, Site
from tms.notifications.subjects import severity_within


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
