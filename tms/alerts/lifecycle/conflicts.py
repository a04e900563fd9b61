"""Why an action could not be performed on one alert or incident. HTML and REST respond with 409."""

from typing import ClassVar

from tms.alerts.models.alert import Alert
from tms.alerts.models.incident import Incident


class Conflict(Exception):
    """`row` is as it is now; `code` is the type of the problem document."""

    code: ClassVar[str]

    def __init__(self, row: Alert | Incident) -> None:
        self.row = row
        super().__init__(f"{row._meta.model_name} {row.pk} {self.reason}")

    @property
    def reason(self) -> str:
        raise NotImplementedError


class AlreadyResolved(Conflict):
    """The alert recovered first: a recovery always wins."""

    code = "tms:already-resolved"

    @property
    def reason(self) -> str:
        return f"was resolved at {self.row.resolved_at}"


class AlreadyAcknowledged(Conflict):
    """Another person acknowledged it first."""

    code = "tms:already-acknowledged"

    @property
    def reason(self) -> str:
        person = self.row.acknowledged_by
        return f"was acknowledged first by {person.username if person else 'a person who is deleted'}"


class ChangedMeanwhile(Conflict):
    """It no longer has the version on which the person decided."""

    code = "tms:changed-meanwhile"

    @property
    def reason(self) -> str:
        return f"has changed to version {self.row.version}; read it again"


class NotApplicable(Conflict):
    """The action does not apply in this state, or not to alerts of this rule."""

    code = "tms:not-applicable"

    @property
    def reason(self) -> str:
        return f"is {self.row.state}; the action does not apply in this state"
