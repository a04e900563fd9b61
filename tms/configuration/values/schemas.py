"""Schemas of keys, and what is wrong with a value: where, what, and what would be right. Pure.

The same bounds as for arguments of commands: people write schemas, and other systems values.
"""

import json
from difflib import get_close_matches
from typing import Any, NamedTuple

from tms.commands.argument_schemas import ArgumentFault as Fault
from tms.commands.argument_schemas import BadSchema, check_schema, faults

type Schema = dict[str, Any]

VALUE = "value"
MAX_SUGGESTED = 100
"""Characters of a suggested value."""


class ValueFault(NamedTuple):
    """What is wrong with a value. `suggestion` has the value that would be right, if one is near: `[8]`."""

    problem: str
    suggestion: tuple[Any, ...] = ()


def check_key_schema(schema: object) -> None:
    """Raises BadSchema at the first mistake."""
    if not isinstance(schema, dict):
        raise BadSchema("$", 'must be an object, such as {"type": "integer", "minimum": 1, "maximum": 8}')
    try:
        check_schema(_as_argument(schema))
    except BadSchema as error:
        raise BadSchema(error.where.replace("$.properties.value", "$", 1), error.problem) from None


def fault_in(schema: Schema, value: object) -> ValueFault | None:
    """None if the value fits the schema, which has been checked."""
    found = faults(_as_argument(schema), {VALUE: value})
    if found is None:
        return None
    inner = found.where.removeprefix(f"$.args.{VALUE}")
    problem = _problem(found, value if not inner else None)
    return ValueFault(f"{inner.lstrip('.')}: {problem}" if inner else problem, _suggestion(schema, found, value))


def _as_argument(schema: Schema) -> Schema:
    """The schema of an object with one value: definitions belong to its root."""
    inner = {name: part for name, part in schema.items() if name not in {"$defs", "$schema"}}
    outer = {name: part for name, part in schema.items() if name in {"$defs", "$schema"}}
    return {"type": "object", "properties": {VALUE: inner}, **outer}


def _problem(fault: Fault, value: object) -> str:
    match fault.keyword:
        case "maximum":
            return f"at most {fault.limit}"
        case "minimum":
            return f"at least {fault.limit}"
        case "enum":
            known = ", ".join(_shown(one) for one in fault.limit[:20])
            return f"unknown; use one of {known}"
        case "type":
            wanted = fault.limit if isinstance(fault.limit, str) else " or ".join(fault.limit)
            return f"must be of type {wanted}"
    return fault.problem


def _suggestion(schema: Schema, fault: Fault, value: object) -> tuple[Any, ...]:
    """A near value that fits; none for values within others."""
    if len(fault.path) != 1:
        return ()
    candidates: list[Any] = []
    match fault.keyword:
        case "maximum" | "minimum" | "const":
            candidates = [fault.limit]
        case "enum":
            texts = {_shown(one): one for one in fault.limit}
            candidates = [texts[near] for near in get_close_matches(_shown(value)[:MAX_SUGGESTED], texts, 1)]
        case "type" if isinstance(value, str):
            candidates = [read_json(value)]
        case "type":
            candidates = [_shown(value)]
    return tuple(one for one in candidates if faults(_as_argument(schema), {VALUE: one}) is None)


def read_json(text: str) -> Any:
    """The value that a text means: JSON, or else the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def is_text(schema: Schema) -> bool:
    """Whether its values are texts only."""
    return schema.get("type") == "string"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
