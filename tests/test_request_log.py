"""A refused request is one line without a traceback, and no credential gets into a log."""

import http.client
import logging

import pytest

from tests.support import people
from tests.support.servers.tms import RunningTMS
from tests.support.services import HOST
from tms.config.logs import SECRETS, is_refusal, logging_config, one_line, shorten_refusal, without_secrets

SECRET = "c0nfidential-c0nfidential-c0nfidential-abcd"
CALLS = [
    ("GET", f"/?token={SECRET}", {}, 302),
    ("GET", f"/nothing/here/?api_key={SECRET}", {}, 404),
    ("GET", f"/act/{SECRET}/", {}, 404),
    ("GET", f"/invitation/{SECRET}/", {}, 404),
    ("GET", f"/sign-in/reset/MQ/{SECRET}/?x", {}, 200),
    ("GET", f"/sign-in/reset/MQ/{SECRET}/x/", {}, 404),
    ("GET", f"/sign-in/?access_token={SECRET}&a=b", {"Host": "elsewhere.example.com"}, 400),
    ("POST", f"/sign-in/?password={SECRET}", {}, 403),
    ("POST", f"/me/theme/?a=b&client_secret={SECRET}", {}, 403),
    ("GET", f"/api/v1/sites?token={SECRET}", {}, 401),
    ("GET", "/api/v1/sites", {"Authorization": f"Bearer {SECRET}"}, 401),
    ("GET", f"/ws/terminal/?token={SECRET}", {"Upgrade": "websocket", "Authorization": f"Bearer T-1.{SECRET}"}, 401),
    ("GET", f"/ws/board/?token={SECRET}", {"Upgrade": "websocket", "Origin": "https://evil.example"}, 403),
]
UPGRADE = {"Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"} | {
    "Sec-WebSocket-Protocol": "tms.v1"
}


@pytest.fixture(scope="module")
def tms(tmp_path_factory):
    hosts = {"TMS_ALLOWED_HOSTS": HOST, "TMS_LOG_FORMAT": "plain"}
    with RunningTMS(tmp_path_factory.mktemp("logs"), **hosts) as tms:
        yield tms


def call(tms, method, path, headers):
    connection = http.client.HTTPConnection(HOST, tms.port, timeout=30)
    connection.request(method, path, headers=headers | (UPGRADE if "Upgrade" in headers else {}))
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.both
@pytest.mark.embedded
def test_no_server_writes_a_credential_or_a_traceback_for_a_refusal(tms):
    statuses = [call(tms, method, path, headers) for method, path, headers, _ in CALLS]

    log = tms.log.read_text()
    assert statuses == [status for *_, status in CALLS]
    assert SECRET not in log
    assert "Traceback" not in log
    for path in ("/nothing/here/", "/sign-in/", "/me/theme/"):
        assert path in log


@pytest.fixture
def lines(caplog):
    """The output of the handlers for Django's loggers."""

    def written():
        result = [record for record in caplog.records if record.name.startswith("django")]
        return [record for record in result if shorten_refusal(record)]

    caplog.set_level(logging.INFO)
    return written


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "view", "status", "level", "message"),
    [
        ("/people/", None, 403, "WARNING", "Forbidden (Permission denied): /people/"),
        ("/nothing/", None, 404, "INFO", "Not Found: /nothing/"),
        ("/health/", "elsewhere.example.com:x", 400, "WARNING", "Invalid HTTP_HOST header"),
    ],
)
def test_a_refusal_is_one_line_with_the_client(client, lines, path, view, status, level, message):
    client.force_login(people.person("viewer"))
    host = {"HTTP_HOST": view} if view else {}
    path = "/sign-in/" if view else path

    answer = client.get(path, REMOTE_ADDR="198.51.100.7", **host)

    [record] = [record for record in lines() if is_refusal(record)]
    assert answer.status_code == status
    assert message in record.getMessage()
    assert (record.levelname, record.exc_info, record.address) == (level, None, "198.51.100.7")


def test_a_client_that_left_is_no_error_and_not_shown_where_only_warnings_are(caplog):
    accepts = [one["callback"] for one in logging_config(level="INFO", form="json")["filters"].values()]
    error = RuntimeError("CurrentThreadExecutor already quit or is broken")
    shown = []
    for level in (logging.INFO, logging.WARNING):
        caplog.set_level(level)
        record = logging.LogRecord("django.request", logging.ERROR, "", 0, "Internal Server Error: %s", ("/x/",), None)
        record.exc_info = (RuntimeError, error, None)
        shown.append(all(accept(record) for accept in accepts[:-1]))

    assert shown == [True, False]
    assert (record.levelname, record.exc_info) == ("INFO", None)
    assert record.getMessage() == "client left before the response: Internal Server Error: /x/"
    assert not accepts[-1](record)


def test_a_part_of_a_protocol_that_tms_lacks_is_a_warning():
    record = logging.LogRecord("django.request", logging.ERROR, "", 0, "Not Implemented: /scim/v2/Bulk", (), None)
    record.status_code = 501

    assert shorten_refusal(record)
    assert record.levelname == "WARNING"


def test_the_error_log_has_errors_and_no_refusals():
    accept = logging_config(level="INFO", form="json", error_log="errors")["filters"]["no_refusals"]["callback"]
    record = logging.LogRecord("django.security.DisallowedHost", logging.ERROR, "", 0, "x", (), None)

    assert not accept(vars(record).update(status_code=400) or record)
    assert accept(vars(record).update(status_code=500) or record)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (f"GET /?token={SECRET}&page=2", "GET /?token=[removed]&page=2"),
        (f"GET /?a=b&X-Api-Key={SECRET}", f"GET /?a=b&X-Api-Key={SECRET}"),
        (f"GET /?a=b&my_api_key={SECRET} HTTP/1.1", "GET /?a=b&my_api_key=[removed] HTTP/1.1"),
        (f"{{'Authorization': 'Bearer {SECRET}'}}", "{'Authorization': 'Bearer [removed]'}"),
        (f"Authorization: Basic {SECRET}", "Authorization: Basic [removed]"),
        (f"sent bearer {SECRET}.", "sent bearer [removed]"),
        (f"the token tms_{SECRET} was", "the token tms_[removed] was"),
        ("a token was revoked; the secret is safe", "a token was revoked; the secret is safe"),
        ("tms_sign_ins and tms_api_requests", "tms_sign_ins and tms_api_requests"),
    ],
)
def test_text_that_looks_like_a_credential_is_removed(text, written):
    write = without_secrets(lambda logger, method, event: event["event"])

    assert write(None, "info", {"event": text}) == written


def test_it_is_removed_from_a_traceback_too():
    event = {"event": "failed", "exception": f"Traceback\nError: http://x/?secret={SECRET}"}

    assert SECRET not in without_secrets(one_line)(None, "error", event)


def test_django_neither_mails_nor_prints_requests_by_itself():
    loggers = logging_config(level="INFO", form="json")["loggers"]

    assert loggers["django"]["handlers"] == loggers["django.server"]["handlers"] == []
    assert not logging.getLogger("django").handlers
    assert not logging.getLogger("django.server").handlers


def test_the_search_for_credentials_is_linear():
    """Each attempt at a match reads a bounded part of the line."""
    assert SECRETS.search("?token" * 20_000) is None
    assert SECRETS.search("&" * 100_000) is None
    assert SECRETS.search("authorization:" * 20_000 + " x") is not None
