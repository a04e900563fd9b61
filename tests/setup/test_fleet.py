"""Sites, terminals, their keys, groups and enrolment tokens."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import ProtectedError
from django.test import Client

from tests.support import people
from tms.alerts.models import Incident
from tms.fleet.credentials import enrolment, services
from tms.fleet.models import Credential, EnrolmentToken, Group, OpeningHours, Presence, Site, Terminal
from tms.notifications.models import Destination
from tms.protocol import credential

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
NO_HOURS = {
    "opening_hours-TOTAL_FORMS": "0",
    "opening_hours-INITIAL_FORMS": "0",
    "special_days-TOTAL_FORMS": "0",
    "special_days-INITIAL_FORMS": "0",
}
SITE = {
    "code": "SHJ",
    "name": "Shinjuku South",
    "name_ja": "新宿南",
    "region": "Tokyo",
    "time_zone": "Asia/Tokyo",
    "holiday_calendar": "JP",
    "on_holidays": "as_usual",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> Site:
    return Site.objects.create(**SITE)


@pytest.fixture
def terminal(site: Site) -> Terminal:
    terminal = Terminal(uid="SHJ-PAY-01", site=site)
    services.enrol(terminal)
    return terminal


def shown_secret(answer) -> str:
    found = re.search(r"<code>(.+?)</code>", answer.content.decode())
    assert found
    return found[1]


def is_valid(text: str) -> bool:
    offered = credential.parse(text)
    assert offered
    keys = services.find([offered.uid], at=datetime.now(UTC)).get(offered.uid, [])
    return services.match(offered, keys) is not None


def act(client: Client, page: str, action: str, *rows, **more: str):
    selected = [row.pk for row in rows]
    return client.post(f"/admin/fleet/{page}/", {"action": action, "_selected_action": selected, **more})


def test_a_site_is_created_with_its_opening_hours(admin_client):
    hours = {
        "opening_hours-TOTAL_FORMS": "1",
        "opening_hours-INITIAL_FORMS": "0",
        "opening_hours-0-weekday": "6",
        "opening_hours-0-opens_at": "18:00",
        "opening_hours-0-closes_at": "02:00",
    }

    answer = admin_client.post("/admin/fleet/site/add/", SITE | NO_HOURS | hours)

    assert answer.status_code == 302
    assert list(OpeningHours.objects.values_list("site__code", "weekday")) == [("SHJ", 6)]


def test_a_site_that_owns_something_cannot_be_deleted(admin_client, fleet):
    site = fleet.site("SHJ")
    destination = Destination.objects.create(kind="email", name="Night shift", address="a@b.example", owner_site=site)
    address = f"/admin/fleet/site/{site.pk}/delete/"

    page = admin_client.get(address).content.decode()
    admin_client.post(address, {"post": "yes"})
    destination.delete()
    admin_client.post(address, {"post": "yes"})

    assert "Night shift" in page
    assert "protected" in page
    assert not Site.objects.filter(pk=site.pk).exists()


def test_a_site_keeps_its_rules_and_incidents_and_a_group_its_rules(fleet):
    site, group = fleet.site("SHJ"), fleet.group("Night")
    rules = [fleet.presence_rule(site=site), fleet.presence_rule(group=group)]
    incident = Incident.objects.create(
        factor="site", key=site.pk, site=site, severity="critical", opened_at=AT, unchanged_since=AT, size=5, lost=5
    )

    with pytest.raises(ProtectedError) as of_site:
        site.delete()
    with pytest.raises(ProtectedError) as of_group:
        group.delete()

    assert of_site.value.protected_objects == {rules[0], incident}
    assert of_group.value.protected_objects == {rules[1]}


def test_a_group_for_which_a_grant_exists_cannot_be_deleted(admin_client, fleet):
    group = fleet.group("Night")
    people.grant(people.person("mori", of=None), "Viewer", group=group)
    address = f"/admin/fleet/group/{group.pk}/delete/"

    page = admin_client.get(address).content.decode()
    admin_client.post(address, {"post": "yes"})

    assert "mori: Viewer (Night)" in page
    assert Group.objects.filter(pk=group.pk).exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"time_zone": "Asia/Nowhere"}, "Asia/Nowhere is not one of the available choices"),
        ({"holiday_calendar": "XX"}, "No holiday calendar for this country"),
        ({"holiday_calendar": "DE-XX"}, "DE has no such region"),
        (
            {
                "special_days-TOTAL_FORMS": "1",
                "special_days-0-first_on": "2026-12-31",
                "special_days-0-last_on": "2026-12-30",
            },
            "before",
        ),
        (
            {
                "special_days-TOTAL_FORMS": "1",
                "special_days-0-first_on": "2026-12-31",
                "special_days-0-opens_at": "9:00",
            },
            "both times",
        ),
        (
            {
                "special_days-TOTAL_FORMS": "1",
                "special_days-0-first_on": "2026-12-31",
                "special_days-0-last_on": "2962-12-31",
            },
            "within a year of the first",
        ),
        (
            {
                "special_days-TOTAL_FORMS": "1",
                "special_days-0-first_on": "never",
                "special_days-0-last_on": "2026-12-31",
            },
            "valid date",
        ),
    ],
)
def test_an_invalid_site_is_refused_with_the_reason(admin_client, wrong, message):
    answer = admin_client.post("/admin/fleet/site/add/", SITE | NO_HOURS | wrong)

    assert message in answer.content.decode()
    assert not Site.objects.exists()


def test_a_new_terminal_was_never_seen_and_its_key_is_shown_once(admin_client, site):
    answer = admin_client.post(
        "/admin/fleet/terminal/add/", {"uid": "SHJ-PAY-07", "site": site.pk, "kind": "payment", "label": "Till 7"}
    )

    secret = shown_secret(answer)
    terminal = Terminal.objects.get(uid="SHJ-PAY-07")
    assert terminal.state.presence == Presence.NEVER
    assert is_valid(secret)
    assert "no-store" in answer["Cache-Control"]
    assert secret.partition(".")[2] not in admin_client.get(f"/admin/fleet/terminal/{terminal.pk}/change/").text


def test_a_uid_that_is_invalid_in_a_credential_is_refused(admin_client, site):
    answer = admin_client.post("/admin/fleet/terminal/add/", {"uid": "till 7", "site": site.pk, "kind": "payment"})

    assert "Use 1 to 64 letters, digits, - and _" in answer.content.decode()
    assert not Terminal.objects.exists()


def test_an_edit_keeps_the_uid_and_shows_the_state_of_the_terminal(admin_client, terminal):
    path = f"/admin/fleet/terminal/{terminal.pk}/change/"

    admin_client.post(path, {"uid": "OTHER", "site": terminal.site_id, "kind": "kiosk", "label": "Entrance"})

    terminal.refresh_from_db()
    assert (terminal.uid, terminal.label) == ("SHJ-PAY-01", "Entrance")
    assert "Never seen" in admin_client.get(path).content.decode()


def test_a_terminal_gets_a_second_key_in_addition(admin_client, terminal):
    answer = act(admin_client, "terminal", "issue_keys", terminal)

    assert is_valid(shown_secret(answer))
    assert terminal.credentials.filter(revoked_at=None).count() == 2


def test_revoking_asks_for_confirmation_and_then_revokes_every_key_of_the_terminal(admin_client, terminal):
    asked = act(admin_client, "terminal", "revoke_keys", terminal)
    untouched = terminal.credentials.filter(revoked_at=None).count()
    act(admin_client, "terminal", "revoke_keys", terminal, confirmed="yes")

    assert "Revoke these keys?" in asked.content.decode()
    assert untouched == 1
    assert not terminal.credentials.filter(revoked_at=None).exists()


def test_after_a_rotation_only_the_old_key_is_revoked(admin_client, terminal):
    old = terminal.credentials.get()
    new = str(services.issue(terminal))

    act(admin_client, "credential", "revoke_selected", old, confirmed="yes")

    assert is_valid(new)
    assert Credential.objects.get(revoked_at=None) != old


def test_a_terminal_with_a_history_cannot_be_deleted_and_one_that_was_never_seen_can(admin_client, terminal):
    path = f"/admin/fleet/terminal/{terminal.pk}/delete/"
    terminal.state.last_seen_at = AT
    terminal.state.save()
    refused = admin_client.post(path, {"post": "yes"})
    terminal.state.last_seen_at = None
    terminal.state.save()

    done = admin_client.post(path, {"post": "yes"})

    assert (refused.status_code, done.status_code) == (403, 302)
    assert not Terminal.objects.exists()


def test_an_enrolment_token_is_shown_once_and_enrols_one_terminal(admin_client, admin_user, site):
    answer = admin_client.post("/admin/fleet/enrolmenttoken/add/", {"site": site.pk, "hours": "2"})
    token = shown_secret(answer)

    terminal, _ = enrolment.redeem(token, kind="kiosk", serial="", model="", at=datetime.now(UTC))

    stored = EnrolmentToken.objects.get()
    assert terminal.site == site
    assert stored.created_by == admin_user
    assert stored.expires_at - stored.created_at <= timedelta(hours=2)
    assert token not in admin_client.get("/admin/fleet/enrolmenttoken/").content.decode()


def test_a_token_is_valid_for_a_day_at_most(admin_client, site):
    answer = admin_client.post("/admin/fleet/enrolmenttoken/add/", {"site": site.pk, "hours": "25"})

    assert "less than or equal to 24" in answer.content.decode()
    assert not EnrolmentToken.objects.exists()


@pytest.mark.parametrize("page", ["site", "terminal", "group", "credential", "enrolmenttoken"])
def test_every_list_can_be_read_and_searched(admin_client, terminal, page):
    enrolment.make_token(terminal.site, by=None, at=AT)

    answer = admin_client.get(f"/admin/fleet/{page}/?q=SHJ")

    assert answer.status_code == 200


def test_a_terminal_is_connected_via_another_but_never_via_itself(admin_client, terminal):
    router = Terminal(uid="SHJ-RTR-01", site=terminal.site, parent=terminal)
    services.enrol(router)
    fields = {"site": terminal.site_id, "kind": "kiosk", "label": "", "parent": router.pk}

    refused = admin_client.post(f"/admin/fleet/terminal/{terminal.pk}/change/", fields)
    Terminal.objects.filter(pk=router.pk).update(parent=None)
    done = admin_client.post(f"/admin/fleet/terminal/{terminal.pk}/change/", fields)

    terminal.refresh_from_db()
    assert "The terminal would be connected via itself. Choose another one." in refused.content.decode()
    assert (done.status_code, terminal.parent) == (302, router)
