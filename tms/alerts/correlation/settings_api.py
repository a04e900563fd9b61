"""When alerts are correlated into an incident."""

from collections.abc import Sequence
from typing import Self

from pydantic import Field

from tms.accounts.permissions import Permission
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
    within_s: int = Field(ge=5, le=3_600, description="Terminals lost within this time are lost together.")
    least: int = Field(ge=2, le=10_000, description="Of terminals, whatever their share.")
    small_pct: int = Field(ge=1, le=100, description="Of fewer than 20.")
    medium_pct: int = Field(ge=1, le=100, description="Of 20 to 99.")
    large_pct: int = Field(ge=1, le=100, description="Of 100 and more.")


class CorrelationRule(ResponseSchema):
    factor: Factor = Field(description="What the terminals have in common.")
    enabled: bool
    within_s: int
    least: int
    small_pct: int
    medium_pct: int
    large_pct: int
    is_default: bool = Field(description="Nobody has changed it.")

    @classmethod
    def of(cls, rule: models.CorrelationRule) -> Self:
        fields = {name: getattr(rule, name) for name in CorrelationRuleBody.model_fields}
        return cls(factor=Factor(rule.factor), **fields, is_default=rule.pk is None)


@router.get("/correlation", summary="Read when alerts are correlated", response=list[CorrelationRule])
def read_correlation(request: ApiRequest) -> Sequence[CorrelationRule]:
    """In the order in which common factors are checked."""
    return [CorrelationRule.of(rule) for rule in models.CorrelationRule.in_force().values()]


@router.put(
    "/correlation/{factor}",
    summary="Change when alerts with a common factor are correlated",
    response=CorrelationRule,
    access=CHANGING,
)
def change_correlation(request: ApiRequest, factor: Factor, body: CorrelationRuleBody) -> CorrelationRule:
    rule = models.CorrelationRule.in_force()[factor]
    for name, value in body.model_dump().items():
        setattr(rule, name, value)
    settings.save([rule])
    return CorrelationRule.of(rule)


@router.delete("/correlation", summary="Go back to the defaults", response=None, status=204, access=CHANGING)
def reset_correlation(request: ApiRequest) -> None:
    settings.reset()
