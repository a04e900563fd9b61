"""No response names what lies outside of a person's scope.

A small fleet, people with grants of each kind, and every page, export and GET operation. `LEAK_EXAMPLES=500` also
tries as many random fleets with random grants, and prints how many responses it read.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.test import Client
from django.urls import get_resolver
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.support import people
from tests.support.accounts import screens
from tests.support.addresses.routes import routes_of
from tests.support.addresses.scoped_fleet import ScopedFleet, Shape, create_fleet
from tests.support.factories import now
from tms.accounts import api_tokens
from tms.accounts.models import User, WallScreen
from tms.accounts.screens import pairing
from tms.fleet.models import Site, Terminal
from tms.main.api_v1 import api
from tms.notifications.digests import services as digests
from tms.notifications.models import Destination

EXAMPLES = int(os.environ.get("LEAK_EXAMPLES", "0"))
REGIONS = ("", "zqreg1x", "zqreg2x")
NOT_READ = re.compile(r"^/(admin|health|metrics|sign-|slo|static|favicon|accounts|me/)|/restore/|/delete/$|/key/$")
SEARCHES = (
    *("/terminals/?q=zq", "/alerts/?q=zq", "/alerts/past/?q=zq", "/alerts/past/export/?q=zq", "/incidents/?q=zq"),
    *("/search/?q=zq", "/search/?q=%3Ezq", "/search/?q=maintenance+zq", "/api/v1/search?q=zq&limit=50"),
)
REPLAYED = ("/", "/alerts/", "/alerts/<>/", "/incidents/<>/", "/terminals/<>/")
PHASES = (Phase.explicit, Phase.generate) if EXAMPLES else (Phase.explicit,)
"""A failure names the address and the grants: a smaller fleet would take minutes to find."""
counted: Counter[str] = Counter()


@st.composite
def shapes(draw: Any) -> Shape:
    sites = draw(st.lists(st.tuples(st.sampled_from(REGIONS), st.integers(1, 2)), min_size=2, max_size=3))
    groups = draw(st.lists(st.frozensets(st.integers(0, 5), min_size=1, max_size=3), max_size=2))
    return Shape(tuple(sites), tuple(groups))


grants = st.lists(
    st.tuples(
        st.sampled_from(("Viewer", "Operator", "Administrator")),
        st.sampled_from(("site", "site", "region", "group")),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=2,
)


class Oracle:
    """What grants cover, without `tms.accounts.access`: terminals one by one."""

    def __init__(self, fleet: ScopedFleet, scopes: list[dict[str, Any]]) -> None:
        self._fleet = fleet
        self._scopes = scopes
        self.terminals = {one for one in fleet.terminals if any(self._covers(scope, one) for scope in scopes)}
        self.sites = {site for site in fleet.sites if any(self._covers_site(scope, site) for scope in scopes)}
        self.sites |= {terminal.site for terminal in self.terminals}
        self.groups = {scope["group"] for scope in scopes if "group" in scope}
        self.groups |= {one for one in fleet.groups if self.terminals & set(one.terminals.all())}

    def hidden(self) -> dict[str, Any]:
        """The marks of rows that the person must not see."""
        rows = [
            *(set(self._fleet.terminals) - self.terminals),
            *(set(self._fleet.sites) - self.sites),
            *(set(self._fleet.groups) - self.groups),
            *(row for row in self._fleet.owned if not self._sees_owned(row)),
            *(screen for screen in self._fleet.screens if not self._sees_screen(screen)),
            *(rule for rule in self._fleet.rules if not self._sees_rule(rule)),
            *(window for window in self._fleet.windows if not self._sees_window(window)),
        ]
        return {self._fleet.mark(row): row for row in rows}

    def _covers(self, scope: dict[str, Any], terminal: Terminal) -> bool:
        group = scope.get("group")
        return self._covers_site(scope, terminal.site) or (group and group.terminals.filter(pk=terminal.pk).exists())

    def _covers_site(self, scope: dict[str, Any], site: Site) -> bool:
        return scope.get("site") == site or bool(scope.get("region") and scope["region"] == site.region)

    def _sees_owned(self, row: Any) -> bool:
        if row.owner_region:
            return row.owner_region in {site.region for site in self.sites}
        if row.owner_site:
            return row.owner_site in self.sites
        return row.owner_group in {None, *self.groups} and bool(self._scopes)

    def _sees_screen(self, screen: WallScreen) -> bool:
        """If a grant covers its scope; the wall of a screen shows its own name."""
        own = {name: row for name in ("region", "site", "group") if (row := getattr(screen, name))}
        in_region = any(screen.site and scope.get("region") == screen.site.region != "" for scope in self._scopes)
        return in_region or (own in self._scopes and bool(own))

    def _sees_rule(self, rule: Any) -> bool:
        return bool(self._scopes) and rule.site in {None, *self.sites} and rule.group in {None, *self.groups}

    def _sees_window(self, window: Any) -> bool:
        covered = (window.sites, self.sites), (window.groups, self.groups), (window.terminals, self.terminals)
        return any(set(rows.all()) & seen for rows, seen in covered)


def scope_of(fleet: ScopedFleet, kind: str, number: int) -> dict[str, Any]:
    """One that exists in the fleet; a site if there is no such region or group."""
    if kind == "region" and REGIONS[number]:
        return {"region": REGIONS[number]}
    if kind == "group" and fleet.groups:
        return {"group": fleet.groups[number % len(fleet.groups)]}
    return {"site": fleet.sites[number % len(fleet.sites)]}


def addresses(fleet: ScopedFleet, number: int) -> Iterator[str]:
    """Every page and GET operation, with this object of each kind, and the pages that can be replayed."""
    operations = {path for path, of in api.get_openapi_schema()["paths"].items() if "get" in of}
    api_routes = {re.sub(r"[{<](?:\w+:)?(\w+)[}>]", "<>", path) for path in operations}
    for route in dict.fromkeys(routes_of(get_resolver())):
        plain = re.sub(r"<(?:\w+:)?\w+>", "<>", route)
        if NOT_READ.search(route) or (route.startswith("/api/") and plain not in api_routes):
            continue
        address = fill(plain, number, fleet)
        yield address
        if plain in REPLAYED:
            yield f"{address}?at={now():%Y-%m-%dT%H:%M:%SZ}"
    yield from SEARCHES


def fill(route: str, number: int, fleet: ScopedFleet) -> str:
    owned = {
        kind.__name__: [row.pk for row in fleet.owned if isinstance(row, kind)]
        for kind in {type(row) for row in fleet.owned}
    }
    known: dict[str, list[Any]] = {
        "sites": [site.code for site in fleet.sites],
        "terminals": [terminal.uid for terminal in fleet.terminals],
        "alerts": [alert.pk for alert in fleet.alerts],
        "incidents": [incident.pk for incident in fleet.incidents],
        "rules": [rule.pk for rule in fleet.rules],
        "maintenance": [window.pk for window in fleet.windows],
        "deliveries": [sent.pk for sent in fleet.deliveries],
        "destinations": owned["Destination"],
        "policies": owned["Policy"],
        "rotations": owned["Rotation"],
        "notes": owned["Note"],
    }
    while "<>" in route:
        kind = route.partition("<>")[0].rstrip("/").rpartition("/")[2]
        route = route.replace("<>", str(known.get(kind, ["acknowledge"])[number]), 1)
    return route


def text_of(answer: Any) -> str:
    async def streamed() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    body = async_to_sync(streamed)() if answer.streaming else answer.content
    return body.decode(errors="replace").lower()


def leaks(fleet: ScopedFleet, person: User, hidden: dict[str, Any], *, number: int) -> dict[str, set[str]]:
    """Address → the marks of rows outside of the scope that its response has."""
    browser, found = Client(), {}
    statuses: Counter[str] = Counter()
    browser.force_login(person)
    token = api_tokens.issue(person, name="leaks", at=now())[1]
    for address in addresses(fleet, number):
        headers = {"Authorization": f"Bearer {token}"} if address.startswith("/api/") else {}
        answer = browser.get(address, headers=headers)
        assert answer.status_code < 500, address
        text = text_of(answer)
        statuses[str(answer.status_code)] += 1
        if named := {mark for mark in hidden if mark in text and mark not in address.lower()}:
            found[address] = named
    assert statuses["200"] > statuses.total() / 3, f"too few pages were shown to mean anything: {statuses}"
    counted.update(statuses)
    return found


def check_walls(fleet: ScopedFleet) -> None:
    """The wall of a screen has what its scope covers."""
    for screen, secret in fleet.secrets.items():
        scope = {name: row for name in ("region", "site", "group") if (row := getattr(screen, name))}
        if scope:
            wall = screens.television(secret).get("/wall/").content.decode().lower()
            assert fleet.mark(screen) in wall
            assert not {mark for mark in Oracle(fleet, [scope]).hidden() if mark in wall}, scope


def check_digests(fleet: ScopedFleet) -> None:
    """The digest of a destination has what its owner covers."""
    for row in fleet.owned:
        if isinstance(row, Destination) and row.owner:
            owner = {"region": row.owner_region, "site": row.owner_site, "group": row.owner_group}
            oracle = Oracle(fleet, [{name: value for name, value in owner.items() if value}])
            sent = digests.send(row, now(-3_600), now(60), zone=ZoneInfo("UTC"), to=None, at=now())
            if not row.owner.is_everything:
                leaked = {mark for mark in oracle.hidden() if mark in str(sent.content).lower()}
                assert not leaked, (row.owner, leaked)


@pytest.fixture
def unlimited(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.API_PER_MINUTE = settings.API_BURST = 1_000_000
    monkeypatch.setattr(pairing, "CODES_OF_NETWORK", 1_000_000)


@pytest.fixture
def reported() -> Iterator[None]:
    """With many examples, prints how many responses were read."""
    yield
    if EXAMPLES >= 10:
        print(f"\n{dict(counted)}")


@settings(
    max_examples=max(EXAMPLES, 1), suppress_health_check=list(HealthCheck), derandomize=EXAMPLES < 100, phases=PHASES
)
@example(
    shape=Shape((("zqreg1x", 1), ("zqreg2x", 2), ("", 1)), (frozenset({0, 1}), frozenset({3}))),
    first=[("Operator", "site", 0)],
    second=[("Viewer", "region", 2), ("Administrator", "group", 1)],
)
@given(shape=shapes(), first=grants, second=grants)
def test_no_response_names_what_is_outside_of_the_scope(fleet, unlimited, reported, shape, first, second):
    with transaction.atomic():
        boss = people.person("zqboss", of="Manager")
        made = create_fleet(fleet, shape, boss)
        Terminal.objects.update(created_at=now(-3_600))  # a replay shows a time in which they existed
        for number, (name, held) in enumerate((("mori", first), ("sato", second))):
            person = people.person(name, of=None)
            scopes = [scope_of(made, kind, number) for _role, kind, number in held]
            for (role, _kind, _number), scope in zip(held, scopes, strict=True):
                people.grant(person, role, **scope)
            assert leaks(made, person, Oracle(made, scopes).hidden(), number=-number) == {}, scopes
        check_digests(made)
        check_walls(made)
        counted["fleets"] += 1
        transaction.set_rollback(True)
