"""The access of each person to each URL by each method, as in `matrix.txt`. With `-s` the outcome is printed.

Addresses come from the URL patterns and from the OpenAPI document. One that answers a method for which the table
names nobody fails the test.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.http.cookie import SimpleCookie
from django.test import Client
from django.urls import get_resolver

from tests.support import people
from tests.support.accounts.directory import Directory, service_account
from tests.support.addresses.fixture_fleet import create_rows
from tests.support.addresses.routes import Rows, routes_of
from tests.support.builders import Fleet
from tests.support.factories import now
from tms.accounts import api_tokens, roles
from tms.accounts.models import TokenScope, User
from tms.alerts.actions.registry import ACTIONS
from tms.main.api_v1 import api
from tms.notifications.models.destination import Destination

TABLE = Path(__file__).with_name("matrix.txt")
TERMINAL = "terminal"
"""The word for addresses that only the credential of a terminal opens."""
RANKS = ("everyone", "signed-in", "Viewer", "Operator", "Manager", "superuser", "nobody")
"""Each word of the table permits access from its position on; `nobody` excludes even superusers."""
TAKES_TOKENS = re.compile(r"^/artifacts/uploads/")
PEOPLE = {"stranger": 0, "no group": 1, "viewer": 2, "operator": 3, "manager": 4, "superuser": 5}
PAGE_METHODS, API_METHODS = ("GET", "POST"), ("GET", "POST", "PUT", "PATCH", "DELETE")
YES, NO, SIGN_IN, NO_METHOD = "yes", "403", "sign in", "405"
MAY_BE_MISSING = re.compile(
    r"/restore/$|^/invitation/|/key/?$|/notes/|^/me/(tokens|sessions|providers|browsers)/|^/act/|^/demo/|/(acs|metadata)/$|"
    r"^/artifacts/(add|uploads)/|^/download/|^/ddi/|"
    r"^/api/v1/(<anything:rest>)?$|^/labels/tag/"
)


type Found = dict[tuple[str, str], dict[str, str]]
"""The outcome for each visitor, by route and method."""


class Way(NamedTuple):
    """A URL pattern, and the same URL with objects that exist."""

    route: str
    path: str


# URLs


def page_ways(rows: Rows) -> list[Way]:
    """All but the API's operations, which come from OpenAPI, and SCIM."""
    operations = {re.sub(r"{(?:\w+:)?(\w+)}", r"<\1>", path) for path in api.get_openapi_schema()["paths"]}
    routes = dict.fromkeys(route for route in routes_of(get_resolver()) if not route.startswith("/scim/"))
    plain = {route: re.sub(r"<\w+:(\w+)>", r"<\1>", route) for route in routes}
    return [Way(route, rows.fill(route)) for route in routes if plain[route] not in operations]


def api_ways(rows: Rows) -> list[Way]:
    return [Way(path, rows.fill(path)) for path in api.get_openapi_schema()["paths"]]


def scim_routes() -> list[str]:
    """The routes of SCIM whose answer is neither 404 nor 501."""
    absent = re.compile(r"/(|<path:rest>|(Users/|Groups/)?\.search|Bulk|Me)$")
    return [route for route in routes_of(get_resolver()) if route.startswith("/scim/") and not absent.search(route)]


# People and objects


def rows_of(fleet: Fleet) -> Rows:
    """One of everything; the destination is by e-mail, so that no test message leaves."""
    boss = User.objects.create_superuser("aa")  # the first row; never used to sign in
    names = create_rows(fleet, boss) | {"/destinations/": str(Destination.objects.get(kind="email").pk)}
    others = {
        "/rules/new/": "above",
        "/import/template/": "sites",
        "/export/": "sites",
        "/api/v1/commands/": "ping",
        "/ddi/1/controller/v1/1/cancelAction/": "1",
        "/ddi/1/controller/v1/1/deploymentBase/": "1",
        "kind": "email",
        "action": "comment",
        "digest": "0",
        "rest": "nowhere",
    }
    return Rows(names, others)


