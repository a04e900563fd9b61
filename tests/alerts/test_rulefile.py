"""Rules as a file."""

import io
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from tests.builders import AT, Fleet
from tms.alerts import rulefile
from tms.alerts.models import Rule
from tms.alerts.rulefile import BadFile

FILE = """\
rules:
- name: Too hot
  name_ja: 過熱
  kind: metric
  metric: temperature_c
  comparison: above
  steps:
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
def places(fleet: Fleet) -> None:
    fleet.site("SJK")
    fleet.group("Lobby")


def taken(text: str = FILE) -> list[rulefile.Planned]:
    return rulefile.imported(text, by=None, at=AT)


def faults(text: str) -> list[str]:
    with pytest.raises(BadFile) as bad:
        taken(text)
    return [str(fault) for fault in bad.value.faults]


def test_a_file_makes_rules_and_importing_it_again_changes_nothing():
    first, second = taken(), taken()

    hot = Rule.objects.get(name="Too hot")
    assert [one.is_new for one in first] == [True, True]
    assert not any(one.is_edit for one in second)
    assert (hot.severity, hot.limit, hot.worse_steps) == ("warning", 60, [{"severity": "critical", "limit": 75}])
    assert (hot.site.code, hot.group.name, hot.terminal_kind, hot.version) == ("SJK", "Lobby", "kiosk", 1)


def test_what_is_exported_is_imported_without_a_change(default_rules):
    taken()

    text = rulefile.exported()

    assert len(yaml.safe_load(text)["rules"]) == Rule.objects.count()
    assert "過熱" in text
    assert not any(one.is_edit for one in taken(text))


def test_of_a_rule_that_is_known_only_what_differs_is_edited(fleet):
    taken()

    plan = taken(FILE.replace("limit: 75", "limit: 80"))

    assert [one.fields for one in plan] == [("worse_steps",), ()]
    assert Rule.objects.get(name="Too hot").revision == 2


def test_rules_that_a_file_does_not_name_stay(fleet):
    fleet.metric_rule(name="Mine")

    taken()

    assert Rule.objects.get(name="Mine").version == 1


WRONG = [
    (FILE.replace("limit: 60", "limit: hot"), "line 8: rules[0].steps[0].limit: Expected `float`, got `str`"),
    (FILE.replace("limit: 75", "limit: 55"), "line 7: rules[0].steps: The worse the severity, the further out lies"),
    (FILE.replace("hysteresis", "histeresis"), "line 2: rules[0]: Object contains unknown field `histeresis`"),
    (FILE.replace("site: SJK", "site: XXX"), "line 12: rules[0].site: There is no site of this code."),
    (FILE.replace("group: Lobby", "group: Loby"), "line 13: rules[0].group: There is no group of this name."),
    (FILE.replace("kind: presence", "kind: absence"), "line 16: rules[1].kind: Value 'absence' is not a valid choice."),
    (FILE.replace("presence: offline", ""), "line 15: rules[1].presence: A rule of this kind needs it."),
    (FILE.replace("name: Away", "name: Too hot"), "line 15: rules[1].name: A rule of this name stands further up."),
    (FILE.replace("severity: warning", "severity: dire"), "line 7: rules[0].steps: Each step needs its severity"),
    (FILE.replace("duration_s: 120", "duration_s: 1.0e+12"), "line 11: rules[0].duration_s: At most a year."),
    (FILE.replace("limit: 60", "limit: .inf"), "line 7: rules[0].steps: "),
    (FILE.replace("  steps:", "  severity: info\n  steps:"), "line 7: rules[0].severity: Each step has its severity"),
    ("rules: [", "line 1: not YAML: "),
    ("rules:\n- &a {name: x}\n- *a\n", "line 3: not YAML: aliases are not allowed"),
    ("rules: " + "[" * 5000, "line 1: not YAML: "),
    ("- name: Away\n", "line 1: A file of rules is a mapping with a list of `rules`."),
]


@pytest.mark.parametrize(("text", "said"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_told_by_line_and_field_and_nothing_is_imported(text, said):
    assert any(fault.startswith(said) for fault in faults(text)), faults(text)
    assert not Rule.objects.exists()


def test_all_that_is_wrong_is_told_at_once():
    text = FILE.replace("site: SJK", "site: XXX").replace("presence: offline", "presence: gone")

    assert len(faults(text)) == 2


# The command


def test_the_command_writes_what_it_reads(tmp_path: Path, capsys):
    taken()
    call_command("rules", "export")
    file = tmp_path / "rules.yaml"
    file.write_text(capsys.readouterr().out)
    Rule.objects.all().delete()

    call_command("rules", "import", str(file))

    assert set(Rule.objects.values_list("name", flat=True)) == {"Too hot", "Away"}
    assert "2 of 2 rules changed" in capsys.readouterr().out


def test_a_dry_run_says_what_would_change_and_changes_nothing(tmp_path: Path, capsys):
    taken()
    file = tmp_path / "rules.yaml"
    file.write_text(FILE.replace("hysteresis: 3", "hysteresis: 4") + "- {name: New, kind: firmware, severity: info}\n")

    call_command("rules", "import", "--dry-run", str(file))

    said = capsys.readouterr().out
    assert "Too hot: hysteresis" in said
    assert "new: New" in said
    assert "2 of 3 rules would change" in said
    assert (Rule.objects.count(), Rule.objects.get(name="Too hot").hysteresis) == (2, 3)


def test_the_command_tells_what_is_wrong(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(FILE.replace("limit: 60", "limit: hot")))

    with pytest.raises(CommandError, match=r"line 8: rules\[0\]"):
        call_command("rules", "import", "-")
    with pytest.raises(CommandError, match=r"gone\.yaml: No such file"):
        call_command("rules", "import", "gone.yaml")
