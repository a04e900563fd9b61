"""A real Prometheus, with the shipped configuration, and a whole cluster."""

from collections.abc import Iterator

import pytest

from deploy.processes import Cluster
from tests.support.polling import wait_for_value
from tests.support.servers.prometheus import Prometheus

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def prometheus(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    nodes, clocks = [node.port for node in cluster.nodes], [clock.port for clock in cluster.clocks]
    with Prometheus(tmp_path_factory.mktemp("prometheus"), nodes=nodes, clocks=clocks) as prometheus:
        yield prometheus


def test_every_node_and_every_clock_is_scraped(prometheus, cluster):
    jobs = {"tms-node": len(cluster.nodes), "tms-clock": len(cluster.clocks)}

    def answering() -> dict[str, float]:
        return {labels["job"]: number for labels, number in prometheus.ask("sum by (job) (up)")}

    wait_for_value(answering, jobs)


def test_metrics_of_the_fleet_are_counted_once_although_every_process_serves_them(prometheus, cluster, query):
    [(terminals,)] = query("SELECT count(*) FROM fleet_terminal WHERE lifecycle = 'in_service'")

    wait_for_value(lambda: prometheus.ask("sum(tms:terminals:max)"), [({}, float(terminals))])
    wait_for_value(lambda: prometheus.ask("sum(tms_clock_leads)"), [({}, 1.0)])
    for process in (*cluster.nodes, *cluster.clocks):
        assert "tms_terminals{" in process.get("/metrics")[1], process.name
