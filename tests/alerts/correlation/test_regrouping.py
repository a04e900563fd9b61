"""People merge incidents and move alerts out of one, and can undo it."""

import pytest

from tests.support import factories, people
from tests.support.alerts.incidents import transitions_of
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage
from tms.accounts import undo as undoing
from tms.accounts.models import AuditEntry
from tms.alerts import correlation
from tms.alerts.correlation.regrouping.merge import merge
from tms.alerts.correlation.regrouping.move_out import move_out
from tms.alerts.correlation.regrouping.undo import MergeBefore, offer_putting_back
from tms.alerts.lifecycle import AlreadyResolved
from tms.alerts.models import Alert, Incident
from tms.notifications.dispatch import outbox
from tms.notifications.models.policy import Escalation, Policy, Step

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def two(fleet) -> list[Incident]:
    return [factories.incident(fleet, code) for code in ("SJK", "UMD")]


@pytest.fixture
def tanaka():
    return people.person("tanaka", of="Operator")


@pytest.fixture
def browser(client, tanaka):
    client.force_login(tanaka)
    return client


def refreshed(incident: Incident) -> Incident:
    return Incident.objects.get(pk=incident.pk)


def members(incident: Incident) -> int:
    return Alert.objects.filter(incident=incident).count()


def test_merged_incidents_go_on_as_one(two, tanaka):
    into, part = two

    merge(two, into, by=tanaka, comment="One switch", at=now())
    correlation.correlate(now())

    assert (members(into), members(part)) == (10, 0)
    assert refreshed(into).title == "Site SJK and 1 more site: 10 of 10 terminals offline"
    assert (refreshed(part).state, refreshed(part).merged_into) == ("resolved", into)
    assert refreshed(into).joined_count == 10
    assert AuditEntry.objects.filter(subject_type="alerts.incident", action="merged").count() == 1


def test_who_is_responsible_for_the_one_is_responsible_for_all(two, tanaka):
    into, part = two
    correlation.acknowledge(into, by=tanaka, comment="", at=now())

    merge([part], into, by=people.person("sato", of="Operator"), comment="", at=now())

    assert not Alert.objects.unresolved().exclude(acknowledged_by=tanaka).exists()


def test_an_incident_that_ended_meanwhile_takes_nothing(two, tanaka):
    into, part = two
    Incident.objects.filter(pk=into.pk).update(state="resolved", resolved_at=now())

    with pytest.raises(AlreadyResolved):
        merge(two, into, by=tanaka, comment="", at=now())

    assert members(part) == 5


def test_a_merge_is_undone(two, tanaka):
    into, part = two
    before = MergeBefore.of(two, refreshed(into)).offer(by=tanaka)
    merge(two, into, by=tanaka, comment="", at=now())
    title = Incident.objects.get(pk=into.pk).title

    assert undoing.undo(before, by=tanaka, at=now())

    assert "and 1 more site" in title
    assert refreshed(into).title == "Site SJK: 5 of 5 terminals offline"
    assert (members(into), members(part)) == (5, 5)
    assert (refreshed(part).state, refreshed(part).merged_into, refreshed(part).open_count) == ("open", None, 5)
    assert not undoing.undo(before, by=tanaka, at=now())


@pytest.mark.parametrize(("order", "number"), [((0, 1), 9), ((1, 0), 10)])
def test_two_merges_are_undone_in_any_order(fleet, two, tanaka, order, number):
    into, *parts = [*two, factories.incident(fleet, "OSK", number=4)]
    tokens = []
    for part in parts:
        tokens.append(MergeBefore.of([into, part], refreshed(into)).offer(by=tanaka))
        merge([part], into, by=tanaka, comment="", at=now())

    titles = []
    for which in order:
        undoing.undo(tokens[which], by=tanaka, at=now())
        titles.append(refreshed(into).title)

    assert titles == [
        f"Site SJK and 1 more site: {number} of {number} terminals offline",
        "Site SJK: 5 of 5 terminals offline",
    ]


def test_recovered_alerts_come_and_go_with_their_incident(fleet, two, tanaka):
    into, part = two[0], factories.incident(fleet, "OSK", number=10)
    for alert in Alert.objects.filter(incident=part)[:6]:
        factories.resolved(alert)
    correlation.correlate(now())
    before = MergeBefore.of([into, part], refreshed(into)).offer(by=tanaka)
    merge([part], into, by=tanaka, comment="", at=now())
    correlation.correlate(now())
    merged = refreshed(into)

    undoing.undo(before, by=tanaka, at=now(60))
    correlation.correlate(now(60))
    correlation.comment(into, by=tanaka, comment="Only this site", at=now(60))

    assert (merged.joined_count, merged.resolved_count) == (15, 6)
    assert [(one.joined_count, one.resolved_count) for one in map(refreshed, (into, part))] == [(5, 0), (10, 6)]
    assert [kind for kind, _ in transitions_of(into)] == ["opened", "joined", "commented"]


