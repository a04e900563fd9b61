"""Schemas of the arguments of commands: JSON Schema 2020-12, in bounds. Pure.

People write the schemas and other systems send the arguments, so both are hostile. Only the keywords below are known,
references lead to `$defs` of the same schema and never in a circle, and what a schema makes the check do is bounded:
`MAX_STEPS` subschemas and `MAX_ENTRIES` of their lists, with all references followed, times `MAX_VALUES` values.
"""

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches
from itertools import islice
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from jsonschema.validators import extend

from tms.commands.patterns import compiled, pattern_cost

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_SCHEMA_BYTES = 16_384
MAX_DEPTH = 8
MAX_STEPS = 200
"""Subschemas, with each reference counted as what it refers to."""
MAX_ENTRIES = 1_000
"""Values of all `enum` and names of all `required`, counted in the same way."""
MAX_PATTERN_COST = 100_000
MAX_ARGUMENT_BYTES = 4_096
MAX_VALUES = 250
MAX_NUMBER = 2**53
MAX_SHOWN = 200
"""Characters of a message that repeat what was sent."""
MAX_FAULTS = 50

type Schema = dict[str, Any]

ONE = ("additionalProperties", "items", "not", "if", "then", "else", "contains", "propertyNames")
MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
NAMED = ("properties", "$defs", "dependentSchemas")
PLAIN = (
    *("$schema", "$ref", "$comment", "type", "enum", "const", "required", "dependentRequired", "format"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "minContains", "maxContains"),
    *("title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"),
)
KEYWORDS = frozenset((*ONE, *MANY, *NAMED, *PLAIN))
REFERENCE = re.compile(r"#/\$defs/([A-Za-z0-9_.-]{1,64})")


class BadSchema(ValueError):
    """The schema cannot be used. `where` is a path in it, and the message says what would be right."""

    code = "tms:bad-schema"

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where, self.problem = where, problem


class ArgumentFault(NamedTuple):
    """What is wrong with an argument: where, what, and what would be right."""

    where: str
    problem: str
    path: tuple[str, ...] = ()
    """The names and positions that lead to it."""
    keyword: str = ""
    """The keyword of the schema that it violates, and the value of that."""
    limit: Any = None

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}"


def check_schema(schema: object) -> None:
    """Raises BadSchema at the first mistake."""
    if not isinstance(schema, dict):
        raise BadSchema("$", 'must be an object, such as {"type": "object", "properties": {}}')
    deque(_values(schema, "$", deepest=3 * MAX_DEPTH), maxlen=0)
    size = _size(schema, "$", "schema")
    if size > MAX_SCHEMA_BYTES:
        raise BadSchema("$", f"has {size:,} bytes; at most {MAX_SCHEMA_BYTES:,} are allowed")
    if schema.get("type") != "object":
        raise BadSchema("$.type", 'must be "object": arguments have names')
    if schema.get("$schema", DIALECT) != DIALECT:
        raise BadSchema("$.$schema", f"must be {DIALECT}, or left out")
    _Bounds(schema).check(schema, "$", depth=1)
    _Steps(schema).count(schema, frozenset())
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise BadSchema(error.json_path, error.message[:MAX_SHOWN]) from None


def faults(schema: Schema, arguments: object) -> ArgumentFault | None:
    """The first thing that is wrong with `arguments`; None if nothing is. The schema has been checked."""
    if found := _out_of_bounds(arguments):
        return found
    error = best_match(islice(_errors(schema, arguments), MAX_FAULTS))
    return None if error is None else _fault(error)


def every_fault(schema: Schema, arguments: object) -> list[ArgumentFault]:
    """What is wrong with `arguments`, at most `MAX_FAULTS`. The schema has been checked."""
    if found := _out_of_bounds(arguments):
        return [found]
    return [_fault(error) for error in islice(_errors(schema, arguments), MAX_FAULTS)]


def _errors(schema: Schema, arguments: object) -> Iterator[ValidationError]:
    found: Iterator[ValidationError] = _Validator(schema, format_checker=FORMATS).iter_errors(arguments)
    return found


