"""Rules as a file."""

import contextlib
import io
import time
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from tests.support.builders import AT, Fleet
from tms.alerts.models import Rule
from tms.alerts.rule_editing import yaml_file, yaml_reader
from tms.alerts.rule_editing.yaml_file import BadFile

FILE = """\
rules:
- name: Too hot
  name_ja: 過熱
  kind: metric
  metric: temperature_c
  comparison: above
  thresholds:
  - {severity: warning, limit: 60}
  - {severity: critical, limit: 75}
  hysteresis: 3
  duration_s: 120
  site: SJK
  group: Lobby
  terminal_kind: kiosk
- name: Away
  kind: presence
  severity: critical
  presence: offline
"""


@pytest.fixture(autouse=True)
def sites_and_groups(fleet: Fleet) -> None:
    fleet.site("SJK")
    fleet.group("Lobby")


def planned(text: str = FILE) -> list[yaml_file.PlannedRule]:
    return yaml_file.import_rules(text, by=None, at=AT)


def faults(text: str) -> list[str]:
    with pytest.raises(BadFile) as bad:
        planned(text)
    return [str(fault) for fault in bad.value.faults]


def test_a_file_creates_rules_and_importing_it_again_changes_nothing():
    first, second = planned(), planned()

    hot = Rule.objects.get(name="Too hot")
    assert [one.is_new for one in first] == [True, True]
    assert not any(one.is_edit for one in second)
    assert (hot.severity, hot.limit, hot.higher_thresholds) == ("warning", 60, [{"severity": "critical", "limit": 75}])
    assert (hot.site.code, hot.group.name, hot.terminal_kind, hot.version) == ("SJK", "Lobby", "kiosk", 1)


def test_an_export_is_imported_without_a_change(default_rules):
    planned()

    text = yaml_file.export()

    assert len(yaml.safe_load(text)["rules"]) == Rule.objects.count()
    assert "過熱" in text
    assert not any(one.is_edit for one in planned(text))


def test_of_an_existing_rule_only_the_differences_are_changed(fleet):
    planned()

    plan = planned(FILE.replace("limit: 75", "limit: 80"))

    assert [one.fields for one in plan] == [("higher_thresholds",), ()]
    assert Rule.objects.get(name="Too hot").revision == 2


def test_rules_that_a_file_does_not_name_stay(fleet):
    fleet.metric_rule(name="Mine")

    planned()

    assert Rule.objects.get(name="Mine").version == 1


WRONG = [
    (FILE.replace("limit: 60", "limit: hot"), "line 8: rules[0].thresholds[0].limit: Expected `float`, got `str`"),
    (
        FILE.replace("limit: 75", "limit: 55"),
        "line 7: rules[0].thresholds: A higher severity needs a threshold",
    ),
    (FILE.replace("hysteresis", "histeresis"), "line 2: rules[0]: Object contains unknown field `histeresis`"),
    (
        FILE.replace("site: SJK", "site: XXX"),
        "line 12: rules[0].site: Unknown site code. Enter the code of an existing site.",
    ),
    (
        FILE.replace("group: Lobby", "group: Loby"),
        "line 13: rules[0].group: Unknown group. Enter the name of an existing group.",
    ),
    (FILE.replace("kind: presence", "kind: absence"), "line 16: rules[1].kind: Value 'absence' is not a valid choice."),
    (FILE.replace("presence: offline", ""), "line 15: rules[1].presence: Required for this kind of rule."),
    (
        FILE.replace("name: Away", "name: Too hot"),
        "line 15: rules[1].name: A rule with this name already appears above. Rename or remove one.",
    ),
    (
        FILE.replace("severity: warning", "severity: dire"),
        "line 7: rules[0].thresholds: Each threshold needs a severity",
    ),
    (FILE.replace("duration_s: 120", "duration_s: 1.0e+12"), "line 11: rules[0].duration_s: Enter one year at most."),
    (FILE.replace("limit: 60", "limit: .inf"), "line 8: .inf is not a finite number"),
    (
        FILE.replace("  thresholds:", "  severity: info\n  thresholds:"),
        "line 7: rules[0].severity: Each threshold has its own severity",
    ),
    ("rules: [", "line 2: invalid YAML: "),
    ("rules: " + "[" * 5000, "line 1: invalid YAML: "),
    ("- name: Away\n", "line 1: A rule file must be a mapping with a list `rules`."),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=range(len(WRONG)))
def test_errors_are_reported_by_line_and_field_and_nothing_is_imported(text, message):
    assert any(fault.startswith(message) for fault in faults(text)), faults(text)
    assert not Rule.objects.exists()


