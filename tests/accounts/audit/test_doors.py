"""Each door of an act asks the second person that the act needs. The requests are those of `test_coverage.py`."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.db.models import Q
from django.http import HttpResponse
from django.test import Client

from tests.accounts.audit.of_fleet import JOB
from tests.accounts.audit.requests import API, PAGES, boss, path_of, prepare
from tests.accounts.audit.sample import Sample
from tests.support.doors import DOORS, acts_of
from tests.support.factories import now
from tests.support.rest import ApiClient
from tests.support.shift import open_boards
from tms.accounts.models import AuditEntry, User
from tms.approvals import clearance
from tms.approvals.acts import Act
from tms.approvals.kinds import all_kinds
from tms.approvals.models import ApprovalRequest
from tms.fleet.models import Site
from tms.rollouts.models import Rollout, RolloutState

pytestmark = [pytest.mark.both, pytest.mark.django_db]
RESOLVE = {"comment": "tested"}
REBOOT = {"name": "reboot", "answer_within_s": "30", "deliver_within_s": "3600", "sure": "1", "reason": "tested"}


def selected() -> dict[str, Any]:
    return RESOLVE | {"selection": {"ids": [int(Sample.names["/alerts/"])]}}


def elsewhere() -> int:
    return Site.objects.create(code="ELS", name="Elsewhere").pk


def stopped() -> dict[str, Any]:
    Rollout.objects.update(state=RolloutState.STOPPED, started_at=now())
    return {"reason": "chance"}


OTHERS: Mapping[str, Callable[[], Mapping[str, Any]]] = {
    "POST /alerts/<int:pk>/<slug:action>/": lambda: RESOLVE,
    "POST /alerts/<slug:action>/": lambda: RESOLVE | {"alert": Sample.names["/alerts/"]},
    "POST /incidents/<int:pk>/<slug:action>/": lambda: RESOLVE,
    "POST /incidents/<slug:action>/": lambda: RESOLVE | {"incident": Sample.names["/incidents/"]},
    "POST /api/v1/alerts/{pk}/<action>": lambda: RESOLVE,
    "POST /api/v1/alerts/<action>": selected,
    "POST /api/v1/incidents/{pk}/<action>": lambda: RESOLVE,
    "POST /jobs/new/": lambda: JOB | {"command": "reboot", "args_of": "reboot"},
    "POST /api/v1/jobs": lambda: {"name": "Nightly", "command": "reboot", "query": "kind:kiosk"},
    "POST /terminals/<str:uid>/commands/": lambda: REBOOT,
    "POST /api/v1/terminals/{uid}/commands": lambda: {"name": "reboot"},
    "POST /terminals/<str:uid>/manage/": lambda: {"site": elsewhere(), "kind": "kiosk", "label": "Lane 3"},
    "PATCH /api/v1/terminals/{uid}": lambda: {"site": Site.objects.get(pk=elsewhere()).code},
    "POST /rollouts/<int:pk>/continue/": stopped,
    "POST /maintenance/<int:pk>/extend/": lambda: {"minutes": "30", "reason": "tested"},
}
"""Requests of which `test_coverage.py` sends another one, that needs nobody."""


BY_THE_TEST = Q(action="signed-in") | Q(subject_type="accounts.apitoken")
CONFIRMED = {"is_confirmed": "1", "number": "9", "reason": "tested"}
OTHERWISE = {"POST /terminals/<str:uid>/manage/": {"changed"}}
"""What the request does besides, for which nobody is asked."""


@pytest.fixture
def second(sample: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is on shift who may approve anything, and everything needs that."""
    open_boards(User.objects.create_superuser("second"))
    for kind in all_kinds().values():
        monkeypatch.setattr(kind, "is_large", lambda *_: True)
    monkeypatch.setattr(clearance, "has_outgrown", lambda number, agreed: not agreed)


def send(url: str) -> HttpResponse:
    method, _, route = url.partition(" ")
    if url in OTHERS:
        if "action" in route:
            prepare(route.split("/")[-3 if route.endswith("/") else -2].replace("v1", "alerts"), "resolve")
        data: Any = OTHERS[url]()
    else:
        sent = (API | {f"POST {page}": one for page, one in PAGES.items()})[url]
        sent.before()
        data = sent.data() if callable(sent.data) else sent.data
    path = path_of(route.replace("<slug:action>", "resolve").replace("<action>", "resolve"))
    if route.startswith("/api/"):
        version = {"If-Match": "*"} if method == "PATCH" else {}
        answer: HttpResponse = ApiClient.of(boss()).send(method, path, dict(data) or None, **version)
        return answer
    browser = Client()
    browser.force_login(boss())
    shown = browser.post(path, data)
    # What shows its consequences first is sent again, with the confirmation.
    return browser.post(path, dict(data) | CONFIRMED) if shown.status_code == 200 else shown


def test_each_act_is_a_kind_and_a_row_of_the_documents():
    assert set(all_kinds()) == set(DOORS) == set(Act)


@pytest.mark.parametrize("url", sorted(set().union(*DOORS.values())))
def test_a_door_asks_a_second_person(second, url):
    entry, request = latest(AuditEntry), latest(ApprovalRequest)

    answer = send(url)

    asked = set(ApprovalRequest.objects.filter(pk__gt=request).values_list("kind", flat=True))
    is_refused = answer.status_code in (403, 409) or answer.headers.get("Location", "").startswith("/terminals/edit/")
    assert asked or is_refused, answer.content[:300]
    assert asked <= acts_of(url)
    done = set(AuditEntry.objects.filter(pk__gt=entry).exclude(BY_THE_TEST).values_list("action", flat=True))
    assert done <= {"requested", *OTHERWISE.get(url, ())}


def latest(model: type[AuditEntry | ApprovalRequest]) -> int:
    return model.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
