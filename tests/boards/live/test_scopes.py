"""People with different scopes: no board receives anything about what its person may not see."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.boards.live.changes import change
from tests.support import factories, people
from tests.support.factories import now
from tests.support.threads import in_thread
from tms.alerts import lifecycle
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import WindowScope
from tms.alerts.models import Alert, Incident
from tms.boards.live.live_page import LivePage
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import Site, Terminal
from tms.fleet.nodes import dropped_terminals
from tms.fleet.nodes.dropped_terminals import DroppedTerminals
from tms.lib.calendar.recurrence import Recurrence

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]

LISTS = ("/", "/terminals/", "/alerts/", "/maintenance/", "/sites/")
LIMITED = ("site", "region", "group")
FOREIGN = ("WEST", "Westend", "Kansai", "Faraway")


class World:
    """Two sites, and people who see one of them: by its region, by itself or by a group of its terminals."""

    def __init__(self, fleet) -> None:
        self.fleet = fleet
        east, west = fleet.site("EAST", name="Eastgate", region="Kanto"), fleet.site("WEST", name="Westend")
        self.here = [fleet.online(site=east, uid=f"EAST-{n}", firmware="4.8") for n in range(3)]
        self.there = [fleet.online(site=west, uid=f"WEST-{n}", firmware="4.8") for n in range(4)]
        scopes = {"site": {"site": east}, "region": {"region": "Kanto"}, "far": {"site": west}}
        scopes |= {"group": {"group": fleet.group("Easterlings", *self.here[:2])}}
        self.west = west
        self.people = {kind: self._person(kind, scope) for kind, scope in scopes.items()}

    def _person(self, kind, scope):
        person = people.person(kind, of=None, last_name="Faraway" if kind == "far" else "Near")
        people.grant(person, "Operator", **scope)
        return person

    def incident(self, *alerts: Alert, size: int) -> Incident:
        """An incident about a firmware that terminals of both sites have."""
        at, number = now(), len(alerts)
        made = Incident.objects.create(
            factor="firmware", key="4.8", severity="critical", opened_at=at, unchanged_since=at, size=size,
            lost=number, joined_count=number,
        )  # fmt: skip
        self.join(made, *alerts)
        return made

    def join(self, incident: Incident, *alerts: Alert) -> None:
        pks = frozenset(alert.pk for alert in alerts)
        Alert.objects.filter(pk__in=pks).update(incident=incident)
        publish(Change(alerts=pks, incidents=frozenset({incident.pk})))

    def maintenance(self, *sites: Site, note: str) -> None:
        recurrence = Recurrence(ZoneInfo("UTC"), now(-60).replace(tzinfo=None), timedelta(hours=1))
        services.plan(recurrence, WindowScope(sites=sites), note=note, by=None, at=now())

    def alert(self, terminal: Terminal, **fields) -> Alert:
        return factories.alert(self.fleet, terminal=terminal, **fields)


@pytest.fixture
def world(fleet):
    return World(fleet)


def recorded(opened):
    """Every frame that the browser gets."""
    received, send = [], opened.connection.send

    def record(content):
        received.append(json.loads(content))
        send(content)

    opened.connection.send = record
    return received


def foreign_words(received):
    text = json.dumps(received, ensure_ascii=False)
    return [word for word in FOREIGN if word in text]


def number(frame, name):
    """The text of a count."""
    return frame.html.split(f'id="{name}"')[1].split(">", 1)[1].split("<")[0].strip()


def happen(world):
    """What can happen at the other site. The last change is that of a terminal to offline."""
    by = world.people["far"]
    alert = world.alert(world.there[0])
    lifecycle.claim(Alert.objects.filter(pk=alert.pk), by=by, at=now())
    factories.acknowledged(alert, by=by, comment="Westend: on it")
    world.alert(world.there[1], severity="warning")
    factories.moved(world.there[2], "silent", "offline", at=now())
    factories.resolved(alert)
    change(*world.there[2:], presence="offline")


@pytest.mark.parametrize("kind", LIMITED)
async def test_changes_of_another_site_cause_no_frame(world, board, kind):
    boards = [board(page, person=world.people[kind]) for page in LISTS]
    received = [recorded(opened) for opened in boards]
    async with (
        boards[0],
        boards[1],
        boards[2],
        boards[3],
        boards[4],
        board("/terminals/", person=world.people["far"]) as theirs,
    ):
        for opened in (*boards, theirs):
            await opened.painted()
        before = [len(frames) for frames in received]

        await in_thread(happen, world)

        await theirs.until(lambda frame: "count-offline" in frame.ids and number(frame, "count-offline") == "2")
        for opened in boards:
            await opened.beat()
            await opened.beat()
        for frames, painted in zip(received, before, strict=True):
            assert {frame["kind"] for frame in frames[painted:]} == {"beat"}
            assert foreign_words(frames) == []


@pytest.mark.parametrize("kind", LIMITED)
async def test_repainted_boards_show_nothing_of_another_site(world, board, kind):
    boards = [board(page, person=world.people[kind]) for page in LISTS]
    received = [recorded(opened) for opened in boards]
    async with boards[0], boards[1], boards[2], boards[3], boards[4]:
        for opened in boards:
            await opened.painted()

        await in_thread(happen, world)
        await in_thread(lambda: world.maintenance(world.west, note="Westend works"))

        for opened in boards:
            await opened.frame("repaint")
        assert [foreign_words(frames) for frames in received] == [[]] * len(LISTS)


@pytest.mark.parametrize(("kind", "size"), [("site", 3), ("region", 3), ("group", 2), ("far", 4)])
async def test_numbers_are_those_of_the_scope(world, board, kind, size):
    rows = world.there if kind == "far" else world.here
    for terminal in (*world.here[1:], *world.there[1:]):
        await in_thread(world.alert, terminal)
    person = world.people[kind]
    async with board("/terminals/", person=person) as terminals, board("/alerts/", person=person) as alerts:
        painted = await terminals.painted()
        assert [number(painted, f"count-{name}") for name in ("all", "online", "alerts")] == [
            str(size), str(size), str(size - 1)
        ]  # fmt: skip
        assert len(terminals.orders["terminals"]) == size
        painted = await alerts.painted()
        names = ("open", "critical", "unacknowledged", "matching")
        assert {number(painted, f"count-{name}") for name in names} == {str(size - 1)}
        assert len(alerts.orders["alerts"]) == size - 1

        await in_thread(lambda: change(rows[0], presence="offline"))

        frame = await terminals.until(lambda frame: "count-offline" in frame.ids)
        assert number(frame, "count-offline") == "1"


@pytest.mark.parametrize(("kind", "size"), [("site", "3"), ("group", "2")])
async def test_of_maintenance_people_see_their_part(world, board, kind, size):
    await in_thread(lambda: world.maintenance(world.here[0].site, world.west, note="switch"))
    person = world.people[kind]
    async with board("/terminals/", person=person) as terminals, board("/maintenance/", person=person) as maintenance:
        assert number(await terminals.painted(), "count-expected-maintenance") == size
        painted = await maintenance.painted()
        assert "Eastgate" in painted.html
        assert "Westend" not in painted.html


async def test_terminals_that_a_node_dropped_are_counted_for_people_who_see_everything(world, board, monkeypatch):
    """The numbers are those of the node."""
    dropped = DroppedTerminals("a", "running", now(), total=500, back=412, awaited=88, missing=0, until=now(60))
    monkeypatch.setattr(dropped_terminals, "recovery_of", lambda at: (dropped,))
    async with board("/") as all_of_it, board("/", person=world.people["site"]) as part:
        assert "dropped-node" in (await all_of_it.painted()).html
        assert "dropped-node" not in (await part.painted()).html


async def test_a_person_without_grants_sees_an_empty_board(world, board):
    person = world.people["far"]
    await in_thread(lambda: person.grants.all().delete())
    async with board("/terminals/", person=person) as opened:
        painted = await opened.painted()

        assert number(painted, "count-all") == "0"
        assert opened.orders["terminals"] == []
    for page in LISTS[:3]:
        async with board(page, person=person) as opened:
            painted = await opened.painted()
            assert "You have no access to terminals yet" in painted.html
            assert "All clear" not in painted.html


async def test_the_reason_of_a_position_counts_the_terminals_of_the_scope(world, board):
    """People of a group see the name of the site of their terminals."""
    await in_thread(world.alert, world.here[0])
    for kind, peers in (("site", "2 of 3"), ("group", "1 of 2")):
        async with board("/alerts/", person=world.people[kind]) as opened:
            assert peers in (await opened.painted()).html


async def test_an_incident_of_several_sites_is_shown_as_its_visible_alerts(world, board):
    mine, other = await in_thread(lambda: (world.alert(world.here[0]), world.alert(world.there[0])))
    incident = await in_thread(lambda: world.incident(mine, other, size=7))
    async with board("/alerts/") as all_of_it, board("/alerts/", person=world.people["site"]) as part:
        await all_of_it.painted()
        painted = await part.painted()

        assert all_of_it.orders["alerts"] == [incident.pk and f"incident-{incident.pk}"]
        assert part.orders["alerts"] == [f"alert-{mine.pk}"]
        assert "part of an incident" not in painted.html
        assert f"a{mine.pk}." in painted.html, "the alert itself sounds"
        assert f"a{other.pk}." not in painted.html
        assert f"i{incident.pk}." not in painted.html


async def test_an_incident_shows_the_size_of_its_factor_only_to_people_who_see_all_of_it(world, board):
    alerts = await in_thread(lambda: [world.alert(terminal) for terminal in world.here[:2]])
    await in_thread(lambda: world.incident(*alerts, size=7))
    async with board("/alerts/") as all_of_it, board("/alerts/", person=world.people["group"]) as part:
        assert "2 of 7 terminals offline" in (await all_of_it.painted()).html
        assert "Firmware 4.8: 2 terminals offline" in (await part.painted()).html


async def test_the_page_of_an_incident_closes_when_an_alert_of_another_site_joins(world, board):
    mine, other = await in_thread(lambda: (world.alert(world.here[0]), world.alert(world.there[0])))
    incident = await in_thread(lambda: world.incident(mine, size=7))
    async with board(f"/incidents/{incident.pk}/", person=world.people["site"]) as opened:
        received = recorded(opened)
        await opened.painted()

        await in_thread(lambda: world.join(incident, other))

        assert await opened.closed() == 4404
        assert foreign_words(received) == []


async def test_the_page_of_a_terminal_closes_when_it_moves_to_another_site(world, board):
    terminal = world.here[0]
    alert = await in_thread(world.alert, terminal)
    person = world.people["site"]
    pages = (f"/terminals/{terminal.uid}/", f"/alerts/{alert.pk}/")
    async with board(pages[0], person=person) as one, board(pages[1], person=person) as two:
        await one.painted()
        await two.painted()

        await in_thread(lambda: Terminal.objects.filter(pk=terminal.pk).update(site=world.west))
        await in_thread(lambda: publish(Change(everything=True)))

        assert [await opened.closed() for opened in (one, two)] == [4404, 4404]


async def test_a_terminal_that_leaves_a_group_leaves_its_boards(world, board):
    person = world.people["group"]
    async with board("/terminals/", person=person) as opened, board("/terminals/EAST-0/", person=person) as single:
        assert "EAST-0" in (await opened.painted()).html
        await single.painted()

        await in_thread(world.here[0].groups.clear)

        frame = await opened.frame("repaint")
        assert "EAST-0" not in frame.html
        assert number(frame, "count-all") == "1"
        assert await single.closed() == 4404


@pytest.mark.parametrize("page", ["/terminals/WEST-0/", "/alerts/{alert}/", "/incidents/{incident}/"])
async def test_a_page_of_another_site_gets_no_board(world, board, page):
    alert = await in_thread(world.alert, world.there[0])
    incident = await in_thread(lambda: world.incident(alert, size=4))
    address = page.format(alert=alert.pk, incident=incident.pk)

    async with board(address, person=world.people["site"]) as refused:
        pass

    assert refused.answers == [{"type": "websocket.close"}]


async def test_the_filter_does_not_reveal_who_else_belongs_to_an_incident(world, board):
    near, far = await in_thread(world.alert, world.here[0]), await in_thread(world.alert, world.there[0])
    incident = await in_thread(lambda: world.incident(near, far, size=7))
    address = f"/alerts/?incident={incident.pk}"
    async with board(address) as all_of_it, board(address, person=world.people["site"]) as part:
        assert "EAST-0" in (await all_of_it.painted()).html
        assert "EAST-0" not in (await part.painted()).html


async def test_a_parent_of_another_site_is_not_named(world, board):
    await in_thread(lambda: Terminal.objects.filter(uid="EAST-0").update(parent=world.there[0]))
    async with board("/terminals/EAST-0/") as all_of_it, board(
        "/terminals/EAST-0/", person=world.people["site"]
    ) as part:  # fmt: skip
        assert "WEST-0" in (await all_of_it.painted()).html
        assert "WEST-0" not in (await part.painted()).html


async def test_people_see_who_is_on_shift_at_their_terminals(world, board):
    async with board("/alerts/", person=world.people["far"]) as far, board("/", person=world.people["region"]) as near:
        await far.painted()
        await near.painted()
        async with board("/terminals/", person=world.people["group"]) as colleague, board("/") as everyone:
            await colleague.painted()
            await near.showing('id="shift"', "viewing terminals")
            painted = await everyone.showing('id="shift"', "viewing alerts")
            assert "Faraway" in painted.html
            received = recorded(near)
            await near.beat()
            assert foreign_words(received) == []


async def test_a_viewer_is_shown_to_people_who_see_the_alert(world, board):
    mine, other = await in_thread(lambda: (world.alert(world.here[0]), world.alert(world.there[0])))
    near = board("/alerts/", person=world.people["group"])
    received = recorded(near)
    async with near, board("/alerts/") as tanaka:
        await tanaka.painted()
        await near.painted()

        for alert in (other, mine):
            tanaka.send_text(json.dumps({"ask": "at", "alert": alert.pk, "doing": "typing"}))

        await near.showing(f"here-alert-{mine.pk}", "is typing")
        assert f"alert-{other.pk}" not in json.dumps(received)


async def test_a_viewing_of_an_alert_that_the_person_does_not_see_counts_for_nothing(world, board):
    other = await in_thread(world.alert, world.there[0])
    async with board("/alerts/", person=world.people["site"]) as near, board("/alerts/") as tanaka:
        await near.painted()
        await tanaka.painted()

        near.send_text(json.dumps({"ask": "at", "alert": other.pk, "doing": "looking"}))

        for _ in range(3):
            await tanaka.beat()
        assert "is viewing" not in json.dumps(tanaka.answers)


async def test_people_of_one_scope_share_the_rendering(world, board, room, monkeypatch):
    rendered, render = [], LivePage.render

    def counted(self, *args, **options):
        rendered.append(self.page.scope)
        return render(self, *args, **options)

    def second_of_the_site():
        people.grant(world.people["region"], "Viewer", site=world.here[0].site)
        world.people["region"].grants.filter(region="Kanto").delete()

    await in_thread(second_of_the_site)
    one, two, far = (world.people[name] for name in ("site", "region", "far"))
    async with (
        board("/terminals/", person=one) as first,
        board("/terminals/", person=two) as second,
        board("/terminals/", person=far) as third,
    ):
        for opened in (first, second, third):
            await opened.painted()
        assert sorted(len(page.subscribers) for page in room.live_pages.values()) == [1, 2]
        monkeypatch.setattr(LivePage, "render", counted)

        await in_thread(lambda: change(world.here[0], presence="offline"))

        for opened in (first, second):
            await opened.showing("EAST-0")
        await third.beat()
        assert len(rendered) == 1
