"""Each URL that changes something leaves an audit entry, or has a reason why it does not.

The URLs are those of `matrix.txt`, which `test_matrix.py` compares with the URL patterns and the OpenAPI document.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.accounts.audit import of_accounts, of_providers
from tests.accounts.audit.requests import (
    ACTION_ROUTES,
    API,
    API_ACTIONS,
    EXPORTS,
    INVITATION,
    PAGES,
    Sent,
    boss,
    path_of,
    prepare,
)
from tests.accounts.audit.sample import Sample
from tests.support.doors import acts_of
from tests.support.rest import ApiClient
from tms.accounts.models import AuditEntry
from tms.alerts.actions.registry import ACTIONS

pytestmark = [pytest.mark.both, pytest.mark.django_db]
STEPS = {**of_accounts.STEPS, **of_providers.STEPS}
TABLE = Path(__file__).parents[1] / "matrix.txt"
CHANGING = ("POST", "PUT", "PATCH", "DELETE")

PREVIEW = "shows what would happen, and stores nothing"
BY_TERMINAL = "a terminal says how its update goes; the order is an entry"
OWN_VIEW = "how pages look to one person"
NO_OPERATION = "no operation of its own"
REASONS: dict[str, str] = {
    "POST /commands/new/preview/": PREVIEW,
    "POST /maintenance/preview/": PREVIEW,
    "POST /jobs/new/preview/": PREVIEW,
    "POST /rules/new/": "chooses the kind of a new rule",
    "POST /rules/new/<slug:kind>/preview/": PREVIEW,
    "POST /rules/<int:pk>/preview/": PREVIEW,
    "POST /policies/new/preview/": PREVIEW,
    "POST /policies/<int:pk>/preview/": PREVIEW,
    "POST /api/v1/rules/preview": PREVIEW,
    "POST /api/v1/rollouts/preview": PREVIEW,
    "POST /rollouts/new/preview/": PREVIEW,
    "POST /rollouts/<int:pk>/continue/": "asks a second person; its operation has the entry",
    "POST /artifacts/uploads/": "begins an upload; what is added is an entry",
    "POST /artifacts/add/<str:key>/": "`artifacts/test_uploads.py` expects its entry",
    "POST /api/v1/artifacts": "`artifacts/test_uploads.py` expects its entry",
    "POST /demo/bad-rollout/": "only in a demo; tested in tests/demo",
    "POST /import/": PREVIEW,
    "POST /import/<int:pk>/correct/": PREVIEW,
    "POST /api/v1/maintenance/preview": PREVIEW,
    "POST /demo/break/": "only in a demo; tested in tests/demo",
    "POST /demo/undo/<int:number>/": "only in a demo; tested in tests/demo",
    "POST /demo/tour/end/": OWN_VIEW,
    "POST /me/theme/": OWN_VIEW,
    "POST /me/density/": OWN_VIEW,
    "POST /terminals/columns/": OWN_VIEW,
    "POST /me/language/": OWN_VIEW,
    "POST /upload/<str:token>": "a terminal answers a command, which is an entry; so is each download",
    "PUT /ddi/<str:tenant>/controller/v1/<str:uid>/configData": BY_TERMINAL,
    "POST /ddi/<str:tenant>/controller/v1/<str:uid>/deploymentBase/<int:action>/feedback": BY_TERMINAL,
    "POST /ddi/<str:tenant>/controller/v1/<str:uid>/cancelAction/<int:action>/feedback": BY_TERMINAL,
    "POST /wall/code/": "shows a code, which opens nothing; the pairing is an entry",
    "POST /api/v1/": NO_OPERATION,
    "POST /api/v1/<anything:rest>": NO_OPERATION,
}


CHALLENGE = "a challenge of a passkey, which only the session keeps"
REASONS |= {
    "POST /sign-in/passkey/options/": CHALLENGE,
    "POST /me/confirm/options/": CHALLENGE,
    "POST /me/security/passkey/options/": CHALLENGE,
    "POST /sign-in/provider/<slug:slug>/acs/": "each sign-in and failure is an entry; `test_saml.py`",
    "POST /sign-in/provider/<slug:slug>/": "leads to the provider; the sign-in that follows is an entry",
    "POST /me/providers/<slug:slug>/link/": "leads to the provider; the link is an entry; `test_linking.py`",
    "POST /me/confirm/": "the person signs in again; only a failure is an entry",
    "POST /sign-in/reset/": "sends a link; the reset is an entry",
}


OF_DIRECTORY = "a request of the directory; `scim/test_users.py` and `test_groups.py` expect its entries"
REASONS |= {
    **{f"POST /scim/v2/{kind}": OF_DIRECTORY for kind in ("Users", "Groups")},
    **{
        f"{method} /scim/v2/{kind}/<str:key>": OF_DIRECTORY
        for kind in ("Users", "Groups")
        for method in ("PUT", "PATCH", "DELETE")
    },
}


OF_BROWSERS = "`notifications/test_browsers.py` expects its entries"
REASONS |= {
    "POST /me/browsers/": OF_BROWSERS,
    "POST /me/browsers/preferences/": OF_BROWSERS,
    "POST /me/browsers/<int:pk>/test/": OF_BROWSERS,
    "POST /me/browsers/<int:pk>/remove/": OF_BROWSERS,
    "POST /act/<str:token>/": "`notifications/test_action_links.py` expects its entry",
}


def listed() -> set[str]:
    """`POST /rules/new/` for each method of `matrix.txt` that may change something."""
    lines = [line.split() for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    words = [(route, word.partition("=")) for route, *rest in lines for word in rest]
    return {f"{method} {route}" for route, (method, _, need) in words if method in CHANGING and need != "nobody"}


def test_each_url_that_changes_something_is_covered_or_has_a_reason():
    covered = {*REASONS, *(f"POST {route}" for route in (*PAGES, *STEPS)), *API, *ACTION_ROUTES}

    assert listed() - covered == set(), "this module has neither a request nor a reason for them"
    assert covered - listed() == set()


def written(sent: Sent, send: Callable[[Any], Any]) -> AuditEntry:
    """The entry about the request."""
    sent.before()
    data = sent.data() if callable(sent.data) else sent.data
    Sample.reached.clear()
    last = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    answer = send(data)
    assert answer.status_code < 400, answer.content
    entries = AuditEntry.objects.filter(pk__gt=last)
    found = entries.filter(action=sent.action).first()
    assert found is not None, [str(entry) for entry in entries]
    return found


@pytest.mark.parametrize("route", PAGES)
def test_a_page_that_changes_something_leaves_an_entry(sample, reached, route):
    browser = Client()
    if route != INVITATION:
        browser.force_login(boss())

    entry = written(PAGES[route], lambda data: browser.post(path_of(route), data))

    assert (entry.actor_name or "boss", entry.via, entry.address) == ("boss", "page", "127.0.0.1")
    assert reached <= acts_of(f"POST {route}"), "a door of an act that docs/permissions.md does not list"


@pytest.mark.parametrize("route", STEPS)
def test_a_step_of_a_sign_in_or_of_an_account_leaves_an_entry(sample, route):
    last = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    answer = STEPS[route].send()

    assert f"/{answer.resolver_match.route}" == route
    entries = AuditEntry.objects.filter(pk__gt=last, via="page")
    assert STEPS[route].action in entries.values_list("action", flat=True)
    assert set(entries.values_list("address", flat=True)) == {"127.0.0.1"}


@pytest.mark.parametrize("route", EXPORTS)
def test_an_export_leaves_an_entry(sample, route):
    browser = Client()
    browser.force_login(boss())

    entry = written(Sent("exported"), lambda _: browser.get(path_of(route), {"span": "7d"}))

    assert (entry.actor_name, entry.via) == ("boss", "page")


@pytest.mark.parametrize("operation", API)
def test_an_operation_that_changes_something_leaves_an_entry(sample, reached, operation):
    method, _, route = operation.partition(" ")
    caller = ApiClient.of(boss())

    version = {"If-Match": "*"} if method != "POST" else {}
    entry = written(API[operation], lambda data: caller.send(method, path_of(route), dict(data) or None, **version))

    if route != "/api/v1/enrol":
        assert (entry.actor_name, entry.via, entry.token_name) == ("boss", "api", "a script")
    else:
        assert (entry.actor_name, entry.via) == ("", "terminal")
    assert reached <= acts_of(operation), "a door of an act that docs/permissions.md does not list"


def api_actions() -> list[tuple[str, str]]:
    subjects = [("alerts/{pk}", "alert"), ("alerts", "alert"), ("incidents/{pk}", "incident")]
    return [(subject, name) for subject, kind in subjects for name, action in ACTIONS.items() if getattr(action, kind)]


@pytest.mark.parametrize(("subject", "name"), api_actions())
def test_each_operator_action_leaves_an_entry(sample, subject, name):
    target = ACTIONS[name].incident if subject.startswith("incidents") else ACTIONS[name].alert
    prepare(subject, name)
    body = {**API_ACTIONS.get(name, {})}
    if subject == "alerts":
        body["selection"] = {"ids": [int(Sample.names["/alerts/"])]}
    path = path_of(f"/api/v1/{subject}/{name}")

    entry = written(Sent(target.transition.name.lower(), body), lambda data: ApiClient.of(boss()).post(path, data))

    assert (entry.actor_name, entry.via) == ("boss", "api")
    assert entry.changes["transitions"]
    assert entry.comment == body.get("comment", "")
