import pytest
from django.test import Client

from tms.accounts.models import User

PASSWORD = "a password for tests"


@pytest.fixture
def tanaka(db):
    return User.objects.create_user("tanaka", password=PASSWORD)


def sign_in(client, username="tanaka", password=PASSWORD, **fields):
    return client.post("/sign-in/", {"username": username, "password": password, **fields})


def test_signing_in_redirects_to_the_requested_page(client, tanaka):
    answer = sign_in(client, next="/terminals/?presence=offline")

    assert (answer.status_code, answer["Location"]) == (302, "/terminals/?presence=offline")
    assert client.get("/").status_code == 200


@pytest.mark.django_db
def test_a_page_whose_address_is_too_long_for_a_redirect_is_left_out(client):
    """Proxies read 4 kB of headers; characters that are encoded count three times."""
    short, long = client.get(f"/alerts/?q={'a' * 1900}"), client.get(f"/alerts/?q={'%2C' * 700}")

    assert short["Location"].endswith("a" * 1900)
    assert long["Location"] == "/sign-in/?next=/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_signing_in_never_redirects_to_another_site(client, tanaka, elsewhere):
    answer = sign_in(client, next=elsewhere)

    assert answer["Location"] == "/"


def test_a_wrong_password_keeps_the_name_and_shows_the_next_step(client, tanaka):
    answer = sign_in(client, password="wrong")

    html = answer.content.decode()
    assert answer.status_code == 200
    assert "Wrong username or password. Sign-in is blocked for 15 minutes after 5 failed attempts." in html
    assert html.count("Sign-in is blocked") == 1
    assert 'value="tanaka"' in html


def test_a_throttled_person_does_not_block_the_next_one(client, tanaka):
    User.objects.create_user("sato", password=PASSWORD)
    for _ in range(5):
        sign_in(client, password="wrong")

    assert sign_in(client, "sato").status_code == 302


def test_signing_out_is_a_post_and_ends_the_session(client, tanaka):
    client.force_login(tanaka)
    by_link = client.get("/sign-out/")

    answer = client.post("/sign-out/")

    assert by_link.status_code == 405
    assert (answer["Location"], answer["Clear-Site-Data"]) == ("/sign-in/", '"cache"')
    assert client.get("/").status_code == 302


def test_a_signed_in_person_is_not_asked_to_sign_in(client, tanaka):
    client.force_login(tanaka)

    assert client.get("/sign-in/")["Location"] == "/"


def test_the_form_of_another_site_cannot_sign_anyone_in(tanaka):
    assert sign_in(Client(enforce_csrf_checks=True)).status_code == 403
