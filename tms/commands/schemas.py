"""REST schemas of commands and of their catalogue."""

import json
from datetime import datetime
from typing import Any, Self

from django.utils.translation import override
from pydantic import Field

from tms.commands.catalogue import label_of
from tms.commands.definitions import DefinitionValues
from tms.commands.kinds import CommandSpec
from tms.commands.models import Command, CommandState, Danger
from tms.fleet.models import TerminalKind
from tms.rest_base.etags import version_of
from tms.rest_base.pagination import Page
from tms.rest_base.schemas import RequestSchema, ResponseSchema

ARGUMENTS = {"type": "object", "properties": {"copies": {"type": "integer", "minimum": 1, "maximum": 5}}}
ABOUT_DANGER = "Other than `none`, it needs `accounts.send_dangerous_commands`; `deletes_data` needs a second person."


class DefinitionBody(RequestSchema):
    label: str = Field(min_length=1, max_length=100, examples=["Print test page"])
    label_ja: str = Field("", max_length=100)
    arguments: dict[str, Any] = Field(
        {"type": "object", "additionalProperties": False},
        description="JSON Schema 2020-12 of an object: at most 16 KB, 8 levels, references to its own `$defs` only.",
        examples=[ARGUMENTS],
    )
    kinds: list[TerminalKind] = Field([], max_length=20, description="Kinds of terminals; empty for all.")
    models: list[str] = Field([], max_length=50, description="Models; empty for all.")
    danger: Danger = Field(Danger.NONE, description=ABOUT_DANGER)
    answer_within_s: float = Field(30, ge=1, le=3600)
    max_result_bytes: int = Field(4096, ge=1, le=65_536, description="A larger result fails.")
    files: int = Field(0, ge=0, le=5, description="How many files the terminal may upload.")
    file_types: list[str] = Field([], max_length=10, description="Their media types.", examples=[["text/plain"]])
    max_file_bytes: int = Field(50_000_000, ge=1, le=50_000_000)

    @property
    def values(self) -> DefinitionValues:
        given = self.model_dump(include=set(DefinitionBody.model_fields) - {"models"})
        return DefinitionValues(**given, terminal_models=self.models)


class NewDefinitionBody(DefinitionBody):
    name: str = Field(
        min_length=1, max_length=64, description="The handler of the terminal.", examples=["print-test-page"]
    )


class ChangedDefinitionBody(DefinitionBody):
    confirm: int | None = Field(None, description="Number of jobs, where `tms:confirmation-needed` asks for it.")


class CommandSpecSchema(ResponseSchema):
    name: str
    is_builtin: bool
    label: str
    label_ja: str
    arguments: dict[str, Any]
    kinds: list[str]
    models: list[str]
    danger: Danger
    answer_within_s: float
    max_result_bytes: int
    files: int
    file_types: list[str]
    max_file_bytes: int

    @classmethod
    def of(cls, spec: CommandSpec) -> Self:
        labels: dict[str, Any] = {}
        for field, language in (("label", "en"), ("label_ja", "ja")):
            with override(language):
                labels[field] = str(spec.label)
        return cls(**{name: getattr(spec, name) for name in cls.model_fields if name not in labels}, **labels)

    @property
    def version(self) -> int:
        # PostgreSQL stores the keys of an object in an order of its own.
        return version_of(json.dumps(self.model_dump(), sort_keys=True))


class CatalogueSchema(ResponseSchema):
    items: list[CommandSpecSchema]


class CatalogueQuery(RequestSchema):
    terminal: str = Field("", max_length=64, description="UID: only the commands that it is offered.")


class CommandUsageSchema(ResponseSchema):
    terminals: int
    open_jobs: int
    last_used_at: datetime | None
    results: dict[CommandState, int]


class CommandBody(RequestSchema):
    name: str = Field(min_length=1, max_length=64, examples=["collect_logs"])
    args: dict[str, Any] = Field({}, description="As the command's schema says.", examples=[{"lines": 50}])
    answer_within_s: float | None = Field(None, ge=1, le=3600, description="By default as the command says.")
    deliver_within_s: float = Field(3600, ge=1, le=604_800, description="How long it waits for an offline terminal.")
    reason: str = Field("", max_length=500)
    confirm: int | None = Field(None, description="Where `tms:confirmation-needed` asks for it.")


class CommandSchema(ResponseSchema):
    id: int
    name: str
    label: str = Field(description="For people, in English.", examples=["Update kiosk-firmware 4.8.3"])
    args: dict[str, Any]
    state: CommandState
    created_at: datetime
    sent_at: datetime | None
    answered_at: datetime | None
    progress_pct: float | None = Field(description="As far as its terminal says, until it has answered.")
    progress_text: str
    result: Any
    error: str

    @classmethod
    def of(cls, command: Command) -> Self:
        """`command` is a row `with_labels`."""
        names = cls.model_fields.keys() - {"label"}
        with override("en"):
            label = str(label_of(command))
        return cls(**{name: getattr(command, name) for name in names}, label=label)


class CommandPageSchema(Page[CommandSchema]): ...
