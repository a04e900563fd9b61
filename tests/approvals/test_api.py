"""Actions above the threshold over the API."""

import pytest

from tests.support import factories
from tests.support.people import person
from tests.support.rest import ApiClient, problem_of
from tests.support.shift import open_boards
from tms.alerts.models import Alert, Rule
from tms.approvals.models import ApprovalRequest

pytestmark = pytest.mark.both


@pytest.fixture
def many(fleet) -> dict:
    alerts = [factories.alert(fleet) for _ in range(3)]
    Rule.objects.update(may_be_resolved_by_hand=True)
    return {"selection": {"ids": [alert.pk for alert in alerts]}}


def test_the_problem_names_the_request(many, tanaka, yamada):
    client = ApiClient.of(tanaka)

    answer = client.post("/alerts/resolve", many | {"comment": "tested"}, Idempotency_Key="one")

    assert problem_of(answer) == (409, "tms:approval-needed")
    request = ApprovalRequest.objects.get()
    assert answer["Location"] == f"/api/v1/approvals/{request.pk}"
    assert Alert.objects.unresolved().count() == 3
    read = client.get(answer["Location"]).json()
    assert (read["state"], read["requested_by"], read["reason"]) == ("waiting", "tanaka", "tested")


@pytest.mark.parametrize(("confirm", "status"), [(3, 200), (4, 409), (None, 409)])
def test_alone_the_number_is_confirmed(many, tanaka, confirm, status):
    answer = ApiClient.of(tanaka).post("/alerts/resolve", many | {"confirm": confirm})

    assert answer.status_code == status
    assert status == 200 or problem_of(answer) == (409, "tms:confirmation-needed")
    assert Alert.objects.unresolved().count() == (0 if status == 200 else 3)


def test_a_window_of_many_terminals_needs_approval(fleet, tanaka, yamada):
    fleet.terminals(3)
    body = {"note": "new router", "sites": ["SJK"], "time_zone": "Asia/Tokyo"}
    body |= {"starts_at": "2099-03-01T01:00:00", "ends_at": "2099-03-01T04:00:00"}

    answer = ApiClient.of(tanaka).post("/maintenance", body)

    assert problem_of(answer) == (409, "tms:approval-needed")


def test_a_request_is_hidden_from_people_it_does_not_concern(many, tanaka, yamada):
    ApiClient.of(tanaka).post("/alerts/resolve", many)
    pk = ApprovalRequest.objects.get().pk

    viewer = ApiClient.of(person("viewer", of="Viewer"))

    assert problem_of(viewer.get(f"/approvals/{pk}"))[0] == 404
    assert ApiClient.of(yamada).get(f"/approvals/{pk}").status_code == 200


@pytest.mark.parametrize(
    ("path", "confirm", "problem"),
    [
        ("/sites/SJK/close", None, "tms:confirmation-needed"),
        ("/sites/SJK/close", 2, "tms:confirmation-needed"),
        ("/sites/SJK/close", 1, ""),
        ("/terminals/SJK-L1/retire", None, "tms:confirmation-needed"),
        ("/terminals/SJK-L1/retire", "L1", ""),
    ],
)
def test_the_last_lane_of_an_open_site_is_retired_by_two_people_or_by_its_number(fleet, path, confirm, problem):
    lane, lead = fleet.online(uid="SJK-L1"), person("lead", of="Manager")

    answer = ApiClient.of(lead).post(path, {"confirm": confirm})

    assert answer.status_code == (409 if problem else 200)
    assert not problem or problem_of(answer)[1] == problem
    lane.refresh_from_db()
    assert (lane.lifecycle == "retired") == (not problem)


def test_closing_a_site_over_rest_asks_a_colleague_first(fleet, empty_shift):
    fleet.online(uid="SJK-L1")
    lead, colleague = person("lead", of="Manager"), person("colleague", of="Manager")
    open_boards(colleague)

    answer = ApiClient.of(lead).post("/sites/SJK/close", {"comment": "lease ended"})

    assert problem_of(answer) == (409, "tms:approval-needed")
    assert ApiClient.of(colleague).get(answer["Location"]).json()["kind"] == "close-site"
