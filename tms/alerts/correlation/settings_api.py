"""When alerts fold into an incident."""

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


class FoldBody(RequestSchema):
    enabled: bool = True
    within_s: int = Field(ge=5, le=3_600, description="Terminals lost within so long are lost together.")
    least: int = Field(ge=2, le=10_000, description="Of terminals, whatever their share.")
    small_pct: int = Field(ge=1, le=100, description="Of fewer than 20.")
    medium_pct: int = Field(ge=1, le=100, description="Of 20 to 99.")
    large_pct: int = Field(ge=1, le=100, description="Of 100 and more.")


class Fold(ResponseSchema):
    factor: Factor = Field(description="What the terminals have in common.")
    enabled: bool
    within_s: int
    least: int
    small_pct: int
    medium_pct: int
    large_pct: int
    is_default: bool = Field(description="Nobody has changed it.")

    @classmethod
    def of(cls, rule: models.FoldRule) -> Self:
        fields = {name: getattr(rule, name) for name in FoldBody.model_fields}
        return cls(factor=Factor(rule.factor), **fields, is_default=rule.pk is None)


@router.get("/folding", summary="Read when alerts fold into an incident", response=list[Fold])
def read_folding(request: ApiRequest) -> Sequence[Fold]:
    """In the order in which TMS asks what lost terminals have in common."""
    return [Fold.of(rule) for rule in models.FoldRule.in_force().values()]


@router.put("/folding/{factor}", summary="Say when alerts fold by one factor", response=Fold, access=CHANGING)
def change_folding(request: ApiRequest, factor: Factor, body: FoldBody) -> Fold:
    rule = models.FoldRule.in_force()[factor]
    for name, value in body.model_dump().items():
        setattr(rule, name, value)
    settings.save([rule])
    return Fold.of(rule)


@router.delete("/folding", summary="Go back to the defaults", response=None, status=204, access=CHANGING)
def reset_folding(request: ApiRequest) -> None:
    settings.reset()
