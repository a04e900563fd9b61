"""Who must have a second factor, and from when on (TMS_SECOND_FACTOR)."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.urls import get_resolver

from tests.support import people
from tests.support.accounts.steps import AT, PASSWORD, SECRET, Steps
from tms.accounts.factors import policy, services, totp
from tms.accounts.models import User
from tms.accounts.sessions.signed_in import signed_in
from tms.accounts.sessions.store import stored_key

pytestmark = [pytest.mark.both, pytest.mark.django_db]
NOTICE = "your account needs a second factor"


@pytest.fixture(autouse=True)
def _policy(settings, clock):
    settings.SECOND_FACTOR = "operators"


@pytest.fixture
def operator(db) -> User:
    return people.person("tanaka", of="Operator", password=PASSWORD)


def app(person: User) -> None:
    services.add(person, Authenticator.Type.TOTP, totp.data_of(SECRET, 0))


@pytest.mark.parametrize(
    ("setting", "group", "is_required"),
    [
        ("nobody", "Manager", False),
        ("operators", "", False),
        ("operators", "Viewer", False),
        ("operators", "Operator", True),
        ("operators", "Manager", True),
        ("everyone", "Viewer", True),
    ],
)
def test_the_setting_names_who_needs_one(settings, setting, group, is_required):
    settings.SECOND_FACTOR = setting

    assert policy.is_required(people.person("mori", of=group)) == is_required


def test_a_superuser_is_an_operator(db):
    assert policy.is_required(User.objects.create_superuser("boss"))


def test_a_break_glass_account_is_exempt(settings, operator):
    settings.BREAK_GLASS = frozenset({"tanaka"})

    assert not policy.is_required(operator)


def test_during_the_grace_every_page_shows_until_when(operator, browser):
    browser.password()

    html = browser.client.get("/help/").content.decode()

    assert NOTICE in html
    assert "2026-12-12" in html
    assert browser.is_signed_in


def test_the_grace_begins_with_the_first_sign_in_and_does_not_begin_again(operator, browser, clock):
    browser.password()
    clock.shift(timedelta(days=10))
    Steps().password()

    operator.refresh_from_db()
    assert operator.factor_due_at == AT + timedelta(days=14)


def test_after_the_grace_nothing_opens_before_a_factor_is_set_up(operator, browser, clock):
    browser.password()
    clock.shift(timedelta(days=15))
    late = Steps()
    late.password()

    assert late.client.get("/alerts/")["Location"] == "/me/security/"
    assert late.client.post("/alerts/acknowledge/")["Location"] == "/me/security/"
    assert late.client.get("/alerts/", headers={"HX-Request": "true"})["HX-Redirect"] == "/me/security/"
    assert late.client.get("/me/security/").status_code == late.client.get("/me/security/app/").status_code == 200
    assert signed_in([stored_key(late.client.session.session_key)], at=AT + timedelta(days=15)) == {}


def test_setting_up_a_factor_opens_everything_at_once(operator, browser, settings):
    settings.SECOND_FACTOR_GRACE_DAYS = 0
    browser.password()
    assert not browser.is_signed_in

    page = browser.client.get("/me/security/app/").content.decode()
    secret = page.split('id="secret" value="')[1].split('"')[0].replace(" ", "")
    browser.client.post(
        "/me/security/app/", {"code": totp.format_hotp_value(totp.hotp_value(secret, int(AT.timestamp()) // 30))}
    )

    assert browser.is_signed_in
    assert NOTICE not in browser.client.get("/help/").content.decode()


def test_recovery_codes_alone_open_nothing(operator, browser, settings):
    settings.SECOND_FACTOR_GRACE_DAYS = 0
    browser.password()
    browser.client.post("/me/security/recovery-codes/")

    assert not browser.is_signed_in


def test_a_factor_that_was_set_up_in_another_browser_opens_this_one(operator, browser, settings):
    settings.SECOND_FACTOR_GRACE_DAYS = 0
    browser.password()
    app(operator)

    assert browser.is_signed_in


def test_the_last_factor_of_a_person_who_needs_one_stays(operator, browser, clock):
    app(operator)
    browser.sign_in(totp.format_hotp_value(totp.hotp_value(SECRET, int(AT.timestamp()) // 30)))
    factor = Authenticator.objects.get(type="totp")

    assert browser.client.post(f"/me/security/{factor.pk}/remove/").status_code == 409


def test_of_two_factors_that_are_removed_at_once_one_stays(operator):
    """Both requests found two of them."""
    app(operator)
    services.add_passkey(operator, "Phone", {})
    both = list(Authenticator.objects.exclude(type="recovery_codes"))

    assert [services.remove(factor) for factor in both] == [True, False]
    assert policy.has_factor(operator)


def test_people_with_a_factor_and_people_who_need_none_see_no_banner(operator, browser):
    app(operator)
    User.objects.create_user("mori", password=PASSWORD)
    browser.password("mori")

    assert NOTICE not in browser.client.get("/help/").content.decode()


def test_a_token_of_a_person_without_a_factor_keeps_working(operator, settings):
    """Systems have no second factor: their tokens are issued, limited and revoked one by one."""
    from tms.accounts import api_tokens

    settings.SECOND_FACTOR_GRACE_DAYS = 0
    _, secret = api_tokens.issue(operator, name="script", at=AT)

    answer = Steps().client.get("/api/v1/terminals", headers={"Authorization": f"Bearer {secret}"})

    assert answer.status_code == 200


def test_every_page_that_opens_before_the_factor_exists():
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}

    assert names >= policy.OPEN_PAGES
