"""REST schemas of rules."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Self

import msgspec
from ninja import Schema
from pydantic import ConfigDict, Field

from tms.alerts import models
from tms.alerts.models import RuleHours, RuleSource
from tms.alerts.rule_editing.entry import RuleEntry, entry_of
from tms.alerts.rule_kinds import comparison_choices
from tms.alerts.schemas import username
from tms.fleet.models import TerminalKind
from tms.lib.severity import Severity
from tms.rest_base.pagination import Page
from tms.rest_base.schemas import RequestSchema, ResponseSchema, change_of

type Number = Annotated[float, Field(allow_inf_nan=False)]


def one_of(values: Iterable[str], text: str = "") -> Any:
    """A field whose choices OpenAPI lists; the rule itself reports any other value."""
    return Field("", description=text or None, json_schema_extra={"enum": ["", *values]})


class ThresholdSchema(Schema):
    model_config = ConfigDict(extra="forbid")

    severity: Severity
    limit: Number
    lower_limit: Number | None = None


class RuleFields(Schema):
    """The same fields as in a rule file. Omit fields that the kind does not use."""

    name: str = Field(examples=["Overheating"])
    name_ja: str = ""
    kind: RuleSource
    enabled: bool = True
    severity: str = one_of(Severity.values, "For kinds without thresholds; the others have a severity per threshold.")
    presence: str = one_of(("silent", "offline"))
    metric: str = Field("", examples=["temperature_c"])
    comparison: str = one_of(name for name, _ in comparison_choices())
    thresholds: list[ThresholdSchema] = Field([], max_length=3, description="Thresholds by rising severity.")
    hysteresis: Number = 0.0
    window_s: Number = Field(0.0, description="For `rising` and `falling`.")
    event_code: str = ""
    clear_code: str = ""
    clear_after_s: Number = 0.0
    may_be_resolved_by_hand: bool = False
    watches_flapping: bool = True
    firmware: str = ""
    duration_s: Number = 0.0
    hours: str = Field("always", json_schema_extra={"enum": [*RuleHours.values]})
    site: str = Field("", description="Site code.")
    group: str = Field("", description="Group name.")
    model: str = ""
    terminal_kind: str = one_of(TerminalKind.values)
    runbook: str = Field("", description="What to do about an alert: Markdown, or a URL.")


class RuleBody(RuleFields, RequestSchema):
    """A whole rule."""


RuleChange: Any = change_of(RuleFields, "RuleChange")


class RuleSchema(RuleFields, ResponseSchema):
    id: int
    version: int = Field(description="Its ETag without the quotes.")
    changed_at: datetime | None
    changed_by: str | None

    @classmethod
    def of(cls, rule: models.Rule) -> Self:
        marks: dict[str, Any] = {"id": rule.pk, "version": rule.version, "changed_at": rule.changed_at}
        return cls(**fields_of(rule), **marks, changed_by=username(rule.changed_by))


class RulePageSchema(Page[RuleSchema]): ...


def fields_of(rule: models.Rule) -> dict[str, Any]:
    entry = entry_of(rule)
    return msgspec.structs.asdict(entry) | {"thresholds": [msgspec.structs.asdict(one) for one in entry.thresholds]}


def entry(fields: dict[str, Any]) -> RuleEntry:
    return msgspec.convert(fields, RuleEntry)
