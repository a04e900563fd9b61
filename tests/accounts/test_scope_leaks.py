"""No response names what lies outside of a person's scope.

A small fleet, people with grants of each kind, and every page, export and GET operation. `LEAK_EXAMPLES=500` also
tries as many random fleets with random grants, and prints how many responses it read.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.urls import Resolver404, get_resolver, resolve
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.support import people
from tests.support.accounts import screens
from tests.support.addresses.routes import routes_of
from tests.support.addresses.scoped_fleet import ScopedFleet, Shape, create_fleet
from tests.support.factories import now
from tms.accounts import api_tokens
from tms.accounts.access import within
from tms.accounts.models import User, WallScreen
from tms.accounts.roles import built_in
from tms.accounts.screens import pairing
from tms.alerts.models import Alert
from tms.boards.pages import RenderContext, page_at
from tms.boards.rendering.renderer import render_part_for_frame
from tms.feed.cache import FeedCache
from tms.fleet.models import Site, Terminal
from tms.lib.per_process import reset_all
from tms.main.api_v1 import api
from tms.notifications.messages.content import compose
from tms.notifications.models import Delivery, Destination, Policy, Rotation
from tms.notifications.planned.digests import services as digests
from tms.shifts.models import Note

EXAMPLES = int(os.environ.get("LEAK_EXAMPLES", "0"))
REGIONS = ("", "zqreg1x", "zqreg2x")
NOT_READ = {
    "for visitors, without rows": r"/(sign-in|invitation|act|icons?|manifest|worker|health|metrics)\b",
    "for the token of a directory": r"/scim/",
    "a description without rows": r"/api/v1/openapi\.json",
    "its text is not readable in the file; it shows what pages show": r"/(availability|inspections)/pdf/",
}
"""Why → what is not opened."""
PATTERN_NOT_READ = re.compile("|".join(NOT_READ.values()))
SEARCHES = (
    *("/terminals/?q=zq", "/alerts/?q=zq", "/alerts/past/?q=zq", "/alerts/past/export/?q=zq", "/incidents/?q=zq"),
    *("/search/?q=zq", "/search/?q=%3Ezq", "/search/?q=maintenance+zq", "/api/v1/search?q=zq&limit=50"),
    *("/people/?q=zq", "/digest/?span=7d", "/alerts/resolve/?all=1", "/alerts/snooze/?all=1"),
    *(f"/suggestions/{kind}/?q=zq{needed}" for kind in ("sites", "terminals") for needed in ("", "&for=edit_rules")),
)
REPLAYED = (
    *("/", "/alerts/", "/alerts/?state=resolved", "/alerts/<>/", "/incidents/<>/", "/terminals/<>/"),
    *("/replay/", "/api/v1/replay"),
)
PHASES = (Phase.explicit, Phase.generate) if EXAMPLES else (Phase.explicit,)
"""A failure names the address and the grants: a smaller fleet would take minutes to find."""
counted: Counter[str] = Counter()
only_posted: set[str] = set()
"""Routes that answer GET with 405, before they read any row."""


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

    def __init__(self, fleet: ScopedFleet, scopes: list[dict[str, Any]], managed: list[dict[str, Any]]) -> None:
        """`managed`: the scopes in which people are managed."""
        self._fleet = fleet
        self._scopes = scopes
        self.terminals = {one for one in fleet.terminals if any(self._covers(scope, one) for scope in scopes)}
        self.sites = {site for site in fleet.sites if any(self._covers_site(scope, site) for scope in scopes)}
        self.sites |= {terminal.site for terminal in self.terminals}
        self._managed = managed
        self.groups = {scope["group"] for scope in scopes if "group" in scope}
        self.groups |= {one for one in fleet.groups if self.terminals & set(one.terminals.all())}

    def hidden(self) -> dict[str, Any]:
        """The marks of rows that the person must not see."""
        rows = [
            *(set(self._fleet.terminals) - self.terminals),
            *(set(self._fleet.sites) - self.sites),
            *(set(self._fleet.groups) - self.groups),
            *(row for row in self._fleet.owned if not self._sees_owned(row)),
            *(screen for screen in self._fleet.screens if not self._covers_scope(_scope_of(screen), self._scopes)),
            *(row for row in self._fleet.people if not self._overlaps(**self._fleet.scopes[row])),
            *(row for row in self._fleet.programs if not self._covers_scope(self._fleet.scopes[row], self._managed)),
            *(row for row in self._fleet.teams if not self._covers_scope(self._fleet.scopes[row], self._managed)),
            *(rule for rule in self._fleet.rules if not self._sees_rule(rule)),
            *(window for window in self._fleet.windows if not self._sees_window(window)),
        ]
        own = {site.region for site in self.sites} | {scope.get("region", "") for scope in self._scopes}
        regions = {site.region for site in self._fleet.sites} - own - {""}
        return {self._fleet.mark(row): row for row in rows} | {region: region for region in regions}

    def _covers(self, scope: dict[str, Any], terminal: Terminal) -> bool:
        group = scope.get("group")
        return self._covers_site(scope, terminal.site) or (group and group.terminals.filter(pk=terminal.pk).exists())

    def _covers_site(self, scope: dict[str, Any], site: Site) -> bool:
        return scope.get("site") == site or bool(scope.get("region") and scope["region"] == site.region)

    def _sees_owned(self, row: Any) -> bool:
        return self._overlaps(row.owner_region, row.owner_site, row.owner_group)

    def _overlaps(self, region: str = "", site: Site | None = None, group: Any = None) -> bool:
        if region:
            return region in {one.region for one in self.sites}
        if site:
            return site in self.sites
        return group in {None, *self.groups} and bool(self._scopes)

    def _covers_scope(self, own: dict[str, Any], scopes: list[dict[str, Any]]) -> bool:
        """Whether one of `scopes` covers all of it."""
        site = own.get("site")
        in_region = any(site and scope.get("region") == site.region != "" for scope in scopes)
        return in_region or (own in scopes and bool(own))

    def _sees_rule(self, rule: Any) -> bool:
        return bool(self._scopes) and rule.site in {None, *self.sites} and rule.group in {None, *self.groups}

    def _sees_window(self, window: Any) -> bool:
        covered = (window.sites, self.sites), (window.groups, self.groups), (window.terminals, self.terminals)
        return any(set(rows.all()) & seen for rows, seen in covered)


def _scope_of(screen: WallScreen) -> dict[str, Any]:
    return {name: row for name in ("region", "site", "group") if (row := getattr(screen, name))}


def scope_of(fleet: ScopedFleet, kind: str, number: int) -> dict[str, Any]:
    """One that exists in the fleet; a site if there is no such region or group."""
    if kind == "region" and REGIONS[number]:
        return {"region": REGIONS[number]}
    if kind == "group" and fleet.groups:
        return {"group": fleet.groups[number % len(fleet.groups)]}
    return {"site": fleet.sites[number % len(fleet.sites)]}


@cache
def routes() -> tuple[str, ...]:
    """Every page and GET operation, with `<>` for an object."""
    operations = {path for path, of in api.get_openapi_schema()["paths"].items() if "get" in of}
    api_routes = {re.sub(r"[{<](?:\w+:)?(\w+)[}>]", "<>", path) for path in operations}
    plain = {route: re.sub(r"<(?:\w+:)?\w+>", "<>", route) for route in routes_of(get_resolver())}
    return tuple(
        dict.fromkeys(
            plain[route]
            for route in plain
            if not PATTERN_NOT_READ.match(route) and (not route.startswith("/api/") or plain[route] in api_routes)
        )
    )


def addresses(fleet: ScopedFleet, pick: int) -> Iterator[str]:
    """Every page and GET operation, with one object of each kind; searches, dialogs and replays."""
    yield from (fill(route, pick, fleet) for route in routes())
    yield from SEARCHES
    alerts = urlencode([("alert", alert.pk) for alert in fleet.alerts])
    incidents = urlencode([("incident", incident.pk) for incident in fleet.incidents])
    site, window = fleet.sites[pick % len(fleet.sites)], fleet.windows[pick % len(fleet.windows)]
    yield from (f"/alerts/{action}/?{alerts}" for action in ("acknowledge", "resolve", "assign"))
    yield from (f"/incidents/{action}/?{incidents}" for action in ("acknowledge", "resolve", "merge", "export"))
    yield fill(f"/incidents/<>/move-out/?{alerts}", pick, fleet)
    yield f"/maintenance/new/?window={window.pk}"
    yield fill(f"/people/<>/?role={built_in('Viewer').pk}&scope=site:{site.pk}", pick, fleet)
    yield from (fill(f"/search/?about={kind}:<>", pick, fleet) for kind in ("alert", "incident"))
    at = f"{now(-30):%Y-%m-%dT%H:%M:%SZ}"
    yield from (fill(f"{page}{'&' if '?' in page else '?'}at={at}", pick, fleet) for page in REPLAYED)


def fill(route: str, pick: int, fleet: ScopedFleet) -> str:
    while "<>" in route:
        before = route.partition("<>")[0]
        known = OTHERS.get(before) or rows_of(fleet, re.split(r"[/=:]", before.rstrip("/:"))[-1])
        route = route.replace("<>", str(known[pick % len(known)]), 1)
    return route


CSRF_TOKEN = re.compile(r"\b[A-Za-z0-9]{64}\b")
"""Random, so one of some hundred thousand has a mark by chance."""
KINDS = ["terminals", "sites", "regions", "devices", "groups", "contacts", "hours"]
OTHERS = {
    "/rules/new/": ["above"],
    "/destinations/new/": ["email"],
    "/import/template/": KINDS,
    "/export/": KINDS,
}
"""What is no object, by the path before it."""


def rows_of(fleet: ScopedFleet, kind: str) -> Sequence[Any]:
    """The rows as they are named in addresses, after `kind`."""
    owned = {"destinations": Destination, "policies": Policy, "rotations": Rotation, "notes": Note}
    by_key = {"alert": fleet.alerts, "alerts": fleet.alerts, "incident": fleet.incidents, "incidents": fleet.incidents}
    by_key |= {"rules": fleet.rules, "maintenance": fleet.windows, "deliveries": fleet.deliveries}
    by_key |= {"people": [*fleet.people, *fleet.programs], "teams": fleet.teams, "screens": fleet.screens}
    by_key |= {"approvals": fleet.approvals, "files": fleet.files}
    by_key |= {name: [row for row in fleet.owned if isinstance(row, model)] for name, model in owned.items()}
    named = {"sites": [site.code for site in fleet.sites], "terminals": [one.uid for one in fleet.terminals]}
    return named.get(kind) or [row.pk for row in by_key.get(kind, ())] or ["acknowledge"]


def text_of(answer: Any) -> str:
    async def streamed() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    body = async_to_sync(streamed)() if answer.streaming else answer.content
    return CSRF_TOKEN.sub("", body.decode(errors="replace")).lower()


def leaks(fleet: ScopedFleet, person: User, hidden: dict[str, Any], *, pick: int) -> dict[str, set[str]]:
    """Address → the marks of rows outside of the scope that its response has."""
    browser, found = people.signed_in(person), {}
    statuses: Counter[str] = Counter()
    token = api_tokens.issue(person, name="leaks", at=now())[1]
    for address in addresses(fleet, pick):
        if is_only_posted(address):
            continue
        headers = {"Authorization": f"Bearer {token}"} if address.startswith("/api/") else {}
        answer = browser.get(address, headers=headers)
        assert answer.status_code < 500, address
        if answer.status_code == 405:
            only_posted.add(answer.resolver_match.route)
        text = text_of(answer)
        statuses[str(answer.status_code)] += 1
        if named := {mark for mark in hidden if mark in text and mark not in address.lower()}:
            found[address] = named
    for address, frame in frames(fleet, person, pick):
        if named := {mark for mark in hidden if mark in frame.lower()}:
            found[f"frame of {address}"] = named
    assert statuses["200"] > statuses.total() / 5, f"too few pages were shown to mean anything: {statuses}"
    counted.update(statuses)
    return found


def is_only_posted(address: str) -> bool:
    try:
        return resolve(urlsplit(address).path).route in only_posted
    except Resolver404:
        return False


def frames(fleet: ScopedFleet, person: User, pick: int) -> Iterator[tuple[str, str]]:
    """All elements that a live page sends, of each kind of page, and its address."""
    reader = User.objects.get(pk=person.pk)
    paths = ("/", "/alerts/", "/incidents/", "/terminals/", "/maintenance/", "/wall/")
    for path in (*paths, *(fill(f"/{kind}/<>/", pick, fleet) for kind in ("alerts", "incidents", "terminals"))):
        if page := page_at(path, person=reader):
            parts = page.page_state(RenderContext(now(), page.scope)).parts
            yield path, " ".join(render_part_for_frame(name, part) for name, part in parts.items())


def check_walls(fleet: ScopedFleet) -> None:
    """The wall of a screen has what its scope covers."""
    for screen, secret in fleet.secrets.items():
        if scope := _scope_of(screen):
            wall = screens.television(secret).get("/wall/").content.decode().lower()
            assert fleet.mark(screen) in wall
            assert not {mark for mark in Oracle(fleet, [scope], []).hidden() if mark in wall}, scope


def check_messages(fleet: ScopedFleet) -> None:
    """Digests and notifications of incidents to a destination have what its owner covers."""
    for row in fleet.owned:
        if isinstance(row, Destination) and not row.owner.is_everything:
            owner = {"region": row.owner_region, "site": row.owner_site, "group": row.owner_group}
            oracle = Oracle(fleet, [{name: value for name, value in owner.items() if value}], [])
            sent = digests.send(row, now(-3_600), now(60), zone=ZoneInfo("UTC"), to=None, at=now())
            check_texts(oracle, [sent.content, *notifications_to(row, fleet)])


def check_devices(fleet: ScopedFleet, person: User, oracle: Oracle) -> None:
    """Notifications on the devices of a person have what they see."""
    device = Destination(kind="push", name="device", person=User.objects.get(pk=person.pk))
    check_texts(oracle, notifications_to(device, fleet))


def notifications_to(destination: Destination, fleet: ScopedFleet) -> Iterator[Mapping[str, Any]]:
    """Notifications of each incident of which the destination may know an alert."""
    for incident in fleet.incidents:
        if within(Alert.objects.filter(incident=incident), destination.audience).exists():
            sent = Delivery(destination=destination, kind="opened", language="en", is_of_incidents=True)
            yield compose(sent, [incident], at=now())


def check_texts(oracle: Oracle, contents: Iterable[Mapping[str, Any]]) -> None:
    text = str([*contents]).lower()
    leaked = {mark for mark in oracle.hidden() if mark in text}
    assert not leaked, leaked


@pytest.fixture
def unlimited(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests without limits, and caches that last, as in a process with a feed: people share them."""
    monkeypatch.setattr(FeedCache, "unfed_stale_s", 3_600.0)
    settings.API_PER_MINUTE = settings.API_BURST = 1_000_000
    monkeypatch.setattr(pairing, "CODES_OF_NETWORK", 1_000_000)


