"""The requests of a browser's first page load."""

import gzip
import re

import pytest
from django.conf import settings
from django.test import Client

from tms.boards import icons

pytestmark = pytest.mark.django_db
MOST_REQUESTS, MOST_KIB = 12, 120


def test_the_first_load_of_the_overview_is_small(client: Client, admin_user):
    client.force_login(admin_user)
    page = client.get("/").content
    files = {name: read(name) for name in re.findall(r'(?:href|src)="/static/([^"]+)"', page.decode())}
    [script] = (content for name, content in files.items() if name.endswith(".js"))
    files |= {name: read(f"js/{name}") for name in re.findall(r'from"\./([^"]+)"', script.decode())}
    files |= {"page": page, "icons": icons.sprite()}

    weights = {name: len(gzip.compress(content)) for name, content in files.items()}

    assert len(weights) <= MOST_REQUESTS, weights
    assert sum(weights.values()) <= MOST_KIB * 1024, weights
    assert len([name for name in files if name.endswith(".css")]) == 1


def read(name: str) -> bytes:
    return (settings.STATIC_BUILD / name).read_bytes()
