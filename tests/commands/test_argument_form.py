"""The form that is made from the schema of arguments: its fields, its values, its errors."""

import pytest
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from tms.commands.argument_form import argument_form
from tms.commands.argument_schemas import BadSchema, check_schema, faults
from tms.commands.models import CommandDefinition

VOLUME = {
    "type": "object",
    "properties": {
        "level": {
            "type": "integer",
            "minimum": 0,
            "maximum": 100,
            "default": 40,
            "title": "Level",
            "x-title-ja": "音量",
        },
        "ratio": {"type": "number"},
        "channel": {
            "enum": ["main", "cash"],
            "default": "main",
            "x-labels": {"en": ["Main", "Cash"], "ja": ["主", "副"]},
        },
        "mode": {"enum": [1, True, "x"]},
        "mute": {"type": "boolean", "default": True},
        "force": {"type": "boolean"},
        "before": {"type": "string", "format": "date"},
        "serial": {"type": "string", "pattern": "^[A-Z]+$", "maxLength": 8, "minLength": 2},
        "areas": {"type": "array", "items": {"$ref": "#/$defs/area"}, "maxItems": 2},
        "lines": {"type": "array", "items": {"type": "string", "maxLength": 3}},
        "span": {
            "type": "object",
            "title": "Span",
            "properties": {"since": {"type": "integer"}, "until": {"type": "integer"}},
            "required": ["since"],
        },
        "rules": {"type": "array", "items": {"type": "object", "required": ["a"]}},
    },
    "required": ["level"],
    "additionalProperties": False,
    "$defs": {"area": {"enum": ["images", "offers", "all"]}},
}


def form_of(schema, text: str | None = None, **options):
    check_schema(schema)
    return argument_form(CommandDefinition(arguments=schema), None if text is None else QueryDict(text), **options)


def test_each_argument_has_the_field_of_its_type_and_is_called_as_the_schema_says_in_each_language():
    with override("ja"):
        japanese = form_of(VOLUME)
        labels = (japanese["level"].label, str(japanese["channel"]))

    form = form_of(VOLUME)

    kinds = {name: type(field).__name__ for name, field in form.fields.items()}
    assert kinds == {
        "level": "IntegerField",
        "ratio": "NumberEntryField",
        "channel": "TypedChoiceField",
        "mode": "TypedChoiceField",
        "mute": "BooleanField",
        "force": "TypedChoiceField",
        "before": "FormLine",
        "serial": "FormLine",
        "areas": "TypedMultipleChoiceField",
        "lines": "EntriesField",
        "span.since": "IntegerField",
        "span.until": "IntegerField",
        "rules": "JsonField",
    }
    assert [name for name, field in form.fields.items() if field.required] == ["level"]
    assert (form["level"].label, form["level"].help_text, form["level"].value()) == ("Level", "0 to 100", 40)
    assert labels[0] == "音量"
    assert "主" in labels[1]
    assert [part.legend for part in form.parts] == ["", "Span", ""]


def test_it_gives_back_the_values_of_json_and_leaves_out_what_was_not_entered():
    full = (
        "args-level=7&args-ratio=2.0&args-channel=%22cash%22&args-mode=true&args-mute=on&args-force=false"
        "&args-before=2026-12-24&args-serial=AB&args-areas=%22all%22&args-lines=a%0D%0A%0D%0Ab"
        "&args-span.since=1&args-rules=%5B%7B%22a%22%3A1%7D%5D"
    )

    form, least = form_of(VOLUME, full), form_of(VOLUME, "args-level=0&args-channel=%22main%22")

    assert (form.is_valid(), form.errors) == (True, {})
    assert form.arguments == {
        "level": 7,
        "ratio": 2,
        "channel": "cash",
        "mode": True,
        "mute": True,
        "force": False,
        "before": "2026-12-24",
        "serial": "AB",
        "areas": ["all"],
        "lines": ["a", "b"],
        "span": {"since": 1},
        "rules": [{"a": 1}],
    }
    assert least.is_valid()
    assert least.arguments == {"level": 0, "channel": "main", "mute": False}


def test_the_arguments_of_an_earlier_command_are_filled_in():
    given = {"level": 3, "force": False, "areas": ["all"], "span": {"since": 2}, "lines": ["a", "b"], "mode": "x"}

    form = form_of(VOLUME, initial=given)

    shown = {name: form[name].value() for name in ("level", "force", "areas", "span.since", "lines", "mode", "channel")}
    assert shown == {
        "level": 3,
        "force": "false",
        "areas": ['"all"'],
        "span.since": 2,
        "lines": "a\nb",
        "mode": '"x"',
        "channel": '"main"',
    }


