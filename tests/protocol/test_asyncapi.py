"""docs/asyncapi.yaml matches the code."""

import json
import re
from typing import Any

import jsonschema
import msgspec
import pytest
from jsonschema import Draft7Validator

from tests.protocol.asyncapi import Example, document, examples, messages_of
from tms.protocol import downlink, errors, frames, limits, uplink
from tms.protocol.close_codes import CloseCode
from tms.protocol.errors import RPC_CODES, ErrorType, FrameError
from tms_agent.conformance.schemas import faults_in
from tms_agent.protocol.downlink import Unknown
from tms_agent.protocol.downlink import decode as read_by_agent

WRITTEN = document()
SCHEMAS = WRITTEN["components"]["schemas"]
MESSAGES = WRITTEN["components"]["messages"]
EXAMPLES = list(examples())
CALLS = {
    call.__struct_config__.tag: call
    for call in (
        *(downlink.AckCall, downlink.CommandCall, downlink.AnsweredCall),
        *(downlink.ConfigCall, downlink.UpdateCall, downlink.DrainCall),
    )
}
"""What the server calls, by method."""
COMPARED = (
    "type", "enum", "format", "pattern", "minimum", "maximum", "exclusiveMinimum",
    "minLength", "maxLength", "maxItems", "maxProperties",
    "items", "propertyNames", "additionalProperties", "default", "$ref", "anyOf",
)  # fmt: skip


def of(sender: str) -> list[Any]:
    return [pytest.param(example, id=example.name) for example in EXAMPLES if example.sender == sender]


@pytest.mark.parametrize("example", of("terminal"))
def test_the_server_accepts_the_examples_of_a_terminal(example: Example):
    decoded = list(uplink.decode(json.dumps(example.payload)))

    assert not [frame for frame in decoded if isinstance(frame, FrameError)]
    assert len(decoded) == (len(example.payload) if isinstance(example.payload, list) else 1)


@pytest.mark.parametrize("example", of("terminal"))
def test_the_conformance_kit_accepts_the_examples_of_a_terminal(example: Example):
    assert [fault for frame in flat(example.payload) for fault in faults_in(frame)] == []


@pytest.mark.parametrize("example", of("server"))
def test_the_server_sends_the_examples_of_the_server(example: Example):
    sent = msgspec.convert(example.payload, kind_of(example.payload))

    assert as_json(msgspec.json.decode(downlink.encode(sent))) == as_json(example.payload)


@pytest.mark.parametrize("example", of("server"))
def test_the_agent_accepts_the_examples_of_the_server(example: Example):
    assert not isinstance(read_by_agent(json.dumps(example.payload).encode()), Unknown)


@pytest.mark.parametrize("example", [pytest.param(example, id=example.name) for example in EXAMPLES])
def test_an_example_matches_its_schema(example: Example):
    schema = MESSAGES[example.message]["payload"] | {"components": WRITTEN["components"]}

    assert list(Draft7Validator(schema).iter_errors(example.payload)) == []


def test_a_schema_rejects_invalid_values():
    schema = MESSAGES["report"]["payload"] | {"components": WRITTEN["components"]}

    with pytest.raises(jsonschema.ValidationError):
        Draft7Validator(schema).validate({"jsonrpc": "2.0", "method": "report", "params": {"seq": "one"}})


def test_examples_come_in_the_order_of_a_link():
    sent = [example for example in EXAMPLES if example.sender == "terminal"]
    reports = [
        frame["params"] for example in sent for frame in flat(example.payload) if frame.get("method") == "report"
    ]
    of_this_boot = [report["seq"] for report in reports if "boot_id" not in report]

    assert sent[0].message == "boot"
    assert sent[-1].message == "goodbye"
    assert of_this_boot == list(range(1, len(of_this_boot) + 1))
    assert len({example.name for example in EXAMPLES}) == len(EXAMPLES)


def test_every_message_is_in_the_channel_and_in_an_operation():
    in_operations = {name for sender in ("terminal", "server") for name in messages_of(WRITTEN, sender)}

    assert MESSAGES.keys() == WRITTEN["channels"]["link"]["messages"].keys() == in_operations


def test_every_reference_can_be_resolved():
    references = set(re.findall(r"'\$ref': '(#[^']+)'", str(WRITTEN)))

    assert references
    assert [reference for reference in sorted(references) if not is_resolved(reference)] == []


def is_resolved(reference: str) -> bool:
    target = WRITTEN
    for step in reference.removeprefix("#/").split("/"):
        if step not in target:
            return False
        target = target[step]
    return True


def test_every_method_is_documented_for_its_direction():
    assert methods_of("terminal") == set(uplink.METHODS)
    assert methods_of("server") == CALLS.keys()


def test_every_schema_of_the_code_is_documented():
    result = {name: compared(schema) for name, schema in code_schemas().items()}
    written = {name: compared(schema) for name, schema in SCHEMAS.items() if name in result}

    assert written == result


def test_every_close_code_is_documented():
    assert WRITTEN["x-close-codes"].keys() == {code.value for code in CloseCode}


def test_every_error_type_is_documented_with_its_code():
    written = {name: error["code"] for name, error in WRITTEN["x-error-types"].items()}

    assert written == {kind.value: RPC_CODES[kind] for kind in ErrorType}


def test_every_limit_is_documented_with_its_value():
    written = {name.upper(): limit["value"] for name, limit in WRITTEN["x-limits"].items()}

    assert written == {name: value for name, value in vars(limits).items() if name.isupper()}


def test_the_format_of_the_credential_is_documented():
    header = WRITTEN["channels"]["link"]["bindings"]["ws"]["headers"]["properties"]["Authorization"]["pattern"]

    assert re.fullmatch(header, f"Bearer T-1.{'s' * 43}")
    assert not re.fullmatch(header, f"Bearer T-1.{'s' * 42}")


def code_schemas() -> dict[str, Any]:
    _, of_errors = msgspec.json.schema_components([errors.RpcError], ref_template="#/components/schemas/{name}")
    return json.loads(json.dumps(frames.schema() | of_errors))


def compared(schema: dict[str, Any]) -> dict[str, Any]:
    """The parts of a document and the code that must agree: without descriptions, and without the order of choices."""
    properties = {
        name: {key: plain(value) for key, value in result.items() if key in COMPARED}
        for name, result in schema["properties"].items()
    }
    return {"type": schema["type"], "required": sorted(schema["required"]), "properties": properties}


def plain(value: Any) -> Any:
    match value:
        case {"pattern": pattern}:
            return value | {"pattern": plain(pattern)}
        case str():
            return value.removesuffix(r"(?!\n)")
        case [str(), *_]:
            return sorted(value)
        case _:
            return value


def kind_of(payload: dict[str, Any]) -> type[downlink.Downlink]:
    if "method" in payload:
        return CALLS[payload["method"]]
    return downlink.Refusal if "error" in payload else downlink.BootAnswer


def methods_of(sender: str) -> set[str]:
    frames_sent = [frame for example in EXAMPLES if example.sender == sender for frame in flat(example.payload)]
    return {frame["method"] for frame in frames_sent if "method" in frame}


def flat(payload: Any) -> list[dict[str, Any]]:
    return payload if isinstance(payload, list) else [payload]


def as_json(value: Any) -> Any:
    """30 and 30.0 are equal, and so are instants with different offsets."""
    return json.loads(json.dumps(value), parse_int=float)
