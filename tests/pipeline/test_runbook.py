"""Every alarm has a page, and every page an alarm."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.check.aws.alarms import ALARMS
from deploy.processes.tms_process import ROOT

PAGES = {"en": ROOT / "docs/runbook.md", "ja": ROOT / "docs/runbook.ja.md"}
RUNBOOK = PAGES["en"].read_text()
TERRAFORM = (ROOT / "deploy/terraform/alarms.tf").read_text()
PROMETHEUS = yaml.safe_load((ROOT / "deploy/prometheus/rules/alerts.yml").read_text())
TROUBLES = ("A machine does not start", "The database cannot be reached", "502 Bad Gateway", "Static files: 404")
"""The rows of the operators' table of troubles."""
PARTS = {
    "en": ("**Meaning**", "**Check**", "**Do**", "**Page**"),
    "ja": ("**状況**", "**確認**", "**対応**", "**呼ぶ相手**"),
}
ONE_SCREEN = 40
"""Lines of a terminal window."""


def sections(page: Path) -> dict[str, str]:
    """The text below each heading of an alarm, by its name."""
    parts = re.split(r"^#### (.+)$", page.read_text(), flags=re.MULTILINE)
    texts = [re.split(r"^##", text, flags=re.MULTILINE)[0] for text in parts[2::2]]
    return dict(zip(parts[1::2], texts, strict=True))


def of_terraform() -> set[str]:
    composite = re.findall(r'alarm_name += "\$\{var\.name\}-([a-z-]+)"', TERRAFORM)
    return set(re.findall(r"^    ([a-z-]+) = \{\n      (?:meaning|severity)", TERRAFORM, re.MULTILINE)) | set(composite)


def of_prometheus() -> dict[str, str]:
    """The section that each alert links to, by its name."""
    rules: list[Any] = [rule for group in PROMETHEUS["groups"] for rule in group["rules"]]
    return {rule["alert"]: rule["annotations"]["runbook"].partition("#")[2] for rule in rules}


@pytest.mark.parametrize("language", PAGES)
def test_every_alarm_has_a_section_in_both_languages_and_every_section_an_alarm(language):
    found = sections(PAGES[language]).keys()

    assert of_terraform() - found == set()
    assert found - of_terraform() - set(of_prometheus().values()) == set()


@pytest.mark.parametrize("language", PAGES)
def test_every_alert_of_prometheus_is_named_in_its_section(language):
    found = sections(PAGES[language])
    lost = {alert for alert, section in of_prometheus().items() if f"`{alert}`" not in found.get(section, "")}

    assert lost == set()


def test_the_checklist_includes_every_alarm():
    assert set(ALARMS) <= sections(PAGES["en"]).keys()
    assert len(ALARMS) == len(set(ALARMS))


@pytest.mark.parametrize("language", PAGES)
def test_each_section_fits_one_screen_and_has_meaning_check_do_and_page(language):
    for name, text in sections(PAGES[language]).items():
        positions = [text.find(part) for part in PARTS[language]]

        assert -1 not in positions, (name, positions)
        assert positions == sorted(positions), name
        assert "```bash\n" in text, name
        assert text.strip().count("\n") < ONE_SCREEN, name


def commands(text: str) -> list[str]:
    return re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_commands_are_the_same_in_both_languages():
    assert commands(PAGES["en"].read_text()) == commands(PAGES["ja"].read_text())


@pytest.mark.parametrize("language", PAGES)
def test_every_command_can_be_pasted(language):
    """A command has no prompt, is readable by a shell, and connects to the database or a machine by itself."""
    for block in commands(PAGES[language].read_text()):
        done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)

        assert done.returncode == 0, block
        assert not re.search(r"^\$ |^# ", block, re.MULTILINE), block
        assert not re.search(r"^(psql|manage|supervisorctl|tail|curl -s http://127)", block, re.MULTILINE), block


def test_a_link_within_a_page_can_be_resolved():
    for page in PAGES.values():
        text = page.read_text()
        headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        anchors |= set(re.findall(r'<a id="([\w-]+)"></a>', text))

        assert set(re.findall(r"\]\(#([\w-]+)\)", text)) - anchors == set()


def test_every_trouble_of_the_operators_has_its_section_and_an_alarm_that_links_to_it():
    for trouble in TROUBLES:
        assert f"\n### {trouble}\n" in RUNBOOK
        [row] = re.findall(rf"^\| \[{re.escape(trouble)}\]\(.*$", RUNBOOK, re.MULTILINE)
        assert "](#" in row.split("|")[3] or "check.sh" in row


@pytest.mark.parametrize("language", PAGES)
def test_the_scripts_in_the_runbook_exist(language):
    called = set(re.findall(r"deploy/[\w/.-]*\w", PAGES[language].read_text())) - {"deploy/terraform"}
    missing = {path for path in called if not (ROOT / path).exists()}

    assert not missing
