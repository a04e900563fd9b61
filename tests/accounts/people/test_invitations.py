"""The way from an invitation to the first page of the new person."""

import re
from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from urllib.parse import quote

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from tests.support import people
from tests.support.pages import HtmlPage
from tms.accounts.models import AuditEntry, Grant, Invitation, User
from tms.accounts.roles import built_in

EMAIL = "a.kondo@noc.example"
PASSWORD = "watch-the-fleet-7"
MINE = {"last_name": "Kondo", "first_name": "Ai", "new_password1": PASSWORD, "new_password2": PASSWORD}


@pytest.fixture(autouse=True)
def mail_server(settings) -> None:
    settings.EMAIL_URL = "smtp+plain://mail.example"


def invite(browser: Client, email: str = EMAIL, *, role: str = "Operator", scope: str = "region:Kansai", **more: str):
    first = {"grant-0-role": built_in(role).pk, "grant-0-scope": scope}
    return browser.post("/people/invite/", {"email": email, "language": "en", **first, **more})


def link() -> str:
    """The link in the newest mail."""
    [found] = re.findall(r"http://testserver(/invitation/[\w-]{43}/)", mail.outbox[-1].body)
    return found


def invited() -> User:
    return User.objects.get(username=EMAIL)


def test_a_new_person_sets_a_password_and_is_signed_in(browser, boss):
    answer = invite(browser)

    person = invited()
    assert answer["Location"] == f"/people/{person.pk}/?done=sent"
    assert not person.has_usable_password()
    assert [(grant.role.name, grant.region) for grant in person.grants.all()] == [("Operator", "Kansai")]
    assert (mail.outbox[0].to, mail.outbox[0].subject) == ([EMAIL], "Invitation to TMS")

    theirs = Client()
    assert "You sign in as <bdi>a.kondo@noc.example</bdi>." in HtmlPage(theirs.get(link())).html
    assert theirs.post(link(), MINE)["Location"] == "/"

    person.refresh_from_db()
    assert person.check_password(PASSWORD)
    assert person.display_name == "Ai Kondo"
    assert theirs.get("/").status_code == 200
    actions = AuditEntry.objects.exclude(action="signed-in").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["invited", "granted", "invitation-accepted"]


def test_the_link_names_the_public_address(browser, settings):
    settings.PUBLIC_URL = "https://tms.example/"

    invite(browser)

    assert "https://tms.example/invitation/" in mail.outbox[0].body


def test_a_link_works_once(browser):
    invite(browser)
    Client().post(link(), MINE)

    for answer in (Client().get(link()), Client().post(link(), MINE | {"last_name": "Other"})):
        assert answer.status_code == 404
        assert "This link is not valid" in answer.content.decode()
    assert invited().last_name == "Kondo"


def test_a_link_expires(browser):
    invite(browser)
    Invitation.objects.update(expires_at=timezone.now())

    assert Client().get(link()).status_code == 404
    assert "link expired" in HtmlPage(browser.get("/people/")).text("results")


def test_a_new_link_replaces_the_earlier_one(browser):
    invite(browser)
    earlier = link()
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))

    browser.post(f"/people/{invited().pk}/resend/")

    assert Client().get(earlier).status_code == 404
    assert Client().get(link()).status_code == 200


def test_a_disabled_person_cannot_accept(browser):
    invite(browser)
    browser.post(f"/people/{invited().pk}/disable/")

    assert Client().get(link()).status_code == 404


@pytest.mark.parametrize("key", ["x", "x" * 100_000, "%00", "é"])
def test_links_that_never_existed_look_the_same(db, key):
    answer = Client().get(f"/invitation/{quote(key)}/")

    assert "This link is not valid" in answer.content.decode()


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"new_password2": "x"}, "The two password fields didn’t match"),
        ({"new_password1": "short", "new_password2": "short"}, "This password is too short"),
        ({"last_name": ""}, "This field is required"),
        ({"new_password1": "a.kondo@noc1", "new_password2": "a.kondo@noc1"}, "The password is too similar"),
    ],
)
def test_an_invalid_form_is_explained_and_the_link_stays(browser, sent, message):
    invite(browser)

    answer = Client().post(link(), MINE | sent)

    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert Client().post(link(), MINE).status_code == 302


def test_the_mail_is_in_the_language_of_the_person(browser):
    invite(browser, language="ja")

    assert mail.outbox[0].subject == "TMSへの招待"
    assert invited().language == "ja"


def test_several_grants_are_given_at_once(browser):
    more = {"grant-1-role": str(built_in("Viewer").pk), "grant-1-scope": "everything"}

    form = HtmlPage(invite(browser, more="1"))
    invite(browser, **more)

    assert "grant-1-role" in form.html
    assert User.objects.filter(username=EMAIL).count() == 1
    assert {grant.role.name for grant in Grant.objects.filter(person=invited())} == {"Operator", "Viewer"}


@pytest.mark.parametrize("email", ["BOSS@noc.example", "boss"])
def test_an_existing_address_is_not_invited_again(browser, boss, email):
    User.objects.filter(pk=boss.pk).update(email="boss@noc.example")

    answer = invite(browser, email)

    assert answer.status_code == 422
    assert mail.outbox == []


def test_an_invitation_with_more_than_the_inviter_holds_is_refused(region_browser):
    assert invite(region_browser, scope="everything").status_code == 422
    assert invite(region_browser, role="Lead", scope="region:Tokyo").status_code == 422
    assert not User.objects.filter(username=EMAIL).exists()


def test_the_inviter_still_sees_a_person_without_grants(region_browser):
    invite(region_browser)
    Grant.objects.filter(person=invited()).delete()

    assert EMAIL in HtmlPage(region_browser.get("/people/")).text("results")


def test_a_refused_mail_is_reported_and_can_be_sent_again(browser, monkeypatch):
    def refuse(*_):
        raise SMTPRecipientsRefused({EMAIL: (550, b"no such user")})

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", refuse)
        answer = invite(browser)
    assert "The mail server answered: 550 no such user" in HtmlPage(answer).text("main")
    assert "not sent" in HtmlPage(browser.get("/people/")).text("results")

    browser.post(f"/people/{invited().pk}/resend/")

    assert len(mail.outbox) == 1


def test_without_a_mail_server_the_link_is_shown_once(browser, settings):
    settings.EMAIL_URL = ""

    page = HtmlPage(invite(browser))

    [shown] = re.findall(r"http://testserver(/invitation/[\w-]+/)", page.html)
    assert Client().get(shown).status_code == 200
    assert "/invitation/" not in HtmlPage(browser.get(f"/people/{invited().pk}/")).html


def test_people_without_the_permission_learn_nothing(db):
    operator = people.signed_in(people.person("op", of="Operator"))
    User.objects.create_user(EMAIL, email=EMAIL)

    answers = {invite(operator, email).status_code for email in (EMAIL, "new@noc.example")}

    assert answers == {403}
