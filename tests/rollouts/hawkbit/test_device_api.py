"""The device API of hawkBit: documents, refusals, presence, and one order from the poll to its end."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.rollouts.hawkbit.bodies import feedback
from tests.support import people
from tests.support.artifacts import make_artifact
from tests.support.rollouts import make_rollout
from tms.artifacts import delivery
from tms.artifacts.models import Artifact
from tms.clock import presence_sweep
from tms.commands.models import Command
from tms.fleet.credentials.services import issue
from tms.fleet.models import Outage, Presence, PresenceChange, Terminal, TerminalState
from tms.fleet.presence import store
from tms.rollouts import runner, services
from tms.rollouts.hawkbit import actions
from tms.rollouts.models import Rollout, RolloutItem

pytestmark = [pytest.mark.both, pytest.mark.django_db]


class Updater:
    """What an updater does."""

    def __init__(self, terminal: Terminal, scheme: str = "TargetToken") -> None:
        self.terminal, self.headers = terminal, {"Authorization": f"{scheme} {issue(terminal)}"}
        self.base = f"/ddi/default/controller/v1/{terminal.uid}"
        self.client = Client(headers=self.headers)

    def poll(self):
        answer = self.client.get(self.base)
        assert answer.status_code == 200, answer.content
        return {name: link["href"] for name, link in answer.json().get("_links", {}).items()}

    def describe(self, **data: object) -> int:
        return self.client.put(f"{self.base}/configData", {"data": data}, content_type="application/json").status_code

    def say(self, address: str, body: bytes) -> int:
        return self.client.post(f"{address}/feedback", body, content_type="application/json").status_code

    @property
    def row(self) -> Terminal:
        return Terminal.objects.select_related("state").get(pk=self.terminal.pk)


@pytest.fixture
def updater(fleet) -> Updater:
    made = Updater(fleet.terminal())
    assert made.describe(firmware="4.8.2", model="KX-21") == 200
    return made


def order(updater: Updater, **more: object) -> Command:
    options = {"by": None, "at": timezone.now(), "answer_within_s": 7200, "deliver_within_s": 900} | more
    artifact = Artifact.objects.first() or make_artifact()
    return delivery.order([updater.terminal.pk], artifact, **options)[updater.terminal.pk]


def begun(updater: Updater) -> tuple[Command, str]:
    command = order(updater)
    address = updater.poll()["deploymentBase"]
    assert updater.client.get(address).status_code == 200
    return command, address


def test_a_poll_is_presence_and_asks_an_unknown_terminal_what_it_is(fleet):
    updater = Updater(fleet.terminal())

    links = updater.poll()

    assert links == {"configData": f"http://testserver{updater.base}/configData"}
    assert updater.row.state.presence == Presence.ONLINE


def test_what_it_says_of_itself_is_stored_like_a_boot(updater):
    row = updater.row

    assert (row.firmware, row.model, row.features) == ("4.8.2", "KX-21", ["hawkbit", "update"])
    assert row.state.boot_id.startswith("hawkbit-")
    assert updater.poll() == {}


def test_an_order_from_the_poll_to_the_new_version(updater):
    command, address = begun(updater)
    artifact = updater.client.get(address).json()["deployment"]["chunks"][0]["artifacts"][0]

    updater.say(address, feedback("proceeding", of=1))
    updater.say(address, feedback("proceeding", cnt=1, of=1))
    command.refresh_from_db()
    assert (command.state, command.progress_text) == ("sent", "installed")
    assert updater.poll() == {"deploymentBase": address}
    updater.describe(firmware="4.8.3", model="KX-21")

    command.refresh_from_db()
    assert (command.state, updater.row.firmware, updater.poll()) == ("done", "4.8.3", {})
    assert artifact["filename"] == "kiosk-firmware-4.8.3.swu"
    assert artifact["_links"]["download-http"]["href"].startswith("http://testserver/download/")


@pytest.mark.parametrize(
    ("bodies", "state", "error"),
    [
        ([feedback("closed", "success")], "done", ""),
        ([feedback("closed", "failure", details=["No image"])], "failed", "No image"),
        ([feedback("closed", "failure")], "failed", "the updater reported: failed"),
        ([feedback("rejected")], "failed", "the updater reported: rejected"),
        (
            [feedback("proceeding", details=["x", "ERROR : HTTP error code 503."]), feedback("closed", "failure")],
            "failed",
            "download: ERROR : HTTP error code 503.",
        ),
        ([b"no JSON"], "sent", ""),
        ([feedback("closed", "success"), feedback("closed", "failure")], "done", ""),
        ([feedback("proceeding", details=["ERROR " + "e" * 400] * 9) for _ in range(9)], "sent", ""),
    ],
)
def test_feedback_is_the_answer_of_the_order(updater, bodies, state, error):
    command, address = begun(updater)

    assert {updater.say(address, body) for body in bodies} == {200}

    command.refresh_from_db()
    assert (command.state, command.error) == (state, error)


def test_a_restart_with_the_old_version_ends_an_installed_order(updater):
    command, address = begun(updater)
    updater.say(address, feedback("proceeding", cnt=1, of=1))
    before = updater.row.state.boot_id

    updater.describe(firmware="4.8.2")

    command.refresh_from_db()
    assert (command.state, updater.row.firmware) == ("done", "4.8.2")
    assert updater.row.state.boot_id != before


def test_a_restart_during_the_download_changes_nothing(updater):
    command, address = begun(updater)
    updater.say(address, feedback("proceeding", of=1))

    updater.describe(firmware="4.8.2")

    command.refresh_from_db()
    assert command.state == "sent"
    assert updater.poll() == {"deploymentBase": address}


def test_an_order_that_was_not_shown_is_cancelled_at_once(updater):
    command = order(updater)

    assert actions.cancel(command, reason="cancelled", at=timezone.now())

    assert updater.poll() == {}


def test_an_order_that_was_shown_is_cancelled_by_the_terminal(updater):
    command, address = begun(updater)
    assert actions.cancel(command, reason="cancelled", at=timezone.now())
    order(updater)

    links = updater.poll()
    assert updater.client.get(links["cancelAction"]).json()["cancelAction"]["stopId"] == str(command.pk)
    assert updater.client.get(address).status_code == 404
    assert updater.say(links["cancelAction"], feedback("closed", "success")) == 200

    assert links.keys() == {"cancelAction"}
    assert updater.poll().keys() == {"deploymentBase"}


def test_a_terminal_has_one_action_at_a_time_and_only_its_own(updater, fleet):
    first, second = order(updater), order(updater)
    stranger = Updater(fleet.terminal())

    address = updater.poll()["deploymentBase"]

    assert address.endswith(f"/{first.pk}")
    assert updater.client.get(address.replace(str(first.pk), str(second.pk))).status_code == 404
    assert stranger.client.get(address).status_code == 404
    assert stranger.say(address, feedback("closed", "success")) == 404


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("get", "", {"Authorization": ""}, 401),
        ("get", "", {"Authorization": "TargetToken x"}, 401),
        ("get", "", {"Authorization": "TargetToken T1." + "s" * 43}, 401),
        ("get", "/deploymentBase/1", {"Authorization": "Basic x"}, 401),
        ("post", "", {}, 405),
        ("get", "/configData", {}, 405),
        ("get", "/deploymentBase/1", {}, 404),
        ("post", "/deploymentBase/99999999999999999999/feedback", {}, 404),
        ("get", "/cancelAction/1", {}, 404),
        ("put", "/configData", {}, 422),
    ],
)
def test_a_refusal_says_why(updater, method, path, headers, status):
    answer = getattr(updater.client, method)(updater.base + path, headers=updater.headers | headers)

    assert answer.status_code == status
    assert json.loads(answer.content)["detail"]


def test_another_tenant_or_a_body_that_is_too_large_is_refused(updater):
    assert updater.client.get(updater.base.replace("default", "other")).status_code == 404
    assert updater.describe(firmware="x" * 300_000) == 413


def test_a_terminal_with_a_link_is_refused(updater):
    TerminalState.objects.filter(pk=updater.terminal.pk).update(session=1)

    answer = updater.client.get(updater.base)

    assert (answer.status_code, answer.json()["type"]) == (409, "tms:linked")


def test_a_terminal_that_stops_polling_becomes_silent_and_returns(updater, settings):
    late = timezone.now() + timedelta(seconds=settings.HAWKBIT_LEASE_S)
    presence_sweep.sweep(late - timedelta(seconds=5))
    assert updater.row.state.presence == Presence.ONLINE

    presence_sweep.sweep(late + timedelta(seconds=5))
    assert (updater.row.state.presence, updater.row.state.cause) == (Presence.SILENT, "lease_ran_out")
    presence_sweep.sweep(late + timedelta(seconds=600))
    updater.poll()

    assert updater.row.state.presence == Presence.ONLINE
    assert Outage.objects.get().cause == "unclear"


def test_a_restart_of_tms_changes_no_presence_of_those_that_poll(updater, settings):
    at = timezone.now() + timedelta(hours=2)
    changes = PresenceChange.objects.count()

    presence_sweep.orphan(None, at)
    store.postpone(at + timedelta(seconds=60), polls_until=at + timedelta(seconds=settings.HAWKBIT_LEASE_S))
    presence_sweep.sweep(at + timedelta(seconds=settings.HAWKBIT_LEASE_S - 5))

    assert updater.row.state.presence == Presence.ONLINE
    assert PresenceChange.objects.count() == changes


def beside_another(fleet, uid: str) -> Updater:
    """One at a site of its own, where another terminal works: it is not the last one."""
    site = fleet.site(uid[:8])
    fleet.terminals_online(1, site=site)
    updater = Updater(fleet.terminal(uid=uid, site=site))
    updater.describe(firmware="4.8.2", model="KX-21")
    return updater


def start_rollout(lead, updaters) -> Rollout:
    terminals = [updater.terminal for updater in updaters]
    rollout = make_rollout(lead, at=timezone.now(), terminals=terminals)
    runner.advance(timezone.now())
    return rollout


SAYS_INSTALLED = feedback("proceeding", cnt=1, of=1)
SUCCESS, FAILURE = feedback("closed", "success"), feedback("closed", "failure", details=["No image"])


def test_items_of_a_rollout_follow_what_updaters_say_and_what_terminals_run(fleet):
    """Each case: what the updater says, and the version after its restart, if it restarts."""
    cases = {
        "ordered": ((), ""),
        "downloading": ((feedback("proceeding", of=1),), ""),
        "installing": ((SAYS_INSTALLED,), ""),
        "restarting": ((SAYS_INSTALLED, SUCCESS), ""),
        "settling": ((SAYS_INSTALLED,), "4.8.3"),
        "failed": ((FAILURE,), "4.8.2"),
        "new_version": ((FAILURE,), "4.8.3"),
        "old_version": ((SAYS_INSTALLED, SUCCESS), "4.8.2"),
    }
    updaters = {state: beside_another(fleet, state) for state in cases}
    start_rollout(people.person("lead", of="Manager"), updaters.values())

    addresses = {state: updater.poll()["deploymentBase"] for state, updater in updaters.items()}
    for state, (bodies, _) in cases.items():
        updaters[state].client.get(addresses[state])
        for body in bodies:
            updaters[state].say(addresses[state], body)
    runner.advance(timezone.now())
    for state, (_, version) in cases.items():
        if version:
            updaters[state].describe(firmware=version)
    for _ in range(3):
        runner.advance(timezone.now())

    found = RolloutItem.objects.values_list("terminal__uid", "state")
    assert dict(found) == {state: state for state in cases}


def test_a_rollout_that_ends_takes_back_what_was_only_read(fleet):
    reading, begun = (beside_another(fleet, uid) for uid in ("READ", "BEGUN"))
    lead = people.person("lead", of="Manager")
    rollout = start_rollout(lead, (reading, begun))
    addresses = [updater.poll()["deploymentBase"] for updater in (reading, begun)]
    for updater, address in zip((reading, begun), addresses, strict=True):
        updater.client.get(address)
    begun.say(addresses[1], feedback("proceeding", of=1))
    runner.advance(timezone.now())

    services.cancel(rollout, by=lead, at=timezone.now())

    assert reading.poll().keys() == {"cancelAction"}
    assert begun.poll().keys() == {"deploymentBase"}
