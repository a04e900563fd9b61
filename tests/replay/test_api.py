from datetime import timedelta

import pytest

from tests.support import factories
from tests.support.factories import now
from tests.support.people import grant, person
from tests.support.rest import ApiClient
from tms.fleet.models import Terminal

pytestmark = [pytest.mark.both, pytest.mark.embedded]

HOUR = 3_600


@pytest.fixture
def night(fleet):
    """An alert that was acknowledged half an hour after it opened, and resolved an hour ago."""
    alert = factories.alert(fleet, opened_at=now(-2 * HOUR))
    factories.acknowledged(alert, by=fleet.person("aiko"), at=now(-1.5 * HOUR))
    factories.resolved(alert, at=now(-HOUR))
    Terminal.objects.update(created_at=now(-24 * HOUR))
    return alert


def test_the_state_at_an_instant_has_the_acknowledgements_of_then(night):
    client = ApiClient.of(person("mori"))

    before, after, over = (
        client.get("/replay", {"at": now(hours * HOUR).isoformat()}).json() for hours in (-1.75, -1.25, -0.5)
    )

    assert [one["alerts"] for one in (before, after, over)] == [{"critical": 1}, {"critical": 1}, {}]
    assert [one["unacknowledged"] for one in (before, after)] == [{"critical": 1}, {}]
    assert [one["open"][0]["acknowledged_by"] for one in (before, after)] == [None, "aiko"]
    assert over["terminals"] == {"online": 1}
    assert [limit["code"] for limit in over["limits"]] == ["fleet"]


@pytest.mark.parametrize("hours", [-48, 1])
def test_an_instant_without_records_is_refused(night, hours):
    answer = ApiClient.of(person("mori")).get("/replay", {"at": (now() + timedelta(hours=hours)).isoformat()})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "?at"


def test_a_token_reads_the_past_of_its_scope(night, fleet):
    mori = person("mori", of=None)
    grant(mori, "Viewer", site=fleet.site("UMD"))

    found = ApiClient.of(mori).get("/replay", {"at": now(-1.75 * HOUR).isoformat()}).json()

    assert (found["terminals"], found["alerts"], found["open"]) == ({}, {}, [])
