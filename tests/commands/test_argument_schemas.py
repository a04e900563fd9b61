"""Schemas of arguments: what is refused, what it costs at most, and what a wrong argument is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms.commands.argument_schemas import BadSchema, check_schema, faults
from tms.commands.kinds import CATALOG
from tms.commands.patterns import pattern_cost


def of(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


DOUBLING = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(12)} | {"d12": {}}
DEEP: dict[str, object] = {}
for _ in range(9):
    DEEP = {"not": DEEP}

MANY_REFERENCES = {"allOf": [{"$ref": "#/$defs/e"}] * 80}

REFUSED = [
    ([], "$: must be an object"),
    ({"type": "array"}, '$.type: must be "object"'),
    ({"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"}, "$.$schema: must be https"),
    (of(a={"type": "integr"}), "$.properties.a.type: 'integr' is not valid"),
    (of(a={"minimums": 1}), "$.properties.a.minimums: unknown keyword; did you mean minimum?"),
    (of(a={"$ref": "https://example.org/a.json"}), "$.properties.a.$ref: must refer to a definition of this schema"),
    (of(a={"$ref": "#"}), "$.properties.a.$ref: must refer to a definition of this schema"),
    (of(a={"$dynamicRef": "#a"}), "$.properties.a.$dynamicRef: unknown keyword"),
    (
        {"type": "object", "$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"$ref": "#/$defs/a"}}},
        "$.$defs.a: refers to itself",
    ),
    ({"type": "object", "$ref": "#/$defs/d0", "$defs": DOUBLING}, "$: has more than 200 schemas"),
    (of(a=DEEP), "is nested too deeply; at most 8"),
    (of(a={"enum": ["x" * 20_000]}), "at most 16,384 are allowed"),
    (of(a={"multipleOf": 10**400}), "a number must be from"),
    (of(a={"pattern": "^a+$"}), "$.properties.a.pattern: needs maxLength beside it"),
    (
        of(a={"enum": list(range(400))}, b=MANY_REFERENCES) | {"$defs": {"e": {"enum": list(range(10))}}},
        "1,000 entries in enum",
    ),
    (of(a=MANY_REFERENCES) | {"$defs": {"e": {"required": [f"n{n}" for n in range(20)]}}}, "1,000 entries in enum"),
    (of(a=MANY_REFERENCES) | {"$defs": {"e": {"dependentRequired": {"a": ["b", "c", "d"]}}}}, "more than 200 schemas"),
    (of(a={"dependentRequired": []}), "$.dependentRequired: must be an object"),
    (of(a={"pattern": "(a+)+$", "maxLength": 40}), "cannot be used from '+$' on; use characters, classes"),
    (of(a={"pattern": "(a|a)*b", "maxLength": 40}), "cannot be used from '*b' on"),
    (of(a={"pattern": "^a*a*a*b$", "maxLength": 200}), "may take too long to check"),
    (of(a={"pattern": "^a{0,20}a{0,20}a{0,40}a{4000}b", "maxLength": 4096}), "may take too long to check"),
    (of(a={"pattern": r"(a)\1", "maxLength": 9}), r"cannot be used from '\\1' on"),
    (of(a={"pattern": "(?=a)", "maxLength": 9}), "cannot be used from '?=a)' on"),
    (of(a={"pattern": "[[:alpha:]]", "maxLength": 9}), "cannot be used from '[[:alpha:]' on"),
    (of(a={"pattern": "(", "maxLength": 9}), "is no regular expression"),
    (of(a={"pattern": "a{3,2}", "maxLength": 9}), "is no regular expression"),
    (of(a={"patternProperties": {"(a+)+": {}}}), "unknown keyword"),
]


@pytest.mark.parametrize(("schema", "problem"), REFUSED)
def test_a_schema_that_is_wrong_or_costly_is_refused_with_the_reason(schema, problem):
    with pytest.raises(BadSchema) as refused:
        check_schema(schema)

    assert problem in str(refused.value)


PRINT = of(
    copies={"type": "integer", "minimum": 1, "maximum": 5},
    density={"enum": ["light", "dark"]},
    serial={"type": "string", "pattern": "^[A-Z]{2}-[0-9]+$", "maxLength": 12},
    areas={"type": "array", "items": {"$ref": "#/$defs/area"}},
) | {"$defs": {"area": {"type": "string", "maxLength": 4}}, "required": ["copies"]}

WRONG = [
    ({"copies": 9}, "$.args.copies: 9 is greater than the maximum of 5; allowed: 1 to 5"),
    ({"copies": "2"}, "$.args.copies: '2' is not of type 'integer'"),
    ({}, "$.args: 'copies' is a required property"),
    ({"copies": 1, "density": "grey"}, "$.args.density: 'grey' is not one of ['light', 'dark']"),
    ({"copies": 1, "cut": True}, "('cut' was unexpected); known arguments: copies, density, serial, areas"),
    ({"copies": 1, "serial": "x"}, "$.args.serial: 'x' does not match"),
    ({"copies": 1, "areas": ["a", "abcde"]}, "$.args.areas[1]: 'abcde' is too long"),
    ([], "$.args: [] is not of type 'object'"),
    ({"copies": 10**400}, "$.args: a number must be from"),
    ({"copies": float("nan")}, "$.args: a number must be from"),
    ({"copies": 1, "serial": "\ud800"}, "$.args: the arguments must be JSON"),
    ({"copies": 1, "serial": "x" * 5_000}, "bytes; at most 4,096 are allowed"),
    ({"copies": [0] * 300}, "more than 250 values"),
]


@pytest.mark.parametrize(("arguments", "problem"), WRONG)
def test_a_wrong_argument_is_told_where_it_is_and_what_would_be_right(arguments, problem):
    check_schema(PRINT)

    assert problem in str(faults(PRINT, arguments))


def test_right_arguments_have_no_fault():
    assert faults(PRINT, {"copies": 5, "density": "dark", "serial": "AB-77", "areas": ["a"]}) is None


PATTERNS = [
    ("^[a-z]+$", "abc", True),
    ("^[a-z]+$", "abc\n", False),
    (r"^\d+$", "12", True),
    (r"^\d+$", "١٢", False),
    (r"[$^](x|y)?\$$", "$x$", True),
    (r"^(?:[0-9]{3}-)?[0-9]{2,4}$", "123-4567", True),
    (r"^a|b$", "ab", True),
]


@pytest.mark.parametrize(("pattern", "text", "matches"), PATTERNS)
def test_a_pattern_means_what_json_schema_says(pattern, text, matches):
    schema = of(a={"pattern": pattern, "maxLength": 20})
    check_schema(schema)

    assert (faults(schema, {"a": text}) is None) is matches


UNIQUE = [([1, 1.0], False), ([1, True], True), ([{"a": 1, "b": 2}, {"b": 2, "a": 1}], False), ([0, "0", None], True)]


@pytest.mark.parametrize(("entries", "is_right"), UNIQUE)
def test_entries_are_compared_as_json(entries, is_right):
    assert (faults(of(a={"uniqueItems": True}), {"a": entries}) is None) is is_right


def test_the_schemas_of_the_commands_of_tms_are_in_bounds():
    for spec in CATALOG.values():
        check_schema(dict(spec.arguments))


@pytest.mark.timeout(60, method="signal")
@given(st.text("ab+*?|()[]{}1,9.^$\\", max_size=14))
def test_the_check_of_a_pattern_that_is_accepted_ends(pattern):
    schema = of(a={"pattern": pattern, "maxLength": 40})
    try:
        check_schema(schema)
    except BadSchema:
        return

    for text in ("a" * 40, "ab" * 20, "a" * 39 + "b"):
        faults(schema, {"a": text})


def test_the_cost_of_a_pattern_counts_how_it_may_match():
    assert pattern_cost("^[A-Z]{3}-[0-9]{4}$", 20) < pattern_cost("^[A-Z]+-[0-9]+$", 20) < pattern_cost("[A-Z]+-x+", 20)
