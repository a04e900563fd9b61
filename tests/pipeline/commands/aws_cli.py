"""The arguments of the AWS command line, checked against the service models of botocore, which it is built from."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import botocore.session
import jmespath
from botocore import xform_name

GLOBAL = {"region", "output", "query", "profile"}
PAGING = {"max-items", "page-size", "starting-token"}
HIGH_LEVEL: Mapping[tuple[str, str], set[str]] = {
    ("configure", "sso"): set(),
    ("logs", "tail"): {"since", "format", "follow", "filter-pattern", "log-stream-names"},
    ("s3", "ls"): {"recursive"},
    ("s3", "cp"): {"only-show-errors"},
}
"""Commands that are no operation of a service, with their options."""
ANSWERS: Mapping[str, str] = {
    "LifecycleState": "InService",
    "TargetGroupName": "tms-target-group-1",
    "ReplicationGroupId": "tms-redis",
    "InstanceId": "i-0123456789",
    "DomainName": "tms.techcore-solutions.jp",
}
"""Values that queries look for."""

INSTANT = r"\d{10}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
NUMBER = r"-?\d+(\.\d+)?"
PATTERNS = {"integer": NUMBER, "long": NUMBER, "double": NUMBER, "timestamp": INSTANT}


@cache
def _session() -> Any:
    return botocore.session.get_session()


@cache
def _service(name: str) -> Any:
    return _session().get_service_model(name)


def problems(words: Sequence[str]) -> list[str]:
    """What the command line would refuse, or a query that finds nothing; `words` begins with the service."""
    positional, options = _split(words)
    if tuple(positional[:2]) in HIGH_LEVEL:
        known = HIGH_LEVEL[positional[0], positional[1]] | GLOBAL
        return [f"unknown option --{name}" for name in options if name not in known]
    if len(positional) != 2:
        return [f"expected is SERVICE OPERATION, not {positional}"]
    service, operation = positional
    if service not in _session().get_available_services():
        return [f"unknown service {service}"]
    names = {xform_name(name, "-"): name for name in _service(service).operation_names}
    if operation not in names:
        return [f"unknown operation {service} {operation}"]
    return _of_operation(_service(service).operation_model(names[operation]), options)


def _split(words: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    positional: list[str] = []
    options: dict[str, list[str]] = {}
    values = positional
    for word in words:
        if re.match(r"--[a-z]", word):
            name, _, value = word[2:].partition("=")
            values = options.setdefault(name, [value] if value else [])
        else:
            values.append(word)
    return positional, options


def _of_operation(model: Any, options: Mapping[str, list[str]]) -> list[str]:
    members = {xform_name(name, "-"): name for name in (model.input_shape.members if model.input_shape else {})}
    flags = {f"no-{name}" for name, member in members.items() if _shape(model, member).type_name == "boolean"}
    found = [f"unknown option --{name}" for name in options if name not in {*members, *flags, *GLOBAL, *PAGING}]
    required = model.input_shape.required_members if model.input_shape else []
    found += [f"missing --{xform_name(name, '-')}" for name in required if xform_name(name, "-") not in options]
    for name, values in options.items():
        if name in members:
            found += _of_values(name, _shape(model, members[name]), values)
    for query in options.get("query", []):
        if not jmespath.search(query, _answer(model.output_shape)):
            found.append(f"--query {query} finds nothing in what {model.name} returns")
    return found


def _shape(model: Any, member: str) -> Any:
    return model.input_shape.members[member]


def _of_values(name: str, shape: Any, values: Sequence[str]) -> list[str]:
    if shape.type_name == "boolean":
        return [f"--{name} has no value"] if values else []
    if shape.type_name == "list":
        return [problem for value in values for problem in _of_values(name, shape.member, [value])]
    if len(values) != 1:
        return [f"--{name} has one value, not {values}"]
    if shape.type_name == "structure" and "=" in values[0]:
        keys = {pair.partition("=")[0] for pair in re.split(r",(?=\w+=)", values[0])}
        return [f"--{name} has no {key}" for key in keys - set(shape.members)]
    if pattern := PATTERNS.get(shape.type_name):
        return [] if re.fullmatch(pattern, values[0]) else [f"--{name} is no {shape.type_name}: {values[0]}"]
    known = getattr(shape, "enum", None)
    return [f"--{name} is one of {known}, not {values[0]}"] if known and values[0] not in known else []


def _answer(shape: Any, name: str = "", depth: int = 0) -> Any:
    """An answer of this shape, with one element in each list."""
    if shape is None or depth > 8:
        return None
    match shape.type_name:
        case "structure":
            return {key: _answer(member, key, depth + 1) for key, member in shape.members.items()}
        case "list":
            return [_answer(shape.member, name, depth + 1)]
        case "map":
            return {"key": _answer(shape.value, "", depth + 1)}
        case "boolean":
            return True
        case "integer" | "long" | "double" | "float":
            return 1
        case _:
            return ANSWERS.get(name, (getattr(shape, "enum", None) or ["a-value"])[0])
