"""Health and metrics of a process without pages, on a separate port."""

import json
import urllib.request
from collections.abc import Iterator
from urllib.error import HTTPError

import pytest

from tests.support.services import HOST, free_port
from tms.ops.health.monitor import Monitor, MonitorCannotListen

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    monitor = Monitor(host=HOST, port=free_port())
    monitor.start()
    yield monitor
    monitor.stop()


def get(monitor: Monitor, path: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(f"http://{HOST}:{monitor.port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_it_reports_problems(monitor):
    status, body = get(monitor, "/health/?strict")

    result = json.loads(body)
    assert (status, result["live"], result["healthy"]) == (503, True, False)
    assert get(monitor, "/health/")[0] == 200
    assert result["checks"]["database"] == "ok"
    assert "never ran" in result["checks"]["clock"]


def test_it_reports_whether_its_clock_leads(monitor):
    status, body = get(monitor, "/metrics")

    assert status == 200
    assert "tms_clock_leads 0.0" in body


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_a_forwarded_request_is_refused(monitor, header):
    status, body = get(monitor, "/metrics", **{header: "127.0.0.1"})

    assert status == 403
    assert "tms_" not in body


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/metrics/../people/"])
def test_it_has_no_other_urls(monitor, path):
    assert get(monitor, path)[0] == 404


def test_a_port_in_use_is_reported(monitor):
    with pytest.raises(MonitorCannotListen, match=f"127.0.0.1:{monitor.port}.*in use"):
        Monitor(host=HOST, port=monitor.port)