def test_all_errors_are_reported_at_once():
    text = FILE.replace("site: SJK", "site: XXX").replace("presence: offline", "presence: gone")

    assert len(faults(text)) == 2


def in_line_8(value: str) -> str:
    return FILE.replace("limit: 60", f"limit: {value}")


HOSTILE = [
    (in_line_8("2026-99-99"), "line 8: rules[0].thresholds[0].limit: Expected `float`, got `str`"),
    (in_line_8("2026-11-27"), "line 8: rules[0].thresholds[0].limit: Expected `float`, got `str`"),
    (in_line_8("!!timestamp 2026-13-45"), "line 8: the tag tag:yaml.org,2002:timestamp is not allowed"),
    (in_line_8("!!int 0x"), "line 8: the tag tag:yaml.org,2002:int is not allowed"),
    (in_line_8("!!float x"), "line 8: the tag tag:yaml.org,2002:float is not allowed"),
    (in_line_8("!!python/object/apply:os.system [ls]"), "line 8: the tag tag:yaml.org,2002:python/object"),
    (in_line_8("!" + "x" * 500_000 + " 1"), "line 8: the tag !xxx"),
    (in_line_8("9" * 5_000), "line 8: number longer than 100 characters; shorten it"),
    (in_line_8("0x"), "line 8: rules[0].thresholds[0].limit: Expected `float`, got `str`"),
    (in_line_8(".nan"), "line 8: .nan is not a finite number"),
    (in_line_8('"\\ud800"'), "line 8: invalid YAML: found invalid Unicode character escape code"),
    (in_line_8('"\\0"'), "line 8: a string must not contain U+0000"),
    (in_line_8("\0"), "line 8: the control character U+0000 is not allowed"),
    (in_line_8("\x1b"), "line 8: the control character U+001B is not allowed"),
    (in_line_8("\ud800"), "line 8: not a UTF-8 text file"),
    (in_line_8("\ud800").encode(errors="surrogatepass"), "line 8: not a UTF-8 text file"),
    (FILE.encode("utf-16"), "line 1: not a UTF-8 text file"),
    (FILE.encode("utf-16-be"), "line 3: not a UTF-8 text file"),
    (bytes(range(256)) * 100, "line 2: not a UTF-8 text file"),
    (b"\x7fELF\x02\x01\x01\0" + b"\0" * 1_000, "line 1: the control character U+007F is not allowed"),
    ("rules:\n- &a {name: x}\n", "line 2: aliases and anchors (* and &) are not allowed"),
    ("rules:\n- name: *a\n", "line 2: aliases and anchors (* and &) are not allowed"),
    ("rules: " + "[" * 900_000, "line 1: invalid YAML: exceeded maximum nesting depth"),
    ("rules: " + "{a: " * 20 + "}" * 20, "line 1: nested more than 16 levels"),
    ("rules:\n" + "- - - - - - - - - - - - - - - - - - x", "line 2: nested more than 16 levels"),
    ("rules:\n- {" + "k" * 200 + ": 1}\n", "line 2: a key must be a string of at most 100 characters"),
    ("rules:\n- {[a]: 1}\n", "line 2: a key must be a string of at most 100 characters"),
    ("rules: [" + "a," * 60_000 + "]", "line 1: more than 50000 values; split the file"),
    ("rules:\n" + "- name: x\n" * 301, "line 302: more than 300 rules; split the file"),
    ("rules: []\n---\nrules: []\n", "line 2: only one document per file"),
    ("x" * 1_000_001, "line 1: the file is larger than 1000000 bytes; split it"),
    (FILE.replace("Too hot", "x" * 500_000), "line 2: rules[0].name: Ensure this value has at most 100 characters"),
    (FILE.replace("kind: metric", "kind: " + "x" * 500_000), "line 4: rules[0].kind: Value 'xxx"),
    ("", "line 1: A rule file must be a mapping with a list `rules`."),
    ("!!map [", "line 1: the tag tag:yaml.org,2002:map is not allowed"),
]


