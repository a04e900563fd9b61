"""New passwords: none of the last ones, and none that was published after a break-in."""

import hashlib
from ipaddress import ip_network

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from tests.support.servers import hostile_provider
from tms.accounts.models import FormerPassword, User
from tms.accounts.passwords.breaches import BreachedPasswordValidator

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def change(person: User, password: str) -> None:
    validate_password(password, person)
    person.set_password(password)
    person.save()


def test_the_last_four_passwords_are_not_accepted_again():
    keiko = User.objects.create_user("keiko", password="first-long-secret-0")
    for number in range(1, 4):
        change(keiko, f"first-long-secret-{number}")

    refused = []
    for number in range(4):
        with pytest.raises(ValidationError) as error:
            validate_password(f"first-long-secret-{number}", keiko)
        refused += [each.code for each in error.value.error_list]
    change(keiko, "first-long-secret-4")
    change(keiko, "first-long-secret-0")

    assert refused == ["password_used_before"] * 4
    assert FormerPassword.objects.filter(person=keiko).count() == 3


def test_a_new_person_has_no_history():
    validate_password("first-long-secret-0", User(username="keiko"))
    validate_password("first-long-secret-0", User.objects.create_user("keiko"))


BREACHED, OTHER = "watch-the-7-gates", "another-long-secret-9"


def digest(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


@pytest.mark.parametrize(
    ("password", "answer", "is_accepted"),
    [
        (BREACHED, f"{digest(BREACHED)[5:]}:42\r\n{'0' * 35}:1", False),
        (BREACHED, f"{digest(BREACHED)[5:]}:0\r\n{'0' * 35}:1", True),
        (OTHER, f"{digest(BREACHED)[5:]}:42", True),
        (BREACHED, "\xff\x00" * 10_000, True),
        (BREACHED, None, True),
    ],
    ids=["breached", "padding", "other", "nonsense", "no answer"],
)
def test_a_password_from_a_breach_is_not_accepted(settings, password, answer, is_accepted):
    settings.INSIDE_DESTINATIONS = [ip_network("127.0.0.1")]
    with hostile_provider.running() as service:
        if answer is not None:
            service.answers[f"/range/{digest(password)[:5]}"] = answer.encode("latin-1")
        rule = BreachedPasswordValidator(f"{service.issuer}/range/")
        try:
            rule.validate(password)
            found = True
        except ValidationError:
            found = False

    assert found == is_accepted
    assert service.asked == [f"/range/{digest(password)[:5]}"]
