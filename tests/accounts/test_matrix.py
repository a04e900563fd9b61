"""Who may do what: each person at each address by each method, as `matrix.txt` says. With `-s` the outcome is printed.

Addresses come from the URL patterns and from the OpenAPI document; one that the table does not list fails the test.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import HttpResponse
from django.http.cookie import SimpleCookie
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.support import factories, people
from tests.support.builders import Fleet
from tests.support.factories import now
from tms.accounts import api_tokens
from tms.accounts.models import AuditEntry, User
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import Scope
from tms.fleet.credentials import enrolment
from tms.fleet.models import Credential, Group
from tms.fleet.models.node import Node
from tms.lib.calendar.recurrence import Recurrence
from tms.main.api_v1 import api
from tms.notifications.models.delivery import Delivery, DeliveryState, NotificationKind
from tms.notifications.models.destination import Destination
from tms.notifications.models.digest_plan import DigestPlan
from tms.notifications.models.policy import Policy
from tms.notifications.models.rotation import Cover, Rotation
from tms.shifts import notes

TABLE = Path(__file__).with_name("matrix.txt")
RANKS = ("everyone", "signed-in", "Viewer", "Operator", "Manager", "superuser", "nobody")
"""Each word of the table lets through those from its place on; `nobody` not even superusers."""
PEOPLE = {"stranger": 0, "no group": 1, "viewer": 2, "operator": 3, "manager": 4, "superuser": 5}
PAGE_METHODS, API_METHODS = ("GET", "POST"), ("GET", "POST", "PUT", "PATCH", "DELETE")
YES, NO, SIGN_IN, NO_METHOD = "yes", "403", "sign in", "405"
MAY_BE_MISSING = re.compile(r"/restore/$|/key/?$|/notes/|^/api/v1/(<anything:rest>)?$|^/admin/\(\?P<url>|^/admin/r/")


class Way(NamedTuple):
    """An address as the code writes it, and the same with objects that exist."""

    route: str
    path: str


class Rows(NamedTuple):
    """The objects that addresses name."""

    by_place: dict[str, str]
    names: dict[str, str]

    def fill(self, route: str) -> str:
        """`/alerts/<int:pk>/` → `/alerts/7/`."""
        place = route.removeprefix("/api/v1").strip("/").partition("/<")[0].partition("/{")[0]
        names = self.names | {"pk": self.by_place.get(place, "1")} | ({"kind": "above"} if place == "rules/new" else {})
        return re.sub(r"[<{](?:\w+:)?(\w+)[>}]", lambda found: names[found[1]], route)


# Addresses


def patterns(resolver: Any, before: str = "/") -> Iterator[str]:
    for each in resolver.url_patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLPattern):
            yield route
        elif isinstance(each, URLResolver):
            yield from patterns(each, route)


def page_ways(rows: Rows) -> list[Way]:
    """All but the API's operations, which OpenAPI lists, and the admin."""
    operations = {re.sub(r"{(?:\w+:)?(\w+)}", r"<\1>", path) for path in api.get_openapi_schema()["paths"]}
    routes = dict.fromkeys(route for route in patterns(get_resolver()) if not route.startswith("/admin/"))
    plain = {route: re.sub(r"<\w+:(\w+)>", r"<\1>", route) for route in routes}
    return [Way(route, rows.fill(route)) for route in routes if plain[route] not in operations]


def api_ways(rows: Rows) -> list[Way]:
    return [Way(path, rows.fill(path)) for path in api.get_openapi_schema()["paths"]]


def admin_ways(rows: Rows) -> list[Way]:
    routes = dict.fromkeys(route for route in patterns(get_resolver()) if route.startswith("/admin/"))
    return [Way(route, admin_path(route, rows)) for route in routes]


def admin_path(route: str, rows: Rows) -> str:
    if "autocomplete" in route:
        return f"{route}?app_label=fleet&model_name=terminal&field_name=site&term="
    if "app_label" in route:
        return "/admin/fleet/"
    if "(?P<url>" in route:
        return "/admin/nowhere/"
    app, _, name = route.removeprefix("/admin/").partition("/")
    label = f"{app}.{name.partition('/')[0]}"
    model = next((one for one in admin.site._registry if one._meta.label_lower == label), None)
    if model is None:
        return rows.fill(route)
    row = model._default_manager.order_by("pk").first()
    assert row is not None, f"the test makes no row of {model}"
    return re.sub(r"<(path:object_)?id>", str(row.pk), route)


# The world


