"""`/metrics`, as Prometheus reads it."""

import re

import pytest
from django.db import DatabaseError, connections
from prometheus_client.parser import text_string_to_metric_families

from tests.support.builders import AT, Link, now
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert
from tms.clock.presence_sweep import orphan
from tms.fleet.models import Presence
from tms.fleet.nodes.membership import Membership
from tms.ingest import commit

pytestmark = pytest.mark.both

LABELS = {"presence", "severity", "state"} | {"outcome", "method", "type", "cause", "kind", "direction", "loop"}
LABELS |= {"event", "le", "by", "factor", "indicator", "result", "route", "status"}


def scrape(client, **meta):
    answer = client.get("/metrics", **meta)
    assert answer.status_code == 200
    return {family.name: family for family in text_string_to_metric_families(answer.content.decode())}


def values(family, label: str) -> dict[str, float]:
    return {sample.labels[label]: sample.value for sample in family.samples}


def test_the_fleet_is_counted_by_presence_including_zero(fleet, client):
    for presence in (Presence.ONLINE, Presence.ONLINE, Presence.OFFLINE):
        fleet.with_presence(presence)

    terminals = values(scrape(client)["tms_terminals"], "presence")

    assert terminals == dict.fromkeys(Presence.values, 0.0) | {"online": 2.0, "offline": 1.0}


def test_unresolved_alerts_are_counted_by_severity_and_state(fleet, client):
    critical = fleet.metric_rule(severity="critical")
    for _ in range(2):
        lifecycle.apply_events([RuleTriggered(critical.pk, fleet.terminal().pk, AT)])
    lifecycle.acknowledge(Alert.objects.filter(pk=Alert.objects.first().pk), by=fleet.person(), comment="", at=AT)

    samples = scrape(client)["tms_alerts_unresolved"].samples

    counted = {(s.labels["severity"], s.labels["state"]): s.value for s in samples}
    assert counted[("critical", "open")] == counted[("critical", "acknowledged")] == 1
    assert len(counted) == 9
    assert sum(counted.values()) == 2


def test_nodes_are_counted_by_state_and_their_dropped_terminals_by_fate(fleet, client):
    Membership("a").join()
    terminals = [fleet.online(node="a", at=now(), lease_s=3_600) for _ in range(3)]
    orphan("a", now())
    commit.write([Link(terminals[0]).boot(at=now())])

    families = scrape(client)

    assert values(families["tms_nodes"], "state") == {"running": 1, "draining": 0, "stopped": 0, "lost": 0}
    assert values(families["tms_dropped_terminals"], "state") == {"back": 1, "awaited": 2, "missing": 0}


def test_every_name_unit_and_help_follows_the_rules_of_prometheus(fleet, client):
    """The checks of `promtool check metrics`."""
    ours = {name: family for name, family in scrape(client).items() if name.startswith("tms_")}

    assert len(ours) > 20
    for name, family in ours.items():
        assert re.fullmatch(r"tms_[a-z_]+", name)
        assert family.documentation.strip()
        assert family.type in {"counter", "gauge", "histogram"}
        assert not name.endswith(("_total", "_count", "_sum", "_bucket", "_info"))
        assert not re.search(r"_(ms|milliseconds|minutes|hours|kb|mb)$", name)
        if family.type == "histogram":
            assert name.endswith("_seconds")


def test_no_label_names_a_terminal_or_a_person(fleet, client):
    terminal = fleet.terminal(uid="VERY-SPECIAL-01")
    fleet.metric_rule(limit=0)
    link = Link(terminal)
    commit.write([link.boot(), link.report(1, metrics={"temperature_c": 1.0}), link.lost()])
    client.get("/api/v1/terminals/VERY-SPECIAL-01")

    text = client.get("/metrics").content.decode()

    assert "VERY-SPECIAL" not in text
    ours = [family for name, family in scrape(client).items() if name.startswith("tms_")]
    assert {label for family in ours for sample in family.samples for label in sample.labels} <= LABELS


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8", ""])
def test_a_public_address_is_refused(db, client, address):
    answer = client.get("/metrics", REMOTE_ADDR=address)

    assert answer.status_code == 403
    assert b"tms_" not in answer.content


@pytest.mark.parametrize("forwarded", ["8.8.8.8", "10.0.0.9, 8.8.8.8", "nonsense", "8.8.8.8:4711"])
def test_a_request_through_the_public_proxy_is_refused(db, client, settings, forwarded):
    settings.TRUSTED_PROXIES = ["10.0.0.1"]

    answer = client.get("/metrics", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)

    assert answer.status_code == 403


def test_a_request_through_an_unknown_proxy_is_refused(db, client):
    """A load balancer on the private network that is missing in TMS_TRUSTED_PROXIES must not make them public."""
    answer = client.get("/metrics", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="8.8.8.8")

    assert answer.status_code == 403


def test_an_unavailable_database_leaves_the_other_metrics_readable(db, client, monkeypatch):
    def unavailable(*args):
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr(connections["default"], "cursor", unavailable)
        families = scrape(client)

    assert "tms_terminals" not in families
    assert "tms_links" in families


def test_a_scrape_costs_a_fixed_number_of_queries(fleet, client, django_assert_max_num_queries):
    fleet.terminals(300, presence=Presence.ONLINE)

    with django_assert_max_num_queries(7):
        scrape(client)