def _fault(error: ValidationError) -> ArgumentFault:
    path = tuple(map(str, error.absolute_path))
    where = f"$.args{error.json_path[1:]}"
    return ArgumentFault(where, _advice(error), path, str(error.validator), error.validator_value)


class _Bounds:
    """Refuses unknown keywords, references that lead elsewhere, depth, and patterns that may take long."""

    def __init__(self, root: Schema) -> None:
        self._definitions = root.get("$defs", {})

    def check(self, schema: object, where: str, *, depth: int) -> None:
        if isinstance(schema, bool):
            return
        if not isinstance(schema, dict):
            raise BadSchema(where, "must be an object, true or false")
        if depth > MAX_DEPTH:
            raise BadSchema(where, f"is nested too deeply; at most {MAX_DEPTH} schemas within each other are allowed")
        for keyword in schema:
            if keyword not in KEYWORDS and not keyword.startswith("x-"):
                raise BadSchema(f"{where}.{keyword}", f"unknown keyword{_nearest(keyword)}")
        self._check_reference(schema, where)
        _check_pattern(schema, where)
        for path, part in _parts(schema):
            self.check(part, f"{where}.{path}", depth=depth + 1)

    def _check_reference(self, schema: Schema, where: str) -> None:
        if "$ref" not in schema:
            return
        found = REFERENCE.fullmatch(str(schema["$ref"]))
        if not isinstance(self._definitions, dict) or not found or found[1] not in self._definitions:
            raise BadSchema(f"{where}.$ref", "must refer to a definition of this schema, such as #/$defs/area")


class _Steps:
    """Counts what a check does at most, and so refuses circles and references that multiply."""

    def __init__(self, root: Schema) -> None:
        self._definitions = root.get("$defs", {})
        self._steps = self._entries = 0

    def count(self, schema: object, within: frozenset[str]) -> None:
        self._steps += 1
        if isinstance(schema, dict):
            self._steps += sum(_length(names) for names in _named(schema, "dependentRequired").values())
            self._entries += _length(schema.get("enum")) + _length(schema.get("required"))
        if self._steps > MAX_STEPS:
            raise BadSchema("$", f"has more than {MAX_STEPS} schemas, with all references followed; make it smaller")
        if self._entries > MAX_ENTRIES:
            lists = f"more than {MAX_ENTRIES:,} entries in enum and required, with all references followed"
            raise BadSchema("$", f"has {lists}; make them shorter")
        if not isinstance(schema, dict):
            return
        if reference := REFERENCE.fullmatch(str(schema.get("$ref", ""))):
            name = reference[1]
            if name in within:
                raise BadSchema(f"$.$defs.{name}", "refers to itself; write out the levels that are needed")
            self.count(self._definitions[name], within | {name})
        for path, part in _parts(schema):
            if not path.startswith("$defs."):
                self.count(part, within)
        # Definitions that nothing refers to are checked for circles, too.
        for name in schema.get("$defs", {}):
            self.count(self._definitions.get(name, True), within | {name})


def _parts(schema: Schema) -> Iterator[tuple[str, object]]:
    """The schemas within a schema, each with its path."""
    for keyword in ONE:
        if keyword in schema:
            yield keyword, schema[keyword]
    for keyword in MANY:
        parts = schema.get(keyword, [])
        if not isinstance(parts, list):
            raise BadSchema(f"$.{keyword}", "must be a list of schemas")
        yield from ((f"{keyword}[{number}]", part) for number, part in enumerate(parts))
    for keyword in NAMED:
        yield from ((f"{keyword}.{name}", part) for name, part in _named(schema, keyword).items())


def _named(schema: Schema, keyword: str) -> dict[str, Any]:
    named = schema.get(keyword, {})
    if not isinstance(named, dict):
        raise BadSchema(f"$.{keyword}", "must be an object")
    return named


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0


def _check_pattern(schema: Schema, where: str) -> None:
    if "pattern" not in schema:
        return
    longest = schema.get("maxLength")
    if type(longest) is not int or not 0 <= longest <= MAX_ARGUMENT_BYTES:
        raise BadSchema(f"{where}.pattern", f"needs maxLength beside it, from 0 to {MAX_ARGUMENT_BYTES}")
    try:
        cost = pattern_cost(schema["pattern"], longest)
    except ValueError as error:
        raise BadSchema(f"{where}.pattern", str(error)) from None
    if cost > MAX_PATTERN_COST:
        advice = "begin it with ^, lower maxLength, or give repetitions an upper bound such as {1,8}"
        raise BadSchema(f"{where}.pattern", f"may take too long to check; {advice}")


