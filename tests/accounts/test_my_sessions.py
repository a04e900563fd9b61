"""The browsers in which a person is signed in, on their own page."""

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from tms.accounts.models import AuditEntry, User
from tms.accounts.sessions import browsers
from tms.accounts.sessions.store import stored_key
from tms.accounts.sessions.user_agent import describe, is_mobile
from tms.feed.change import Change

PASSWORD = "a password for tests"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"
)
EDGE = f"{CHROME} Edg/141.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)
pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def tanaka() -> User:
    return User.objects.create_user("tanaka", password=PASSWORD)


def sign_in(agent: str = FIREFOX, address: str = "198.51.100.7") -> Client:
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    client.post("/sign-in/", {"username": "tanaka", "password": PASSWORD})
    return client


def row_of(client: Client) -> UserSession:
    return UserSession.objects.get(session_key=stored_key(client.session.session_key))


def test_the_page_lists_each_browser_with_its_address_this_one_first(tanaka):
    here = sign_in()
    sign_in(IPHONE, "203.0.113.9")

    page = here.get("/me/").content.decode()

    assert "2 active" in page
    assert page.index("Firefox on Linux") < page.index("This browser") < page.index("Safari on iPhone")
    assert "198.51.100.7" in page
    assert "203.0.113.9" in page


def test_a_sign_in_that_the_browser_cancelled_is_not_listed(tanaka):
    """Its session was stored before the person was written into it."""
    here, cancelled = sign_in(), sign_in(IPHONE)
    session = cancelled.session
    del session["_auth_user_id"]
    session.save()

    page = here.get("/me/").content.decode()

    assert "1 active" in page


def test_an_ended_session_is_signed_out_recorded_and_no_longer_listed(tanaka, feed_recorder):
    here, there = sign_in(), sign_in(IPHONE, "203.0.113.9")

    answer = here.post(f"/me/sessions/{row_of(there).pk}/end/")

    assert answer["Location"] == "/me/?saved=sessions#sessions"
    assert there.get("/")["Location"].startswith("/sign-in/")
    page = here.get(answer["Location"]).content.decode()
    assert "Ended" in page
    assert "iPhone" not in page
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.actor, entry.changes["address"]) == ("session-ended", tanaka, ["203.0.113.9", None])


@pytest.mark.django_db(transaction=True)
def test_ending_a_session_is_published_so_that_its_boards_close_at_once(tanaka, feed_recorder):
    there = sign_in()
    feed_recorder.changes()

    browsers.end([row_of(there)], person=tanaka)

    assert feed_recorder.change() == Change(people=frozenset({tanaka.pk}))


@pytest.mark.parametrize("path", ["end-others", "1/end"])
def test_ending_sessions_needs_a_recent_sign_in(tanaka, path):
    """Otherwise a passer-by at an unlocked screen could sign the person out everywhere else."""
    other, client = sign_in(), Client()
    client.force_login(tanaka)

    answer = client.post(f"/me/sessions/{path}/")

    assert answer["Location"].startswith("/me/confirm/")
    assert other.get("/help/").status_code == 200


def test_ending_all_others_keeps_this_one(tanaka):
    here, others = sign_in(), [sign_in(), sign_in(CHROME)]

    here.post("/me/sessions/end-others/")

    assert here.get("/me/").status_code == 200
    assert [other.get("/").status_code for other in others] == [302, 302]
    assert "End all others" not in here.get("/me/").content.decode()


def test_neither_this_session_nor_one_of_another_person_can_be_ended(tanaka):
    here = sign_in()
    User.objects.create_user("mori", password=PASSWORD)
    mori = Client()
    mori.post("/sign-in/", {"username": "mori", "password": PASSWORD})

    for client in (here, mori):
        assert here.post(f"/me/sessions/{row_of(client).pk}/end/").status_code == 404
        assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("agent", "name", "mobile"),
    [
        (FIREFOX, "Firefox on Linux", False),
        (CHROME, "Chrome on macOS", False),
        (EDGE, "Edge on macOS", False),
        (IPHONE, "Safari on iPhone", True),
        ("curl/8.5", "Unknown browser", False),
        ("<script>Android</script>", "Android", True),
        ("", "Unknown browser", False),
    ],
)
def test_a_browser_is_described_in_words(agent, name, mobile):
    assert (describe(agent), is_mobile(agent)) == (name, mobile)
