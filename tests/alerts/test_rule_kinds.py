"""The registry of rule kinds: complete, named in both languages, documented."""

from pathlib import Path

import pytest
from django.utils import translation

from tms.alerts.models import Rule
from tms.alerts.preview.preview import HISTORIES
from tms.alerts.rule_kinds import RULE_KINDS
from tms.alerts.rule_kinds.base import History, RuleKind
from tms.alerts.rule_kinds.evaluation import ConfigurationRule, EventRule, FirmwareRule, PresenceRule, ThresholdRule
from tms.alerts.rule_kinds.metric import MetricKind
from tms.alerts.rule_kinds.sources import RuleSource
from tms.boards.rules.forms import RuleForm

DOCS = (Path(__file__).parents[2] / "docs/alerting.md").read_text()
KINDS = pytest.mark.parametrize("kind", RULE_KINDS.values(), ids=lambda kind: kind.name)
STORED = (
    "above",
    "below",
    "outside",
    "rising",
    "falling",
    "absent",
    "presence",
    "event",
    "firmware",
    "configuration",
    "clock",
)
"""Names that rules in databases and in files have, in the order in which people choose from them."""


def rule_of(kind: RuleKind) -> Rule:
    return Rule(
        pk=1,
        kind=kind.source,
        comparison=kind.comparison,
        severity="warning",
        presence="silent",
        metric="cpu_pct",
        limit=90.0 if kind.has_thresholds else None,
        lower_limit=10.0 if kind.has_range else None,
        window_s=60,
        event_code="jam",
    )


def test_the_names_that_are_stored_stay():
    assert [name for name in RULE_KINDS if name in STORED] == list(STORED)


def test_there_is_a_kind_for_each_source():
    assert {kind.source for kind in RULE_KINDS.values()} == set(RuleSource)


def test_a_rule_may_have_every_source_and_comparison_of_a_kind():
    choices = {name: dict(Rule._meta.get_field(name).flatchoices) for name in ("kind", "comparison")}

    for kind in RULE_KINDS.values():
        assert kind.source.value in choices["kind"]
        assert not kind.comparison or kind.comparison in choices["comparison"]


def test_a_kind_that_lacks_a_part_is_refused_where_it_is_declared():
    with pytest.raises(TypeError, match="rule kind Odd lacks name, label, hint, condition"):
        type("Odd", (MetricKind,), {})


def test_a_preview_reads_each_history():
    assert {kind.history for kind in RULE_KINDS.values()} == {*HISTORIES, History.NONE}


@KINDS
def test_a_kind_has_a_name_a_hint_and_a_sentence_in_english_and_japanese(kind):
    texts = (kind.label, kind.hint, kind.condition)

    with translation.override("en"):
        english = list(map(str, texts))
    with translation.override("ja"):
        japanese = list(map(str, texts))

    assert all(english)
    assert all(translated != text for translated, text in zip(japanese, english, strict=True))


@KINDS
def test_a_kind_fills_in_its_own_condition(kind):
    values = kind.placeholders(rule_of(kind)) | {"who": "any", "severity": "warning"}

    assert "{" not in str(kind.condition).format(**values)


@KINDS
def test_a_kind_is_in_the_documentation(kind):
    with translation.override("en"):
        label = str(kind.label)

    first_cells = [line.split("|")[1].lower() for line in DOCS.splitlines() if line.startswith("| ")]
    assert any(label.lower() in cell for cell in first_cells)


@KINDS
def test_the_form_has_every_field_of_a_kind(kind):
    thresholds = {f"{severity}{end}" for severity in ("info", "warning", "critical") for end in ("", "_lower")}

    assert set(kind.fields) <= {*RuleForm.base_fields, *thresholds}


@KINDS
def test_a_kind_compiles_its_rules_and_reports_missing_fields(kind):
    rule = rule_of(kind)

    compiled = kind.compile(rule)

    assert isinstance(compiled, ThresholdRule | PresenceRule | EventRule | FirmwareRule | ConfigurationRule)
    assert isinstance(compiled, ThresholdRule) is kind.has_thresholds
    assert compiled.key == (1, rule.revision)
    rule.clean()
    for name in kind.required:
        assert getattr(rule, name)


@KINDS
def test_of_two_thresholds_one_lies_further_out(kind):
    if not kind.has_thresholds:
        return
    one, other = kind.threshold("warning", 10.0, 5.0), kind.threshold("critical", 20.0, 1.0)

    assert kind.is_further_out(one, other) is not kind.is_further_out(other, one)