@pytest.mark.parametrize(("source", "message"), HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_file_is_refused_with_the_line_of_the_error(source, message):
    with pytest.raises(BadFile) as bad:
        yaml_file.plan_import(source)

    result = [str(fault) for fault in bad.value.faults]
    assert any(fault.startswith(message) for fault in result), result
    assert len(str(bad.value)) < 50_000


@pytest.mark.parametrize(("source", "message"), HOSTILE, ids=range(len(HOSTILE)))
def test_without_libyaml_a_hostile_file_is_refused_as_well(source, message, monkeypatch):
    monkeypatch.setattr(yaml_reader, "LOADER", yaml.SafeLoader)

    with pytest.raises(BadFile):
        yaml_file.plan_import(source[:20_000])


def test_a_byte_order_mark_is_ignored():
    assert [one.rule.name for one in yaml_file.plan_import(FILE.encode("utf-8-sig"))] == ["Too hot", "Away"]


def test_text_that_looks_like_a_number_or_a_date_remains_text():
    names = ["2026-11-27", "1:30", "0x1F", "on", "12_000", "<<", "="]
    text = yaml.safe_dump({"rules": [{"name": name, "kind": "firmware", "severity": "info"} for name in names]})

    assert [one.rule.name for one in yaml_file.plan_import(text)] == names


def test_of_many_errors_the_first_hundred_are_shown():
    with pytest.raises(BadFile) as bad:
        yaml_file.plan_import("rules:\n" + "- {nme: x}\n" * 300)

    assert len(bad.value.faults) == 101
    assert "the rest of the file was not checked" in str(bad.value)


GOOD = "- {name: r%d, kind: firmware, severity: info, firmware: x, hours: always} # %s\n"
MILLION = [
    pytest.param("rules:\n" + "- {name: x, kind: y}\n" * 45_000, id="entries"),
    pytest.param("rules:\n" + f"- name: {'x' * 3_200}\n  kind: {'y' * 50}\n" * 290, id="wrong entries"),
    pytest.param("rules:\n" + "".join(GOOD % (number, "x" * 3_200) for number in range(300)), id="good entries"),
    pytest.param("rules: " + "[" * 999_000, id="depth"),
    pytest.param("rules: " + "9" * 999_000, id="number"),
    pytest.param("rules: " + "1" + ":1" * 499_000, id="sexagesimal"),
    pytest.param("rules: " + '"' + "\\\\" * 499_000, id="open text"),
    pytest.param("rules: " + "? " * 499_000, id="keys"),
    pytest.param("rules: " + "- " * 499_000, id="lists"),
    pytest.param("rules:\n- {" + ", ".join(f"{'k' * 90}{n}: 1" for n in range(10_000)) + "}", id="long keys"),
    pytest.param("rules:\n" + " \n" * 499_000, id="blank lines"),
    pytest.param("rules: |\n" + "  x\n" * 249_000, id="folded text"),
    pytest.param("rules:\n" + "# x\n" * 249_000, id="comments"),
    pytest.param("{" * 499_000 + "}" * 499_000, id="braces"),
    pytest.param("a: b: " * 166_000, id="colons"),
    pytest.param("%TAG ! x\n" * 100_000, id="directives"),
]


@pytest.mark.parametrize("text", MILLION)
def test_a_file_of_a_megabyte_costs_a_second_at_most(text):
    begun = time.process_time()
    with contextlib.suppress(BadFile):
        yaml_file.plan_import(text)

    assert len(text) < 1_000_001
    assert time.process_time() - begun < 1


# The command


def test_the_command_reads_what_it_writes(tmp_path: Path, capsys):
    planned()
    call_command("rules", "export")
    file = tmp_path / "rules.yaml"
    file.write_text(capsys.readouterr().out)
    Rule.objects.all().delete()

    call_command("rules", "import", str(file))

    assert set(Rule.objects.values_list("name", flat=True)) == {"Too hot", "Away"}
    assert "2 of 2 rules changed" in capsys.readouterr().out


def test_a_dry_run_shows_the_changes_and_changes_nothing(tmp_path: Path, capsys):
    planned()
    file = tmp_path / "rules.yaml"
    file.write_text(FILE.replace("hysteresis: 3", "hysteresis: 4") + "- {name: New, kind: firmware, severity: info}\n")

    call_command("rules", "import", "--dry-run", str(file))

    message = capsys.readouterr().out
    assert "Too hot: hysteresis" in message
    assert "new: New" in message
    assert "2 of 3 rules would change" in message
    assert (Rule.objects.count(), Rule.objects.get(name="Too hot").hysteresis) == (2, 3)


def test_the_command_reports_errors(monkeypatch):
    hot = FILE.replace("limit: 60", "limit: hot").encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(hot)))

    with pytest.raises(CommandError, match=r"line 8: rules\[0\]"):
        call_command("rules", "import", "-")
    with pytest.raises(CommandError, match=r"gone\.yaml: No such file"):
        call_command("rules", "import", "gone.yaml")
