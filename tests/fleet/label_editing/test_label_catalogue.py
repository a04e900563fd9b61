"""The page of all tags and attributes of the fleet."""

import pytest
from django.test import Client

from tests.support import people
from tests.support.builders import AT
from tests.support.jobs import job
from tests.support.pages import HtmlPage
from tms.accounts.models import AuditEntry
from tms.fleet.groups.dynamic import set_query
from tms.fleet.groups.label_conditions import label_conditions
from tms.fleet.labels.attributes import save_attribute, set_values
from tms.fleet.labels.tags import change_tags, tags_of
from tms.fleet.models import Attribute, Group, Site, Terminal
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.query.query import Query

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def lead() -> Client:
    return people.signed_in(people.person("lead", of="Manager"))


@pytest.fixture
def three(fleet) -> list[Terminal]:
    """Two with `lobby`, of which one has `foyer`, too, at a site with `lobby`; and one with `foyer`."""
    umeda = fleet.site("UMD", region="Kansai")
    found = [fleet.terminal(uid=f"T-{number}", site=umeda) for number in range(2)]
    found.append(fleet.terminal(uid="T-2", site=fleet.site("SJK", region="Tokyo")))
    change_tags(Terminal, [found[0].pk, found[1].pk], add=["lobby"])
    change_tags(Terminal, [found[1].pk, found[2].pk], add=["foyer"])
    change_tags(Site, [umeda.pk], add=["lobby"])
    return found


def query_group(fleet, name: str, query: str):
    group = fleet.group(name)
    set_query(group, query, by=None, at=AT)
    return group


def test_the_page_lists_tags_and_attributes_with_their_numbers_and_groups(lead, fleet, three):
    floor = Attribute(name="floor", label="Floor", type="number")
    save_attribute(floor)
    set_values(Terminal, [three[0].pk], {floor: "2"})
    query_group(fleet, "Entrances", "tag:lob* attr.floor>1")

    shown = " ".join(HtmlPage(lead.get("/labels/")).text("main").split())

    assert "lobby Entrances 2 terminals 1 site" in shown
    assert "foyer 2 terminals" in shown
    assert "Floor attr.floor Number Terminals Entrances 1" in shown
    assert "foyer" not in HtmlPage(lead.get("/labels/?q=LOB")).text("main")


def test_a_tag_is_renamed_everywhere_after_a_question(lead, fleet, three):
    group = query_group(fleet, "Halls", "tag:hall")

    asked = lead.post("/labels/tag/rename/", {"name": "lobby", "to": "Hall"})
    before = tags_of(three[0])
    renamed = lead.post("/labels/tag/rename/", {"name": "lobby", "to": "Hall", "confirmed": "1"}, follow=True)

    assert "Rename the tag lobby to hall?" in asked.content.decode()
    assert "+2" in HtmlPage(asked).text("moves")
    assert before == ["lobby"]
    assert [tags_of(row) for row in (*three, three[0].site)] == [["hall"], ["foyer", "hall"], ["foyer"], ["hall"]]
    assert set(group.terminals.all()) == set(three[:2])
    assert "Joined: Halls (2)." in renamed.content.decode()
    entry = AuditEntry.objects.get(action="tag-renamed")
    assert (entry.changes["tag"], entry.changes["terminals"], entry.changes["sites"]) == (
        ["lobby", "hall"], [2, None], [1, None]
    )  # fmt: skip


def test_a_tag_with_the_name_of_another_is_merged_into_it(lead, three):
    asked = lead.post("/labels/tag/rename/", {"name": "lobby", "to": "foyer"})
    lead.post("/labels/tag/rename/", {"name": "lobby", "to": "foyer", "confirmed": "1"})

    assert "Merge the tag lobby into foyer?" in asked.content.decode()
    assert [tags_of(row) for row in (*three, three[0].site)] == [["foyer"]] * 4


def test_a_tag_that_a_query_names_is_not_renamed(lead, fleet, three):
    query_group(fleet, "Entrances", "kind:kiosk -tag:lobby")

    refused = lead.post("/labels/tag/rename/", {"name": "lobby", "to": "hall", "confirmed": "1"})

    assert refused.status_code == 422
    assert "Entrances" in HtmlPage(refused).text("id_to_error")
    assert tags_of(three[0]) == ["lobby"]


@pytest.mark.parametrize("to", ["", "lobby", "two words", "a:b"])
def test_a_wrong_name_is_refused(lead, three, to):
    refused = lead.post("/labels/tag/rename/", {"name": "lobby", "to": to, "confirmed": "1"})

    assert refused.status_code == 422
    assert HtmlPage(refused).text("id_to_error")


