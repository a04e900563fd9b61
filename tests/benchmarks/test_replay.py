"""The benchmark of replays, in miniature."""

from datetime import UTC, datetime

import pytest

from benchmarks.fixture_fleet.build import build
from benchmarks.replay import year
from benchmarks.replay.measure import measure
from benchmarks.replay.plan import TINY
from tms.accounts.models import User

pytestmark = pytest.mark.services


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("default_rules")
def test_a_fleet_with_a_history_is_replayed():
    build(TINY.terminals, sites=TINY.sites, alerts=TINY.unresolved)
    at = datetime.now(UTC)
    year.write(TINY, at=at, person=User.objects.get().pk)

    found = measure(TINY, at=at)

    assert found["snapshots"]["number"] > 4 * TINY.days
    assert found["board"]["number"] == TINY.moments
