"""Signing in with a code after the password."""

import threading
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connection

from tests.support.accounts.steps import AT, PASSWORD, Steps, code_at, later
from tms.accounts.factors import codes as accepted
from tms.accounts.factors import services
from tms.accounts.models import AuditEntry, User

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def test_the_password_alone_is_not_enough_for_people_with_a_second_factor(codes, browser):
    answer = browser.password(next="/alerts/")

    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/code/")
    assert not browser.is_signed_in
    assert "tms_device" not in answer.cookies


def test_the_code_of_the_app_signs_in_and_opens_the_requested_page(codes, browser):
    browser.password(next="/alerts/")

    answer = browser.code(later())

    assert (answer.status_code, answer["Location"]) == (302, "/alerts/")
    assert browser.is_signed_in
    assert "tms_device" in answer.cookies


def test_the_page_of_the_code_opens_after_the_password_only(codes, browser):
    assert browser.client.get("/sign-in/code/")["Location"] == "/sign-in/"
    assert browser.code(later())["Location"] == "/sign-in/"
    assert not browser.is_signed_in


@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_codes_of_the_steps_around_now_are_accepted(codes, browser, seconds):
    assert browser.sign_in(later(seconds=seconds)).status_code == 302


@pytest.mark.parametrize("seconds", [-60, 60])
def test_codes_of_other_steps_are_not(codes, browser, seconds):
    assert browser.sign_in(later(seconds=seconds)).status_code == 422
    assert not browser.is_signed_in


def test_a_code_signs_in_once(codes, browser):
    browser.sign_in(later())

    again = Steps().sign_in(later())

    assert again.status_code == 422
    assert "a code that was used before" in again.content.decode()


def test_an_older_code_than_the_last_is_not_accepted(codes, browser):
    browser.sign_in(later(seconds=30))

    assert Steps().sign_in(later()).status_code == 422


def test_the_audit_entry_names_the_factors_that_were_used(codes, browser):
    browser.sign_in(code_at(AT))
    Steps(address="198.51.100.8").sign_in(codes[0])

    used = [entry.changes["factors"] for entry in AuditEntry.objects.filter(action="signed-in").order_by("pk")]
    assert used == [[None, "password, totp"], [None, "password, recovery_codes"]]


def test_a_wrong_code_is_an_audit_entry(browser, codes):
    browser.sign_in("000000")

    entry = AuditEntry.objects.filter(action="sign-in-failed").latest("pk")
    assert (entry.subject_type, entry.changes) == ("accounts.user", {"factor": [None, "wrong code"]})


def test_a_recovery_code_signs_in_once_with_or_without_its_space(codes, browser):
    spaced = f"{codes[0][:4]} {codes[0][4:]}"

    assert browser.sign_in(spaced).status_code == 302
    assert Steps().sign_in(codes[0]).status_code == 422
    assert Steps().sign_in(codes[1]).status_code == 302
    used = AuditEntry.objects.filter(action="recovery-code-used").order_by("pk")
    assert [entry.changes["left"] for entry in used] == [[None, 9], [None, 8]]


@pytest.mark.parametrize(
    "code", ["", " ", "0", "000000", "٠٠٠٠٠٠", "1" * 33, "1" * 100_000, "a\x00b", "-1", "1e5", "😀"]
)
def test_other_text_is_no_code(codes, browser, code):
    assert browser.sign_in(code or " ").status_code in (400, 422)
    assert not browser.is_signed_in


def test_a_sixth_wrong_code_is_throttled_and_so_is_the_right_one_then(codes, browser):
    browser.password()
    wrong = [browser.code("000000").status_code for _ in range(5)]

    late = browser.code(later())

    assert wrong == [422] * 5
    assert (late.status_code, late["Retry-After"]) == (429, "900")
    assert not browser.is_signed_in


def test_the_right_password_allows_no_more_wrong_codes(codes):
    """Otherwise an attacker with the password could guess for ever."""
    answers = []
    for _ in range(4):
        browser = Steps()
        browser.password()
        answers += [browser.code("000000").status_code for _ in range(2)]

    assert answers == [422] * 5 + [429] * 3


def test_codes_for_one_name_are_limited_from_all_addresses_together(codes):
    answers = []
    for number in range(1, 26):
        browser = Steps(address=f"198.51.100.{number}")
        browser.password()
        answers.append(browser.code("000000").status_code)

    assert answers == [422] * 20 + [429] * 5


def test_wrong_codes_do_not_block_the_password_of_others(codes, browser):
    User.objects.create_user("sato", password=PASSWORD)
    browser.password()
    for _ in range(6):
        browser.code("000000")

    assert Steps().password("sato")["Location"] == "/"


def test_the_second_step_must_follow_within_five_minutes(codes, browser, clock):
    browser.password()
    clock.shift(timedelta(seconds=301))

    assert browser.code(code_at(AT + timedelta(seconds=301)))["Location"] == "/sign-in/"
    assert not browser.is_signed_in


def test_a_person_who_was_disabled_after_the_password_is_not_signed_in(codes, browser, tanaka):
    browser.password()
    User.objects.filter(pk=tanaka.pk).update(is_active=False)

    assert browser.code(later())["Location"] == "/sign-in/"
    assert not browser.is_signed_in


def test_the_session_gets_a_new_key_at_each_sign_in(codes, browser):
    browser.password()
    before = browser.client.session.session_key

    browser.code(later())

    assert browser.client.session.session_key != before


def test_secrets_are_encrypted_in_the_database(codes):
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator")
        stored = str(cursor.fetchall())

    assert "JBSWY3DP" not in stored
    assert not any(code in stored for code in codes)


def test_after_a_change_of_the_secret_key_codes_are_wrong_and_an_administrator_removes_them(codes, browser, settings):
    settings.SECRET_KEY = "another key, with which the factor was not encrypted" * 2
    assert browser.sign_in(later()).status_code == 422

    call_command("remove_factors", "tanaka")

    assert Steps().password()["Location"] == "/"
    assert AuditEntry.objects.filter(action="factor-removed", via="command").count() == 1


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_two_browsers_with_the_same_code_at_once_one_signs_in(codes, tanaka):
    results = []

    def use() -> None:
        results.append(accepted.accept(tanaka, codes[0], at=AT))
        connection.close()

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [result is not None for result in results].count(True) == 1


def test_factors_go_with_their_person(codes, tanaka):
    tanaka.delete()

    assert not Authenticator.objects.exists()


def test_removing_the_last_factor_removes_the_recovery_codes(codes, tanaka):
    services.remove(Authenticator.objects.get(type="totp"))

    assert not Authenticator.objects.exists()
