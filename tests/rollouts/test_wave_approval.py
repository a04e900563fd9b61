"""Who may approve a wave, and when: a second person, for the terminals that it has."""

import pytest

from tests.support import people
from tests.support.builders import AT
from tests.support.rollouts import make_rollout, tick
from tms.accounts.access import Forbidden
from tms.accounts.models import User
from tms.rollouts import services, starting
from tms.rollouts.models import Rollout, RolloutItem, WaveKind
from tms.rollouts.services import MayNotApprove, RolloutOver
from tms.rollouts.values import WaveValues

pytestmark = pytest.mark.both
TWO_WAVES = (WaveValues(WaveKind.NUMBER, 1, 0), WaveValues(WaveKind.REST, watch_hours=0))


@pytest.fixture
def lead(fleet) -> User:
    return people.person("lead", of="Manager")


def refusal(made: Rollout, by: User, number: int = 1) -> type[Exception] | None:
    wave = made.waves.select_related("rollout").get(number=number)
    try:
        services.approve_wave(wave, by=by, at=AT)
    except (MayNotApprove, Forbidden, RolloutOver) as error:
        return type(error)
    return None


def lead_of(site, name: str = "local") -> User:
    made = people.person(name)  # and a viewer of everything
    people.grant(made, people.ROLES["Manager"], site=site)
    return made


def test_the_first_wave_is_approved_by_someone_with_the_permission_for_all_terminals(fleet, lead):
    here, there = fleet.site("UMD"), fleet.site("SJK")
    for site in (here, there):
        fleet.terminals_online(1, site=site, model="KX-21", features=["update"])
    made = make_rollout(lead, approval="first", started=False)

    assert refusal(made, lead_of(here)) is Forbidden
    assert refusal(made, people.person("other", of="Manager")) is None


def test_no_other_wave_is_approved_before_the_start(fleet, lead):
    fleet.terminals_online(2, model="KX-21", features=["update"])
    other = people.person("other", of="Manager")
    for approval in ("none", "each"):
        made = make_rollout(lead, name=approval, approval=approval, started=False, waves=TWO_WAVES)
        assert [refusal(made, other, number) for number in (1, 2)] == [RolloutOver, RolloutOver]


def test_a_service_account_is_no_second_person(fleet, lead):
    fleet.terminals_online(1, model="KX-21", features=["update"])
    made = make_rollout(lead, approval="first", started=False)
    account = people.person("machine", of="Manager", is_service=True)

    assert refusal(made, account) is MayNotApprove
    assert not services.may_approve(account, made.waves.get())


def test_an_approved_wave_that_grows_asks_again(fleet, lead):
    def kiosk(code: str) -> None:
        fleet.terminals_online(1, site=fleet.site(code), model="KX-21", features=["update"])

    for code in ("AAA", "BBB"):
        kiosk(code)
    made = make_rollout(lead, approval="each", waves=TWO_WAVES)
    other = people.person("other", of="Manager")
    approved_ahead = refusal(made, other, 2)
    kiosk("CCC")

    starting.add_all_late(AT)
    RolloutItem.objects.filter(wave__number=1).update(state="done")
    tick(31)

    second = made.waves.get(number=2)
    assert approved_ahead is None
    assert (second.approved_at, second.asked_by, RolloutItem.objects.filter(wave=second).count()) == (None, lead, 2)
    assert refusal(made, other, 2) is None
