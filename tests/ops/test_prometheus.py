"""The Prometheus rules work, and a real Prometheus scrapes a running TMS."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from deploy.processes.programs import find
from tests.support.inventory import ROOT, metrics
from tests.support.polling import wait_for_value
from tests.support.servers.prometheus import HERE, Prometheus
from tests.support.servers.tms import RunningTMS

RULES = sorted(HERE.glob("rules/*.yml"))
TESTS = sorted(HERE.glob("tests/*.yml"))
DASHBOARD = HERE / "grafana/tms.json"
SUFFIXES = re.compile(r"_(total|bucket|sum|count)$")


def promtool(*arguments: object) -> str:
    """The output. Fails if promtool reports an error."""
    command = [find("promtool", package="prometheus"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


def rules() -> list[dict[str, Any]]:
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = [rule for rule in rules() if "alert" in rule]
RECORDED = {rule["record"] for rule in rules() if "record" in rule}


def panels() -> list[tuple[str, str]]:
    """Title and query."""
    board = json.loads(DASHBOARD.read_text())
    return [(panel["title"], target["expr"]) for panel in board["panels"] for target in panel.get("targets", [])]


QUERIES = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()] + panels()


def test_the_configuration_and_the_rules_are_valid():
    assert "SUCCESS" in promtool("check", "config", HERE / "prometheus.yml")


def test_the_tests_of_the_rules_pass():
    promtool("test", "rules", *TESTS)


def test_every_alert_has_a_test_in_which_it_fires():
    cases = [case for path in TESTS for case in yaml.safe_load(path.read_text())["tests"]]
    fired = {one["alertname"] for case in cases for one in case["alert_rule_test"] if one["exp_alerts"]}

    assert fired == {rule["alert"] for rule in ALERTS}


@pytest.mark.parametrize(("name", "query"), QUERIES, ids=lambda text: text[:40])
def test_every_query_uses_existing_metrics(name, query):
    known = {name for name, _ in metrics()} | RECORDED
    asked = {SUFFIXES.sub("", word) for word in re.findall(r"\btms[_:][\w:]+", query)}

    assert not asked - known


def test_every_query_of_the_dashboard_is_valid(tmp_path):
    asked = [{"record": f"panel:{n}", "expr": query} for n, (_, query) in enumerate(panels())]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": asked}]}))

    promtool("check", "rules", path)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_has_a_severity_and_a_link_to_the_runbook(rule):
    page, _, anchor = rule["annotations"]["runbook"].partition("#")

    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]
    assert page == "docs/runbook.md"
    assert anchor in anchors()


def anchors() -> set[str]:
    headings = re.findall(r"^#+ (.*)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def prometheus(scraped: RunningTMS, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with Prometheus(tmp_path_factory.mktemp("prometheus"), nodes=[scraped.port]) as prometheus:
        yield prometheus


def test_a_real_prometheus_scrapes_a_node_by_its_address(prometheus):
    wait_for_value(lambda: [value for _, value in prometheus.ask('up{job="tms-node"}')], [1.0])


def test_it_records_the_state_of_the_fleet(prometheus):
    wait_for_value(lambda: [value for _, value in prometheus.ask('tms:terminals:max{presence="never"}')], [1.0])
    wait_for_value(lambda: [value for _, value in prometheus.ask("sum(tms_clock_leads)")], [1.0])


def test_no_alert_fires_for_a_healthy_tms(prometheus):
    wait_for_value(lambda: bool(prometheus.ask("tms:nodes:max")), True)

    assert prometheus.ask("ALERTS") == []


def test_promtool_accepts_the_metrics(scraped):
    _, text = scraped.get("/metrics")
    ours = "\n".join(line for line in text.splitlines() if "tms_" in line) + "\n"

    done = subprocess.run(
        [find("promtool", package="prometheus"), "check", "metrics"],
        input=ours,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stderr, done.returncode) == ("", 0)
