"""Artifacts: where they run, which terminals cannot install them, and their end; pages and REST."""

import pytest

from tests.support import people
from tests.support.artifacts import make_artifact, make_key
from tests.support.builders import AT, later
from tms.artifacts import delivery, services
from tms.artifacts.fitting import Misfit, blocked
from tms.artifacts.installed import counts
from tms.artifacts.models import Artifact, SigningKey
from tms.commands.models import Command, CommandState
from tms.fleet.models import Terminal
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.query.query import Query

pytestmark = [pytest.mark.both, pytest.mark.django_db]

UPDATES = {"model": "KX-21", "features": ["update"]}


def test_it_runs_on_the_terminals_that_report_it_and_that_a_person_sees(fleet):
    artifact, agent = make_artifact(), make_artifact("tms-agent", "1.9.1")
    here, there = fleet.site("AAA"), fleet.site("BBB")
    fleet.terminal(site=here, **UPDATES, firmware="4.8.3", agent="tms-agent/1.9.1")
    fleet.terminal(site=there, **UPDATES, software={"kiosk-firmware": "4.8.3"}, firmware="1")
    fleet.terminal(site=here, model="PX-300", firmware="4.8.3")
    fleet.terminal(site=here, **UPDATES, firmware="4.8.2")
    everything, some = people.person("hanako"), people.person("taro", of=None)
    people.grant(some, site=here)

    assert counts([artifact, agent], everything) == {artifact.pk: 2, agent.pk: 1}
    assert counts([artifact, agent], some) == {artifact.pk: 1, agent.pk: 1}


def test_a_query_finds_the_terminals_on_which_it_runs(fleet):
    make_artifact()
    one = fleet.terminal(**UPDATES, firmware="4.8.3")
    other = fleet.terminal(**UPDATES, firmware="4.8.2")

    def found(text: str) -> list[Terminal]:
        return list(Terminal.objects.filter(Query.of(text, TERMINAL_FIELDS).where(AT)))

    assert found('artifact:"kiosk-firmware 4.8.3"') == [one]
    assert found("artifact:kiosk-firmware") == [one]
    assert found('artifact:"kiosk-firmware 4.8.2"') == [other]


@pytest.mark.parametrize(
    ("terminal", "reason"),
    [
        ({"firmware": "4.7.0"}, None),
        ({"firmware": "4.8.2"}, None),
        ({"firmware": "4.6.9"}, Misfit.TOO_OLD),
        ({"firmware": "4.8.3"}, Misfit.TOO_NEW),
        ({"firmware": "4.10"}, Misfit.TOO_NEW),
        ({"firmware": ""}, Misfit.UNKNOWN_VERSION),
        ({"firmware": "4.8.2", "features": []}, Misfit.NO_UPDATES),
        ({"firmware": "4.8.2", "model": "PX-300"}, Misfit.MODEL),
    ],
)
def test_why_a_terminal_cannot_install_it(fleet, terminal, reason):
    artifact = make_artifact(replaces_from="4.7.0", replaces_below="4.8.3")
    for _ in range(2):
        made = fleet.terminal(**UPDATES | terminal)

    assert blocked(artifact, Terminal.objects.all()) == ([(made.firmware, reason, 2)] if reason else [])


def test_nothing_starts_with_a_withdrawn_artifact_any_more(fleet):
    artifact, person = make_artifact(), people.person("hanako", of="Manager")
    orders = delivery.order(
        [fleet.terminal().pk], artifact, by=person, at=AT, answer_within_s=600, deliver_within_s=600
    )
    heard: list[Artifact] = []
    listen = lambda artifact, **_: heard.append(artifact)  # noqa: E731
    services.artifact_withdrawn.connect(listen)

    first = services.withdraw(artifact, reason="It breaks the reader", by=person, at=later(5))
    again = services.withdraw(artifact, reason="Again", by=person, at=later(6))
    services.artifact_withdrawn.disconnect(listen)

    (order,) = Command.objects.filter(pk__in=[one.pk for one in orders.values()])
    assert (first, again, heard) == (True, False, [artifact])
    assert (order.state, order.error) == (CommandState.EXPIRED, "the artifact was withdrawn")
    artifact.refresh_from_db()
    assert artifact.withdrawn_reason == "It breaks the reader"


def test_everybody_reads_artifacts_and_few_change_them(fleet):
    artifact = make_artifact(notes="Fixes the paper sensor")
    fleet.terminal(**UPDATES, firmware="4.8.3")
    reader, manager = (people.signed_in(people.person(name, of=of)) for name, of in (("a", "Viewer"), ("b", "Manager")))
    of_site = people.person("c", of=None)
    people.grant(of_site, "Lead", site=fleet.site())

    for path in ("/artifacts/", f"/artifacts/{artifact.pk}/", "/artifacts/keys/"):
        assert reader.get(path).status_code == manager.get(path).status_code == 200
    page = reader.get("/artifacts/").content.decode()
    assert "kiosk-firmware 4.8.3" in page
    assert "data-artifact-drop" not in page
    assert "data-artifact-drop" in manager.get("/artifacts/").content.decode()
    for client in (reader, people.signed_in(of_site)):
        assert client.get(f"/artifacts/{artifact.pk}/withdraw/").status_code == 403
        assert client.get(f"/artifacts/{artifact.pk}/content/").status_code == 403
        assert client.post("/artifacts/keys/", {"name": "x", "public_key": "x"}).status_code == 403


def test_an_artifact_is_withdrawn_on_a_page_with_a_reason():
    artifact, client = make_artifact(), people.signed_in(people.person("b", of="Manager"))

    without = client.post(f"/artifacts/{artifact.pk}/withdraw/", {"reason": ""})
    done = client.post(f"/artifacts/{artifact.pk}/withdraw/", {"reason": "It breaks the reader"})

    assert (without.status_code, done.status_code) == (422, 302)
    assert "It breaks the reader" in client.get(done["Location"]).content.decode()


def test_keys_are_added_once_and_removed_for_good():
    client, public = people.signed_in(people.person("b", of="Manager")), make_key().public_key

    wrong = client.post("/artifacts/keys/", {"name": "next", "public_key": "abc"})
    same = client.post("/artifacts/keys/", {"name": "release-2026", "public_key": public})
    added = client.post("/artifacts/keys/", {"name": "next", "public_key": public})
    removed = client.post(f"/artifacts/keys/{SigningKey.objects.get(name='next').pk}/remove/")

    assert (wrong.status_code, same.status_code, added.status_code, removed.status_code) == (422, 422, 302, 302)
    assert [key.name for key in SigningKey.objects.trusted()] == ["release-2026"]
