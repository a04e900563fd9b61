"""The demo fleet is created once, and changes by people stay."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.support.credentials import find_key
from tests.support.people import person
from tms.accounts import access
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.commands.models import CommandDefinition
from tms.demo.people import PEOPLE
from tms.demo.seed import seed
from tms.demo.week.nightly import NIGHTS, seed_nightly_job
from tms.fleet.models import (
    Attribute,
    Device,
    DeviceState,
    Group,
    Lifecycle,
    OpeningHours,
    Site,
    Terminal,
    TerminalState,
    TerminalTag,
)
from tms.jobs.models import Item, Job
from tms.protocol import credential
from tms.replay.state import Moment
from tms.rollouts.models import Rollout, RolloutEvent, RolloutState

pytestmark = pytest.mark.django_db
NOT_IN_SERVICE = 2
"""Terminals that are planned or out of service, beside those that run."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fleet.json"


def test_a_new_fleet_has_seven_sites_in_japan_and_this_machine(path):
    fleet = seed(200, path=path, machine="desk")

    assert len(fleet.terminals) == 200
    assert Terminal.objects.count() == TerminalState.objects.count() == 201 + NOT_IN_SERVICE
    assert Site.objects.filter(time_zone="Asia/Tokyo").count() == 8
    assert OpeningHours.objects.values("site").distinct().count() == 7
    demo = User.objects.get(username=PEOPLE[0].username)
    assert not demo.is_superuser
    assert list(CommandDefinition.objects.values_list("name", "label_ja")) == [
        ("print-test-page", "テスト印刷"),
        ("set-volume", "音量を設定"),
    ]
    assert set(access.Granted(demo)) == {permission.key for permission in Permission}


def test_a_new_fleet_has_devices_in_every_state_but_lost_groups_and_terminals_that_are_not_in_service(path):
    seed(56, path=path, machine="desk")

    states = set(Device.objects.values_list("state", flat=True))
    assert states == {DeviceState.SPARE, DeviceState.IN_SERVICE, DeviceState.IN_REPAIR, DeviceState.RETIRED}
    others = Terminal.objects.exclude(lifecycle=Lifecycle.IN_SERVICE).order_by("uid")
    assert [(one.uid, one.lifecycle) for one in others] == [("HKT-KSK-90", "planned"), ("NGY-TAB-90", "out_of_service")]
    groups = {group.name: group.terminals.count() for group in Group.objects.all()}
    assert len(groups) == 4
    assert min(groups.values()) > 1


def test_a_new_fleet_has_tags_attributes_and_a_nightly_job_with_a_past(path, now):
    seed(56, path=path, machine="desk")

    assert set(TerminalTag.objects.values_list("name", flat=True)) == {"lobby", "step-free", "pilot"}
    assert Attribute.objects.count() == 3
    job = Job.objects.get()
    assert now < job.occurs_at <= now + timedelta(days=1)
    assert job.runs.count() >= 6
    assert not job.runs.filter(ended_at__gt=now).exists()
    assert set(Item.objects.values_list("state", flat=True)) == {"done", "failed", "skipped"}


@pytest.mark.parametrize("clock", ["00:30", "01:00", "01:12", "03:59", "04:00", "12:00"])
def test_the_nightly_job_has_a_past_and_a_next_run_at_any_hour(fleet, clock):
    at = datetime.fromisoformat(f"2026-12-03T{clock}+09:00")

    seed_nightly_job([fleet.terminal(kind="kiosk")], person("lead", of="Manager"), at=at)

    job = Job.objects.get()
    assert at < job.occurs_at <= at + timedelta(days=1)
    assert job.runs.count() in (NIGHTS - 1, NIGHTS)
    assert not job.runs.filter(until__gt=at).exists()


def test_a_new_fleet_had_a_good_rollout_and_one_that_was_stopped_and_rolled_back(path):
    seed(56, path=path, machine="desk")

    good, bad = Rollout.objects.order_by("pk")
    assert (good.state, bad.state, bad.reason) == (RolloutState.FINISHED, RolloutState.ROLLED_BACK, "effects")
    assert set(good.items.values_list("state", flat=True)) == {"done"}
    assert set(bad.items.values_list("state", flat=True)) == {"done", "cancelled"}
    assert not RolloutEvent.objects.undispatched().exists()


def test_the_replay_of_a_new_demo_shows_the_firmware_of_then(path, now):
    seed(56, path=path, machine="desk")
    kiosk = Terminal.objects.filter(kind="kiosk", firmware="4.8.2").first()

    then = Moment(now - timedelta(days=3), now=now).terminal(kiosk)

    assert then.state.terminal.firmware == "4.8.1"


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
    assert Terminal.objects.count() == 21 + NOT_IN_SERVICE
    assert Site.objects.get(code="SJK").name == "Renamed by a person"


def test_a_larger_fleet_adds_to_the_smaller_one(path):
    small = seed(5, path=path, machine="desk")

    large = seed(50, path=path, machine="desk")

    assert large.terminals[:5] == small.terminals
    assert Terminal.objects.count() == 51 + NOT_IN_SERVICE


def test_deleted_terminals_are_created_again(path):
    seed(10, path=path, machine="desk")
    Terminal.objects.all().delete()

    fleet = seed(10, path=path, machine="desk")

    assert Terminal.objects.filter(uid__in=[terminal.uid for terminal in fleet.terminals]).count() == 10


def test_only_the_owner_may_read_the_credentials_file(path):
    seed(1, path=path, machine="desk")

    assert path.stat().st_mode & 0o077 == 0
