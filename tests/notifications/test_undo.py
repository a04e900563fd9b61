"""Deleting an override or a plan is undone from the toast, by the person who deleted it."""

import pytest

from tests.support import people
from tests.support.factories import now
from tests.support.pages import undo_token
from tms.accounts import undo as undoing
from tms.accounts.undo import serialize
from tms.notifications import undo
from tms.notifications.models import Destination
from tms.notifications.models.digest_plan import DigestPlan
from tms.notifications.planned import services

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def plan(client) -> DigestPlan:
    person = people.person("lead", of="Manager")
    client.force_login(person)
    destination = Destination.objects.create(name="NOC", kind="email", address="noc@example.com")
    return DigestPlan.objects.create(
        destination=destination,
        times="06:00",
        time_zone="Asia/Tokyo",
        covered_until=now(),
        next_at=now(3_600),
        by=person,
    )


def test_a_deleted_plan_is_planned_again(client, plan):
    before = list(DigestPlan.objects.values())
    client.post(f"/digest/plans/{plan.pk}/delete/")
    assert not DigestPlan.objects.exists()
    token = undo_token(client.get("/digest/send/"))

    client.post("/undo/", {"token": token})

    assert list(DigestPlan.objects.values()) == before


def test_another_plan_for_the_same_destination_stays(plan):
    by = plan.by
    token = undoing.offer(undo.DELETED, {"row": serialize([plan])}, by=by)
    services.drop_plan(plan)
    plan.pk = None
    plan.save(force_insert=True)

    assert not undoing.undo(token, by=by, at=now())
    assert DigestPlan.objects.count() == 1


def test_a_row_of_a_release_with_other_columns_is_not_restored(plan):
    row = serialize([plan]).replace('"times"', '"clock_times"')

    assert not undo.undo_deleted({"row": row}, by=plan.by, at=now())