def people_by_role() -> dict[str, User | None]:
    groups = {"no group": "", "viewer": "Viewer", "operator": "Operator", "manager": "Manager"}
    made = {name: people.person(name.replace(" ", "-"), of=of) for name, of in groups.items()}
    return {"stranger": None, **made, "superuser": User.objects.create_superuser("boss")}


# Outcomes


def outcome(answer: HttpResponse) -> str:
    if answer.status_code == 401 or (answer.status_code == 302 and "/sign-in/?next=" in answer["Location"]):
        return SIGN_IN
    return {403: NO, 405: NO_METHOD}.get(answer.status_code, YES)


def expected(need: str | None, rank: int) -> str:
    if need is None:
        return SIGN_IN if rank == 0 else NO_METHOD
    if need == TERMINAL:
        return SIGN_IN
    if rank >= RANKS.index(need):
        return YES
    return SIGN_IN if rank == 0 else NO


def fits(got: str, wanted: str) -> bool:
    """An anonymous visitor may get 405 instead of a redirect to the sign-in page."""
    return got == wanted or (got, wanted) == (NO_METHOD, SIGN_IN)


class Visitor:
    """Send a request as one person; its changes are rolled back."""

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
    """The word of each method, by route. Every signed-in person may read the API."""
    lines = (line.split() for line in TABLE.read_text().splitlines() if line and not line.startswith("#"))
    words = {route: dict(word.split("=") for word in rest) for route, *rest in lines}
    table = {one: of for route in words for one, of in lines_of(route, words[route])}
    for path, operations in api.get_openapi_schema()["paths"].items():
        table[path] = ({"GET": "signed-in"} if "get" in operations else {}) | table.get(path, {})
    return table


