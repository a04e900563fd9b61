"""A person's own page: each section is saved by itself."""

import re

import pytest
from django.test import Client

from tests.support import people
from tests.support.pages import HTMX_HEADERS
from tms.accounts.models import AuditEntry, Grant, Team, User
from tms.accounts.roles import built_in

PREFERENCES = {"theme": "dark", "density": "compact", "time_zone": "Europe/Berlin"}


@pytest.fixture
def tanaka(db) -> User:
    return User.objects.create_user("tanaka", password="a password for tests", first_name="Mei", last_name="Tanaka")


@pytest.fixture
def browser(client, tanaka) -> Client:
    client.force_login(tanaka)
    return client


def root_of(browser: Client) -> str:
    """The attributes of <html>."""
    found = re.search(r"<html\s([^>]*)>", browser.get("/help/").content.decode())
    assert found
    return " ".join(found[1].split())


def test_the_page_shows_the_person_and_what_an_administrator_sets(browser, tanaka):
    people.grant(tanaka, "Operator", region="Kanto")
    team = Team.objects.create(name="Night shift")
    team.members.add(tanaka)
    Grant.objects.create(team=team, role=built_in("Viewer"))

    page = browser.get("/me/").content.decode()

    assert 'value="Mei"' in page
    assert re.search(r"Operator.*Kanto.*Viewer.*everything.*Night shift", page, re.DOTALL)
    assert 'href="/me/password/"' in page


def test_every_page_links_to_it_in_the_persons_language(browser, tanaka):
    User.objects.update(language="ja")

    assert 'href="/me/"' in browser.get("/help/").content.decode()
    assert "アカウント設定" in browser.get("/me/").content.decode()


@pytest.mark.parametrize(
    ("section", "sent", "stored"),
    [
        ("profile", {"first_name": " Mei-Lin ", "last_name": "Tanaka"}, {"first_name": "Mei-Lin"}),
        ("preferences", PREFERENCES, PREFERENCES),
        ("sounds", {"warning": "on"}, {"sounds": ["warning"]}),
        ("sounds", {}, {"sounds": []}),
        ("shortcuts", {}, {"has_shortcuts": False}),
    ],
)
def test_a_section_is_stored_and_recorded_by_itself(browser, tanaka, section, sent, stored):
    answer = browser.post(f"/me/{section}/", sent)

    tanaka.refresh_from_db()
    assert (answer.status_code, answer["Location"]) == (302, f"/me/?saved={section}#{section}")
    assert {name: getattr(tanaka, name) for name in stored} == stored
    entry = AuditEntry.objects.exclude(action="signed-in").get()
    assert (entry.action, entry.actor, entry.changes.keys()) == ("changed", tanaka, stored.keys())


def test_nothing_is_recorded_if_nothing_changes(browser):
    browser.post("/me/profile/", {"first_name": "Mei", "last_name": "Tanaka"})
    browser.post("/me/shortcuts/", {"has_shortcuts": "on"})

    assert not AuditEntry.objects.exclude(action="signed-in").exists()


def test_a_section_does_not_touch_what_another_tab_has_stored(browser, tanaka):
    browser.post("/me/profile/", {"first_name": "Mei-Lin", "last_name": "Tanaka", "is_superuser": "on"})
    browser.post("/me/preferences/", PREFERENCES | {"first_name": "Nobody"})

    tanaka.refresh_from_db()
    assert (tanaka.first_name, tanaka.is_superuser, tanaka.theme) == ("Mei-Lin", False, "dark")


@pytest.mark.parametrize(
    ("section", "sent", "message"),
    [
        ("profile", {"first_name": "x" * 151}, "at most 150 characters"),
        ("preferences", PREFERENCES | {"time_zone": "Mars/Olympus"}, "Unknown time zone"),
        ("preferences", PREFERENCES | {"density": "huge"}, "Select a valid choice"),
    ],
)
def test_an_invalid_section_is_reported_with_what_was_sent_and_changes_nothing(browser, tanaka, section, sent, message):
    for headers in ({}, HTMX_HEADERS):
        answer = browser.post(f"/me/{section}/", sent, headers=headers)

        assert answer.status_code == 422
        assert message in answer.content.decode()
    tanaka.refresh_from_db()
    assert (tanaka.first_name, tanaka.theme, tanaka.time_zone) == ("Mei", "system", "")


def test_an_invalid_name_is_shown_in_its_field_and_nowhere_else(browser):
    page = browser.post("/me/profile/", {"first_name": "x" * 151, "last_name": "Sato"}).content.decode()

    assert f'value="{"x" * 151}"' in page
    assert "M. Tanaka" in page


def test_htmx_gets_the_section_and_that_it_is_saved(browser):
    page = browser.post("/me/preferences/", PREFERENCES, headers=HTMX_HEADERS).content.decode()

    assert "<html" not in page
    assert 'data-theme="dark"' in page
    assert re.search(r'id="saved-preferences"[^>]*hx-swap-oob="outerMorph"[^>]*>.*Saved', page, re.DOTALL)


def test_preferences_are_attributes_of_every_page(browser, tanaka):
    before = root_of(browser)
    browser.post("/me/preferences/", PREFERENCES)
    browser.post("/me/sounds/", {"critical": "on", "info": "on"})
    browser.post("/me/shortcuts/", {})

    after = root_of(browser)

    assert not re.search("data-(theme|density|zone|sounds|shortcuts)", before)
    for attribute in (
        'data-theme="dark"',
        'data-density="compact"',
        'data-zone="Europe/Berlin"',
        'data-sounds="critical info"',
        'data-shortcuts="off"',
    ):
        assert attribute in after


def test_help_says_that_shortcuts_are_off(browser, tanaka):
    User.objects.update(has_shortcuts=False)

    assert "Single-key shortcuts are off" in browser.get("/help/").content.decode()


def test_a_time_zone_that_this_system_does_not_know_is_ignored_but_stays_a_choice(browser, tanaka):
    User.objects.update(time_zone="Asia/Atlantis")

    assert "data-zone" not in root_of(browser)
    assert re.search(r'value="Asia/Atlantis"\s+selected', browser.get("/me/").content.decode())


def test_another_theme_or_language_is_recorded(browser, tanaka):
    browser.post("/me/theme/", {"theme": "dark"})
    browser.post("/me/language/", {"language": "ja"})

    changes = AuditEntry.objects.exclude(action="signed-in").order_by("pk")
    assert [entry.changes for entry in changes] == [
        {"theme": ["system", "dark"]},
        {"language": ["", "ja"]},
    ]


def test_an_anonymous_visitor_is_redirected_to_sign_in(client, db):
    assert client.get("/me/")["Location"] == "/sign-in/?next=/me/"
    assert client.post("/me/profile/", {"first_name": "x"})["Location"].startswith("/sign-in/")
