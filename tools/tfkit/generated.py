"""Reads the JavaScript that CDK Terrain generates of a provider's schema, which keeps every fact that Terraform needs:

* a comment for each argument: `// name - computed: true, optional: false, required: false`
* its getter, or its class:    `getStringAttribute('name')`, `new RuleList(this, "rule", true)`
* how it is written as HCL:    `isBlock`, `type` and `storageClassType`
"""

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

type Json = dict[str, Any]
type Type = str | list[Any]
"""A type in Terraform's JSON notation: `["set", "string"]`."""

SECTIONS = {
    "TerraformResource": "resource_schemas",
    "TerraformDataSource": "data_source_schemas",
    "TerraformEphemeralResource": "ephemeral_resource_schemas",
    "TerraformProvider": "provider",
}
"""The construct that a generated class describes, by its base."""

MAX_SELF_NESTING = 2
"""The maximum nesting of a block within itself. At three, as in the AWS provider, a check takes three times as long."""

_CLASS = re.compile(r"^class (\w+) extends \w+\.(\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_STRUCT = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_MEMBER = re.compile(
    r"^ +// (?P<name>\w+) - computed: (?P<computed>\w+), optional: (?P<optional>\w+), "
    r"required: (?P<required>\w+)\n(?P<code>.*?)(?=^ +// \w+ - computed: |\Z)",
    re.MULTILINE | re.DOTALL,
)
_NEW = re.compile(r'= new (?:\w+\.)?(\w+)\(this, "\w+"(?:, (true|false))?\)')
_ITEM = re.compile(r"return new (?:\w+\.)?(\w+OutputReference)\(")
_GETTER = re.compile(r"^ +return (.*?(get(\w+)Attribute|interpolationForAttribute)\(.*);$", re.MULTILINE)
_HCL = re.compile(
    r"^ +(?P<name>\w+): \{\n +value: (?P<value>.*),\n +isBlock: (?P<block>\w+),\n"
    r' +type: "(?P<type>\w+)",\n +storageClassType: "(?P<storage>\w+)",\n',
    re.MULTILINE,
)
_STRUCT_CALL = re.compile(r"(?:^|\W)(?!(?:string|number|boolean|any)ToHcl)(\w+)ToHclTerraform\b")


class SchemaError(Exception):
    """A package does not have the expected form of the generator."""


@dataclass(frozen=True)
class Hcl:
    """How the generator writes one argument back as HCL."""

    value: str
    is_block: bool
    type: str
    storage: str

    @property
    def struct(self) -> str | None:
        """The function that writes a nested object; None for a plain value."""
        found = _STRUCT_CALL.search(self.value)
        return found[1] if found else None

    @property
    def is_repeated(self) -> bool:
        return "MapperHcl(" in self.value

    @property
    def is_nested_block(self) -> bool:
        """A block, and not an attribute that holds objects.

        `listMapperHcl(f, false)` marks the old "attribute as block" arguments, such as aws_security_group.ingress,
        which Terraform itself treats as attributes.
        """
        return self.is_block and bool(self.struct) and ", false)" not in self.value

    @property
    def is_write_only(self) -> bool:
        """The value is never stored in the state, and so may be ephemeral."""
        return "markWriteOnlyAttribute(" in self.value


