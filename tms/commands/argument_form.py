"""A form for the arguments of a command, made from its JSON Schema."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from tms.commands.argument_schemas import MAX_ARGUMENT_BYTES, faults
from tms.lib.forms import Plain
from tms.lib.text_fields import FormLine, FormLines

PREFIX = "args"


class HasArguments(Protocol):
    @property
    def arguments(self) -> Mapping[str, Any]: ...


class FormPart(NamedTuple):
    legend: str
    help: str
    fields: list[BoundField]


class ArgumentForm(Plain, forms.Form):
    """A field for each simple argument; after `is_valid()`, `arguments` are their JSON values."""

    def __init__(
        self, schema: Mapping[str, Any], data: Any = None, *, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, prefix=PREFIX, initial=dict(initial or {}))
        self._schema = dict(schema)
        needed = schema.get("required", ())
        for name, part in schema.get("properties", {}).items():
            self.fields[name] = _field(name, part, is_required=name in needed)
        self.dress()

    @property
    def parts(self) -> list[FormPart]:
        return [FormPart("", "", list(self))]

    @property
    def arguments(self) -> dict[str, Any]:
        empty: tuple[Any, ...] = (None, "", [])
        return {name: value for name, value in self.cleaned_data.items() if value not in empty}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and (fault := faults(self._schema, self.arguments)):
            name = fault.where.removeprefix("$.args").strip(".").partition(".")[0].partition("[")[0]
            self.add_error(name if name in self.fields else None, str(fault))
        return cleaned


class JsonValueField(FormLines):
    """Any JSON value, as text."""

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ValidationError(gettext("Enter JSON, such as 5, “text” or [1, 2].")) from None


def argument_form(
    definition: HasArguments, data: Any = None, *, initial: Mapping[str, Any] | None = None
) -> ArgumentForm:
    return ArgumentForm(definition.arguments, data, initial=initial)


def _field(name: str, part: Any, *, is_required: bool) -> forms.Field:
    part = part if isinstance(part, Mapping) else {}
    title = (part.get("x-title-ja", "") if get_language() == "ja" else "") or part.get("title") or name
    common: dict[str, Any] = {
        "label": str(title),
        "required": is_required,
        "help_text": str(part.get("description", "")),
        "initial": part.get("default"),
    }
    match part.get("type"):
        case "integer":
            return forms.IntegerField(min_value=part.get("minimum"), max_value=part.get("maximum"), **common)
        case "number":
            return forms.FloatField(min_value=part.get("minimum"), max_value=part.get("maximum"), **common)
        case "boolean":
            choices = [("", "–"), ("true", _("Yes")), ("false", _("No"))]
            return forms.TypedChoiceField(choices=choices, coerce=lambda value: value == "true", **common)
        case "string" if "enum" in part:
            return forms.ChoiceField(choices=[("", "–"), *((str(one), str(one)) for one in part["enum"])], **common)
        case "string":
            return FormLine(max_length=part.get("maxLength", MAX_ARGUMENT_BYTES), **common)
    return JsonValueField(max_length=MAX_ARGUMENT_BYTES, **common)
