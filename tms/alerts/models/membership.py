"""The history of which alerts belonged to which incident."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import models

from tms.accounts.scope import ByTerminal
from tms.alerts.models.alert import Alert
from tms.alerts.models.incident import Incident


class MembershipQuerySet(models.QuerySet["MembershipChange"]):
    def record(self, before: Mapping[int, int | None], *, incident: Incident | None, at: datetime) -> None:
        """Record that alerts belong to `incident` from now on. `before`: the incident of each until now."""
        self.bulk_create(
            MembershipChange(alert_id=alert, at=at, before_id=old, incident=incident) for alert, old in before.items()
        )


class MembershipChange(models.Model):
    """An alert became a member of an incident, or none any more: the history of `Alert.incident`. Read by replays.

    Without database constraints: each row would lock an alert and incidents, beside the order of `tms.alerts.locks`.
    """

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="membership_changes", db_constraint=False)
    at = models.DateTimeField()
    before = models.ForeignKey(
        Incident, models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    incident = models.ForeignKey(
        Incident, models.DO_NOTHING, null=True, related_name="membership_changes", db_constraint=False
    )

    objects = MembershipQuerySet.as_manager()
    scope_path = ByTerminal("alert__terminal")

    def __str__(self) -> str:
        return f"{self.alert_id} {self.before_id} → {self.incident_id}"
