"""A new password by mail."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from tests.support.accounts.steps import PASSWORD, SECRET, Steps
from tms.accounts.factors import services, totp
from tms.accounts.mail import background
from tms.accounts.models import AuditEntry, User

pytestmark = [pytest.mark.both, pytest.mark.django_db]
ASK, NEW = "/sign-in/reset/", "a different password"


@pytest.fixture(autouse=True)
def _possible(settings, monkeypatch):
    settings.EMAIL_URL, settings.PUBLIC_URL = "smtp://mail.example", "https://tms.example/"
    monkeypatch.setattr(background, "run", lambda work: work())


@pytest.fixture
def tanaka(db) -> User:
    return User.objects.create_user("tanaka", "tanaka@noc.example", PASSWORD)


def ask(name: str = "tanaka", *, client: Client | None = None, address: str = "198.51.100.7", **options):
    return (client or Client()).post(ASK, {"name": name}, REMOTE_ADDR=address, **options)


def link() -> str:
    return re.search(r"https://tms\.example(/\S+)", mail.outbox[-1].body)[1]


def use(path: str, new: str = NEW, *, client: Client | None = None):
    client = client or Client()
    form = client.get(path, follow=True)
    if not form.redirect_chain:
        return form
    return client.post(form.redirect_chain[-1][0], {"new_password1": new, "new_password2": new})


@pytest.mark.parametrize("name", ["tanaka", "tanaka@noc.example", " TANAKA@noc.example "])
def test_the_link_goes_to_the_address_of_the_account_and_sets_a_password(tanaka, name):
    ask(name)
    answer = use(link())

    assert mail.outbox[0].to == ["tanaka@noc.example"]
    assert answer["Location"] == "/sign-in/"
    tanaka.refresh_from_db()
    assert tanaka.check_password(NEW)
    assert AuditEntry.objects.get(action="password-reset").subject_name == "tanaka"


def test_a_changed_password_is_mailed_to_the_person(tanaka, django_capture_on_commit_callbacks):
    ask()
    with django_capture_on_commit_callbacks(execute=True):
        use(link())

    assert "The password of your account was changed." in mail.outbox[-1].body


@pytest.mark.parametrize("name", ["tanaka", "nobody", "nobody@noc.example", "x" * 254, "' OR 1=1", "😀"])
def test_the_answer_is_the_same_for_every_name(tanaka, name):
    def text(answer) -> str:
        return re.sub(r'value="\w{64}"', "", answer.content.decode())

    assert text(ask(name)) == text(ask("tanaka", address="198.51.100.8"))


def test_the_database_is_asked_in_the_background_only(tanaka, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(background, "run", lambda work: None)

    with django_assert_num_queries(0):
        ask("tanaka")


@pytest.mark.parametrize(
    "change",
    [{"is_active": False}, {"email": ""}, {"password": "!"}],
    ids=["disabled", "no address", "no password"],
)
def test_some_accounts_get_no_link(tanaka, change):
    User.objects.filter(pk=tanaka.pk).update(**change)

    assert ask().status_code == ask("tanaka@noc.example").status_code == 200
    assert mail.outbox == []


def test_a_break_glass_account_gets_no_link(tanaka, settings):
    settings.BREAK_GLASS = frozenset({"tanaka"})
    ask()

    assert mail.outbox == []


def test_a_link_works_once(tanaka):
    ask()
    path = link()
    use(path)

    assert "no longer valid" in use(path, "yet another password").content.decode()
    tanaka.refresh_from_db()
    assert tanaka.check_password(NEW)


def test_a_link_is_void_after_an_hour(tanaka, clock):
    ask()
    clock.shift(timedelta(minutes=61))

    assert "no longer valid" in use(link()).content.decode()


def test_a_new_password_voids_links_that_were_sent_before(tanaka):
    ask()
    tanaka.set_password("chosen meanwhile")
    tanaka.save()

    assert "no longer valid" in use(link()).content.decode()


@pytest.mark.parametrize(
    "path", ["/sign-in/reset/MQ/x/", "/sign-in/reset/AAAAAAAAAAAAAAAA/set-password/", "/sign-in/reset/%00/%ff/"]
)
def test_an_invented_link_is_not_valid(tanaka, path):
    answer = use(path)

    assert answer.status_code in (200, 400, 404)
    assert "new_password1" not in answer.content.decode()


def test_a_weak_password_is_rejected(tanaka):
    ask()

    assert "too common" in use(link(), "password12").content.decode()
    tanaka.refresh_from_db()
    assert tanaka.check_password(PASSWORD)


def test_the_link_names_our_own_address_whatever_host_the_browser_names(tanaka):
    ask(headers={"host": "evil.example"})

    assert "evil.example" not in mail.outbox[0].body


def test_a_new_password_starts_no_session_and_ends_all(tanaka):
    browser = Steps()
    browser.password()
    ask()
    other = Client()
    use(link(), client=other)

    assert other.get("/help/").status_code == 302
    assert not browser.is_signed_in


def test_the_second_factor_is_still_asked_for(tanaka):
    services.add(tanaka, "totp", totp.data_of(SECRET, 0))
    ask()
    use(link())

    assert Steps().password(password=NEW)["Location"] == "/sign-in/code/"


def test_a_sixth_request_for_a_name_is_throttled_whether_or_not_it_exists(tanaka):
    for name in ("tanaka", "nobody"):
        assert [ask(name).status_code for _ in range(6)] == [200] * 5 + [429]


def test_requests_block_no_sign_in(tanaka):
    for _ in range(6):
        ask()

    assert Steps().password()["Location"] == "/"


def test_the_mail_is_in_the_language_of_the_person(tanaka):
    User.objects.filter(pk=tanaka.pk).update(language="ja")
    ask()

    assert "パスワード" in mail.outbox[0].body
    assert "パスワード" in mail.outbox[0].subject


@pytest.mark.parametrize("missing", ["EMAIL_URL", "PUBLIC_URL"])
def test_without_a_mail_server_or_public_address_an_administrator_is_asked(settings, tanaka, missing):
    setattr(settings, missing, "")

    assert "Ask an administrator" in ask().content.decode()
    assert mail.outbox == []
    assert ASK not in Client().get("/sign-in/").content.decode()
