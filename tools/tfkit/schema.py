"""A Terraform provider's schema, from its CDK Terrain package.

It normally comes from asking the provider's binary. The `cdktn-provider-*` packages are generated from that same
schema: this reads a wheel, and returns the document that `terraform providers schema -json` would have printed.
"""

import copy
import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tools.tfkit.generated import SECTIONS, Json, SchemaError, Source, read_hcl

FORMAT_VERSION = "1.0"

RECURSIVE_BLOCKS = {
    ("aws_wafv2_web_acl", "rule", "statement"): "aws_wafv2_web_acl_rule",
    ("aws_wafv2_rule_group", "rule", "statement"): "aws_wafv2_web_acl_rule",
}
"""Blocks that nest inside themselves, on which the generator gives up, and a resource that spells the same one out."""

LOGIC = ("and_statement", "or_statement", "not_statement")
OUTERMOST = ("managed_rule_group_statement", "rate_based_statement", "rule_group_reference_statement")
"""WAF statements that hold others, and those that nothing holds."""

_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)
_TYPE_NAME = re.compile(r'static tfResourceType = "(\w+)";')
_VERSION = re.compile(r"providerVersion: '([^']+)'")
_SOURCE = re.compile(r"terraformProviderSource: '([^']+)'")


def extract(wheel: Path) -> tuple[str, str, Json]:
    """A provider's address, its version, and its schema document."""
    schema: Json = {section: {} for section in SECTIONS.values()}
    address = version = None
    for text in read_wheel(wheel):
        source = Source(text)
        found, name = source.construct(), _TYPE_NAME.search(text)
        if not found or not name:
            continue
        section, body = found
        entry: Json = {"version": 0, "block": source.block(body, read_hcl(body))}
        replace_dynamic_in_sets(entry["block"])
        if section == "provider":
            entry["block"]["attributes"].pop("alias", None)  # Terraform's own argument
            schema["provider"] = entry
            version = _VERSION.search(text)
            address = _SOURCE.search(text)
        else:
            schema[section][name[1]] = entry
    if not version or not address:
        raise SchemaError(f"{wheel.name} does not describe a provider")
    graft_recursive_blocks(schema["resource_schemas"])
    full = f"registry.terraform.io/{address[1]}"  # part of the name of every provider, regardless of its source
    return full, version[1], {"format_version": FORMAT_VERSION, "provider_schemas": {full: schema}}


def read_wheel(wheel: Path) -> Iterator[str]:
    """The JavaScript of each construct in a package, which need not be installed."""
    with zipfile.ZipFile(wheel) as archive:
        inner = [name for name in archive.namelist() if name.endswith(".jsii.tgz")]
        if len(inner) != 1:
            raise SchemaError(f"{wheel.name} holds {len(inner)} jsii archives, expected 1")
        packed = io.BytesIO(archive.read(inner[0]))
    # A large construct is split over several files; together they are one source.
    folders: dict[str, list[str]] = {}
    with tarfile.open(fileobj=packed, mode="r:gz") as package:
        for entry in package:
            path = PurePosixPath(entry.name)
            file = package.extractfile(entry)
            if file and path.suffix == ".js" and len(path.parts) > 3:
                folders.setdefault(path.parts[2], []).append(_SOURCE_MAP.sub("", file.read().decode()))
    for texts in folders.values():
        yield "\n".join(texts)


def graft_recursive_blocks(resources: Json) -> None:
    """Fill in the self-nesting blocks from the siblings that spell them out."""
    for (resource, outer, name), sibling in RECURSIVE_BLOCKS.items():
        if resource in resources and sibling in resources:
            target = resources[resource]["block"]["block_types"][outer]["block"]
            block = copy.deepcopy(resources[sibling]["block"]["block_types"][name]["block"])
            allow_logic_in_scope_down(block)
            drop_computed(block)
            target["attributes"].pop(name, None)
            target["block_types"][name] = {"nesting_mode": "list", "min_items": 1, "max_items": 1, "block": block}


def allow_logic_in_scope_down(statement: Json) -> None:
    """Allow and, or and not in scope_down_statement, two levels deep as in a web ACL: and → not → statement."""
    inner = statement["block_types"]["and_statement"]["block"]["block_types"]["statement"]
    leaves = {name: block for name, block in inner["block"]["block_types"].items() if name not in (*LOGIC, *OUTERMOST)}
    for nested in statement["block_types"].values():
        scope = nested["block"]["block_types"].get("scope_down_statement")
        if scope:
            scope["block"]["block_types"] |= logic(leaves, levels=2)


def logic(leaves: Json, *, levels: int) -> Json:
    """Blocks and, or and not, whose statements are `leaves` or, while `levels` are left, such blocks again."""
    within = leaves | (logic(leaves, levels=levels - 1) if levels > 1 else {})
    statement = {"nesting_mode": "list", "block": {"attributes": {}, "block_types": within}}
    block = {"attributes": {}, "block_types": {"statement": statement}}
    return {name: {"nesting_mode": "list", "block": block} for name in LOGIC}


def drop_computed(block: Json) -> None:
    """Older resources have defaults for attributes that their sibling computes."""
    for attribute in block["attributes"].values():
        attribute.pop("computed", None)
    for nested in block["block_types"].values():
        drop_computed(nested["block"])


def replace_dynamic_in_sets(block: Json, *, in_set: bool = False) -> None:
    """Terraform refuses an untyped value inside a set of blocks, so it becomes a string."""
    for attribute in block["attributes"].values():
        if in_set and attribute["type"] == "dynamic":
            attribute["type"] = "string"
    for nested in block["block_types"].values():
        replace_dynamic_in_sets(nested["block"], in_set=in_set or nested["nesting_mode"] == "set")
