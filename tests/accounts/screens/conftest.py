import pytest
from django.test import Client

from tests.support import people
from tests.support.builders import Fleet
from tms.accounts.models import User


@pytest.fixture
def kansai(fleet: Fleet) -> Fleet:
    """Two regions: UMD in Kansai, SJK in Tokyo."""
    fleet.site("UMD", region="Kansai")
    fleet.site("SJK", region="Tokyo")
    return fleet


@pytest.fixture
def lead(kansai) -> User:
    made = people.person("lead", of=None)
    people.grant(made, "Lead")
    return made


@pytest.fixture
def regional(kansai) -> User:
    made = people.person("regional", of=None)
    people.grant(made, "Lead", region="Kansai")
    return made


@pytest.fixture
def browser(lead) -> Client:
    return people.signed_in(lead)


@pytest.fixture
def region_browser(regional) -> Client:
    return people.signed_in(regional)