def _pattern(_validator: Any, pattern: str, instance: object, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
    """The keyword `pattern`. A text that is too long is not matched: its length bounds how long that takes."""
    if not isinstance(instance, str) or len(instance) > schema["maxLength"]:
        return
    if not compiled(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _required(_validator: Any, names: list[str], instance: object, _schema: Any) -> Iterator[ValidationError]:
    """The keyword `required`, as one fault: each costs more than the look for all names."""
    if isinstance(instance, dict) and (missing := next((name for name in names if name not in instance), None)):
        yield ValidationError(f"{missing!r} is a required property")


def _unique_items(_validator: Any, is_demanded: bool, instance: object, _schema: Any) -> Iterator[ValidationError]:
    """The keyword `uniqueItems`, in linear time. That of the library compares all pairs if types are mixed."""
    if is_demanded and isinstance(instance, list) and len(set(map(_text, instance))) < len(instance):
        yield ValidationError(f"{instance!r} has non-unique elements")


def _text(value: object) -> str:
    """Equal for values that are equal in JSON: 1.0 is 1, and true is not."""
    return json.dumps(json.loads(json.dumps(value), parse_float=_number), sort_keys=True)


def _number(text: str) -> float:
    return int(float(text)) if float(text).is_integer() else float(text)


FORMATS = FormatChecker(("date", "email", "ipv4", "ipv6", "uuid"))
"""Formats that are checked, with `date-time`; each takes time in proportion to the text. Others are notes."""


@FORMATS.checks("date-time", raises=ValueError)
def _is_date_time(instance: object) -> bool:
    return not isinstance(instance, str) or datetime.fromisoformat(instance).tzinfo is not None


_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _pattern, "required": _required, "uniqueItems": _unique_items}
)


def _out_of_bounds(arguments: object) -> ArgumentFault | None:
    try:
        number = sum(1 for _ in _values(arguments, "$.args", deepest=2 * MAX_DEPTH))
        size = _size(arguments, "$.args", "arguments")
    except BadSchema as error:
        return ArgumentFault(error.where, error.problem)
    if size > MAX_ARGUMENT_BYTES:
        return ArgumentFault("$.args", f"{size:,} bytes; at most {MAX_ARGUMENT_BYTES:,} are allowed")
    return ArgumentFault("$.args", f"more than {MAX_VALUES:,} values") if number > MAX_VALUES else None


def _size(value: object, where: str, name: str) -> int:
    """The number of bytes as JSON."""
    try:
        return len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError):  # NaN, halves of surrogate pairs, or nested without end
        raise BadSchema(where, f"the {name} must be JSON") from None


def _values(value: object, where: str, *, deepest: int) -> Iterator[object]:
    """All values within each other. Refuses depth, and numbers that cannot be computed with."""
    if deepest < 0:
        raise BadSchema(where, "is nested too deeply")
    if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
        raise BadSchema(where, f"a number must be from -{MAX_NUMBER} to {MAX_NUMBER}")
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from _values(each, where, deepest=deepest - 1)


def _advice(error: ValidationError) -> str:
    """What is wrong, and what would be right."""
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    problem = error.message if len(error.message) <= MAX_SHOWN else f"{error.message[:MAX_SHOWN]}…"
    if error.validator == "additionalProperties":
        known = ", ".join(schema.get("properties", {})) or "none"
        return f"{problem}; known arguments: {known}"[: 2 * MAX_SHOWN]
    if error.validator in {"minimum", "maximum"} and {"minimum", "maximum"} <= schema.keys():
        return f"{problem}; allowed: {schema['minimum']} to {schema['maximum']}"
    return problem


def _nearest(keyword: str) -> str:
    found = get_close_matches(keyword, KEYWORDS, 1)
    return f"; did you mean {found[0]}?" if found else "; remove it, or begin it with x- if it is a note"
