"""Which attempts are throttled when passwords are guessed."""

import itertools

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import caches
from django.test import Client
from structlog.testing import capture_logs

from tests.support.services import HOST
from tms.accounts.models import User
from tms.accounts.sign_in.throttle import network
from tms.lib import redis_cache as resting

PASSWORD = "a password for tests"
pytestmark = [pytest.mark.both, pytest.mark.embedded, pytest.mark.django_db]


@pytest.fixture
def tanaka(db):
    return User.objects.create_user("tanaka", password=PASSWORD)


@pytest.fixture
def hashes(monkeypatch):
    """Counts the passwords that were hashed."""
    counted = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args: counted.append(args) or encode(*args))
    return counted


def sign_in(username, password="wrong", *, address="198.51.100.7", client=None):
    form = {"username": username, "password": password}
    return (client or Client()).post("/sign-in/", form, REMOTE_ADDR=address)


def statuses(answers):
    return [answer.status_code for answer in answers]


@pytest.mark.parametrize("username", ["tanaka", "nobody-of-that-name"])
def test_a_sixth_guess_is_throttled_without_a_hash_whether_or_not_the_account_exists(tanaka, hashes, username):
    guesses = [sign_in(username) for _ in range(5)]
    hashed = len(hashes)

    late = sign_in(username, PASSWORD)

    assert statuses(guesses) == [200] * 5
    assert (late.status_code, late["Retry-After"]) == (429, "900")
    assert "Too many failed attempts. Try again in 15 minutes." in late.content.decode()
    assert (hashed, len(hashes)) == (5, 5)


def test_the_answer_and_the_work_are_the_same_for_accounts_that_do_not_exist(tanaka, hashes):
    bodies = []
    for username in ("tanaka", "yamada"):
        client = Client()
        client.cookies["csrftoken"] = "x" * 32
        bodies.append(sign_in(username, client=client).content.decode().replace(username, "NAME"))

    without_tokens = [body.split("csrfmiddlewaretoken")[0] for body in bodies]
    assert without_tokens[0] == without_tokens[1]
    assert len(hashes) == 2


def test_one_guess_each_at_many_names_from_one_address_is_stopped(tanaka, hashes):
    answers = [sign_in(f"name-{number}") for number in range(25)]

    assert statuses(answers) == [200] * 20 + [429] * 5
    assert len(hashes) == 20


def test_one_name_from_many_addresses_is_stopped(tanaka, hashes):
    answers = [sign_in("tanaka", address=f"198.51.100.{number}") for number in range(1, 26)]

    assert statuses(answers) == [200] * 20 + [429] * 5


def test_many_names_from_many_addresses_are_stopped_in_total(hashes, settings):
    settings.SIGN_IN_FAILURES_PER_MINUTE = 10

    answers = [sign_in(f"name-{number}", address=f"198.51.100.{number}") for number in range(1, 16)]

    assert statuses(answers) == [200] * 10 + [429] * 5
    assert int(answers[-1]["Retry-After"]) <= 60


def test_an_attacker_elsewhere_cannot_lock_a_person_out_of_a_known_device(tanaka):
    known = Client()
    sign_in("tanaka", PASSWORD, client=known)
    for number in range(1, 26):
        sign_in("tanaka", address=f"198.51.100.{number}")
        sign_in("tanaka")

    assert sign_in("tanaka", PASSWORD, client=known).status_code == 302
    assert sign_in("tanaka", PASSWORD).status_code == 429


def test_a_known_device_has_its_own_limit_and_only_for_its_own_people(tanaka, hashes):
    User.objects.create_user("sato", password=PASSWORD)
    known = Client()
    sign_in("tanaka", PASSWORD, client=known)
    known.cookies.pop("tms_session")
    before = len(hashes)

    mine = [sign_in("tanaka", client=known) for _ in range(6)]
    theirs = [sign_in("sato", client=known) for _ in range(6)]

    assert statuses(mine) == statuses(theirs) == [200] * 5 + [429]
    assert len(hashes) - before == 10


@pytest.mark.parametrize("cookie", ["", "x", "x:y:z", '["a","b"]', "é", "A" * 4096])
def test_a_forged_device_cookie_has_no_effect(tanaka, cookie):
    for _ in range(5):
        sign_in("tanaka")
    client = Client()
    client.cookies["tms_device"] = cookie

    assert sign_in("tanaka", PASSWORD, client=client).status_code == 429


def test_people_who_share_an_address_are_not_blocked_by_failures_of_those_who_signed_in(db):
    """A control room behind one address, at a shift change."""
    for number in range(30):
        User.objects.create_user(f"operator-{number}", password=PASSWORD)

    for number in range(30):
        slip, right = sign_in(f"operator-{number}"), sign_in(f"operator-{number}", PASSWORD)
        assert (slip.status_code, right.status_code) == (200, 302)


def test_an_attacker_with_an_account_cannot_clear_their_guesses(tanaka):
    User.objects.create_user("mallory", password=PASSWORD)
    answers = []
    for number in range(25):
        answers.append(sign_in(f"name-{number}"))
        if number % 5 == 0:
            sign_in("mallory", PASSWORD)

    assert statuses(answers).count(200) == 20


def test_spellings_of_a_name_share_its_limit(tanaka):
    spellings = itertools.cycle(["tanaka", "TANAKA", " Tanaka ", "\uff34\uff21\uff2e\uff21\uff2b\uff21"])

    answers = [sign_in(next(spellings)) for _ in range(6)]

    assert statuses(answers) == [200] * 5 + [429]


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1%eth0", "2001:db8:1:2::/64"),
        ("2001:db8::1", "2001:db8::/64"),
        ("", "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_addresses_are_counted_by_network(address, counted_as):
    assert network(address) == counted_as


def test_the_log_names_the_limit_once_when_it_is_reached(tanaka):
    with capture_logs() as logs:
        for _ in range(8):
            sign_in("tanaka")

    [result] = [event for event in logs if event["event"] == "sign_in_throttled"]
    assert (result["by"], result["address"], result["username"]) == ("name and address", "198.51.100.7", "tanaka")


@pytest.mark.services
def test_without_redis_each_process_counts_separately(tanaka, settings, monkeypatch):
    monkeypatch.setattr(resting.FallbackCache, "rests_until", {})
    settings.CACHES = {name: cache | {"LOCATION": f"redis://{HOST}:1/0"} for name, cache in settings.CACHES.items()}

    answers = [sign_in("tanaka") for _ in range(6)]

    assert statuses(answers) == [200] * 5 + [429]


@pytest.mark.services
def test_redis_stores_no_names(tanaka):
    sign_in("tanaka")

    redis = caches["default"]._cache.get_client(write=True)
    keys = [*redis.scan_iter(match=f"{caches['default'].key_prefix}*sign-in*")]
    assert len(keys) == 4
    assert not any(b"tanaka" in key for key in keys)
