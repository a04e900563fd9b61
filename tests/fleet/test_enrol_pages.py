"""The pages on which people enrol terminals: one, many, and what they may."""

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.support.credentials import find_key
from tests.support.factories import now
from tests.support.pages import HtmlPage
from tests.support.people import grant, person, signed_in
from tms.accounts.models import AuditEntry, Role, User
from tms.fleet.enrolment import planned, refusals
from tms.fleet.enrolment.tokens import NewDevice, TokenLimits, TokenRefused, make_token, redeem
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import EnrolmentToken, Site, Terminal, TerminalKind, TerminalState
from tms.fleet.terminals.services import TerminalValues
from tms.protocol import credential
from tms_agent import arguments

pytestmark = pytest.mark.both

KIOSK = {"site": "SJK", "kind": "kiosk", "hours": "1"}
MANY = {"name": "Store opening", "site": "SJK", "uses": "3", "days": "30"}


@pytest.fixture
def site(fleet) -> Site:
    return fleet.site("SJK", region="Kanto")


@pytest.fixture
def other_site(fleet) -> Site:
    return fleet.site("OSK", region="Kansai")


@pytest.fixture
def lead(site) -> User:
    """May enrol at one site only, and sees everything."""
    lead = person("lead")
    grant(lead, "Lead", site=site)
    return lead


@pytest.fixture
def browser(lead) -> Client:
    return signed_in(lead)


@pytest.fixture
def waiting(site) -> Terminal:
    terminal, _ = planned.plan(TerminalValues(site, TerminalKind.KIOSK), by=None, at=timezone.now())
    return terminal


def token_on(page: HtmlPage) -> str:
    return page.text("token")


# One terminal


def test_a_person_plans_a_terminal_and_sees_its_token_once(browser, site):
    shown = HtmlPage(browser.post("/enrol/", {**KIOSK, "uid": "SJK-KSK-63", "label": "East concourse"}))
    again = HtmlPage(browser.get("/enrol/SJK-KSK-63/token/"))

    terminal = Terminal.objects.get()
    assert (terminal.uid, terminal.site, terminal.label) == ("SJK-KSK-63", site, "East concourse")
    assert terminal.lifecycle == Lifecycle.PLANNED
    redeemed, _ = redeem(token_on(shown), NewDevice("gate"), at=timezone.now())
    assert (redeemed, redeemed.kind) == (terminal, "kiosk")
    assert "token" not in again.ids
    assert again.attribute("progress", "data-progress") == "waiting"


def test_without_a_uid_the_next_free_number_is_taken(browser, fleet, site):
    fleet.terminal(uid="SJK-KSK-01", site=site)
    suggested = browser.get("/enrol/uid/", {"site": "SJK", "kind": "kiosk"}).content.decode()

    browser.post("/enrol/", KIOSK)

    assert "SJK-KSK-02" in suggested
    assert Terminal.objects.filter(uid="SJK-KSK-02", lifecycle=Lifecycle.PLANNED).exists()


@pytest.mark.parametrize(
    ("wrong", "field", "text"),
    [
        ({"uid": "no spaces"}, "uid", "begin with a letter or digit"),
        ({"uid": "-1"}, "uid", "begin with a letter or digit"),
        ({"uid": "TAKEN"}, "uid", "Another terminal has this UID"),
        ({"uid": "x" * 65}, "uid", "at most 64"),
        ({"site": "OSK"}, "site", "Select a valid choice"),
        ({"site": ""}, "site", "required"),
        ({"kind": "toaster"}, "kind", "Select a valid choice"),
        ({"hours": "1000"}, "hours", "Select a valid choice"),
        ({"label": "x" * 101}, "label", "at most 100"),
    ],
)
def test_a_form_with_an_error_says_what_is_wrong_and_creates_nothing(
    browser, fleet, site, other_site, wrong, field, text
):
    fleet.terminal(uid="TAKEN", site=site)

    answer = browser.post("/enrol/", KIOSK | wrong)

    assert answer.status_code == 422
    assert text in HtmlPage(answer).text(f"id_{field}_error")
    assert not EnrolmentToken.objects.exists()
    assert Terminal.objects.count() == 1