def test_incidents_of_an_undone_merge_are_open_with_their_alerts_and_escalate(two, tanaka):
    into, part = two
    sato = people.person("sato", of="Operator")
    alone = factories.acknowledged(Alert.objects.filter(incident=part).earliest("pk"), by=sato)
    correlation.acknowledge(into, by=tanaka, comment="", at=now())
    policy = Policy.objects.create(name="All", delay_s=60)
    for position in (0, 1):
        Step.objects.create(policy=policy, position=position, after_s=300)
    outbox.advance(now())
    before = MergeBefore.of(two, refreshed(into)).offer(by=tanaka)
    merge([part], into, by=tanaka, comment="", at=now())

    undoing.undo(before, by=tanaka, at=now())
    outbox.advance(now(120))

    states = Alert.objects.filter(incident=part).exclude(pk=alone.pk).values_list("state", flat=True)
    assert (refreshed(part).state, set(states)) == ("open", {"open"})
    alone.refresh_from_db()
    assert alone.acknowledged_by == sato
    assert set(Alert.objects.filter(incident=into).values_list("acknowledged_by", flat=True)) == {tanaka.pk}
    assert Escalation.objects.get(incident=part).due_at is not None


@pytest.mark.parametrize("is_snoozed", [True, False])
def test_who_was_responsible_for_a_merged_incident_is_asked_again(two, tanaka, is_snoozed):
    into, part = two
    if is_snoozed:
        correlation.snooze(part, by=tanaka, comment="", at=now(), until=now(3_600))
    else:
        correlation.acknowledge(part, by=tanaka, comment="", at=now())
    before = MergeBefore.of(two, refreshed(into)).offer(by=tanaka)
    merge([part], into, by=tanaka, comment="", at=now())

    undoing.undo(before, by=tanaka, at=now())

    assert refreshed(part).state == "open"
    assert set(Alert.objects.filter(incident=part).values_list("state", flat=True)) == {"open"}


def test_moved_out_alerts_stay_apart_until_they_are_put_back(two, tanaka):
    incident, _ = two
    alert = Alert.objects.filter(incident=incident).first()

    moved = move_out(incident, [alert.pk], by=tanaka, comment="Its own fault", at=now())
    correlation.correlate(now())
    apart = Alert.objects.get(pk=alert.pk).incident
    undone = undoing.undo(offer_putting_back(incident, moved, by=tanaka), by=tanaka, at=now())

    assert (moved, apart, undone) == ([alert.pk], None, "Alerts put back")
    assert [step.kind for step in incident.transitions.all()] == ["opened", "moved-out", "joined"]
    assert (members(incident), refreshed(incident).joined_count) == (5, 5)


def test_the_title_counts_sites_again_when_the_alerts_of_one_are_moved_out(two, tanaka):
    into, _ = two
    merge(two, into, by=tanaka, comment="", at=now())
    of_umd = list(Alert.objects.filter(terminal__site__code="UMD").values_list("pk", flat=True))

    move_out(refreshed(into), of_umd, by=tanaka, comment="", at=now())
    without = refreshed(into).title
    undoing.undo(offer_putting_back(into, of_umd, by=tanaka), by=tanaka, at=now())

    assert without == "Site SJK: 5 of 10 terminals offline"
    assert refreshed(into).title == "Site SJK and 1 more site: 10 of 10 terminals offline"


# In the browser and over REST


def test_selected_incidents_are_merged_in_a_dialog_with_undo(browser, two):
    chosen = {"incident": [one.pk for one in two]}

    dialog = HtmlPage(browser.get("/incidents/merge/", chosen, headers=HTMX_HEADERS))
    answer = browser.post("/incidents/merge/", chosen | {"into": two[1].pk, "comment": "x"}, headers=HTMX_HEADERS)

    assert "Merge: 2 incidents" in dialog.text("bulk-action-title")
    assert answer["HX-Trigger"] == "bulk-action-done"
    assert "Undo" in answer.content.decode()
    assert members(two[1]) == 10


@pytest.mark.parametrize(("chosen", "status"), [(1, 409), (0, 409)])
def test_a_merge_needs_two(browser, two, chosen, status):
    sent = {"incident": [one.pk for one in two[:chosen]], "into": two[0].pk}

    assert browser.post("/incidents/merge/", sent, headers=HTMX_HEADERS).status_code == status
    assert members(two[0]) == 5


def test_alerts_are_moved_out_on_the_page_of_the_incident(browser, two):
    alert = Alert.objects.filter(incident=two[0]).first()
    address = f"/incidents/{two[0].pk}/move-out/"

    dialog = HtmlPage(browser.get(address, {"alert": alert.pk}, headers=HTMX_HEADERS))
    answer = browser.post(address, {"alert": alert.pk, "comment": ""}, headers=HTMX_HEADERS)
    again = browser.post(address, {"alert": alert.pk}, headers=HTMX_HEADERS)

    assert "Move out: 1 alert" in dialog.text("move-out-title")
    assert (answer.status_code, again.status_code) == (200, 409)
    assert members(two[0]) == 4


def test_people_without_the_permission_for_both_merge_nothing(client, two):
    person = people.person("west", of=None)
    people.grant(person, "Operator", site=two[0].site)
    client.force_login(person)

    sent = {"incident": [one.pk for one in two], "into": two[0].pk}

    assert client.post("/incidents/merge/", sent, headers=HTMX_HEADERS).status_code == 409
    assert client.post(f"/incidents/{two[1].pk}/move-out/", {"alert": 1}).status_code == 404
    assert members(two[1]) == 5