def lines_of(route: str, words: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The routes of one line: `<action>` of the API for every operator action."""
    if route.startswith("/api/") and "<action>" in route:
        subject = "incident" if "incidents" in route else "alert"
        for name, action in ACTIONS.items():
            if getattr(action, subject):
                yield route.replace("<action>", name), words
    else:
        yield route, words


def look(ways: Iterable[Way], methods: Iterable[str], visitors: dict[str, Visitor], ranks: dict[str, int]) -> Found:
    """The outcomes by route and method. The last visitor is the superuser."""
    found, table = {}, listed()
    for way in ways:
        for method in methods:
            need = table.get(way.route, {}).get(method)
            answers = ask(method, way.path, visitors, decisive(need, ranks))
            found[way.route, method] = {name: outcome(answer) for name, answer in answers.items()}
            last = answers[list(visitors)[-1]]
            assert last.status_code < 500 or last.status_code == 503, (method, way.path)
            is_missing = last.status_code == 404 and not MAY_BE_MISSING.search(way.route)
            assert not is_missing or need is None, (method, way.path, "names nothing")
    return found


def decisive(need: str | None, ranks: dict[str, int]) -> list[str]:
    """Who is not signed in, and the last who is refused and the first who has access: see `test_ranks_are_nested`."""
    if need in (None, TERMINAL):
        return list(ranks)
    bound = RANKS.index(need)
    refused = [rank for rank in ranks.values() if rank < bound]
    permitted = [rank for rank in ranks.values() if rank >= bound]
    asked = {0, *refused[-1:], *permitted[:1]}
    return [name for name, rank in ranks.items() if rank in asked]


def ask(method: str, path: str, visitors: dict[str, Visitor], names: list[str]) -> dict[str, HttpResponse]:
    """The responses to the superuser, and to `names` if the method exists for the superuser."""
    superuser = list(visitors)[-1]
    last = visitors[superuser].ask(method, path)
    if outcome(last) == NO_METHOD:
        return {superuser: last}
    return {name: visitors[name].ask(method, path) for name in names if name != superuser} | {superuser: last}


def judge(found: Found, ranks: dict[str, int]) -> None:
    table = listed()
    show(found, list(ranks))
    answered = {asked for asked, got in found.items() if set(got.values()) - {NO_METHOD, SIGN_IN}}
    unlisted = sorted(f"{method} {route}" for route, method in answered if method not in table.get(route, {}))
    assert not unlisted, f"{TABLE.name} does not say who may {', '.join(unlisted)}"
    wrong = {
        (route, method, name): (one, wanted)
        for (route, method), got in found.items()
        for name, one in got.items()
        if not fits(one, wanted := expected(table.get(route, {}).get(method), rank_of(name, route, ranks)))
    }
    assert wrong == {}


def rank_of(name: str, route: str, ranks: dict[str, int]) -> int:
    """A token has its person's rank where tokens are taken, too."""
    return PEOPLE["superuser"] if name == "a token" and TAKES_TOKENS.search(route) else ranks[name]


def show(found: Found, names: list[str]) -> None:
    """The outcomes as a table; empty for those who were not asked for."""
    print("\n| method | address | " + " | ".join(names) + " |\n|---|---|" + "---|" * len(names))
    for (route, method), got in found.items():
        if set(got.values()) != {NO_METHOD}:
            print(f"| {method} | `{route}` | " + " | ".join(got.get(name, "") for name in names) + " |")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of refusals need no log."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def rows(fleet, settings, monkeypatch) -> Rows:
    """Pages are not rendered: access is decided before."""
    monkeypatch.setattr("tms.boards.rendering.template_engine.PageTemplate.render", lambda *_, **__: "")
    settings.API_PER_MINUTE = settings.API_BURST = 100_000
    return rows_of(fleet)


def test_ranks_are_nested():
    """So the last person who is refused and the first who has access stand for the others."""
    assert roles.VIEWER <= roles.OPERATOR <= roles.LEAD <= roles.ADMINISTRATOR


def test_pages(rows):
    persons = people_by_role()
    visitors = {name: Visitor(person) for name, person in persons.items()}
    visitors = {"a token": Visitor(persons["superuser"], by_token=True), **visitors}

    ranks = {"a token": 0} | PEOPLE
    judge(look(page_ways(rows), PAGE_METHODS, visitors, ranks), ranks)


def test_the_api_by_token(rows):
    """A session grants no access here; a token has the permissions of its person."""
    persons = people_by_role()
    visitors = {name: Visitor(person, by_token=True) for name, person in persons.items()}
    visitors = {"a session": Visitor(persons["superuser"]), **visitors}

    ranks = {"a session": 0} | PEOPLE
    judge(look(api_ways(rows), API_METHODS, visitors, ranks), ranks)


def test_the_table_lists_no_removed_url(rows):
    people_by_role()
    known = {*scim_routes(), *(way.route for ways in (page_ways, api_ways) for way in ways(rows))}

    assert listed().keys() - known == set()


def test_scim_is_for_the_directory_only(db):
    """Its token is refused everywhere else: `scim/test_protocol.py`."""
    directory, boss = Directory(service_account()), User.objects.create_superuser("boss")
    others = [Directory(directory.account, scope=TokenScope.FULL), Directory(boss)]
    browser = people.signed_in(boss)

    for route in scim_routes():
        may = {method for method, who in listed()[route].items() if who == "directory"}
        path = re.sub(r"<\w+:\w+>", "nothing", route)
        for method in API_METHODS:
            answers = [other.send(method, path.removeprefix("/scim/v2/")).status_code for other in others]
            answers.append(browser.generic(method, path).status_code)
            assert answers == ([403, 403, 401] if method in may else [405, 405, 405]), (method, route)
            own = directory.send(method, path.removeprefix("/scim/v2/")).status_code
            assert own in ({200, 400, 404} if method in may else {405}), (method, route)
