"""The reference of the API for people."""

import re

import pytest
from django.contrib.staticfiles import finders

pytestmark = pytest.mark.django_db


def test_everyone_reads_the_reference_and_all_it_loads_is_served_by_tms_without_inline_scripts(client):
    answer = client.get("/api/docs/")

    html = answer.content.decode()
    loaded = re.findall(r'(?:src|rel="stylesheet" href)="/static/([^"]+)"', html)
    assert answer.status_code == 200
    assert {"swagger/swagger-ui-bundle.js", "swagger/swagger-ui.css"} < set(loaded)
    assert [name for name in loaded if finders.find(name) is None] == []
    assert re.findall(r"<script(?![^>]* src=)|<style|\bstyle=", html) == []
    assert 'data-document="/api/v1/openapi.json"' in html


@pytest.mark.parametrize("address", ["/api/v1/", "/api/v1/nothing"])
def test_an_unknown_address_names_the_reference(client, address):
    answer = client.get(address)

    assert answer.status_code == 404
    assert "/api/docs/ lists those that exist" in answer.json()["detail"]
