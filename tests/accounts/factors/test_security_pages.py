"""`/me/security/`: people manage their own factors."""

import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail

from tests.support.accounts.steps import AT, PASSWORD, SECRET, Steps, code_at, codes_on, later
from tms.accounts.factors import services, totp
from tms.accounts.mail import background
from tms.accounts.models import AuditEntry, User

pytestmark = [pytest.mark.both, pytest.mark.django_db]
APP, CODES = "/me/security/app/", "/me/security/recovery-codes/"


@pytest.fixture
def me(tanaka, clock):
    browser = Steps()
    browser.password()
    return browser.client


def key_on(answer) -> str:
    return re.search(r'id="secret" value="([A-Z2-7 ]+)"', answer.content.decode())[1].replace(" ", "")


def set_up(client) -> list[str]:
    secret = key_on(client.get(APP))
    return codes_on(client.post(APP, {"code": code_at(AT, secret=secret)}))


def test_an_app_is_set_up_with_its_first_code_and_brings_recovery_codes(me, tanaka):
    codes = set_up(me)

    assert len(set(codes)) == 10
    assert [row.type for row in Authenticator.objects.filter(user=tanaka).order_by("pk")] == ["totp", "recovery_codes"]
    entries = AuditEntry.objects.filter(subject_type="accounts.user").order_by("pk")
    assert [
        (entry.action, entry.actor_name) for entry in entries if "factor" in entry.action or "codes" in entry.action
    ] == [
        ("factor-added", "tanaka"),
        ("recovery-codes-made", "tanaka"),
    ]


def test_the_first_code_of_an_app_cannot_sign_in_again(me):
    secret = key_on(me.get(APP))
    me.post(APP, {"code": code_at(AT, secret=secret)})

    assert Steps().sign_in(code_at(AT, secret=secret)).status_code == 422


def test_a_wrong_first_code_adds_nothing_and_shows_the_same_key_again(me):
    key = key_on(me.get(APP))

    answer = me.post(APP, {"code": "000000"})

    assert (answer.status_code, key_on(answer)) == (422, key)
    assert not Authenticator.objects.exists()


def test_each_visit_makes_another_key(me):
    assert key_on(me.get(APP)) != key_on(me.get(APP))


def test_a_second_app_replaces_the_first_and_keeps_the_recovery_codes(me, tanaka):
    set_up(me)

    assert set_up(me) == []
    assert Authenticator.objects.filter(user=tanaka).count() == 2


def test_the_list_names_factors_and_remaining_codes(me):
    codes = set_up(me)
    Steps().sign_in(codes[0])

    html = me.get("/me/security/").content.decode()

    assert "Authenticator app" in html
    assert "9 of 10 left" in html


def test_after_a_change_the_other_sessions_can_be_ended(me):
    elsewhere = Steps()
    elsewhere.password()
    set_up(me)

    page = me.get("/me/security/").content.decode()
    me.post("/me/sessions/end-others/")

    assert "End all others" in page
    assert not elsewhere.is_signed_in


def test_new_recovery_codes_replace_the_old(me):
    old = set_up(me)

    new = codes_on(me.post(CODES))

    assert len(new) == 10
    assert not set(old) & set(new)
    assert Steps().sign_in(old[0]).status_code == 422
    assert Steps().sign_in(new[0]).status_code == 302


def test_without_another_factor_there_are_no_recovery_codes(me):
    assert me.post(CODES)["Location"] == "/me/security/"
    assert not Authenticator.objects.exists()


def test_no_session_stores_recovery_codes_or_the_key(me):
    key = key_on(me.get(APP))
    assert key not in str(dict(me.session))
    codes = set_up(me)

    assert not any(code in str(dict(me.session)) for code in codes)


def test_removing_the_app_asks_first(me):
    set_up(me)
    factor = Authenticator.objects.get(type="totp")

    asked = me.get(f"/me/security/{factor.pk}/remove/")
    done = me.post(f"/me/security/{factor.pk}/remove/")

    assert "Remove the authenticator app?" in asked.content.decode()
    assert done["Location"] == "/me/security/"
    assert not Authenticator.objects.exists()


