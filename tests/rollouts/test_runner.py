"""Rollouts as the clock runs them: what is ordered, what follows, and that nothing is ordered twice."""

import pytest

from tests.support import people
from tests.support.rollouts import answer, deliver, make_rollout, progress, reboot, states, tick
from tms.accounts.models import User
from tms.rollouts.models import RolloutItem

pytestmark = [pytest.mark.both, pytest.mark.embedded]


@pytest.fixture
def lead(fleet) -> User:
    return people.person("lead", of="Manager")


def kiosks(fleet, number: int, **more):
    return fleet.terminals_online(number, model="KX-21", firmware="4.8.1", boot_id="boot-0", **more)


def test_a_terminal_is_done_when_it_has_reported_the_wanted_version_for_the_settle_time(fleet, lead):
    terminal, _other = kiosks(fleet, 2)
    made = make_rollout(lead)

    first = states(made)
    sent = deliver(1)
    progress(sent, "downloading", 43)
    tick(2)
    downloading = states(made)
    progress(sent, "installing 4.8.3")
    tick(3)
    answer(sent, 4)
    tick(5)
    restarting = states(made)
    reboot(terminal, 60, firmware="4.8.3")
    tick(61)
    settling = states(made)
    tick(122)

    assert first == ["ordered", "waiting last_lane"]
    assert [command.args["version"] for command in sent] == ["4.8.3"]
    assert (downloading[0], restarting[0], settling[0]) == ("downloading", "restarting", "settling")
    assert states(made)[0] == "done"
    assert RolloutItem.objects.first().version_before == "4.8.1"
    assert states(made)[1] == "ordered"
