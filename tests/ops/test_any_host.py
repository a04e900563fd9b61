"""Requests to a process by its address: from load balancers, and Prometheus."""

import pytest

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def production(settings):
    settings.ALLOWED_HOSTS = ["tms.example.com"]
    settings.SECURE_SSL_REDIRECT = True


@pytest.mark.parametrize("host", ["10.0.10.7:8000", "localhost", "tms.example.com"])
def test_health_and_metrics_answer_under_any_host_and_without_https(client, host):
    assert client.get("/health/", HTTP_HOST=host).status_code in (200, 503)
    assert client.get("/metrics", HTTP_HOST=host).status_code == 200


def test_no_other_page_does(client):
    assert client.get("/sign-in/", HTTP_HOST="10.0.10.7:8000", secure=True).status_code == 400
    assert client.get("/sign-in/", HTTP_HOST="tms.example.com", secure=True).status_code == 200


def test_they_have_the_same_headers_as_every_page(client):
    answer = client.get("/health/", HTTP_HOST="10.0.10.7:8000")

    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
