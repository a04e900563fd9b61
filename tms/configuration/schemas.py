"""REST schemas of the configuration."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from pydantic import Field

from tms.alerts.schemas import username
from tms.configuration.change_rows import ChangedValueRow
from tms.configuration.keys import KeyValues
from tms.configuration.models import (
    ConfigurationKey,
    ConfigurationVersion,
    Layer,
    LayerValue,
    TerminalConfiguration,
    VersionState,
)
from tms.configuration.places import Place, names_of
from tms.configuration.terminal_values import ValueRow
from tms.fleet.models import Terminal
from tms.rest_base.etags import version_of
from tms.rest_base.pagination import Page
from tms.rest_base.schemas import RequestSchema, ResponseSchema

ABOUT_PLACE = "A region or group by name, a site by code, a terminal by UID; empty for the fleet."


class ConfigurationKeyBody(RequestSchema):
    meaning: str = Field("", max_length=200, examples=["percent"])
    models: list[str] = Field([], max_length=50, description="Models of terminals; empty for all.")
    value_schema: dict[str, Any] = Field(
        {},
        description="JSON Schema 2020-12 of a value: at most 16 KB, 8 levels, references to its own `$defs` only.",
        examples=[{"type": "integer", "minimum": 0, "maximum": 100}],
    )
    needs_restart: bool = False
    is_secret: bool = Field(False, description="Its values are encrypted, and never returned.")

    @property
    def values(self) -> KeyValues:
        return KeyValues(self.meaning, self.models, self.value_schema, self.needs_restart, self.is_secret)


class NewConfigurationKeyBody(ConfigurationKeyBody):
    name: str = Field(min_length=1, max_length=64, examples=["display.brightness"])


class ConfigurationKeySchema(ResponseSchema):
    name: str
    meaning: str
    models: list[str]
    value_schema: dict[str, Any]
    needs_restart: bool
    is_secret: bool

    @classmethod
    def of(cls, key: ConfigurationKey) -> Self:
        copied = {name: getattr(key, name) for name in ("name", "meaning", "needs_restart", "is_secret")}
        return cls(models=key.for_models, value_schema=key.schema, **copied)

    @property
    def version(self) -> int:
        # PostgreSQL stores the keys of an object in an order of its own.
        return version_of(json.dumps(self.model_dump(), sort_keys=True))


class ConfigurationKeyListSchema(ResponseSchema):
    items: list[ConfigurationKeySchema]


class ValueBody(RequestSchema):
    layer: Layer
    place: str = Field("", max_length=100, description=ABOUT_PLACE, examples=["SJK"])
    value: Any = Field(None, description="As the schema of the key says.", examples=[60])
    is_removed: bool = Field(False, description="Take the value away: terminals get that of an earlier layer.")


class LayerValueSchema(ResponseSchema):
    layer: Layer
    place: str = Field(description=ABOUT_PLACE)
    value: Any = Field(description="Null for secrets.")
    since: int = Field(description="The version that set it.")

    @classmethod
    def all_of(cls, rows: Iterable[LayerValue]) -> list[Self]:
        values = list(rows)
        names = names_of({Place.of(value) for value in values})
        return [
            cls(
                layer=Layer(value.layer),
                place=names[Place.of(value)],
                value=None if value.secret else value.value,
                since=value.since.number,
            )
            for value in values
        ]


class ValueListSchema(ResponseSchema):
    items: list[LayerValueSchema]


class ReadyBody(RequestSchema):
    title: str = Field(min_length=1, max_length=100, examples=["Brighter displays"])
    reason: str = Field(min_length=1, max_length=500, examples=["too dark in the station"])


class UndoVersionBody(RequestSchema):
    reason: str = Field("", max_length=500)


class SendBody(RequestSchema):
    terminal: str = Field(min_length=1, max_length=64, description="Its UID.", examples=["SJK-KSK-01"])


class VersionSchema(ResponseSchema):
    number: int
    title: str
    reason: str
    state: VersionState
    author: str | None
    undoes: int | None = Field(description="The version that it takes back.")
    created_at: datetime
    fixed_at: datetime | None = Field(description="When it became ready.")

    @classmethod
    def of(cls, version: ConfigurationVersion) -> Self:
        names = ("number", "title", "reason", "created_at", "fixed_at")
        return cls(
            state=VersionState(version.state),
            author=username(version.author),
            undoes=version.undoes.number if version.undoes else None,
            **{name: getattr(version, name) for name in names},
        )


class VersionPageSchema(Page[VersionSchema]): ...


class ChangeSchema(ResponseSchema):
    key: str
    layer: Layer
    place: str = Field(description=ABOUT_PLACE)
    before: str | None = Field(description="As a text; secrets are masked, null for none.")
    after: str | None
    terminals: int

    @classmethod
    def of(cls, row: ChangedValueRow) -> Self:
        layer = row.place.layer
        return cls(key=row.key, layer=layer, place=row.name, before=row.before, after=row.after, terminals=row.number)


class ChangeListSchema(ResponseSchema):
    terminals: int = Field(description="Terminals whose values change.")
    items: list[ChangeSchema]
    errors: list[str]


class EffectiveValueSchema(ResponseSchema):
    key: str
    value: str = Field(description="As a text; secrets are masked.")
    layer: Layer
    place: str = Field(description=ABOUT_PLACE)
    state: str = Field(description="`applied`, `differs`, `refused` or `restart`.")
    reason: str = Field(description="Why the terminal refused it.")

    @classmethod
    def of(cls, row: ValueRow) -> Self:
        return cls(
            key=row.key.name, value=row.value, layer=row.layer, place=row.place, state=row.state, reason=row.reason
        )


class TerminalConfigurationSchema(ResponseSchema):
    terminal: str
    can_be_configured: bool
    desired_version: int | None
    reported_version: int | None
    revision: int = Field(description="What the link calls `config_version`.")
    reported_revision: int | None
    differs: bool
    error: str = Field(description="Why it refused or undid what it shall have.")
    values: list[EffectiveValueSchema]

    @classmethod
    def of(cls, terminal: Terminal, stored: TerminalConfiguration | None, values: list[EffectiveValueSchema]) -> Self:
        row = stored or TerminalConfiguration(terminal=terminal)
        return cls(
            terminal=terminal.uid,
            can_be_configured=row.reported is not None,
            desired_version=row.version.number if row.version else None,
            reported_version=row.applied_version.number if row.applied_version else None,
            revision=row.revision,
            reported_revision=row.reported,
            differs=row.differs,
            error=row.error,
            values=values,
        )
