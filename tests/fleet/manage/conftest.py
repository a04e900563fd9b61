import pytest
from django.test import Client

from tests.support import people
from tests.support.builders import Fleet
from tms.fleet.models import Site, Terminal


@pytest.fixture
def kansai(fleet: Fleet) -> Fleet:
    """Two regions: UMD in Kansai, SJK in Tokyo."""
    fleet.site("UMD", region="Kansai")
    fleet.site("SJK", region="Tokyo")
    return fleet


@pytest.fixture
def terminal(kansai: Fleet) -> Terminal:
    """A kiosk at UMD, beside another one."""
    kansai.online(uid="UMD-KSK-04", site=kansai.site("UMD"))
    return kansai.online(uid="UMD-KSK-03", site=kansai.site("UMD"), serial="KX21-1", model="KX-21")


@pytest.fixture
def tokyo_terminal(kansai: Fleet) -> Terminal:
    return kansai.terminal(uid="SJK-KSK-01", site=kansai.site("SJK"), serial="KX21-9", model="KX-21")


@pytest.fixture
def umeda(kansai: Fleet) -> Site:
    return kansai.site("UMD")


@pytest.fixture
def boss(kansai: Fleet) -> Client:
    """A lead for everything."""
    return browser("boss", "Lead")


@pytest.fixture
def regional(kansai: Fleet) -> Client:
    """A lead for Kansai."""
    return browser("regional", "Lead", region="Kansai")


@pytest.fixture
def viewer(kansai: Fleet) -> Client:
    return browser("viewer", "Viewer")


def browser(name: str, role: str, **scope: str) -> Client:
    person = people.person(name, of=None)
    people.grant(person, role, **scope)
    return people.signed_in(person)