def furnish(fleet: Fleet) -> Rows:
    boss = User.objects.create_superuser("aa")  # its row comes first; nobody acts as it
    unseen = fleet.terminal()
    site = unseen.site
    alert = factories.alert(fleet, site=site)
    incident = factories.incident(fleet, "OSK")
    rule = fleet.metric_rule()
    recurrence = Recurrence(ZoneInfo("Asia/Tokyo"), datetime.fromisoformat("2030-01-01T09:00"), timedelta(hours=1))
    window = services.plan(recurrence, Scope(sites=[site]), note="Floor", by=boss, at=now())
    note = notes.write("Look at gate 3", by=boss, at=now())
    destination = Destination(kind="email", name="NOC", language="en")
    destination.set_address("noc@example.com")
    destination.save()
    policy = Policy.objects.create(name="Nights", group_wait_s=0)
    rotation = Rotation.objects.create(name="Nights", starts_on=date(2026, 1, 5), handover_at=time(9))
    cover = Cover.objects.create(rotation=rotation, person=boss, since=now(), until=now(3600), by=boss)
    soon = {"created_at": now(), "due_at": now(), "give_up_at": now()}
    delivery = Delivery.objects.create(
        destination=destination, key="k", kind=NotificationKind.OPENED, language="en", state=DeliveryState.DEAD, **soon
    )
    plan = DigestPlan.objects.create(
        destination=destination, times="06:00", time_zone="Asia/Tokyo", covered_until=now(), next_at=now(3600)
    )
    fleet.command(alert.terminal, at=now())
    of_the_admin(boss, site)
    places = {
        "alerts": alert,
        "incidents": incident,
        "maintenance": window,
        "rules": rule,
        "digest/notes": note,
        "notes": note,
        "digest/plans": plan,
        "destinations": destination,
        "policies": policy,
        "rotations": rotation,
        "deliveries": delivery,
    }
    kind = ContentType.objects.get_for_model(type(alert))
    return Rows(
        {place: str(row.pk) for place, row in places.items()},
        {
            "digest": "0",
            "uid": alert.terminal.uid,
            "code": site.code,
            "cover": str(cover.pk),
            "action": "comment",
            "kind": "email",
            "factor": "site",
            "rest": "nowhere",
            "content_type_id": str(kind.pk),
            "object_id": str(alert.pk),
        },
    )


def of_the_admin(boss: User, site: Any) -> None:
    """A row for each list of the admin."""
    api_tokens.issue(boss, name="Bridge", at=now())
    enrolment.make_token(site, by=boss, at=now(), valid=timedelta(hours=1))
    assert Credential.objects.exists()
    Group.objects.create(name="Gates")
    Node.objects.create(name="here", started_at=now(), heartbeat_at=now())
    AuditEntry.objects.create(via="page", action="changed", subject_type="x", subject_id="1", subject_name="x")
    AccessAttempt.objects.create(username="x", ip_address="10.0.0.1", failures_since_start=1)
    for model in (AccessFailureLog, AccessLog):
        model.objects.create(username="x", ip_address="10.0.0.1")


def crew() -> dict[str, User | None]:
    """All of them staff, who may open the admin: that alone shows nothing."""
    groups = {"no group": "", "viewer": "Viewer", "operator": "Operator", "manager": "Manager"}
    made = {name: people.person(name.replace(" ", "-"), of=of, is_staff=True) for name, of in groups.items()}
    return {"stranger": None, **made, "superuser": User.objects.create_superuser("boss")}


# Outcomes


def outcome(answer: HttpResponse) -> str:
    if answer.status_code == 401 or (answer.status_code == 302 and "/sign-in/?next=" in answer["Location"]):
        return SIGN_IN
    if answer.status_code == 302 and re.match(r"/admin/(login/|$)", answer["Location"]):
        return SIGN_IN
    return {403: NO, 405: NO_METHOD}.get(answer.status_code, YES)


def expected(need: str | None, rank: int) -> str:
    if need is None:
        return SIGN_IN if rank == 0 else NO_METHOD
    if rank >= RANKS.index(need):
        return YES
    return SIGN_IN if rank == 0 else NO


def fits(got: list[str], wanted: list[str]) -> bool:
    """A stranger may learn that there is no such method, instead of being asked to sign in."""
    return all(one == other or (one, other) == (NO_METHOD, SIGN_IN) for one, other in zip(got, wanted, strict=True))


