import re

import pytest

from tms.accounts.models import User


@pytest.fixture
def tanaka(db):
    return User.objects.create_user("tanaka")


@pytest.fixture
def browser(client, tanaka):
    client.force_login(tanaka)
    return client


def language_of(answer):
    return answer.content.decode().split('<html lang="', 1)[1].split('"', 1)[0]


@pytest.mark.parametrize(
    ("profile", "cookie", "accepts", "spoken"),
    [
        ("", "", "", "en"),
        ("", "", "ja,en;q=0.5", "ja"),
        ("", "", "fr", "en"),
        ("", "en", "ja", "en"),
        ("ja", "en", "en", "ja"),
        ("tlh", "", "ja", "ja"),
    ],
)
def test_a_page_uses_the_language_of_the_person_or_the_cookie_or_the_browser(
    browser, tanaka, profile, cookie, accepts, spoken
):
    User.objects.filter(pk=tanaka.pk).update(language=profile)
    if cookie:
        browser.cookies["django_language"] = cookie

    answer = browser.get("/", headers={"Accept-Language": accepts})

    assert language_of(answer) == spoken
    assert answer["Content-Language"] == spoken


def test_a_choice_of_language_is_stored_with_the_person(browser, tanaka):
    answer = browser.post("/me/language/", {"language": "ja"}, headers={"Referer": "http://testserver/alerts/"})

    tanaka.refresh_from_db()
    assert (answer.status_code, answer["Location"]) == (302, "http://testserver/alerts/")
    assert tanaka.language == "ja"
    assert language_of(browser.get("/")) == "ja"


def test_a_visitor_chooses_a_language_before_signing_in(client, db):
    client.post("/me/language/", {"language": "ja", "next": "/sign-in/"})

    answer = client.get("/sign-in/")

    assert language_of(answer) == "ja"
    assert "サインイン" in answer.content.decode()


def test_a_choice_of_theme_is_stored_with_the_person(browser, tanaka):
    before = browser.get("/").content.decode()
    browser.post("/me/theme/", {"theme": "dark"})

    after = browser.get("/").content.decode()

    assert "data-theme=" not in before
    assert 'data-theme="dark"' in after
    assert re.search(r'name="theme"\s+value="light"', after)


@pytest.mark.parametrize(
    ("address", "fields"),
    [("/me/theme/", {"theme": "pink"}), ("/me/theme/", {}), ("/me/language/", {"language": "tlh"})],
)
def test_an_unknown_choice_is_refused_with_the_valid_ones(browser, address, fields):
    answer = browser.post(address, fields)

    assert answer.status_code == 400
    assert "Choose one of: " in answer.content.decode()


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_a_choice_never_redirects_to_another_site(browser, elsewhere):
    answer = browser.post("/me/theme/", {"theme": "dark", "next": elsewhere}, headers={"Referer": elsewhere})

    assert answer["Location"] == "/"
