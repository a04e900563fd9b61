"""Forms of arguments, made from their JSON Schema.

What a form cannot show, such as a list of objects, is one field for JSON. The schema itself checks what was entered, so
that a form refuses what REST refuses.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.forms.boundfield import BoundField
from django.utils.functional import cached_property
from django.utils.translation import get_language, gettext, pgettext
from django.utils.translation import gettext_lazy as _

from tms.commands.argument_fields import EntriesField, NumberEntryField
from tms.commands.argument_schemas import MAX_ARGUMENT_BYTES, MAX_NUMBER, REFERENCE, ArgumentFault, Schema, every_fault
from tms.commands.kinds import CommandSpec
from tms.commands.models import CommandDefinition
from tms.lib.forms import NONE, Plain, when
from tms.lib.forms.json_field import JsonField
from tms.lib.text_fields import FormLine, FormLines
from tms.protocol.text import clean

PREFIX = "args"
WHOLE = "-"
"""The field of all arguments, where the schema has no list of them. No argument with a field has this name."""
FEW = 5
"""Choices that are shown side by side."""
LONG = 200
"""Characters from which a text gets several lines."""
MAX_NAME, MAX_TITLE, MAX_DESCRIPTION = 64, 100, 500
COMBINING = frozenset(("allOf", "anyOf", "oneOf", "not", "if"))
SPREAD = frozenset(("allOf", "anyOf", "oneOf", "if", "dependentSchemas"))
"""Keywords by which a schema may name arguments elsewhere than in `properties`."""
COMPUTABLE = (MinValueValidator(-MAX_NUMBER), MaxValueValidator(MAX_NUMBER))
PROBLEMS = {
    "minimum": _("At least %(limit)s."),
    "maximum": _("At most %(limit)s."),
    "exclusiveMinimum": _("More than %(limit)s."),
    "exclusiveMaximum": _("Less than %(limit)s."),
    "multipleOf": _("A multiple of %(limit)s."),
    "minLength": _("At least %(limit)s characters."),
    "maxLength": _("At most %(limit)s characters."),
    "pattern": _("Must match %(limit)s"),
    "format": _("Must have the format %(limit)s."),
    "minItems": _("At least %(limit)s entries."),
    "maxItems": _("At most %(limit)s entries."),
    "uniqueItems": _("An entry is there twice."),
    "required": _("This field is required."),
}
"""What a keyword says at its field; for others, the message of the check."""


def argument_form(
    definition: CommandSpec | CommandDefinition,
    data: Mapping[str, Any] | None = None,
    *,
    initial: Mapping[str, Any] | None = None,
) -> "ArgumentForm":
    """The form of a command's arguments, which has them as `arguments` once it is valid. `initial` are arguments."""
    return ArgumentForm(dict(definition.arguments), data, initial=initial)


@dataclass(frozen=True, slots=True)
class Argument:
    """One field: an argument, or one of an argument that is an object."""

    path: tuple[str, ...]
    schema: Schema
    is_required: bool

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def is_always_set(self) -> bool:
        """No choice means that it is left out."""
        return self.is_required or "default" in self.schema


class FormPart(NamedTuple):
    """Fields that belong together. Those of an object have its title as legend."""

    legend: str
    help: str
    fields: list[BoundField]


class ArgumentForm(Plain, forms.Form):
    arguments: dict[str, Any]
    """What was entered, once the form is valid."""

    def __init__(
        self, schema: Schema, data: Mapping[str, Any] | None = None, *, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, prefix=PREFIX)
        self.schema, self.arguments = schema, {}
        self._listed = list(_listed(schema))
        for one in self._listed:
            self.fields[one.name] = _field(one)
            self.initial[one.name] = _initial(one, initial)
        self.dress()

    @cached_property
    def parts(self) -> list[FormPart]:
        by_object = groupby(self._listed, lambda one: "".join(one.path[:-1]))
        return [FormPart(*self._legend(name), [self[one.name] for one in listed]) for name, listed in by_object]

    def _legend(self, name: str) -> tuple[str, str]:
        return _titles(_resolve(self.schema["properties"][name], self.schema), name) if name else ("", "")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        self.arguments = self._collect(values)
        for fault in every_fault(self.schema, self.arguments):
            self._report(fault)
        return values

    def _collect(self, values: Mapping[str, Any]) -> Any:
        found: dict[str, Any] = {}
        required = self.schema.get("required", ())
        for one in self._listed:
            value = values.get(one.name)
            if one.name == WHOLE:
                return {} if value is None else value
            inner = len(one.path) > 1
            if inner and one.path[0] in required:
                found.setdefault(one.path[0], {})
            if _is_given(value, one):
                (found.setdefault(one.path[0], {}) if inner else found)[one.path[-1]] = value
        return found

    def _report(self, fault: ArgumentFault) -> None:
        """Say it at its field. A field that has an error already does not need a second one."""
        paths = [fault.path]
        if fault.keyword == "required":
            given = _at(self.arguments, fault.path)
            paths = [(*fault.path, name) for name in fault.limit if name not in given]
        for path in paths:
            name = next((name for name in _prefixes(path) if name in self.fields), None)
            rest = path[0 if name == WHOLE else len((name or "").split(".")) :] if name else path
            if name not in self.errors and (name or not self.errors):
                self.add_error(name, _problem(fault, rest))


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def _prefixes(path: tuple[str, ...]) -> Iterator[str]:
    """The names of fields that may contain what is at the path, the nearest first."""
    for length in range(min(len(path), 2), 0, -1):
        yield ".".join(path[:length])
    yield WHOLE


