"""What comes with a deed: its terms, and which alerts it is for."""

from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.alerts import models
from tms.alerts.lifecycle.limits import is_in_reach
from tms.alerts.models import AlertQuerySet, Contract
from tms.alerts.search import AlertMatch
from tms.rest.problems import Fault, unreadable
from tms.rest.schemas import Id, Instant, RequestSchema

MOST_AT_ONCE = 1_000


class Terms(RequestSchema):
    """What a service is told."""

    def of(self, at: datetime) -> dict[str, Any]:
        """Raises Refused."""
        return {}


class Commenting(Terms):
    comment: str = Field("", max_length=500)

    def of(self, at: datetime) -> dict[str, Any]:
        return {"comment": self.comment}


class Saying(Commenting):
    comment: str = Field(min_length=1, max_length=500)


class Snoozing(Commenting):
    until: Instant = Field(description="Within 31 days.")

    def of(self, at: datetime) -> dict[str, Any]:
        return super().of(at) | {"until": _in_reach(self.until, at)}


class Taking(Commenting):
    contract: Contract = Contract.RECOVERY
    until: Instant | None = Field(None, description="For the contract `time`: within 31 days.")

    def of(self, at: datetime) -> dict[str, Any]:
        is_timed = self.contract is Contract.TIME
        if is_timed is (self.until is None):
            raise unreadable(Fault("$.until", "the contract `time` needs it, and no other has it"))
        until = _in_reach(self.until, at) if self.until else None
        return super().of(at) | {"contract": self.contract, "until": until}


class Assigning(Commenting):
    to: str = Field(max_length=150, description="A username.")

    def of(self, at: datetime) -> dict[str, Any]:
        to = User.objects.filter(username=self.to, is_active=True).first()
        if to is None:
            raise unreadable(Fault("$.to", "there is no person of this name who may sign in"))
        return super().of(at) | {"to": to}


class SelectionSchema(RequestSchema):
    """Either `ids`, or all that match."""

    ids: list[Id] | None = Field(None, min_length=1, max_length=MOST_AT_ONCE)
    matching: AlertMatch | None = None
    opened_until: Instant | None = Field(None, description="Of those that match: none that opened later.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "SelectionSchema":
        if (self.ids is None) is (self.matching is None):
            raise ValueError("give either `ids` or `matching`")
        return self

    def alerts(self, person: User) -> AlertQuerySet:
        rows = visible(models.Alert.objects.unresolved(), to=person)
        if self.matching is None:
            return rows.filter(pk__in=self.ids or ())
        matching = self.matching.apply(rows)
        return matching.filter(opened_at__lte=self.opened_until) if self.opened_until else matching


def _in_reach(until: datetime, at: datetime) -> datetime:
    if not is_in_reach(until, at=at):
        raise unreadable(Fault("$.until", "a time within the next 31 days"))
    return until
