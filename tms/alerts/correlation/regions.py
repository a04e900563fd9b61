"""Incidents of a region follow when it is renamed: their key is its name."""

from tms.alerts.models.factor import Factor
from tms.alerts.models.incident import Incident


def follow_rename(*, before: str, after: str, **_: object) -> None:
    """A receiver of `region_renamed`. With a rule, `rule-<pk>:` precedes the name, which may have a colon, too."""
    incidents = Incident.objects.filter(factor=Factor.REGION)
    incidents.filter(rule=None, key=before).update(key=after)
    for rule in set(incidents.filter(key__endswith=f":{before}").values_list("rule", flat=True)):
        incidents.filter(key=f"rule-{rule}:{before}").update(key=f"rule-{rule}:{after}")
