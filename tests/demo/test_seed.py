"""The demo fleet is created once, and changes by people stay."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.support.credentials import find_key
from tms.accounts import access
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.demo.people import PEOPLE
from tms.demo.seed import seed
from tms.fleet.models import OpeningHours, Site, Terminal, TerminalState
from tms.protocol import credential

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fleet.json"


def test_a_new_fleet_has_seven_sites_in_japan_and_this_machine(path):
    fleet = seed(200, path=path, machine="desk")

    assert len(fleet.terminals) == 200
    assert Terminal.objects.count() == TerminalState.objects.count() == 201
    assert Site.objects.filter(time_zone="Asia/Tokyo").count() == 8
    assert OpeningHours.objects.values("site").distinct().count() == 7
    demo = User.objects.get(username=PEOPLE[0].username)
    assert not demo.is_superuser
    assert set(access.Granted(demo)) == {permission.key for permission in Permission}


def test_production_gets_no_demo_unless_it_is_the_cluster_of_one_machine(path, settings):
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match="this is production"):
        call_command("seed_demo", 1, fleet=path)
    assert not User.objects.exists()

    settings.DEMO_IN_PRODUCTION = True
    call_command("seed_demo", 1, fleet=path)
    assert User.objects.filter(username="demo").exists()


def test_the_credential_of_every_seeded_terminal_is_valid(path, now):
    fleet = seed(7, path=path, machine="desk")

    for terminal in fleet.terminals:
        offered = credential.parse(terminal.credential)
        assert offered is not None
        assert find_key(offered, at=now) is not None


def test_seeding_again_creates_nothing_and_reverts_nothing(path):
    first = seed(20, path=path, machine="desk")
    Site.objects.filter(code="SJK").update(name="Renamed by a person")

    again = seed(20, path=path, machine="desk")

    assert again == first
    assert Terminal.objects.count() == 21
    assert Site.objects.get(code="SJK").name == "Renamed by a person"


def test_a_larger_fleet_adds_to_the_smaller_one(path):
    small = seed(5, path=path, machine="desk")

    large = seed(50, path=path, machine="desk")

    assert large.terminals[:5] == small.terminals
    assert Terminal.objects.count() == 51


def test_deleted_terminals_are_created_again(path):
    seed(10, path=path, machine="desk")
    Terminal.objects.all().delete()

    fleet = seed(10, path=path, machine="desk")

    assert Terminal.objects.filter(uid__in=[terminal.uid for terminal in fleet.terminals]).count() == 10


def test_only_the_owner_may_read_the_credentials_file(path):
    seed(1, path=path, machine="desk")

    assert path.stat().st_mode & 0o077 == 0
