"""The few messages of Terraform's plugin protocol (version 6) that a stub needs.

The answer to GetProviderSchema is the only large one, and it never changes: it is encoded once, at set-up. That keeps
the stub free of generated protocol code, and starts it in a fraction of a second. Field numbers are those of
tfplugin6.proto.
"""

import json
from collections.abc import Iterable
from typing import Any

type Json = dict[str, Any]

MAGIC_COOKIE = "TF_PLUGIN_MAGIC_COOKIE"
"""go-plugin starts a provider with this; a person who runs one by hand does not set it."""

NESTING = {"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}
ATTRIBUTE_FLAGS = {"required": 4, "optional": 5, "computed": 6, "sensitive": 7, "write_only": 11}
RESPONSE_MAPS = {"resource_schemas": 2, "data_source_schemas": 3, "ephemeral_resource_schemas": 8}


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    """An integer or a boolean; protobuf leaves zero out."""
    return varint(field << 3) + varint(value) if value else b""


def data(field: int, value: bytes) -> bytes:
    """A string, bytes or a nested message."""
    return varint(field << 3 | 2) + varint(len(value)) + value


def repeated(field: int, values: Iterable[bytes]) -> bytes:
    return b"".join(data(field, value) for value in values)


def attribute(name: str, spec: Json) -> bytes:
    kind = json.dumps(spec["type"], separators=(",", ":")).encode()
    flags = (number(field, 1) for flag, field in ATTRIBUTE_FLAGS.items() if spec.get(flag))
    return data(1, name.encode()) + data(2, kind) + b"".join(flags)


def nested_block(name: str, spec: Json) -> bytes:
    return (
        data(1, name.encode())
        + data(2, block(spec["block"]))
        + number(3, NESTING[spec["nesting_mode"]])
        + number(4, spec.get("min_items", 0))
        + number(5, spec.get("max_items", 0))
    )


def block(spec: Json) -> bytes:
    attributes = (attribute(*item) for item in spec.get("attributes", {}).items())
    blocks = (nested_block(*item) for item in spec.get("block_types", {}).items())
    return repeated(2, attributes) + repeated(3, blocks)


def schema(spec: Json) -> bytes:
    return number(1, spec.get("version", 0)) + data(2, block(spec["block"]))


def provider_schema(spec: Json) -> bytes:
    """GetProviderSchema.Response, for one entry of `provider_schemas`."""
    one_answer_for_all = number(2, 1)  # a capability: every instance would give the same response
    parts = [data(1, schema(spec["provider"])), data(6, one_answer_for_all)]
    for section, field in RESPONSE_MAPS.items():
        entries = spec.get(section, {}).items()
        parts += [data(field, data(1, name.encode()) + data(2, schema(entry))) for name, entry in entries]
    return b"".join(parts)


def diagnostics(errors: Iterable[tuple[str, str, str]]) -> bytes:
    """A response that holds errors: (summary, detail, name of the attribute) each."""
    return repeated(
        1,
        (
            number(1, 1)
            + data(2, summary.encode())
            + data(3, detail.encode())
            + data(4, data(1, data(1, name.encode())))
            for summary, detail, name in errors
        ),
    )


def read_varint(message: bytes, at: int) -> tuple[int, int]:
    """An integer, and the position after it."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def read(message: bytes) -> dict[int, bytes]:
    """The length-delimited fields of a message, by number; the last of each wins."""
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(message):
        tag, at = read_varint(message, at)
        size, at = read_varint(message, at)
        if tag & 7 == 2:
            fields[tag >> 3] = message[at : at + size]
            at += size
    return fields
