"""Incidents of a region follow when it is renamed: their key is its name."""

from tms.alerts.models.factor import Factor
from tms.alerts.models.incident import Incident


def follow_rename(*, before: str, after: str, **_: object) -> None:
    """A receiver of `region_renamed`. An incident of a rule has a key that ends with the name."""
    incidents = Incident.objects.filter(factor=Factor.REGION)
    incidents.filter(key=before).update(key=after)
    for incident in incidents.filter(key__endswith=f":{before}", key__startswith="rule-"):
        Incident.objects.filter(pk=incident.pk).update(key=incident.key.removesuffix(before) + after)