def test_the_answer_shows_a_qr_code_and_is_not_stored(browser, site):
    answer = browser.post("/enrol/", KIOSK)

    assert "no-store" in answer["Cache-Control"]
    assert '<path d="M' in answer.content.decode()


def test_a_new_token_replaces_the_one_before(browser, site):
    first = token_on(HtmlPage(browser.post("/enrol/", {**KIOSK, "uid": "A-1"})))

    second = token_on(HtmlPage(browser.post("/enrol/A-1/token/")))

    with pytest.raises(TokenRefused):
        redeem(first, NewDevice("kiosk"), at=timezone.now())
    assert redeem(second, NewDevice("kiosk"), at=timezone.now())[0].uid == "A-1"


def test_a_terminal_that_is_connected_gets_no_token_here(browser, fleet, site):
    fleet.online(uid="A-1", site=site)

    answer = browser.post("/enrol/A-1/token/")

    assert answer.status_code == 302
    assert not EnrolmentToken.objects.exists()


def test_the_page_follows_the_device_until_it_is_here(browser, waiting):
    address = reverse("enrol-waiting", args=(waiting.uid,))

    def progress() -> tuple[str | None, bool]:
        page = HtmlPage(browser.get(address))
        return page.attribute("progress", "data-progress"), page.attribute("progress", "hx-get") is not None

    seen = [progress()]
    redeem(planned.renew_token(waiting, by=None, at=timezone.now()), NewDevice("kiosk"), at=timezone.now())
    seen.append(progress())
    TerminalState.objects.filter(terminal=waiting).update(presence="online", presence_at=timezone.now())
    answer = browser.get(address)
    page = HtmlPage(browser.get(answer["HX-Redirect"]))

    assert seen == [("waiting", True), ("enrolled", True)]
    assert page.attribute("progress", "data-progress") == "connected"
    assert not page.text("command")


def test_an_expired_token_ends_the_wait(browser, waiting):
    EnrolmentToken.objects.update(expires_at=now(-1))

    page = HtmlPage(browser.get(reverse("enrol-waiting", args=(waiting.uid,))))

    assert page.attribute("progress", "data-progress") == "expired"
    assert page.attribute("progress", "hx-get") is None


def try_token(token: str, **device: str) -> int:
    body = json.dumps({"token": token, **device})
    return Client().post("/api/v1/enrol", body, content_type="application/json", REMOTE_ADDR="10.2.3.4").status_code


def test_the_page_says_why_the_device_was_refused(browser, fleet, waiting):
    fleet.terminal(uid="TAKEN", serial="S-1")
    token = planned.renew_token(waiting, by=None, at=timezone.now())

    answers = [try_token(token, serial="S-1"), *(try_token("no such token", serial="STRANGER") for _ in range(5))]
    EnrolmentToken.objects.update(withdrawn_at=timezone.now())
    answers.append(try_token(token))
    text = browser.get(reverse("enrol-waiting", args=(waiting.uid,))).content.decode()

    assert set(answers) == {403}
    assert text.index("the token was withdrawn") < text.index("the device serves as another terminal")
    assert "10.2.3.4" in text
    assert "STRANGER" not in text


def test_a_few_refusals_of_each_token_are_kept(browser, site):
    token = make_token(TokenLimits(site, serials=("S-1",), uses=2), by=None, at=timezone.now())

    for number in range(refusals.MOST + 2):
        try_token(token, serial=f"WRONG-{number}")
    text = browser.get(reverse("enrol-many")).content.decode()

    assert text.count("the token is not for this serial number") == refusals.MOST
    assert "WRONG-4" in text
    assert "WRONG-1" not in text


