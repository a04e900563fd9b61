"""tools/tfkit: schemas from generated code, and Terraform's messages in terms of the source files."""

from pathlib import Path

import pytest

from tools.tfkit import toolchain as toolchains
from tools.tfkit import wire
from tools.tfkit.check import check, events, mirror
from tools.tfkit.generated import SchemaError, Source, read_hcl, storage_type
from tools.tfkit.schema import logic
from tools.tfkit.toolchain import RegistryUnreachable, SetupError, Toolchain

GENERATED = """\
function thingRuleToHclTerraform(struct) {
    const attrs = {
        port: {
            value: cdktn.numberToHclTerraform(struct.port),
            isBlock: false,
            type: "simple",
            storageClassType: "number",
        },
    };
}
class ThingRuleOutputReference extends cdktn.ComplexObject {
    // port - computed: false, optional: false, required: true
    get port() {
        return this.getNumberAttribute('port');
    }
}
class ThingRuleList extends cdktn.ComplexList {
    get(index) {
        return new ThingRuleOutputReference(this.terraformResource, index);
    }
}
class Thing extends cdktn.TerraformResource {
    // arn - computed: true, optional: false, required: false
    get arn() {
        return this.getStringAttribute('arn');
    }
    // zones - computed: true, optional: false, required: false
    get zones() {
        return cdktn.Fn.tolist(this.getListAttribute('zones'));
    }
    // rule - computed: false, optional: false, required: true
    _rule = new ThingRuleList(this, "rule", true);
    synthesizeHclAttributes() {
            rule: {
                value: cdktn.listMapperHcl(thingRuleToHclTerraform, true)(this._rule.internalValue),
                isBlock: true,
                type: "set",
                storageClassType: "ThingRuleList",
            },
    }
}
"""

HEAD = """\
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
"""

MISTAKES = """\
resource "aws_sns_topic" "alerts" {
  name = "alerts"
}

resource "aws_sns_topic" "ours" {
  arn = "arn:aws:sns:ap-northeast-1:123456789012:alerts"
}

resource "aws_cloudwatch_metric_alarm" "nameless" {
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
}

resource "aws_cloudwatch_metric_alarm" "late" {
  alarm_name          = "late"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = "x"
}

output "topic" {
  value = aws_sns_topic.alerts.urn
}
"""


def test_a_schema_is_read_from_generated_code():
    source = Source(GENERATED)
    section, body = source.construct() or ("", "")

    block = source.block(body, read_hcl(body))

    assert section == "resource_schemas"
    assert block == {
        "attributes": {
            "arn": {"type": "string", "computed": True},
            "zones": {"type": ["set", "string"], "computed": True},
        },
        "block_types": {
            "rule": {
                "nesting_mode": "set",
                "min_items": 1,
                "block": {"attributes": {"port": {"type": "number", "required": True}}, "block_types": {}},
            }
        },
    }


def test_a_type_is_read_from_its_generated_name():
    assert storage_type("stringListMap", "map") == ["map", ["list", "string"]]
    assert storage_type("numberList", "set") == ["set", "number"]
    with pytest.raises(SchemaError):
        storage_type("date", "simple")


def test_nested_statements_of_the_waf_have_the_maximum_depth():
    leaves = {"ip_set_reference_statement": {"nesting_mode": "list", "block": {"attributes": {}, "block_types": {}}}}

    outer = logic(leaves, levels=2)["and_statement"]["block"]["block_types"]["statement"]["block"]["block_types"]
    inner = outer["not_statement"]["block"]["block_types"]["statement"]["block"]["block_types"]

    assert outer.keys() == {"and_statement", "or_statement", "not_statement", "ip_set_reference_statement"}
    assert inner.keys() == leaves.keys()


def test_the_wire_format_is_read_as_it_is_written():
    message = wire.data(1, b"aws_vpc") + wire.number(3, 300) + wire.data(2, b"x" * 200)

    assert wire.read(message) == {1: b"aws_vpc", 2: b"x" * 200}


def test_terraforms_output_is_a_document_or_lines():
    assert list(events('{"a":\n1}')) == [{"a": 1}]
    assert list(events('{"a":1}\nnoise\n{"b":2}\n')) == [{"a": 1}, {"b": 2}]


def test_a_check_copies_the_directory_and_links_its_dependencies(tmp_path: Path):
    for name in ("repo/prod/main.tf", "repo/prod/.terraform.lock.hcl", "repo/modules/m/main.tf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    copy = mirror(tmp_path / "repo/prod", tmp_path / "repo", tmp_path / "copy")

    assert [path.name for path in copy.iterdir()] == ["main.tf"]
    assert (copy / "../modules/m/main.tf").exists()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("error: dns error: failed to lookup address information", RegistryUnreachable),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", SetupError),
    ],
)
def test_only_an_index_that_does_not_answer_counts_as_unreachable(words: str, kind: type[Exception]):
    with pytest.raises(SetupError) as raised:
        toolchains.run("sh", "-c", f"echo '{words}' >&2; exit 1")

    assert type(raised.value) is kind


def test_a_check_reports_each_mistake_with_its_line_and_writes_nothing(tmp_path: Path, toolchain: Toolchain):
    (tmp_path / "versions.tf").write_text(HEAD)
    (tmp_path / "main.tf").write_text(MISTAKES)

    problems = [str(problem) for problem in check(tmp_path, toolchain).problems]

    for line, words in (
        (6, 'The provider decides "arn"'),
        (9, 'The argument "alarm_name" is required'),
        (17, "a number is required"),
        (21, 'This object has no argument, nested block, or exported attribute named "urn"'),
    ):
        assert any(f"main.tf:{line}: error:" in problem and words in problem for problem in problems), problems
    assert sorted(path.name for path in tmp_path.iterdir()) == ["main.tf", "versions.tf"]