WRONG = [
    ("level", "", "This field is required."),
    ("level", "101", "At most 100."),
    ("level", "much", "Enter a whole number."),
    ("channel", '"left"', "Select a valid choice."),
    ("serial", "A", "At least 2 characters."),
    ("serial", "ab", "Must match ^[A-Z]+$"),
    ("before", "2026-13-01", "Must have the format date."),
    ("lines", "a\nlong", "Entry 2: At most 3 characters."),
    ("span.until", "4", None),
    ("rules", '[{"b": 1}]', "0.a: This field is required."),
    ("rules", '[\n"a",,', "Line 2, column 5: "),
    ("rules", "[NaN]", "NaN is no JSON."),
    ("rules", '[{"a": 1, "a": 2}]', 'The name "a" is there twice.'),
    ("ratio", "1e300", "Ensure this value is less than or equal to"),
]


@pytest.mark.parametrize(("name", "value", "problem"), WRONG)
def test_what_is_wrong_is_said_at_its_field(name, value, problem):
    data = QueryDict(mutable=True)
    data.update({"args-level": "1", "args-channel": '"main"', f"args-{name}": value})

    form = form_of(VOLUME, data.urlencode())

    assert not form.is_valid()
    at = name if problem else "span.since"
    assert list(form.errors) == [at]
    assert form.errors[at][0].startswith(problem or "This field is required.")


WHOLE = [
    ({"type": "object"}, "", {}),
    ({"type": "object"}, '{"a": 1}', {"a": 1}),
    ({"type": "object", "properties": {"a b": {"type": "integer"}}}, '{"a b": 2}', {"a b": 2}),
    ({"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, '{"b": 2}', {"b": 2}),
    ({"type": "object", "properties": {"a": {"type": "integer"}}, "allOf": [{}]}, '{"a": "x"}', None),
    ({"type": "object"}, "[1]", None),
    ({"type": "object"}, "[" * 2_000 + "]" * 2_000, None),
    ({"type": "object"}, "9" * 4_096, None),
]


@pytest.mark.parametrize(("schema", "text", "arguments"), WHOLE)
def test_arguments_that_a_form_cannot_list_are_one_field_for_json(schema, text, arguments):
    data = QueryDict(mutable=True)
    data["args--"] = text

    form = form_of(schema, data.urlencode())

    assert form.is_valid() == (arguments is not None)
    assert form.errors.keys() <= {"-"}
    if arguments is not None:
        assert form.arguments == arguments


def test_a_command_without_arguments_has_an_empty_form():
    form = form_of({"type": "object", "additionalProperties": False}, "args-x=1")

    assert (form.is_valid(), form.arguments, form.parts) == (True, {}, [])


NAMES = st.sampled_from(["a", "b", "$ref", "x-labels", "<b>"])
SCHEMAS = st.recursive(
    st.one_of(
        st.booleans(),
        st.builds(
            lambda kind: {"type": kind}, st.sampled_from(["string", "integer", "number", "boolean", "array", "null"])
        ),
        st.builds(
            lambda values: {"enum": values}, st.lists(st.none() | st.integers(0, 9) | st.text(max_size=3), max_size=3)
        ),
    ),
    lambda inner: st.one_of(
        st.builds(lambda named: {"type": "object", "properties": named}, st.dictionaries(NAMES, inner, max_size=3)),
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda a, b: {"anyOf": [a, b]}, inner, inner),
    ),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, SCHEMAS, max_size=3), st.text('[]{}"\\ab01,:\n', max_size=12))
def test_any_accepted_schema_has_a_form_that_can_be_shown_and_gives_only_what_the_schema_allows(properties, text):
    schema = {"type": "object", "properties": properties}
    try:
        check_schema(schema)
    except BadSchema:
        return
    empty = form_of(schema)
    data = {f"{empty.add_prefix(name)}": text for name in empty.fields}

    form = argument_form(CommandDefinition(arguments=schema), data)
    shown = render_to_string("forms/arguments.html", {"form": form})

    assert "<b>" not in shown
    if form.is_valid():
        assert faults(schema, form.arguments) is None
