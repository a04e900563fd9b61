"""REST operations for the correlation settings."""

from collections.abc import Sequence
from typing import Self

from django.http import Http404
from pydantic import Field

from tms.accounts.access import demand_within
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.alerts import models
from tms.alerts.correlation import settings
from tms.alerts.models import Factor
from tms.alerts.models.correlation_rule import CorrelationThresholds
from tms.alerts.models.factor import OF_RULES
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import RequestSchema, ResponseSchema

router = ApiRouter("incidents")
CHANGING = Access(Permission.EDIT_RULES)


class CorrelationRuleBody(RequestSchema):
    enabled: bool = True
    within_s: int = Field(ge=5, le=3_600, description="Terminals that are affected within this time belong together.")
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
    def of(cls, rule: CorrelationThresholds) -> Self:
        fields = {name: getattr(rule, name) for name in CorrelationRuleBody.model_fields}
        return cls(factor=Factor(rule.factor), **fields, is_default=rule.pk is None)


@router.get("/correlation", summary="Read correlation settings", response=list[CorrelationRuleSchema])
def read_correlation(request: ApiRequest) -> Sequence[CorrelationRuleSchema]:
    """The settings in the order in which TMS checks common factors."""
    return [CorrelationRuleSchema.of(rule) for rule in models.CorrelationRule.in_force().values()]


@router.put(
    "/correlation/{factor}",
    summary="Change the correlation of a factor",
    response=CorrelationRuleSchema,
    access=CHANGING,
)
def change_correlation(request: ApiRequest, factor: Factor, body: CorrelationRuleBody) -> CorrelationRuleSchema:
    return _change(request, models.CorrelationRule.in_force()[factor], body)


@router.delete("/correlation", summary="Reset correlation settings", response=None, status=204, access=CHANGING)
def reset_correlation(request: ApiRequest) -> None:
    demand_within(request.person, Permission.EDIT_RULES, EVERYTHING)
    settings.reset(models.CorrelationRule)


@router.get("/rule-correlation", summary="Read correlation settings of rules", response=list[CorrelationRuleSchema])
def read_rule_correlation(request: ApiRequest) -> Sequence[CorrelationRuleSchema]:
    """When alerts of one rule, other than on presence, become an incident; from the narrowest factor to the widest."""
    return [CorrelationRuleSchema.of(rule) for rule in models.SameRuleCorrelation.in_force().values()]


@router.put(
    "/rule-correlation/{factor}",
    summary="Change the correlation of rules by a factor",
    response=CorrelationRuleSchema,
    access=CHANGING,
)
def change_rule_correlation(request: ApiRequest, factor: Factor, body: CorrelationRuleBody) -> CorrelationRuleSchema:
    """Nodes and the whole fleet are no common factor of rules."""
    if factor not in OF_RULES:
        raise Http404
    return _change(request, models.SameRuleCorrelation.in_force()[factor], body)


@router.delete(
    "/rule-correlation", summary="Reset correlation settings of rules", response=None, status=204, access=CHANGING
)
def reset_rule_correlation(request: ApiRequest) -> None:
    demand_within(request.person, Permission.EDIT_RULES, EVERYTHING)
    settings.reset(models.SameRuleCorrelation)


def _change(request: ApiRequest, rule: CorrelationThresholds, body: CorrelationRuleBody) -> CorrelationRuleSchema:
    demand_within(request.person, Permission.EDIT_RULES, EVERYTHING)
    for name, value in body.model_dump().items():
        setattr(rule, name, value)
    settings.save([rule])
    return CorrelationRuleSchema.of(rule)
