"""REST bodies of operator actions: the terms of each, and the selection of a bulk action."""

from datetime import datetime

from pydantic import Field, model_validator

from tms.accounts.access import scope_of, visible
from tms.accounts.display_names import colleagues
from tms.accounts.models import User
from tms.alerts import models
from tms.alerts.actions.terms import ActionTerms, out_of_reach
from tms.alerts.lifecycle.limits import is_in_reach
from tms.alerts.models import AlertQuerySet, Contract
from tms.alerts.search import AlertMatch
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.schemas import Id, Instant, RequestSchema

MAX_AT_ONCE = 1_000


class ActionSchema(RequestSchema):
    """The terms of an action; none, unless a subclass adds fields."""

    def terms(self, at: datetime, *, by: User, alerts: AlertQuerySet) -> ActionTerms:
        """The keyword arguments of the service, for these `alerts`. Raises ProblemError."""
        return {}


class CommentSchema(ActionSchema):
    comment: str = Field("", max_length=500)

    def terms(self, at: datetime, *, by: User, alerts: AlertQuerySet) -> ActionTerms:
        return {"comment": self.comment}


class RequiredCommentSchema(CommentSchema):
    comment: str = Field(min_length=1, max_length=500)


class SnoozeSchema(CommentSchema):
    until: Instant = Field(description="Within the next 31 days.")

    def terms(self, at: datetime, *, by: User, alerts: AlertQuerySet) -> ActionTerms:
        return {**super().terms(at, by=by, alerts=alerts), "until": _in_reach(self.until, at)}


class AcknowledgeSchema(CommentSchema):
    contract: Contract = Contract.RECOVERY
    until: Instant | None = Field(None, description="Only with the contract `time`: within the next 31 days.")

    def terms(self, at: datetime, *, by: User, alerts: AlertQuerySet) -> ActionTerms:
        is_timed = self.contract is Contract.TIME
        if is_timed is (self.until is None):
            raise unreadable(RequestFault("$.until", "required with the contract `time`, not allowed with any other"))
        until = _in_reach(self.until, at) if self.until else None
        return {**super().terms(at, by=by, alerts=alerts), "contract": self.contract, "until": until}


class AssignSchema(CommentSchema):
    to: str = Field(max_length=150, description="Username.")

    def terms(self, at: datetime, *, by: User, alerts: AlertQuerySet) -> ActionTerms:
        to = visible(colleagues().filter(username=self.to), to=by).first()
        if to is None:
            raise unreadable(RequestFault("$.to", "no active person has this username"))
        if number := out_of_reach(alerts, of=to):
            raise unreadable(RequestFault("$.to", f"may not handle {number} of these alerts"))
        return {**super().terms(at, by=by, alerts=alerts), "to": to}


class SelectionSchema(RequestSchema):
    """The alerts in `ids`, or all unresolved alerts that match."""

    ids: list[Id] | None = Field(None, min_length=1, max_length=MAX_AT_ONCE)
    matching: AlertMatch | None = None
    opened_until: Instant | None = Field(None, description="Excludes alerts that opened after this time.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "SelectionSchema":
        if (self.ids is None) is (self.matching is None):
            raise ValueError("set either `ids` or `matching`")
        return self

    def alerts(self, person: User) -> AlertQuerySet:
        rows = visible(models.Alert.objects.unresolved(), to=person)
        if self.matching is None:
            return rows.filter(pk__in=self.ids or ())
        matching = self.matching.apply(rows, scope=scope_of(person))
        return matching.filter(opened_at__lte=self.opened_until) if self.opened_until else matching


def _in_reach(until: datetime, at: datetime) -> datetime:
    if not is_in_reach(until, at=at):
        raise unreadable(RequestFault("$.until", "must be within the next 31 days"))
    return until