@dataclass
class Source:
    """The generated code of one resource, data source, ephemeral resource or provider."""

    text: str
    classes: dict[str, tuple[str, str]] = field(init=False)
    """Classes by name, each with its base and its body."""

    def __post_init__(self) -> None:
        self.classes = {name: (base, body) for name, base, body in _CLASS.findall(self.text)}

    @cached_property
    def structs(self) -> dict[str, dict[str, Hcl]]:
        """Every nested object's arguments, by the name of the function that writes it."""
        return {name: read_hcl(body) for name, body in _STRUCT.findall(self.text)}

    def construct(self) -> tuple[str, str] | None:
        """The section and the body of the main class of the file."""
        for base, body in self.classes.values():
            if base in SECTIONS:
                return SECTIONS[base], body
        return None

    def item_body(self, name: str) -> str:
        """The class of one element, given it or the list, set or map around it."""
        if name.endswith("OutputReference"):
            return self.classes[name][1]
        found = _ITEM.search(self.classes[name][1])
        if not found:
            raise SchemaError(f"{name} does not name its elements")
        return self.classes[found[1]][1]

    def block(self, body: str, hcl: dict[str, Hcl], above: tuple[str, ...] = ()) -> Json:
        """The schema of one block: its attributes, and the blocks inside it.

        `above` names the structs that it is nested in, because AWS WAF's statements hold statements while a provider's
        schema has to end somewhere.
        """
        attributes: Json = {}
        block_types: Json = {}
        for member in _MEMBER.finditer(body):
            name, how = member["name"], hcl.get(member["name"])
            if how and how.is_nested_block and member["computed"] == "false":
                if above.count(how.struct or "") < MAX_SELF_NESTING:
                    block_types[name] = self.nested_block(member, how, above)
            else:
                attributes[name] = self.attribute(member, how)
        return {"attributes": attributes, "block_types": block_types}

    def nested_block(self, member: re.Match[str], how: Hcl, above: tuple[str, ...]) -> Json:
        """A block type. The generator only distinguishes "at most one" and "any number"."""
        new, struct = _NEW.search(member["code"]), how.struct or ""
        inside = self.structs[struct]
        block = self.block(self.item_body(new[1]), inside, (*above, struct)) if new else settings_block(inside)
        required = member["required"] == "true"
        if how.type == "struct":
            limits = {"min_items": 1, "max_items": 1} if required else {}
            return {"nesting_mode": "single", "block": block} | limits
        nested: Json = {"nesting_mode": how.type, "block": block}
        if required and how.type != "map":
            nested["min_items"] = 1
        if not how.is_repeated:
            nested["max_items"] = 1
        return nested

    def attribute(self, member: re.Match[str], how: Hcl | None) -> Json:
        """Its type, and who may set it."""
        flags = [flag for flag in ("computed", "optional", "required") if member[flag] == "true"]
        if how and how.is_write_only:
            flags.append("write_only")
        return {"type": self.type_of(member, how)} | dict.fromkeys(flags, True)

    def type_of(self, member: re.Match[str], how: Hcl | None) -> Type:
        if how and not how.struct:
            return storage_type(how.storage, how.type)
        new = _NEW.search(member["code"])
        if new:
            return self.object_type(new[1], wraps_set=new[2] == "true")
        getter = _GETTER.search(member["code"])
        if not getter:
            raise SchemaError(f"attribute {member['name']} has no getter")
        outer = "set" if "tolist(" in getter[1] else "list"
        kind = {None: "any", "List": "stringList"}.get(getter[3], getter[3])
        return storage_type(kind, outer)

    def object_type(self, name: str, *, wraps_set: bool) -> Type:
        """The type of an attribute that holds objects or, for a few, plain maps."""
        outer = "set" if wraps_set else "list"
        if name not in self.classes:
            return storage_type(name, outer)
        members = _MEMBER.finditer(self.item_body(name))
        item: Type = ["object", {member["name"]: self.type_of(member, None) for member in members}]
        if name.endswith("OutputReference"):
            return item
        return ["map" if name.endswith("Map") else outer, item]


def read_hcl(text: str) -> dict[str, Hcl]:
    """The facts written in a class or in a function of a struct."""
    return {
        found["name"]: Hcl(found["value"], found["block"] == "true", found["type"], found["storage"])
        for found in _HCL.finditer(text)
    }


def settings_block(hcl: dict[str, Hcl]) -> Json:
    """A block of the provider's own settings, whose comments the generator leaves out."""
    attributes = {name: {"type": storage_type(how.storage, how.type), "optional": True} for name, how in hcl.items()}
    return {"attributes": attributes, "block_types": {}}


def storage_type(name: str, outer: str) -> Type:
    """Translate a name of the generator, such as `stringListMap`, from the outside in."""
    if name.endswith("Map"):
        return ["map", storage_type(name[:-3], "list")]
    if name.endswith("List"):
        return ["set" if outer == "set" else "list", storage_type(name[:-4], "list")]
    plain = {"boolean": "bool", "any": "dynamic"}.get(name.lower(), name.lower())
    if plain not in ("string", "number", "bool", "dynamic"):
        raise SchemaError(f"unknown generator type {name!r}")
    return plain
