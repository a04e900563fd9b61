import pytest
from django.test import Client

from tms.boards import icons

pytestmark = pytest.mark.django_db


def test_browsers_cache_the_icons_until_they_change(client: Client):
    answer = client.get(icons.address())

    assert answer["Content-Type"] == "image/svg+xml"
    assert "immutable" in answer["Cache-Control"]
    assert answer.content == icons.sprite()


def test_icons_of_another_release_are_not_cached(client: Client):
    answer = client.get("/icons.0123456789ab.svg")

    assert answer["Cache-Control"] == "no-cache"
    assert answer.content == icons.sprite()
