"""The order in which rows are locked: incidents, link states of terminals, alerts; each in the order of their keys.

A transaction locks all of its incidents before the first link state, and all of its link states before the first alert.
Code that opens and resolves alerts has locked the link states, and may wait for alerts. Everything else skips alerts
that another transaction has locked (`lock_in_states`, `lock_members`), or waits for a single one: two transactions
that wait for each other would deadlock.
"""

from collections.abc import Iterable

from tms.alerts.models.alert import Alert, AlertQuerySet
from tms.alerts.models.incident import Incident, IncidentQuerySet
from tms.fleet.presence import store


def lock_terminals(alerts: AlertQuerySet) -> None:
    """Lock the link states of their terminals."""
    store.lock(set(alerts.order_by().values_list("terminal_id", flat=True)))


def lock_with_terminals(alerts: AlertQuerySet) -> list[Alert]:
    """Lock the link states of their terminals, then the alerts to which the filter still applies."""
    terminals = dict(alerts.order_by().values_list("pk", "terminal_id"))
    store.lock(set(terminals.values()))
    return list(alerts.filter(pk__in=terminals).locked())


def lock_incidents(incidents: IncidentQuerySet) -> list[int]:
    """Lock incidents, so that no alert joins or leaves them. Returns their keys."""
    return list(incidents.locked().values_list("pk", flat=True))


def lock_terminals_of(incidents: IncidentQuerySet) -> None:
    """Lock the incidents, and the link states of the terminals that have their unresolved alerts."""
    lock_terminals(Alert.objects.unresolved().filter(incident__in=lock_incidents(incidents)))


def lock_members(incidents: Iterable[Incident]) -> bool:
    """Lock all alerts of these incidents, which the caller has locked. False if another transaction has locked some."""
    chosen = list(incidents)
    if not chosen:
        return True
    alerts = Alert.objects.filter(incident__in=chosen)
    free = alerts.order_by("pk").select_for_update(skip_locked=True, of=("self",))
    return len(free.values_list("pk")) == alerts.count()