def test_a_tag_is_deleted_everywhere_after_a_question_with_its_consequences(lead, fleet, three):
    group = query_group(fleet, "Entrances", "tag:lobby")
    fleet.metric_rule(group=group, name="Too hot")
    job(people.person("planner", of="Manager"), name="Nightly restart", query="kind:kiosk -tag:lobby")

    asked = lead.post("/labels/tag/delete/", {"name": "lobby"})
    kept = tags_of(three[0])
    lead.post("/labels/tag/delete/", {"name": "lobby", "confirmed": "1"})

    assert "Too hot" in HtmlPage(asked).text("moves")
    assert "−2" in HtmlPage(asked).text("moves")
    assert "select other terminals then: 1 job Nightly restart" in " ".join(HtmlPage(asked).text("main").split())
    assert kept == ["lobby"]
    assert [tags_of(row) for row in (*three, three[0].site)] == [[], ["foyer"], ["foyer"], []]
    assert not group.terminals.exists()


def test_an_attribute_is_defined_changed_and_deleted(lead, three):
    defined = {"name": "side", "label": "Side", "type": "choice", "subject": "terminal", "choices": "left\n\n right \n"}

    made = lead.post("/labels/attributes/new/", defined)
    side = Attribute.objects.get()
    choices = side.choices
    set_values(Terminal, [three[0].pk], {side: "left"})
    changed = lead.post("/labels/attributes/side/", {"name": "hand", "label": "Hand", "choices": "left"})
    question = lead.get("/labels/attributes/hand/delete/")
    lead.post("/labels/attributes/hand/delete/")

    assert (made["Location"], changed["Location"]) == ("/labels/attributes/side/", "/labels/attributes/hand/")
    assert choices == ["left", "right"]
    assert "1 value is deleted with it." in " ".join(question.content.decode().split())
    assert not Attribute.objects.exists()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": "2nd"}, "id_name_error"),
        ({"name": "floor"}, "id_name_error"),
        ({"label": ""}, "id_label_error"),
        ({"type": "choice"}, "id_choices_error"),
        ({"type": "choice", "choices": "\n".join(map(str, range(101)))}, "id_choices_error"),
    ],
)
def test_a_wrong_definition_is_refused_at_its_field(lead, typed, field):
    save_attribute(Attribute(name="floor", label="Floor"))
    right = {"name": "side", "label": "Side", "type": "text", "subject": "site"}

    refused = lead.post("/labels/attributes/new/", right | typed)

    assert refused.status_code == 422
    assert HtmlPage(refused).text(field)


def test_an_attribute_that_a_query_names_keeps_its_name(lead, fleet):
    save_attribute(Attribute(name="floor", label="Floor"))
    query_group(fleet, "Upstairs", 'attr.FLOOR:"2"')

    refused = lead.post("/labels/attributes/floor/", {"name": "storey", "label": "Floor"})
    relabelled = lead.post("/labels/attributes/floor/", {"name": "floor", "label": "Storey"})

    assert "Upstairs" in HtmlPage(refused).text("id_name_error")
    assert relabelled.status_code == 302
    assert Attribute.objects.get().label == "Storey"


def test_people_with_a_smaller_scope_see_their_numbers_and_change_nothing(three):
    person = people.person("regional", of=None)
    people.grant(person, "Lead", region="Tokyo")
    regional = people.signed_in(person)
    save_attribute(Attribute(name="floor", label="Floor"))

    shown = HtmlPage(regional.get("/labels/")).text("main")

    assert "foyer 1 terminal" in shown
    assert "lobby" not in shown
    assert regional.get("/labels/tag/?name=lobby").status_code == 404
    assert "id_to" not in HtmlPage(regional.get("/labels/tag/?name=foyer")).ids
    for path in ("tag/rename/", "tag/delete/", "attributes/new/", "attributes/floor/", "attributes/floor/delete/"):
        assert regional.post(f"/labels/{path}", {"name": "foyer", "to": "x", "confirmed": "1"}).status_code == 403


@pytest.mark.parametrize("condition", ["lobby", "LOB*", "*obby*", "*b*b*", "l*y", '"lob*"', "ss", "*", "l**y"])
def test_a_query_reads_the_tags_that_it_selects(fleet, condition):
    for tag in ("lobby", "lob", "obby-1", "ß"):
        change_tags(Terminal, [fleet.terminal(uid=tag.upper()).pk], add=[tag])
    Group.objects.create(name="G", query=f"tag:{condition}")

    [conditions] = label_conditions()

    selected = Terminal.objects.filter(Query.of(f"tag:{condition}", TERMINAL_FIELDS).where(AT))
    assert {tags_of(row)[0] for row in selected} == {
        name for row in Terminal.objects.all() for name in tags_of(row) if conditions.reads_tag(name)
    }
