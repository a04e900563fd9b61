import pytest

from tests.support.polling import wait_for
from tms.ops.health import node_heartbeat
from tms.ops.health.node_heartbeat import NodeHeartbeat

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


def test_after_any_error_the_heartbeats_continue(monkeypatch):
    counted = []

    def links() -> int:
        counted.append(1)
        if len(counted) == 1:
            raise RuntimeError("dictionary changed size during iteration")
        return 7

    monkeypatch.setattr(node_heartbeat, "HEARTBEAT_S", 0.01)
    node = NodeHeartbeat("a", links=links)
    node.start()
    try:
        wait_for(lambda: len(counted) > 1)
    finally:
        node.stop()
