"""The tags and attributes of one site, terminal or device: who changes them, and what that does to dynamic groups."""

import pytest
from django.test import Client

from tests.support import people
from tests.support.builders import AT
from tests.support.pages import HtmlPage, undo_token
from tms.fleet.groups.dynamic import set_query
from tms.fleet.labels.attributes import save_attribute, set_values, values_of
from tms.fleet.labels.tags import change_tags, tags_of
from tms.fleet.models import Attribute, Device, Placement, Terminal

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def terminal(fleet) -> Terminal:
    return fleet.terminal(uid="T-1", site=fleet.site("UMD", region="Kansai"))


@pytest.fixture
def lead() -> Client:
    return browser("lead")


def browser(name: str, role: str = "Lead", **scope: str) -> Client:
    person = people.person(name, of=None)
    people.grant(person, role, **scope)
    return people.signed_in(person)


def define(name: str, **fields) -> Attribute:
    attribute = Attribute(name=name, label=name.title(), **fields)
    save_attribute(attribute)
    return attribute


def address(row, act: str = "") -> str:
    return f"/labels/{row._meta.model_name}/{row.pk}/{act}"


def query_group(fleet, name: str, query: str):
    group = fleet.group(name)
    set_query(group, query, by=None, at=AT)
    return group


def test_tags_are_added_and_removed_and_each_change_is_undone(lead, terminal):
    added = lead.post(address(terminal, "tags/"), {"add": "Lobby, pilot step-free"})
    shown = HtmlPage(lead.get(added["Location"]))
    removed = lead.post(address(terminal, "tags/"), {"remove": "pilot"}, follow=True)
    before_undo = tags_of(terminal)
    lead.post("/undo/", {"token": undo_token(removed)})

    assert added["Location"] == "/terminals/T-1/manage/"
    assert "/terminals/?q=tag:step-free" in shown.links()
    assert before_undo == ["lobby", "step-free"]
    assert tags_of(terminal) == ["lobby", "pilot", "step-free"]


@pytest.mark.parametrize("tag", ["", "a:b", "x" * 41, "\0"])
def test_what_is_no_tag_is_refused_at_its_field(lead, terminal, tag):
    answer = lead.post(address(terminal, "tags/"), {"add": tag})

    assert answer.status_code == 422
    assert HtmlPage(answer).text("id_add_error")
    assert tags_of(terminal) == []


def test_attributes_of_each_type_are_set_changed_and_cleared(lead, terminal):
    define("floor", type="number")
    define("lease", type="day")
    define("side", type="choice", choices=["left", "right"])
    define("owner")
    define("grade", subject="site")
    typed = {"value-floor": "2.50", "value-lease": "2027-03-31", "value-side": "left", "value-owner": "Nihon Denko"}

    saved = lead.post(address(terminal, "attributes/"), typed, follow=True)
    stored = values_of(terminal)
    cleared = lead.post(address(terminal, "attributes/"), typed | {"value-owner": "", "value-floor": "3"}, follow=True)
    changed = values_of(terminal)
    lead.post("/undo/", {"token": undo_token(cleared)})

    assert "2.5 Number" in HtmlPage(saved).text("labels")
    assert stored.keys() == {"floor", "lease", "side", "owner"}
    assert (changed["floor"], "owner" in changed) == (3.0, False)
    assert values_of(terminal) == stored


def test_a_wrong_value_is_refused_at_its_field_and_nothing_is_saved(lead, terminal):
    define("floor", type="number")
    define("owner")

    answer = lead.post(address(terminal, "attributes/"), {"value-floor": "two", "value-owner": "Nihon Denko"})

    assert answer.status_code == 422
    assert "two" in HtmlPage(answer).text("id_value-floor_error")
    assert values_of(terminal) == {}


def test_a_value_that_is_no_choice_any_more_stays_until_it_is_changed(lead, terminal):
    side = define("side", type="choice", choices=["left", "right"])
    owner = define("owner")
    set_values(Terminal, [terminal.pk], {side: "left"})
    Attribute.objects.filter(pk=side.pk).update(choices=["right"])

    answer = lead.post(address(terminal, "attributes/"), {"value-side": "left", "value-owner": "Nihon Denko"})

    assert answer.status_code == 302
    assert values_of(terminal) == {"side": "left", owner.name: "Nihon Denko"}


def test_a_terminal_shows_the_tags_of_its_site_and_device_beside_its_own(lead, terminal):
    Placement.objects.filter(terminal=terminal).delete()
    device = Device.objects.create(serial="K-1", site=terminal.site)
    Placement.objects.create(device=device, terminal=terminal, began_at=AT)

    lead.post(address(terminal.site, "tags/"), {"add": "flagship"})
    lead.post(address(device, "tags/"), {"add": "loan"})

    assert (tags_of(terminal.site), tags_of(device)) == (["flagship"], ["loan"])
    panel = HtmlPage(lead.get("/terminals/T-1/manage/")).text("labels")
    assert "Of its site: flagship" in panel
    assert "Of its device: loan" in panel
    assert "loan" in HtmlPage(lead.get(address(device))).text("labels")
    page = HtmlPage(lead.get("/terminals/T-1/"))
    assert {"/terminals/?q=tag:flagship", "/terminals/?q=tag:loan"} <= page.links()
    assert "/terminals/?q=tag:flagship" in HtmlPage(lead.get("/sites/UMD/")).links()