def _problem(fault: ArgumentFault, rest: tuple[str, ...]) -> str:
    """`rest`: what leads from the field to what is wrong."""
    limit = fault.limit if isinstance(fault.limit, str | int | float) else ""
    text = str(PROBLEMS[fault.keyword]) % {"limit": limit} if fault.keyword in PROBLEMS else fault.problem
    if len(rest) == 1 and rest[0].isdecimal():
        return gettext("Entry %(number)s: %(problem)s") % {"number": int(rest[0]) + 1, "problem": text}
    return f"{'.'.join(rest)}: {text}" if rest else text


def _is_given(value: object, one: Argument) -> bool:
    return value is not None and value != "" and (value != [] or one.is_required)


# Which arguments a schema has


def _listed(schema: Schema) -> Iterator[Argument]:
    properties, required = schema.get("properties", {}), schema.get("required", ())
    if not _is_listed(schema):
        if properties or schema.get("additionalProperties", True) is not False:
            yield Argument((WHOLE,), {**schema, "properties": {}}, is_required=bool(required))
        return
    for name, inner in properties.items():
        found = _shown_schema(inner, schema)
        if _is_object(found):
            yield from _inner(name, found, schema, is_required=name in required)
        elif inner is not False:
            yield Argument((name,), found, is_required=name in required)


def _inner(name: str, found: Schema, root: Schema, *, is_required: bool) -> Iterator[Argument]:
    """The fields of an argument that is an object. Of an optional one none is required: it may be left out."""
    names = found.get("required", ())
    for own, schema in found["properties"].items():
        if schema is not False:
            yield Argument((name, own), _shown_schema(schema, root), is_required=is_required and own in names)


def _is_listed(schema: Schema) -> bool:
    properties = schema.get("properties", {})
    return bool(properties) and not SPREAD & schema.keys() and "$ref" not in schema and all(map(_is_plain, properties))


def _is_plain(name: str) -> bool:
    """A name that may be part of the name of a field."""
    return 1 <= len(name) <= MAX_NAME and name.isascii() and name.replace("_", "").replace("-", "").isalnum()


def _is_object(schema: Schema) -> bool:
    return schema.get("type") == "object" and not COMBINING & schema.keys() and _is_listed(schema)


def _shown_schema(schema: object, root: Schema) -> Schema:
    found = _resolve(schema, root)
    return {**found, "items": _resolve(found["items"], root)} if "items" in found else found


def _resolve(schema: object, root: Schema) -> Schema:
    """The schema, with what it refers to. The references of a checked schema end."""
    while isinstance(schema, dict) and (found := REFERENCE.fullmatch(str(schema.get("$ref", "")))):
        referred = root["$defs"][found[1]]
        schema = {**(referred if isinstance(referred, dict) else {}), **_without(schema, "$ref")}
    return schema if isinstance(schema, dict) else {}


def _without(schema: Schema, name: str) -> Schema:
    return {key: value for key, value in schema.items() if key != name}


# What is entered into a field


def _field(one: Argument) -> forms.Field:
    title, about = _titles(one.schema, gettext("Arguments") if one.name == WHOLE else one.path[-1])
    about = " ".join(filter(None, (about, _range(one))))
    options: dict[str, Any] = {"label": title, "required": one.is_required, "help_text": about}
    if choices := _choices(one.schema):
        return _choice(one, choices, options)
    kind, items = _type(one.schema), one.schema.get("items", {})
    if kind == "boolean":
        return _yes_or_no(one, options)
    if kind == "string":
        return _text_field(one, options)
    if kind == "array" and _choices(items):
        return _several(_choices(items), options)
    if kind == "array" and _type(items) == "string":
        about = " ".join(filter(None, (about, gettext("One a line."))))
        return EntriesField(**options | {"required": False, "help_text": about})
    if kind in ("integer", "number"):
        return (forms.IntegerField if kind == "integer" else NumberEntryField)(validators=COMPUTABLE, **options)
    return JsonField(max_length=MAX_ARGUMENT_BYTES, **options)