class Visitor:
    """Asks as one person; what it does is taken back."""

    def __init__(self, person: User | None, *, by_token: bool = False) -> None:
        self._client = Client(raise_request_exception=True)
        self._headers: dict[str, str] = {}
        if person is not None and by_token:
            self._headers["Authorization"] = f"Bearer {api_tokens.issue(person, name='matrix', at=now())[1]}"
        elif person is not None:
            self._client.force_login(person)
        self._cookies = SimpleCookie(self._client.cookies.output(header=""))

    def ask(self, method: str, path: str) -> HttpResponse:
        self._client.cookies = SimpleCookie(self._cookies.output(header="", sep=";"))
        is_api = path.startswith("/api/")
        kind = "application/json" if is_api else "application/x-www-form-urlencoded"
        body = b"{}" if is_api and method != "GET" else b""
        with transaction.atomic():
            answer = self._client.generic(method, path, body, content_type=kind, headers=self._headers)
            transaction.set_rollback(True)
        return answer


def listed() -> dict[str, dict[str, str]]:
    """By route: the word of each method. `<action>` in a path of the API stands for every operator action."""
    lines = (line.split() for line in TABLE.read_text().splitlines() if line and not line.startswith("#"))
    table = {route: dict(word.split("=") for word in words) for route, *words in lines}
    return {one: words for route, words in table.items() for one in of_each_action(route)}


def of_each_action(route: str) -> list[str]:
    if not route.startswith("/api/") or "<action>" not in route:
        return [route]
    subject = "incident" if "incidents" in route else "alert"
    return [route.replace("<action>", name) for name, action in ACTIONS.items() if getattr(action, subject)]


def look(ways: Iterable[Way], methods: Iterable[str], visitors: dict[str, Visitor]) -> dict[tuple[str, str], list[str]]:
    """Of each route and method what each visitor got."""
    found = {}
    for way in ways:
        for method in methods:
            answers = {name: visitor.ask(method, way.path) for name, visitor in visitors.items()}
            found[way.route, method] = [outcome(answer) for answer in answers.values()]
            last = answers[list(answers)[-1]]
            assert last.status_code < 500 or last.status_code == 503, (method, way.path)
            is_missing = last.status_code == 404 and not MAY_BE_MISSING.search(way.route)
            assert not is_missing or method not in listed().get(way.route, {}), (method, way.path, "names nothing")
    return found


def judge(found: dict[tuple[str, str], list[str]], ranks: dict[str, int]) -> None:
    table = listed()
    show(found, list(ranks))
    unlisted = sorted({route for route, _ in found} - table.keys())
    assert not unlisted, f"{TABLE.name} lacks {unlisted}"
    wrong = {
        (route, method): (got, wanted)
        for (route, method), got in found.items()
        if not fits(got, wanted := [expected(table[route].get(method), rank) for rank in ranks.values()])
    }
    assert wrong == {}


def show(found: dict[tuple[str, str], list[str]], names: list[str]) -> None:
    print("\n| method | address | " + " | ".join(names) + " |\n|---|---|" + "---|" * len(names))
    for (route, method), got in found.items():
        if set(got) != {NO_METHOD}:
            print(f"| {method} | `{route}` | " + " | ".join(got) + " |")


@pytest.fixture
def rows(fleet, settings, monkeypatch) -> Rows:
    """No page is rendered: what is decided here is decided before."""
    monkeypatch.setattr("tms.boards.rendering.template_engine.PageTemplate.render", lambda *_, **__: "")
    settings.API_PER_MINUTE = settings.API_BURST = 100_000
    return furnish(fleet)


def test_pages(rows):
    persons = crew()
    visitors = {name: Visitor(person) for name, person in persons.items()}
    visitors = {"a token": Visitor(persons["superuser"], by_token=True), **visitors}

    judge(look(page_ways(rows), PAGE_METHODS, visitors), {"a token": 0} | PEOPLE)


def test_the_admin(rows):
    persons = crew()
    visitors = {name: Visitor(person) for name, person in persons.items()}
    visitors = {"a token": Visitor(persons["superuser"], by_token=True), **visitors}

    judge(look(admin_ways(rows), PAGE_METHODS, visitors), {"a token": 0} | PEOPLE)


def test_the_api_by_token(rows):
    """A session opens nothing here; a token may what its person may."""
    persons = crew()
    visitors = {name: Visitor(person, by_token=True) for name, person in persons.items()}
    visitors = {"a session": Visitor(persons["superuser"]), **visitors}

    judge(look(api_ways(rows), API_METHODS, visitors), {"a session": 0} | PEOPLE)


def test_the_table_lists_nothing_that_is_gone(rows):
    crew()
    known = {way.route for ways in (page_ways, api_ways, admin_ways) for way in ways(rows)}

    assert listed().keys() - known == set()
