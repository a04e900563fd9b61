"""The filter of the list of alerts, applied to what was known at a past instant.

Stale acknowledgements and flapping are not filtered by: a replay offers no such choice.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from tms.accounts.access import within
from tms.accounts.models import User
from tms.accounts.scope import Scope
from tms.alerts.models import Alert, Incident, IncidentState
from tms.alerts.models.alert import AlertState
from tms.boards.list_filters.filters import AlertFilter
from tms.fleet.models import Site
from tms.replay.state import AlertFacts


def incidents_among(incidents: Iterable[Incident], chosen: AlertFilter) -> list[Incident]:
    """The incidents that the filter matches, as in `correlated_alerts.unresolved_incidents`."""
    return [one for one in incidents if _shows(one, chosen)]


def _shows(incident: Incident, chosen: AlertFilter) -> bool:
    site, person = incident.site, incident.acknowledged_by
    return (
        (not chosen.severity or incident.severity in chosen.severity)
        and (not chosen.unacknowledged or incident.state == IncidentState.OPEN)
        and (not chosen.site or (site is not None and site.code.lower() == chosen.site.lower()))
        and (not chosen.who or (person is not None and person.username == chosen.who))
    )


def alerts_among(facts: Collection[AlertFacts], chosen: AlertFilter, *, scope: Scope) -> list[AlertFacts]:
    """What varies is compared with its value then; rule and text of an alert are those of the database."""
    person = User.objects.filter(username=chosen.who).values_list("pk", flat=True).first() if chosen.who else None
    found = [one for one in facts if _matches(one, chosen, person)]
    if chosen.site:
        sites = set(within(Site.objects.filter(code__iexact=chosen.site), scope).values_list("pk", flat=True))
        found = [one for one in found if one.site in sites]
    lasting = replace(AlertFilter(), q=chosen.q, rule=chosen.rule)
    if lasting.is_empty or not found:
        return found
    rows = within(Alert.objects.filter(pk__in=[one.pk for one in found]), scope)
    shown = set(lasting.apply(rows, scope=scope).values_list("pk", flat=True))
    return [one for one in found if one.pk in shown]


def _matches(one: AlertFacts, chosen: AlertFilter, person: int | None) -> bool:
    return (
        (not chosen.severity or one.severity in chosen.severity)
        and (not chosen.unacknowledged or one.state != AlertState.ACKNOWLEDGED)
        and (not chosen.who or (person is not None and one.acknowledged_by == person))
        and (not chosen.incident or one.incident == int(chosen.incident))
    )
