"""Headers of every response, and the names of cookies."""

import pytest

from tests.ops.production import VALID_ENVIRONMENT, python
from tms.accounts.models import User

pytestmark = pytest.mark.django_db

NAMES = "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "LANGUAGE_COOKIE_NAME", "DEVICE_COOKIE_NAME"
PRINT_COOKIES = f"""
from django.conf import settings
print(*(getattr(settings, name) for name in {NAMES}), settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE)
print(settings.SESSION_COOKIE_PATH, settings.CSRF_COOKIE_PATH, settings.LANGUAGE_COOKIE_PATH)
print(settings.SESSION_COOKIE_DOMAIN, settings.CSRF_COOKIE_DOMAIN, settings.LANGUAGE_COOKIE_DOMAIN)
"""


@pytest.fixture
def signed_in(client):
    client.force_login(User.objects.create_superuser("tanaka"))
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/terminals/", 200),
        ("/help/", 200),
        ("/sign-in/?next=/help/", 302),
        ("/nothing/here/", 404),
        ("/alerts/past/?from=nonsense", 200),
    ],
)
def test_pages_are_not_cached_and_have_no_browser_features(signed_in, path, status):
    answer = signed_in.get(path)

    assert answer.status_code == status
    assert "no-store" in answer["Cache-Control"]
    assert "camera=()" in answer["Permissions-Policy"]


def test_an_internal_error_has_the_same_headers(signed_in, monkeypatch):
    monkeypatch.setattr("tms.accounts.access.may_watch", None)

    answer = signed_in.get("/help/")

    assert (answer.status_code, answer["Cache-Control"]) == (500, "no-store")


def test_a_form_without_its_token_has_them_too(client):
    client.handler.enforce_csrf_checks = True

    answer = client.post("/sign-in/", {"username": "a", "password": "b"})

    assert (answer.status_code, answer["Cache-Control"]) == (403, "no-store")


def test_static_files_may_be_cached(client):
    answer = client.get("/static/css/plain.css")
    answer.close()

    assert "no-store" not in answer["Cache-Control"]


@pytest.mark.parametrize(("https_only", "prefix"), [("1", "__Host-"), ("0", "")])
def test_cookies_are_limited_to_the_host_with_https(tmp_path, https_only, prefix):
    """A browser accepts `__Host-` only over HTTPS, for every path, and without a domain."""
    done = python(tmp_path, "-c", PRINT_COOKIES, **VALID_ENVIRONMENT | {"TMS_HTTPS_ONLY": https_only})

    is_secure = str(https_only == "1")
    names, paths, domains = done.stdout.splitlines()
    wanted = [f"{prefix}{name}" for name in ("tms_session", "csrftoken", "django_language", "tms_device")]
    assert names.split() == [*wanted, is_secure, is_secure]
    assert set(paths.split()) == {"/"}
    assert set(domains.split()) == {"None"}


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/nothing/here/", "/api/v1/alerts", "/api/v1/openapi.json"])
def test_each_answer_makes_browsers_strict(client, settings, path):
    """No other origin may read an answer, either."""
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31_536_000, True

    answer = client.get(path, secure=True, headers={"Origin": "https://evil.example"})

    policy = answer["Content-Security-Policy"]
    expected = "default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"
    assert [part for part in expected if part not in policy] == []
    assert (answer["X-Content-Type-Options"], answer["Referrer-Policy"]) == ("nosniff", "same-origin")
    assert answer["Strict-Transport-Security"].startswith("max-age=31536000; includeSubDomains")
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_the_session_cookie_is_neither_readable_for_scripts_nor_sent_from_other_sites(client):
    User.objects.create_user("tanaka", password="a password for tests")
    client.post("/sign-in/", {"username": "tanaka", "password": "a password for tests"})

    cookies = {name: (cookie["httponly"], cookie["samesite"]) for name, cookie in client.cookies.items()}

    assert cookies == {"tms_session": (True, "Lax"), "csrftoken": ("", "Lax"), "tms_device": (True, "Lax")}


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/api/v1/alerts", "/health/", "/static/x.js"])
def test_the_method_trace_is_refused(client, path):
    assert client.trace(path).status_code in {404, 405}
