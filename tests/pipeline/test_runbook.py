"""An alarm without a page helps nobody at night, and a page without an alarm is never found."""

import re

from deploy.check.alarms import ALARMS, SUMMARY
from deploy.cluster.process import ROOT

RUNBOOK = (ROOT / "docs/runbook.md").read_text()
TERRAFORM = (ROOT / "deploy/terraform/alarms.tf").read_text()
TROUBLES = ("A machine does not start", "The database cannot be reached", "502 Bad Gateway", "Static files: 404")
"""The rows of the operators' table of troubles."""


def sections() -> dict[str, str]:
    """The text below each heading of an alarm, by its name."""
    parts = re.split(r"^#### (.+)$", RUNBOOK, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_alarm_of_terraform_has_a_section_and_every_section_an_alarm():
    alarms = set(re.findall(r"^    ([a-z-]+) = \{\n(?:      severity .*\n)?      says", TERRAFORM, re.MULTILINE))
    alarms |= set(re.findall(r'^  alarm_name += "\$\{var.name\}-([a-z-]+)"', TERRAFORM, re.MULTILINE))

    assert alarms
    assert sections().keys() - alarms == set()
    assert alarms - sections().keys() == set()


def test_the_checklist_looks_for_every_alarm():
    assert {*ALARMS, SUMMARY} == sections().keys()
    assert len(ALARMS) == len(set(ALARMS))


def test_each_section_says_what_it_means_where_to_look_and_what_to_do():
    lacking = {
        name
        for name, text in sections().items()
        if not ("**Means**" in text and "**Look**" in text and ("**do**" in text.lower() or "| do |" in text))
    }

    assert not lacking


def test_every_trouble_of_the_operators_has_its_section_and_the_alarm_that_leads_there():
    for trouble in TROUBLES:
        assert f"\n### {trouble}\n" in RUNBOOK
        [row] = re.findall(rf"^\| \[{re.escape(trouble)}\]\(.*$", RUNBOOK, re.MULTILINE)
        assert "](#" in row.split("|")[3] or "check.sh" in row


def test_the_scripts_that_the_runbook_calls_are_here():
    called = set(re.findall(r"deploy/[\w/.-]*\w", RUNBOOK)) - {"deploy/terraform"}
    missing = {path for path in called if not (ROOT / path).exists()}

    assert not missing
