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
def boss(kansai) -> User:
    """Manages people everywhere."""
    made = people.person("boss", of=None)
    people.grant(made, "Administrator")
    return made


@pytest.fixture
def regional(kansai) -> User:
    """Manages people in Kansai."""
    made = people.person("regional", of=None)
    people.grant(made, "Administrator", region="Kansai")
    return made


@pytest.fixture
def browser(boss) -> Client:
    return people.signed_in(boss)


@pytest.fixture
def region_browser(regional) -> Client:
    return people.signed_in(regional)