def _type(schema: Schema) -> object:
    return None if COMBINING & schema.keys() else schema.get("type")


def _choices(schema: Schema) -> list[tuple[str, str]]:
    """Each value as JSON, with its label; empty if it cannot be shown so. Null would be the same as no value."""
    values = [schema["const"]] if "const" in schema else schema.get("enum", [])
    if COMBINING & schema.keys() or None in values:
        return []
    labels = schema.get("x-labels")
    own = labels.get(get_language(), labels.get("en")) if isinstance(labels, dict) else None
    texts = own if isinstance(own, list) and len(own) == len(values) else values
    return [(json.dumps(value), _shown(text)) for value, text in zip(values, texts, strict=True)]


def _shown(value: object) -> str:
    return clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:MAX_TITLE]


def _choice(one: Argument, choices: list[tuple[str, str]], options: dict[str, Any]) -> forms.Field:
    is_set = one.is_always_set
    if is_set and len(choices) <= FEW:
        return forms.TypedChoiceField(
            choices=choices, coerce=json.loads, empty_value=None, widget=forms.RadioSelect(), **options
        )
    first = [] if is_set else [("", NONE)]
    return forms.TypedChoiceField(choices=[*first, *choices], coerce=json.loads, empty_value=None, **options)


def _yes_or_no(one: Argument, options: dict[str, Any]) -> forms.Field:
    """A box, unless the argument may be left out without a default."""
    if one.is_always_set:
        return forms.BooleanField(**options | {"required": False})
    choices = [("", NONE), ("true", pgettext("argument", "Yes")), ("false", pgettext("argument", "No"))]
    return forms.TypedChoiceField(choices=choices, coerce=json.loads, empty_value=None, **options)


def _several(choices: list[tuple[str, str]], options: dict[str, Any]) -> forms.Field:
    """Whether none may be chosen is up to the schema."""
    return forms.TypedMultipleChoiceField(
        choices=choices,
        coerce=json.loads,
        empty_value=[],
        widget=forms.CheckboxSelectMultiple(),
        **options | {"required": False},
    )


def _text_field(one: Argument, options: dict[str, Any]) -> forms.Field:
    longest = one.schema.get("maxLength", MAX_ARGUMENT_BYTES)
    if one.schema.get("format") == "date":
        return FormLine(widget=forms.TextInput(attrs=when("date")), **options)
    if one.schema.get("format") or longest <= LONG or "enum" in one.schema or "pattern" in one.schema:
        return FormLine(max_length=MAX_ARGUMENT_BYTES, **options)
    widget = forms.Textarea(attrs={"rows": 2})
    return FormLines(max_length=MAX_ARGUMENT_BYTES, widget=widget, **options)


def _initial(one: Argument, given: Mapping[str, Any] | None) -> Any:
    """What the field shows first: an argument that was given, or the default."""
    if one.name == WHOLE:
        return dict(given) if given else one.schema.get("default")
    value: Any = given
    for name in one.path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None:
        value = one.schema.get("default")
    return None if value is None else _as_entered(value, one)


def _as_entered(value: Any, one: Argument) -> Any:
    """The value as the field has it: JSON of a choice."""
    if _choices(one.schema) or (_type(one.schema) == "boolean" and not one.is_always_set):
        return json.dumps(value)
    if _type(one.schema) == "array" and _choices(one.schema.get("items", {})):
        return [json.dumps(each) for each in value] if isinstance(value, list) else None
    return value


# What it is called


def _titles(schema: Schema, name: str) -> tuple[str, str]:
    return _text(schema, "title") or name, _text(schema, "description", MAX_DESCRIPTION)


def _text(schema: Schema, keyword: str, longest: int = MAX_TITLE) -> str:
    """A text of the schema in the person's language. Its Japanese is a note beside it, such as `x-title-ja`."""
    own = schema.get(f"x-{keyword}-{get_language()}")
    found = own if isinstance(own, str) and own else schema.get(keyword, "")
    return clean(found)[:longest] if isinstance(found, str) else ""


def _range(one: Argument) -> str:
    """The range of a number, as a hint."""
    least, most = one.schema.get("minimum"), one.schema.get("maximum")
    if least is not None and most is not None:
        return gettext("%(least)s to %(most)s") % {"least": least, "most": most}
    if least is not None or most is not None:
        return str(PROBLEMS["minimum" if most is None else "maximum"]) % {"limit": least if most is None else most}
    return ""
