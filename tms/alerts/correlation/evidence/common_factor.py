"""A further common factor of an incident's terminals, which stands out against the fleet: "all on carrier X"."""

from tms.alerts.correlation.candidates import CommonFactor
from tms.alerts.correlation.evidence.lift import Significance, lifts, name_of
from tms.alerts.models.alert import Alert
from tms.alerts.models.incident import Incident


def common_factor(incident: Incident) -> None:
    """Set the strongest one of its terminals. Sets nothing if none stands out."""
    strongest = next(
        (row for row in lifts(affected(incident), own=own_factor(incident)) if row.significance is Significance.NAMED),
        None,
    )
    if strongest is None:
        incident.common_factor, incident.common_name, incident.common_count = "", "", 0
    else:
        incident.common_factor, incident.common_count = strongest.factor, strongest.number
        incident.common_name = name_of(strongest.what)
    incident.save(update_fields=("common_factor", "common_name", "common_count"))


def own_factor(incident: Incident) -> CommonFactor:
    """What all of its terminals have in common anyway."""
    return CommonFactor(incident.named_factor, incident.bare_key)


def affected(incident: Incident) -> set[int]:
    """Its terminals, also those that have recovered: what they had in common when they were lost does not change."""
    return set(Alert.objects.filter(incident=incident).values_list("terminal", flat=True))