@pytest.mark.django_db(transaction=True)
def test_the_command_to_paste_enrols_the_device_and_starts_the_agent(browser, site, live_server, tmp_path, monkeypatch):
    agent = tmp_path / "tms-agent"
    agent.write_text(f'#!/bin/sh\n[ "$1" != enrol ] && echo "started $@" || exec {sys.executable} -m tms_agent "$@"\n')
    agent.chmod(0o755)
    monkeypatch.setenv("TMS_AGENT_CONFIG", str(tmp_path / "tms-agent.toml"))
    host = live_server.url.removeprefix("http://")
    page = browser.post("/enrol/", {**KIOSK, "uid": "A-1"}, headers={"host": host}).content.decode()
    [command] = re.findall(r'<textarea[^>]*id="command"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    ran = subprocess.run(["sh", "-ec", unescape(command)], env=env, capture_output=True, text=True, check=True)

    understood = arguments.parse([])
    assert ran.stdout.endswith("\nstarted \n")
    assert understood.url == f"ws://{host}/ws/terminal/"
    offered = credential.parse(str(understood.credential()))
    assert offered is not None
    assert find_key(offered, at=timezone.now()).identity.uid == "A-1"
    assert (tmp_path / "credential").stat().st_mode & 0o077 == 0


# Rights


@pytest.mark.parametrize("role", ["Viewer", "Operator"])
def test_people_without_the_permission_do_not_enrol(site, waiting, role):
    browser = signed_in(person("somebody", of=role))

    for address in ("/enrol/", "/enrol/many/", "/enrol/factory/", f"/enrol/{waiting.uid}/token/"):
        assert browser.get(address).status_code == 403
        assert browser.post(address, KIOSK).status_code == 403
    assert Terminal.objects.count() == 1


def test_a_terminal_of_another_site_is_neither_watched_nor_given_a_token(fleet, browser, other_site):
    planned.plan(TerminalValues(other_site, TerminalKind.KIOSK), uid="OSK-1", by=None, at=timezone.now())

    assert browser.get("/enrol/OSK-1/waiting/").status_code == 403
    assert browser.post("/enrol/OSK-1/token/").status_code == 403
    assert EnrolmentToken.objects.count() == 1


def test_a_terminal_out_of_sight_does_not_exist(site, other_site):
    planned.plan(TerminalValues(other_site, TerminalKind.KIOSK), uid="OSK-1", by=None, at=timezone.now())
    lead = person("local", of=None)
    grant(lead, "Lead", site=site)

    assert signed_in(lead).get("/enrol/OSK-1/waiting/").status_code == 404


def test_who_may_not_create_terminals_gives_tokens_to_planned_ones(site, waiting):
    role = Role.objects.create(name="Installer", permissions=["enrol_terminals"])
    installer = person("installer", of=None)
    installer.grants.create(role=role, site=site)
    browser = signed_in(installer)

    refused = browser.post("/enrol/", KIOSK)
    token = token_on(HtmlPage(browser.post(f"/enrol/{waiting.uid}/token/")))

    assert refused.status_code == 422
    assert redeem(token, NewDevice("kiosk"), at=timezone.now())[0] == waiting
    assert browser.get("/enrol/factory/").status_code == 403


# Many terminals


def test_a_token_for_many_enrols_as_many_as_it_says(browser, site):
    token = token_on(HtmlPage(browser.post("/enrol/many/", MANY)))

    uids = [redeem(token, NewDevice("gate", f"S-{number}"), at=timezone.now())[0].uid for number in range(3)]

    assert uids == ["SJK-GTE-01", "SJK-GTE-02", "SJK-GTE-03"]
    with pytest.raises(TokenRefused):
        redeem(token, NewDevice("gate", "S-4"), at=timezone.now())
    stored = EnrolmentToken.objects.get()
    assert stored.expires_at - stored.created_at > timedelta(days=29)
    assert AuditEntry.objects.filter(action="enrolment-token-made").exists()


def test_a_list_of_serial_numbers_limits_a_token(browser, site):
    token = token_on(HtmlPage(browser.post("/enrol/many/", MANY | {"uses": "", "serials": " A1 \n\nA2\nA1\n"})))

    assert EnrolmentToken.objects.get().serials == ["A1", "A2"]
    with pytest.raises(TokenRefused):
        redeem(token, NewDevice("gate", "B1"), at=timezone.now())
    assert redeem(token, NewDevice("gate", "A2"), at=timezone.now())


@pytest.mark.parametrize(
    ("wrong", "field", "text"),
    [
        ({"site": ""}, "site", "Choose a site or a region"),
        ({"uses": ""}, "uses", "how many terminals"),
        ({"uses": "0"}, "uses", "greater than or equal to 1"),
        ({"uses": "10001"}, "uses", "less than or equal to 10000"),
        ({"uses": "3", "serials": "A\nB"}, "uses", "2 serial numbers"),
        ({"uses": "1"}, "days", "1 day"),
        ({"days": "91"}, "days", "less than or equal to 90"),
        ({"serials": "A\n" + "x" * 65}, "serials", "Line 2"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_a_token_for_many_is_checked(browser, site, wrong, field, text):
    answer = browser.post("/enrol/many/", MANY | wrong)

    assert answer.status_code == 422
    assert text in HtmlPage(answer).text(f"id_{field}_error")
    assert not EnrolmentToken.objects.exists()


@pytest.mark.parametrize("place", [{"site": "OSK"}, {"site": "", "region": "Kanto"}, {"site": "", "region": "Kansai"}])
def test_a_person_of_one_site_makes_no_token_for_more(browser, site, other_site, place):
    answer = browser.post("/enrol/many/", MANY | place)

    assert answer.status_code == 422
    assert not EnrolmentToken.objects.exists()


def test_a_token_for_a_region_is_used_at_each_of_its_sites(fleet, site):
    regional = person("regional")
    grant(regional, "Lead", region="Kanto")
    fleet.site("UEN", region="Kanto")
    page = HtmlPage(signed_in(regional).post("/enrol/many/", MANY | {"site": "", "region": "Kanto"}))

    terminal, _ = redeem(token_on(page), NewDevice("kiosk", site="UEN"), at=timezone.now())

    assert terminal.uid == "UEN-KSK-01"
    assert '--site="$SITE"' in page.text("command")


def test_the_list_has_the_tokens_that_the_person_may_withdraw(browser, site, other_site):
    for place, name in ((site, "Mine"), (other_site, "Theirs")):
        make_token(TokenLimits(place, uses=5, name=name), by=None, at=timezone.now())

    html = browser.get("/enrol/many/").content.decode()

    assert "Mine" in html
    assert "0 of 5" in html
    assert "Theirs" not in html


def test_a_token_is_withdrawn_after_a_question(browser, site):
    token = make_token(TokenLimits(site, uses=5), by=None, at=timezone.now())
    address = reverse("withdraw-enrol-token", args=(EnrolmentToken.objects.get().pk,))

    question = browser.get(address)
    assert question.status_code == 200
    browser.post(address)

    with pytest.raises(TokenRefused):
        redeem(token, NewDevice("gate"), at=timezone.now())
    assert AuditEntry.objects.filter(action="enrolment-token-withdrawn", actor_name="lead").exists()


def test_the_token_of_another_site_is_not_withdrawn(browser, other_site):
    make_token(TokenLimits(other_site, uses=5), by=None, at=timezone.now())

    answer = browser.post(reverse("withdraw-enrol-token", args=(EnrolmentToken.objects.get().pk,)))

    assert answer.status_code == 403
    assert EnrolmentToken.objects.get().withdrawn_at is None
