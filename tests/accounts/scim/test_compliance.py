"""The checks of scim2-tester, which nobody here wrote, against the whole application."""

from collections.abc import Callable, Iterable
from typing import Any

from django.test import Client
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import CheckResult, Status, check_server

ONE_ADDRESS = "TMS stores one e-mail address of a person"
ALWAYS_THERE = "an account is active or not, never without a value"
KNOWN = {
    ("User", "check_add_attribute", "emails"): ONE_ADDRESS,
    ("User", "check_replace_attribute", "emails"): ONE_ADDRESS,
    ("User", "check_remove_attribute", "active"): ALWAYS_THERE,
}
"""Resource, check and attribute of those that fail → why."""


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The application as WSGI, through the client of tests: that keeps the connection with the transaction of the
    test.
    """
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    headers = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    answer = Client().generic(
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"],
        body,
        content_type=environ.get("CONTENT_TYPE", ""),
        QUERY_STRING=environ.get("QUERY_STRING", ""),
        **headers,
    )
    start_response(f"{answer.status_code} {answer.reason_phrase}", list(answer.items()))
    return [answer.content]


def test_all_checks_pass(directory, settings):
    settings.API_PER_MINUTE = settings.API_BURST = 100_000
    headers = {"Authorization": f"Bearer {directory.secret}"}
    client = WSGISCIMClient(application, base_url="http://testserver/scim/v2", headers=headers)

    results = check_server(client)

    failed = [result for result in results if result.status in (Status.ERROR, Status.CRITICAL)]
    unknown = [result for result in failed if not is_known(result)]
    assert [(result.resource_type, result.title, result.reason) for result in unknown] == []
    assert len([result for result in results if result.status == Status.SUCCESS]) > 50


def is_known(result: CheckResult) -> bool:
    return any((result.resource_type, result.title) == one[:2] and f"'{one[2]}'" in result.reason for one in KNOWN)
