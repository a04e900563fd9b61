"""A notification: one alert or incident for one destination, and when it is sent."""

from datetime import datetime, timedelta
from typing import NamedTuple

from tms.alerts.models import Incident
from tms.notifications.models.delivery import NotificationKind
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy
from tms.notifications.subjects import Subject, severity_within, site_code_of

GROUP_WAIT_S = 5
"""Where no policy sets one."""


class Notification(NamedTuple):
    """One alert or incident for one destination."""

    subject: Subject
    policy: Policy | None
    """The policy; None for a notification of one person, regardless of policies."""
    destination: Destination
    kind: NotificationKind
    source: str
    """The decision behind it, so that it is not made twice."""
    happened_at: datetime | None
    """Null if it was delayed by anything but the group wait."""
    step: int = 0

    @property
    def group_key(self) -> "GroupKey":
        site_code = site_code_of(self.subject) if self.policy is not None and self.policy.group_by_site else ""
        is_of_incidents = isinstance(self.subject, Incident)
        policy = self.policy.pk if self.policy else None
        return GroupKey(self.destination.pk, policy, self.step, self.kind, site_code, is_of_incidents)

    @property
    def group_wait_s(self) -> int:
        if self.destination.is_one_by_one:
            return 0
        return self.policy.group_wait_s if self.policy else GROUP_WAIT_S

    def due_at(self, at: datetime) -> datetime:
        """When it is sent: at the end of quiet hours, else of the group wait."""
        return self.quiet_until(at) or at + timedelta(seconds=self.group_wait_s)

    @property
    def language(self) -> str:
        return (self.policy.language if self.policy else "") or self.destination.language

    def quiet_until(self, at: datetime) -> datetime | None:
        """End of the quiet hours of its destination, if they delay it."""
        if self.destination.hours is None:
            return None
        severity = severity_within(self.subject, self.destination.owner)
        return self.destination.quiet_until(severity, at=at)


class GroupKey(NamedTuple):
    """What the notifications of one delivery have in common: columns of Delivery."""

    destination_id: int
    policy_id: int | None
    step: int
    kind: str
    site_code: str
    is_of_incidents: bool
