"""Prometheus metrics of a running TMS."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.inventory import metrics
from tests.support.servers.tms import RunningTMS

UID = "SHJ-PAY-01"


@pytest.fixture
def families(scraped: RunningTMS):
    status, text = scraped.get("/metrics")
    assert status == 200
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_every_declared_metric_is_served_under_its_name(families):
    assert {name for name, _ in metrics()} - families.keys() == set()


def test_the_fleet_is_counted_in_the_database(families):
    never = {sample.labels["presence"]: sample.value for sample in families["tms_terminals"].samples}

    assert never == {
        "online": 0,
        "silent": 0,
        "rebooting": 0,
        "closed": 0,
        "offline": 0,
        "never": 1,
    }


def test_a_process_reports_the_memory_of_its_objects(families):
    [blocks] = families["tms_python_blocks"].samples

    assert blocks.value > 100_000


def test_the_server_reports_its_connections_and_limit(families):
    [inside] = families["tms_connections"].samples
    [limit] = families["tms_connections_limit"].samples

    assert inside.value >= 1
    assert limit.value == 500


def test_no_label_names_a_terminal(scraped):
    _, text = scraped.get("/metrics")

    assert UID not in text
    assert not re.search(r'\b(uid|terminal|site)="', text)


def test_metrics_are_not_public(scraped):
    status, text = scraped.get("/metrics", **{"X-Forwarded-For": "1.1.1.1"})

    assert status == 403
    assert "private network" in text
