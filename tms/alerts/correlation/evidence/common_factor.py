"""A further common factor of an incident's terminals, which stands out against the fleet: "all on carrier X"."""

from tms.alerts.correlation.candidates import LOST, CommonFactor
from tms.alerts.correlation.evidence.lift import Significance, lifts, name_of
from tms.alerts.models.alert import Alert
from tms.alerts.models.incident import Incident


def common_factor(incident: Incident) -> None:
    """Set the strongest one of the terminals that are away now. Sets nothing if none stands out."""
    own = CommonFactor(incident.factor, incident.key)
    strongest = next((row for row in lifts(away(incident), own=own) if row.significance is Significance.NAMED), None)
    if strongest is None:
        incident.common_factor, incident.common_name, incident.common_count = "", "", 0
    else:
        incident.common_factor, incident.common_count = strongest.factor, strongest.number
        incident.common_name = name_of(strongest.what)
    incident.save(update_fields=("common_factor", "common_name", "common_count"))


def away(incident: Incident) -> set[int]:
    """Its terminals that are away; all of them, if all are back."""
    alerts = Alert.objects.filter(incident=incident)
    found = alerts.filter(terminal__state__presence__in=LOST).values_list("terminal", flat=True)
    return set(found) or set(alerts.values_list("terminal", flat=True))