@pytest.fixture
def reported() -> Iterator[None]:
    """Print how many responses were read, if there are many examples."""
    yield
    if EXAMPLES >= 10:
        print(f"\n{dict(counted)}")


@settings(
    max_examples=max(EXAMPLES, 1), suppress_health_check=list(HealthCheck), derandomize=EXAMPLES < 100, phases=PHASES
)
@example(
    shape=Shape((("zqreg1x", 1), ("zqreg2x", 2), ("", 2)), (frozenset({0, 1}), frozenset({3}))),
    first=[("Operator", "site", 0)],
    second=[("Viewer", "region", 2), ("Administrator", "group", 1)],
    pick=0,
)
@given(shape=shapes(), first=grants, second=grants, pick=st.integers(0, 5))
def test_no_response_names_what_is_outside_of_the_scope(fleet, unlimited, reported, shape, first, second, pick):
    reset_all()
    with transaction.atomic():
        boss = people.person("zqboss", of="Manager")
        made = create_fleet(fleet, shape, boss)
        for number, (name, held) in enumerate((("mori", first), ("sato", second))):
            person = people.person(name, of=None)
            scopes = [(role, scope_of(made, kind, number)) for role, kind, number in held]
            for role, scope in scopes:
                people.grant(person, role, **scope)
            managed = [scope for role, scope in scopes if role == "Administrator"]
            oracle = Oracle(made, [scope for _role, scope in scopes], managed)
            assert leaks(made, person, oracle.hidden(), pick=pick - number) == {}, scopes
            check_devices(made, person, oracle)
        check_messages(made)
        check_walls(made)
        counted["fleets"] += 1
        transaction.set_rollback(True)
