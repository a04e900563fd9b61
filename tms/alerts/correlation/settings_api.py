"""REST operations for the correlation settings."""

from collections.abc import Sequence
from typing import Self

from pydantic import Field

from tms.accounts.access import demand_within
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.alerts import models
from tms.alerts.correlation import settings
from tms.alerts.models import Factor
from tms.rest.operation import Access, ApiRequest
from tms.rest.router import ApiRouter
from tms.rest.schemas import RequestSchema, ResponseSchema

router = ApiRouter("incidents")
CHANGING = Access(Permission.EDIT_RULES)


class CorrelationRuleBody(RequestSchema):
    enabled: bool = True
    within_s: int = Field(ge=5, le=3_600, description="Terminals that go offline within this time are lost together.")
    least: int = Field(ge=2, le=10_000, description="Minimum number of terminals; a share cannot lower it.")
    small_pct: int = Field(ge=1, le=100, description="Minimum share of fewer than 20 terminals.")
    medium_pct: int = Field(ge=1, le=100, description="Minimum share of 20 to 99 terminals.")
    large_pct: int = Field(ge=1, le=100, description="Minimum share of 100 terminals or more.")


class CorrelationRuleSchema(ResponseSchema):
    factor: Factor = Field(description="Common factor of the terminals.")
    enabled: bool
    within_s: int
    least: int
    small_pct: int
    medium_pct: int
    large_pct: int
    is_default: bool = Field(description="True if it was never changed.")

    @classmethod
    def of(cls, rule: models.CorrelationRule) -> Self:
        fields = {name: getattr(rule, name) for name in CorrelationRuleBody.model_fields}
        return cls(factor=Factor(rule.factor), **fields, is_default=rule.pk is None)


@router.get("/correlation", summary="Read correlation settings", response=list[CorrelationRuleSchema])
def read_correlation(request: ApiRequest) -> Sequence[CorrelationRuleSchema]:
    """In the order in which TMS checks common factors."""
    return [CorrelationRuleSchema.of(rule) for rule in models.CorrelationRule.in_force().values()]


@router.put(
    "/correlation/{factor}",
    summary="Change the correlation of a factor",
    response=CorrelationRuleSchema,
    access=CHANGING,
)
def change_correlation(request: ApiRequest, factor: Factor, body: CorrelationRuleBody) -> CorrelationRuleSchema:
    demand_within(request.person, Permission.EDIT_RULES, EVERYTHING)
    rule = models.CorrelationRule.in_force()[factor]
    for name, value in body.model_dump().items():
        setattr(rule, name, value)
    settings.save([rule])
    return CorrelationRuleSchema.of(rule)


@router.delete("/correlation", summary="Reset correlation settings", response=None, status=204, access=CHANGING)
def reset_correlation(request: ApiRequest) -> None:
    demand_within(request.person, Permission.EDIT_RULES, EVERYTHING)
    settings.reset()