def test_it_asks_before_members_of_a_group_change_that_something_uses(lead, fleet, terminal):
    group = query_group(fleet, "Lobby kiosks", "tag:lob*")
    fleet.metric_rule(group=group, name="Too hot in the lobby")

    asked = lead.post(address(terminal, "tags/"), {"add": "lobby"})
    tags_when_asked = tags_of(terminal)
    saved = lead.post(address(terminal, "tags/"), {"add": "lobby", "confirmed": "1"}, follow=True)
    panel = HtmlPage(saved).text("labels")

    assert (asked.status_code, tags_when_asked) == (200, [])
    assert "used by 1 rule (Too hot in the lobby)" in HtmlPage(asked).text("moves")
    assert 'name="confirmed" value="1"' in asked.content.decode()
    assert list(group.terminals.all()) == [terminal]
    assert "Joined: Lobby kiosks." in saved.content.decode()
    assert "tag:lobby" in panel
    assert "Too hot in the lobby" in panel


def test_a_group_that_nothing_uses_needs_no_question(lead, fleet, terminal):
    define("floor", type="number")
    group = query_group(fleet, "Ground floor", "attr.floor:0")

    saved = lead.post(address(terminal, "attributes/"), {"value-floor": "0"}, follow=True)
    left = lead.post(address(terminal, "attributes/"), {"value-floor": "1"}, follow=True)

    assert "Joined: Ground floor." in saved.content.decode()
    assert "Left: Ground floor." in left.content.decode()
    assert not group.terminals.exists()


def test_an_undo_leaves_what_somebody_changed_since(lead, terminal):
    floor = define("floor", type="number")
    saved = lead.post(address(terminal, "attributes/"), {"value-floor": "2"}, follow=True)
    set_values(Terminal, [terminal.pk], {floor: "5"})

    undone = lead.post("/undo/", {"token": undo_token(saved)}, follow=True)

    assert "Nothing to undo" in undone.content.decode()
    assert values_of(terminal) == {"floor": 5.0}


def test_people_change_what_their_scope_covers_and_see_no_more(fleet, terminal):
    elsewhere = fleet.terminal(uid="S-1", site=fleet.site("SJK", region="Tokyo"))
    change_tags(Terminal, [elsewhere.pk], add=["secret"])
    regional, viewer = browser("regional", region="Kansai"), browser("viewer", "Viewer")

    assert regional.post(address(terminal, "tags/"), {"add": "lobby"}).status_code == 302
    for row in (elsewhere, elsewhere.site):
        assert regional.get(address(row)).status_code == 404
        assert regional.post(address(row, "tags/"), {"add": "x"}).status_code == 404
        assert regional.post(address(row, "attributes/"), {}).status_code == 404
    assert "secret" not in regional.get("/labels/suggestions/?q=sec").content.decode()
    assert "lobby" in regional.get("/labels/suggestions/?q=LOB").content.decode()
    assert viewer.get(address(terminal)).status_code == 200
    assert "id_add" not in HtmlPage(viewer.get(address(terminal))).ids
    assert viewer.post(address(terminal, "tags/"), {"add": "x"}).status_code == 403


def test_groups_out_of_sight_are_counted_and_not_named(fleet, terminal):
    group = query_group(fleet, "Secret", "tag:lobby region:Tokyo")
    fleet.metric_rule(group=group, name="Secret rule")
    change_tags(Terminal, [terminal.pk], add=["lobby"])
    regional = browser("regional", region="Kansai")

    panel, page = (HtmlPage(regional.get(path)).text("main") for path in (address(terminal), "/labels/tag/?name=lobby"))

    assert "1 other group depends on them" in panel
    assert "Secret" not in panel + page


def test_who_lost_the_permission_undoes_nothing(terminal):
    person = people.person("former", of=None)
    grant = people.grant(person, "Lead")
    client = people.signed_in(person)
    saved = client.post(address(terminal, "tags/"), {"add": "lobby"}, follow=True)
    grant.delete()
    people.grant(person, "Viewer")

    client.post("/undo/", {"token": undo_token(saved)})

    assert tags_of(terminal) == ["lobby"]


def test_unknown_rows_are_not_found(lead, terminal):
    for path in (f"/labels/group/{terminal.pk}/", "/labels/terminal/999999/", "/labels/site/999999999999999999999/"):
        assert lead.get(path).status_code == 404
