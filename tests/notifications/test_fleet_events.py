"""Events of the fleet: who gets which, how many at once, and each exactly as often as it happened."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.builders import AT, Link, later
from tests.support.notifications.destinations import webhook_destination
from tests.support.polling import wait_for_value
from tests.support.threads import open_transaction
from tms.accounts.audit import sealing
from tms.commands import services as commands
from tms.commands.models import Command
from tms.fleet.credentials import services as credentials
from tms.fleet.devices import placements, unexpected
from tms.fleet.models import (
    Credential,
    Device,
    DeviceState,
    IdentityChange,
    Presence,
    PresenceChange,
    Terminal,
    UnexpectedDevice,
)
from tms.fleet.sites import services as sites
from tms.fleet.terminals import lifecycle_changes
from tms.fleet.terminals import services as terminals
from tms.ingest import commit
from tms.jobs import services as jobs
from tms.jobs.models import Item, ItemState, Job, JobEventKind, JobRun
from tms.notifications.deliveries.retention import delete_old_deliveries
from tms.notifications.fleet_events import services
from tms.notifications.fleet_events.sources import TYPES
from tms.notifications.models.delivery import Delivery, DeliveryState
from tms.notifications.models.destination import Destination, EventFamily
from tms.notifications.models.event_cursor import EventCursor
from tms.rollouts.events import record_event
from tms.rollouts.models import Rollout, RolloutEventKind

pytestmark = [pytest.mark.both, pytest.mark.django_db]
EVERY = list(EventFamily.values)
INTEGRATING = Path(__file__).parents[2] / "docs/integrating.md"


@pytest.fixture
def subscriber(fleet) -> Callable[..., Destination]:
    def subscribe(name: str = "Hook", events: list[str] | None = None, **fields) -> Destination:
        made = webhook_destination("https://a.example.com/", name, events=EVERY if events is None else events, **fields)
        publish()
        return made

    return subscribe


def publish(at=AT) -> None:
    sealing.seal(at)
    services.publish_new(at)


def told(destination: Destination) -> list[dict]:
    """The events of its deliveries, in order."""
    rows = Delivery.objects.filter(destination=destination).order_by("pk")
    return [event for row in rows for event in row.content["facts"]["events"]]


def types(destination: Destination) -> set[str]:
    return {event["type"] for event in told(destination)}


def boot(terminal: Terminal, serial: str, *, firmware: str = "1.0", boot_id: str = "boot-1") -> None:
    key = terminal.credentials.values_list("pk", flat=True).last() or 0
    commit.write([Link(terminal, credential_id=key).boot(boot_id, serial=serial, model="KX-21", firmware=firmware)])


def presence(*made: Terminal, after: str = Presence.OFFLINE) -> list[PresenceChange]:
    rows = [PresenceChange(terminal=one, at=AT, before=Presence.ONLINE, presence=after) for one in made]
    return PresenceChange.objects.bulk_create(rows)


def test_every_type_of_event_happens(fleet, subscriber):
    one, other, blocked = fleet.terminal(), fleet.terminal(), fleet.terminal()
    boot(other, "S-2")
    boot(blocked, "S-3")
    hook = subscriber()

    boot(one, "S-1", firmware="4.8")
    boot(one, "S-9", boot_id="boot-2")
    unexpected.confirm(UnexpectedDevice.objects.get(), removed_becomes=DeviceState.SPARE, by=None, at=later(1))
    boot(blocked, "S-8", boot_id="boot-2")
    unexpected.block(UnexpectedDevice.objects.get(serial="S-8"), by=None, at=later(2))
    placements.swap(one, other, by=None, at=later(3))
    spare = Device.objects.create(serial="S-5", state=DeviceState.SPARE)
    placements.replace(one, spare, removed_becomes=DeviceState.LOST, by=None, at=later(4))
    fleet.terminal()
    terminals.move_terminals([one.pk], to=fleet.site("OSK"), by=None, at=later(5))
    sites.close_site(one.site, device_becomes=DeviceState.SPARE, by=None, at=later(6))
    sites.reopen_site(one.site, by=None, at=later(7))
    command = Command.objects.create(terminal=one, name="ping", created_at=AT, deliver_before=later(1), due_at=later(1))
    commands.expire(later(8))
    job = Job.objects.create(name="Nightly", command="ping", length_s=60, created_at=AT)
    run = JobRun.objects.create(job=job, since=AT, until=later(60), started_at=AT)
    run.items.create(terminal=one, state=ItemState.EXPIRED, not_before=AT, command=command)
    for kind in JobEventKind:
        jobs.record_event(kind, job, run, at=later(9))
    rollout = Rollout.objects.create(name="Firmware", starts_at=AT, until=later(60), created_at=AT)
    for event in RolloutEventKind:
        record_event(event, rollout, at=later(10))
    publish()

    assert types(hook) == TYPES.keys()


def test_an_event_says_what_happened_to_which_terminal(fleet, subscriber):
    terminal = fleet.terminal(label="Lane 3")
    hook = subscriber()

    lifecycle_changes.retire([terminal.pk], device_becomes=DeviceState.SPARE, by=None, at=later(1))
    publish()

    [event] = [event for event in told(hook) if event["type"] == "tms.terminals.lifecycle.v1"]
    assert (event["subject"], event["time"]) == (terminal.uid, later(1).isoformat())
    assert event["data"] == {
        "terminal": {"uid": terminal.uid, "label": "Lane 3"},
        "site": {"code": "SJK", "name": "Site SJK"},
        "source": "person",
        "before": "in_service",
        "after": "retired",
    }


def test_the_numbers_of_a_job_are_for_those_who_see_all_its_terminals(fleet, subscriber):
    here, there = fleet.terminal(), fleet.terminal(site=fleet.site("OSK"))
    everything, local = subscriber("All", ["jobs"]), subscriber("Here", ["jobs"], owner_site=here.site)
    job = Job.objects.create(name="Nightly", command="ping", length_s=60, created_at=AT)
    *runs, other = [JobRun.objects.create(job=job, since=later(n), until=later(60), started_at=AT) for n in range(3)]
    other.items.create(terminal=there, not_before=AT)  # from here on, items and runs have different keys
    for run, members in zip(runs, ([here], [here, there]), strict=True):
        run.items.bulk_create(Item(run=run, terminal=each, not_before=AT) for each in members)
        jobs.record_event(JobEventKind.ENDED, job, run, at=later(1))
    jobs.record_event(JobEventKind.MISSED, job, None, at=later(2), reason="going")
    publish()

    assert [event["data"].get("counts") for event in told(everything)] == [{"waiting": 1}, {"waiting": 2}, {}]
    assert [event["data"]["run"] for event in told(local)] == [runs[0].pk]


def test_the_outcome_of_a_command_names_its_job(fleet, subscriber):
    terminal = fleet.terminal()
    hook = subscriber(events=["commands"])
    rows = [Command(terminal=terminal, name="ping", created_at=AT, deliver_before=AT, due_at=AT) for _ in range(2)]
    Command.objects.bulk_create(rows)
    job = Job.objects.create(name="Nightly", command="ping", length_s=60, created_at=AT)
    run = JobRun.objects.create(job=job, since=AT, until=later(60), started_at=AT)
    run.items.create(terminal=terminal, not_before=AT, command=rows[1])

    commands.expire(later(1))
    publish()

    assert [event["data"]["job"] for event in told(hook)] == [None, job.pk]
    assert told(hook)[0]["data"] | {"site": {}, "job": None} == {
        "terminal": {"uid": terminal.uid, "label": terminal.label},
        "site": {},
        "command": {"id": rows[0].pk, "name": "ping"},
        "state": "expired",
        "error": "the terminal did not come back in time",
        "job": None,
    }


def test_a_replaced_device_is_named_beside_the_new_one(fleet, subscriber):
    terminal = fleet.terminal(serial="S-1", model="KX")
    hook = subscriber(events=["placement"])

    spare = Device.objects.create(serial="S-5", model="KX", state=DeviceState.SPARE)
    placements.replace(terminal, spare, removed_becomes=DeviceState.LOST, by=None, at=later(4))
    publish()

    [event] = told(hook)
    assert event["type"] == "tms.devices.replaced.v1"
    assert event["data"]["device"] == {"serial": "S-5", "model": "KX"}
    assert event["data"]["previous_device"] == {"serial": "S-1", "model": "KX"}


def test_events_arrive_as_one_signed_batch_and_the_same_at_each_attempt(fleet, hook, receiver, delivery_clock):
    hook.events = ["presence"]
    hook.save()
    publish()
    receiver.script = [(503, {})]

    presence(fleet.terminal(), fleet.terminal())
    publish(delivery_clock.at)
    delivery_clock.advance(60)

    first, second = receiver.posted
    assert first.headers["Content-Type"] == "application/cloudevents-batch+json; charset=utf-8"
    assert len(first.event) == 2
    assert all(event["specversion"] == "1.0" and event["source"] for event in first.event)
    assert first.headers["webhook-signature"].startswith("v1,")
    assert [event["id"] for event in first.event] == [event["id"] for event in second.event]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_a_destination_gets_only_the_families_that_it_chose(fleet, subscriber):
    keys, all_of_them = subscriber("Keys", ["enrolment"]), subscriber("All")
    terminal = fleet.terminal()

    credentials.issue(terminal)
    publish()

    assert types(keys) == {"tms.keys.issued.v1"}
    assert types(all_of_them) == {"tms.keys.issued.v1", "tms.devices.placed.v1"}


def test_an_owner_gets_nothing_about_terminals_and_sites_that_it_does_not_see(fleet, subscriber):
    shinjuku, osaka = fleet.site("SJK"), fleet.site("OSK", region="Kansai")
    here, there = fleet.terminal(site=shinjuku), fleet.terminal(site=osaka)
    ours = subscriber("Ours", owner_site=shinjuku)
    region = subscriber("Region", owner_region="Kansai")
    group = subscriber("Group", owner_group=fleet.group("Lanes", here))

    for terminal in (here, there):
        boot(terminal, f"S-{terminal.pk}", firmware="4.8")
        credentials.revoke(Credential.objects.filter(terminal=terminal), at=later(1))
    terminals.move_terminals([there.pk], to=shinjuku, by=None, at=later(2))
    sites.close_site(osaka, device_becomes=DeviceState.SPARE, by=None, at=later(3))
    publish(later(4))

    assert "tms.terminals.moved.v1" in types(ours)
    assert "OSK" not in str(told(ours))
    assert {event["type"] for event in told(region)} == {"tms.sites.closed.v1"}
    assert {event["subject"] for event in told(group)} == {here.uid}


def test_who_subscribes_gets_what_happens_from_then_on(fleet, subscriber):
    terminal = fleet.terminal()
    presence(terminal)
    hook = subscriber()
    nothing = told(hook)

    presence(terminal)
    publish()
    Destination.objects.update(enabled=False)
    publish()
    without_subscribers = EventCursor.objects.count()
    presence(terminal)
    Destination.objects.update(enabled=True)
    publish()

    assert (nothing, without_subscribers) == ([], 0)
    assert len(told(hook)) == 1


def test_presence_is_merged_by_terminal_within_a_pass(fleet, subscriber):
    back, away = fleet.terminal(), fleet.terminal()
    hook = subscriber(events=["presence"])

    presence(back, away, after=Presence.SILENT)
    rows = [
        PresenceChange(terminal=back, at=later(1), before=Presence.SILENT, presence=Presence.ONLINE),
        PresenceChange(terminal=away, at=later(1), before=Presence.SILENT, presence=Presence.OFFLINE),
    ]
    PresenceChange.objects.bulk_create(rows)
    publish()

    [event] = told(hook)
    assert event["data"]["terminal"]["uid"] == away.uid
    assert (event["data"]["before"], event["data"]["after"]) == ("online", "offline")


def test_a_storm_makes_few_deliveries_and_says_how_much_it_dropped(fleet, subscriber, monkeypatch):
    monkeypatch.setattr(services, "MAX_EVENTS", 10)
    monkeypatch.setattr(services, "MAX_WAITING", 3)
    hook = subscriber(events=["presence"])
    made = fleet.terminals(60)

    for start in range(0, 60, 4):
        presence(*made[start : start + 4])
        publish()

    *sent, last = told(hook)
    assert Delivery.objects.count() == 3
    assert len(sent) == 30
    assert (last["type"], last["data"]) == ("tms.events.dropped.v1", {"number": 30})


def test_a_pass_without_news_and_a_pass_of_many_take_few_queries(
    fleet, subscriber, django_assert_max_num_queries, monkeypatch
):
    subscriber()
    made = fleet.terminals(200)

    with django_assert_max_num_queries(20):
        services.publish_new(AT)
    presence(*made)
    with django_assert_max_num_queries(35):
        services.publish_new(AT)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_committed_after_a_later_one_is_not_lost(fleet, subscriber):
    early, late = fleet.terminal(), fleet.terminal()
    hook = subscriber(events=["presence"])

    with open_transaction(lambda: presence(late)):
        presence(early)
        for _ in range(3):
            publish()
        before = {event["subject"] for event in told(hook)}
    for _ in range(3):
        publish()

    assert before == {early.uid}
    assert [event["subject"] for event in told(hook)] == [early.uid, late.uid]
    wait_for_value(gaps_after_publishing, [])  # other tests of this server may have transactions open meanwhile


def gaps_after_publishing() -> list[list[int]]:
    publish()
    return EventCursor.objects.get(source="presence").gaps


def test_sent_events_are_kept_for_a_day(fleet, subscriber):
    subscriber()
    presence(fleet.terminal())
    publish()

    Delivery.objects.update(state=DeliveryState.SENT, ended_at=AT)
    delete_old_deliveries(AT + timedelta(hours=23))
    kept = Delivery.objects.count()
    delete_old_deliveries(AT + timedelta(hours=25))

    assert (kept, Delivery.objects.count()) == (1, 0)


def test_only_a_webhook_offers_and_takes_events(staff, hook):
    offered = staff.get(hook.get_absolute_url()).content.decode()
    other = staff.get("/destinations/new/email/").content.decode()

    assert 'name="events"' in offered
    assert 'name="events"' not in other


def test_the_form_stores_what_is_chosen_and_refuses_what_is_not_offered(staff, hook):
    fields = {"name": "Hook", "language": "en", "enabled": "on"}

    wrong = staff.post(hook.get_absolute_url(), {**fields, "events": ["presence", "weather"]})
    right = staff.post(hook.get_absolute_url(), {**fields, "events": ["presence", "identity"]})

    hook.refresh_from_db()
    assert (wrong.status_code, right.status_code) == (422, 302)
    assert sorted(hook.events) == ["identity", "presence"]


@pytest.mark.usefixtures("fleet")
def test_the_documentation_lists_every_family_and_type():
    _, _, text = INTEGRATING.read_text().partition("## The fleet as events")
    rows = re.findall(r"^\| `(\w+)` \| (`tms\.\w.*?) \|", text, re.MULTILINE)

    documented = {kind: family for family, kinds in rows for kind in re.findall(r"`(tms\.[\w.]+)`", kinds)}

    assert documented == {kind: family.value for kind, family in TYPES.items()}
    assert services.DROPPED in text


def test_history_of_identity_that_is_no_event_is_passed_over(fleet, subscriber):
    terminal = fleet.terminal()
    hook = subscriber()
    terminals.edit_terminal(
        terminal, terminals.TerminalValues(site=terminal.site, kind=terminal.kind, label="Lane 9"), by=None, at=AT
    )

    publish()

    assert IdentityChange.objects.filter(field="label").exists()
    assert told(hook) == []