def test_a_person_cannot_remove_the_factor_of_another(me):
    sato = User.objects.create_user("sato", password=PASSWORD)
    services.add(sato, Authenticator.Type.TOTP, totp.data_of(SECRET, 0))
    theirs = Authenticator.objects.get(user=sato, type="totp")

    assert me.post(f"/me/security/{theirs.pk}/remove/").status_code == 404
    assert me.get(f"/me/security/{theirs.pk}/remove/").status_code == 404


@pytest.mark.parametrize(("address", "number"), [("tanaka@noc.example", 3), ("", 0)])
def test_each_change_is_mailed_to_the_person(
    me, tanaka, settings, monkeypatch, django_capture_on_commit_callbacks, address, number
):
    settings.EMAIL_URL = "smtp://mail.example"
    monkeypatch.setattr(background, "run", lambda work: work())
    User.objects.filter(pk=tanaka.pk).update(email=address)
    with django_capture_on_commit_callbacks(execute=True):
        set_up(me)
        me.post(CODES)
        me.post(f"/me/security/{Authenticator.objects.get(type='totp').pk}/remove/")

    assert [part for sent in mail.outbox for part in ("added", "recovery codes", "removed") if part in sent.body] == [
        "added",
        "recovery codes",
        "removed",
    ][:number]
    assert len(mail.outbox) == number


# A recent sign-in


@pytest.mark.parametrize(
    ("method", "path"), [("get", APP), ("post", APP), ("post", CODES), ("get", "/me/security/1/remove/")]
)
def test_a_sign_in_of_eleven_minutes_ago_has_to_be_confirmed(me, clock, method, path):
    clock.shift(timedelta(minutes=11))

    answer = getattr(me, method)(path)

    assert answer["Location"].startswith("/me/confirm/?next=%2Fme%2Fsecurity%2F")
    assert me.get("/me/security/").status_code == 200


def test_a_session_that_was_not_made_by_the_form_has_to_be_confirmed(client, tanaka):
    client.force_login(tanaka)

    assert client.get(APP)["Location"] == "/me/confirm/?next=%2Fme%2Fsecurity%2Fapp%2F"


def test_the_password_confirms_for_people_without_a_second_factor(me, clock):
    clock.shift(timedelta(minutes=11))

    wrong = me.post("/me/confirm/", {"password": "wrong", "next": APP})
    right = me.post("/me/confirm/", {"password": PASSWORD, "next": APP})

    assert (wrong.status_code, right.status_code, right["Location"]) == (422, 302, APP)
    assert me.get(APP).status_code == 200


def test_people_with_a_second_factor_confirm_with_it_and_not_with_the_password(codes, browser, clock):
    browser.sign_in(later())
    clock.shift(timedelta(minutes=11))

    by_password = browser.client.post("/me/confirm/", {"password": PASSWORD, "code": PASSWORD})
    by_code = browser.client.post("/me/confirm/", {"code": later(minutes=11), "next": APP})

    assert (by_password.status_code, by_code.status_code, by_code["Location"]) == (422, 302, APP)


def test_wrong_confirmations_are_throttled(me, clock):
    clock.shift(timedelta(minutes=11))

    answers = [me.post("/me/confirm/", {"password": "wrong"}).status_code for _ in range(6)]

    assert answers == [422] * 5 + [429]


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_confirming_never_redirects_to_another_site(me, elsewhere):
    assert me.post("/me/confirm/", {"password": PASSWORD, "next": elsewhere})["Location"] == "/me/security/"


def test_htmx_is_sent_to_the_confirmation_as_a_whole_page(client, tanaka):
    client.force_login(tanaka)

    answer = client.post(CODES, headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/me/security/"})

    assert answer["HX-Redirect"] == "/me/confirm/?next=http%3A%2F%2Ftestserver%2Fme%2Fsecurity%2F%23draft"
