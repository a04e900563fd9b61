"""Jobs over REST."""

import msgspec
import pytest

from tests.support import people
from tests.support.builders import now
from tests.support.rest import ApiClient, invalid_fields, problem_of
from tms.accounts.models import AuditEntry, User
from tms.approvals.clearance import NotAgreed, cleared
from tms.jobs import runner, starting
from tms.jobs.approvals import JobPayload, LargeJob
from tms.jobs.models import Item, Job, JobRun
from tms.jobs.schemas import JobBody

pytestmark = [pytest.mark.both, pytest.mark.embedded]

PING = {"name": "Ping all", "command": "ping", "query": "kind:kiosk"}


@pytest.fixture
def client(fleet) -> ApiClient:
    return ApiClient.of(people.person("lead", of="Manager"))


def test_a_job_is_created_once_for_a_key_read_paused_resumed_and_cancelled(fleet, client):
    terminals = fleet.terminals_online(2)

    made, again = (client.post("/jobs", PING, Idempotency_Key="k") for _ in range(2))
    starting.start_due(now())
    runner.advance(now())
    path = f"/jobs/{made.json()['id']}"
    read = client.get(path).json()
    items = client.get(f"{path}/items?state=sent").json()["items"]
    moved = [client.post(f"{path}/{verb}").json()["state"] for verb in ("pause", "pause", "resume", "cancel")]
    over = client.post(f"{path}/resume")

    assert (made.status_code, again.json(), Job.objects.count()) == (201, made.json(), 1)
    assert (read["runs"][0]["counts"], read["started_by"]) == ({"sent": 2}, "lead")
    assert [item["terminal"] for item in items] == [terminal.uid for terminal in terminals]
    assert moved == ["paused", "paused", "active", "cancelled"]
    assert problem_of(over) == (409, "tms:job-over")


WRONG = [
    ({"command": "dance"}, ["$.command"]),
    ({"args": {"x": 1}}, ["$.args"]),
    ({"query": "kindd:kiosk"}, ["$.query"]),
    ({"query": "kind:kiosk -group:Nobody"}, ["$.query"]),
    ({"query": "", "terminals": ["nobody"]}, ["$.terminals"]),
    ({"rrule": "FREQ=DAILY"}, ["$.starts_at"]),
    ({"starts_at": "2026-11-29T03:00:00", "rrule": "FREQ=SOMETIMES"}, ["$.rrule"]),
    ({"starts_at": "2001-11-29T03:00:00"}, ["$.starts_at"]),
    ({"time_zone": "Mars"}, ["$.time_zone"]),
    ({"retries": {"limit": 1}}, ["$.retries.reasons"]),
]


@pytest.mark.parametrize(("wrong", "where"), WRONG)
def test_what_is_wrong_with_a_job_is_said_where_it_is(client, wrong, where):
    assert invalid_fields(client.post("/jobs", PING | wrong)) == where


def test_a_recurring_job_starts_at_its_local_time(client):
    body = {"starts_at": "2090-11-29T03:00:00", "time_zone": "Asia/Tokyo", "rrule": "FREQ=DAILY"}

    made = client.post("/jobs", PING | body).json()

    assert (made["occurs_at"], made["rrule"]) == ("2090-11-28T18:00:00Z", "FREQ=DAILY")


def test_a_dangerous_job_for_many_terminals_needs_a_second_person(fleet, client, settings):
    settings.APPROVAL_TERMINALS = 2
    fleet.terminals_online(3)
    body = PING | {"command": "reboot"}

    alone = client.post("/jobs", body)
    confirmed = client.post("/jobs", body | {"confirm": 3})

    assert problem_of(alone) == (409, "tms:confirmation-needed")
    assert confirmed.status_code == 201
    assert AuditEntry.objects.filter(action="acted-alone").exists()


def test_an_approved_job_is_made_for_the_person_who_asked(fleet, client):
    fleet.terminals_online(3)
    lead = User.objects.get(username="lead")
    body = JobBody(**PING | {"command": "reboot"}).model_dump(mode="json", exclude={"confirm"})
    stored = msgspec.convert(msgspec.to_builtins(JobPayload(body, (1, 2, 3))), JobPayload)

    LargeJob().perform(stored, by=lead, at=now())

    assert (Job.objects.get().command, Job.objects.get().started_by) == ("reboot", lead)


def test_numbers_of_a_job_are_those_of_the_terminals_that_its_reader_sees(fleet, client):
    here, there = fleet.site("AAA"), fleet.site("BBB")
    fleet.terminals_online(1, site=here)
    fleet.terminals_online(2, site=there)
    moved = people.person("moved", of=None)
    grants = [people.grant(moved, "Lead", site=site) for site in (here, there)]
    reader = ApiClient.of(moved)
    path = f"/jobs/{reader.post('/jobs', PING).json()['id']}"
    starting.start_due(now())
    runner.advance(now())

    grants[1].delete()

    assert reader.get(path).json()["runs"][0]["counts"] == {"sent": 1}
    assert reader.get("/jobs").json()["items"][0]["runs"][0]["counts"] == {"sent": 1}


def test_what_grew_since_a_second_person_agreed_does_not_start(fleet, client, settings):
    settings.APPROVAL_TERMINALS = 2
    fleet.terminals_online(3)
    lead = User.objects.get(username="lead")
    body = JobBody(**PING | {"command": "reboot"}).model_dump(mode="json", exclude={"confirm"})
    agreed_to = JobPayload(body, (1, 2, 3))

    with cleared(LargeJob(), agreed_to):
        LargeJob().perform(agreed_to, by=lead, at=now())
        fleet.terminals_online(3)
        with pytest.raises(NotAgreed):
            LargeJob().perform(JobPayload(body | {"name": "again"}, (1, 2, 3)), by=lead, at=now())
    starting.start_due(now())

    assert (JobRun.objects.get().reason, Item.objects.count()) == ("grown", 0)


def test_people_see_their_own_jobs_and_of_others_only_with_the_permission_for_everything(fleet, client):
    site = fleet.site("AAA")
    local = people.person("local", of=None)
    people.grant(local, "Lead", site=site)
    job = client.post("/jobs", PING).json()["id"]
    own = ApiClient.of(local)
    mine = own.post("/jobs", PING).json()["id"]

    assert [one["id"] for one in client.get("/jobs").json()["items"]] == [mine, job]
    assert [one["id"] for one in own.get("/jobs").json()["items"]] == [mine]
    assert own.post(f"/jobs/{job}/cancel").status_code == 404
    assert ApiClient.of(people.person("op", of="Operator")).post("/jobs", PING).status_code == 403
