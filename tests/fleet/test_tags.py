"""Tags and attributes of terminals, sites and devices."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from tests.support.builders import AT
from tms.accounts.models.audit_entry import AuditEntry
from tms.fleet.labels.attributes import BadValue, delete_attribute, save_attribute, set_values, values_of
from tms.fleet.labels.tags import MAX_TAGS, TooManyTags, change_tags, tags_of
from tms.fleet.models import Attribute, Device, Placement, Site, Terminal
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.query.query import Query

pytestmark = [pytest.mark.both, pytest.mark.embedded]


def found(text: str) -> list[str]:
    where = Query.of(text, TERMINAL_FIELDS).where(AT)
    return sorted(Terminal.objects.filter(where).values_list("uid", flat=True))


@pytest.fixture
def three(fleet):
    umeda = fleet.site("UMD")
    return [fleet.terminal(site=umeda, uid="A"), fleet.terminal(site=umeda, uid="B"), fleet.terminal(uid="C")]


def test_tags_are_put_on_many_rows_with_one_entry_of_the_audit_trail(three):
    pks = [terminal.pk for terminal in three]

    first = change_tags(Terminal, pks[:2], add=["Lobby", "step-free"])
    second = change_tags(Terminal, pks, add=["lobby"], remove=["step-free", "none"])

    assert [tags_of(terminal) for terminal in three] == [["lobby"]] * 3
    assert (len(first.rows), second.added, second.removed["step-free"]) == (2, {"lobby": [pks[2]]}, pks[:2])
    newest, oldest = AuditEntry.objects.filter(action="tags-changed").order_by("-pk")
    assert newest.changes["rows"] == [None, 3]
    assert oldest.changes["+lobby"] == [None, 2]


@pytest.mark.parametrize("name", ["", "two words", 'quo"te', "a,b", "a:b", "*", "x" * 41, "a\nb", "a　b"])
def test_a_tag_is_one_word_that_needs_no_quotes(three, name):
    with pytest.raises(ValidationError):
        change_tags(Terminal, [three[0].pk], add=[name])


def test_a_row_has_a_limited_number_of_tags(three):
    with pytest.raises(TooManyTags):
        change_tags(Terminal, [three[0].pk], add=[f"tag{number}" for number in range(MAX_TAGS + 1)])

    assert tags_of(three[0]) == []


def test_a_query_finds_tags_of_the_terminal_its_site_and_its_device(three):
    device = Device.objects.create(serial="S-1")
    Placement.objects.filter(terminal=three[2]).delete()
    Placement.objects.create(device=device, terminal=three[2], began_at=AT)
    change_tags(Terminal, [three[1].pk], add=["lobby"])
    change_tags(Site, [three[0].site_id], add=["駅"])
    change_tags(Device, [device.pk], add=["loan"])

    assert found("tag:LOBBY") == ["B"]
    assert found("tag:駅") == ["A", "B"]
    assert found("tag:lo*") == ["B", "C"]
    assert found("-tag:lobby") == ["A", "C"]
    assert found('tag:"" or tag:loan') == ["C"]


FLOOR = {"name": "floor", "label": "Floor", "type": "number"}
LEASE = {"name": "lease_end", "label": "Lease ends", "type": "day"}
SIDE = {"name": "side", "label": "Counter side", "type": "choice", "choices": ["Left", "right"], "subject": "site"}


@pytest.fixture
def defined(db):
    attributes = [Attribute(**fields) for fields in (FLOOR, LEASE, SIDE)]
    for attribute in attributes:
        save_attribute(attribute)
    return attributes


def test_attributes_have_values_of_their_type(three, defined):
    floor, lease, side = defined

    set_values(Terminal, [three[0].pk, three[1].pk], {floor: "2", lease: "2027-03-31"})
    differing = set_values(Terminal, [terminal.pk for terminal in three], {floor: "3", lease: ""})
    set_values(Site, [three[0].site_id], {side: "Left"})

    assert differing == 3
    assert values_of(three[0]) == {"floor": 3.0}
    assert set_values(Terminal, [three[0].pk], {floor: "3"}) == 0
    assert values_of(three[0].site) == {"side": "Left"}


@pytest.mark.parametrize(
    ("at", "text"), [(0, "two"), (0, "nan"), (0, "1e99"), (1, "2027-02-30"), (1, "tomorrow"), (2, "up")]
)
def test_a_value_of_another_type_is_refused(three, defined, at, text):
    subject = (Terminal, Terminal, Site)[at]
    row = three[0].site if at == 2 else three[0]

    with pytest.raises(BadValue, match="is n"):
        set_values(subject, [row.pk], {defined[at]: text})


def test_a_query_compares_attributes(three, defined):
    floor, lease, side = defined
    set_values(Terminal, [three[0].pk], {floor: "2", lease: "2027-03-31"})
    set_values(Terminal, [three[1].pk], {floor: "10"})
    set_values(Site, [three[0].site_id], {side: "Left"})

    assert found("attr.floor>2") == ["B"]
    assert found("attr.floor<=10") == ["A", "B"]
    assert found('attr.floor:""') == ["C"]
    assert found("-attr.floor:2") == ["B", "C"]
    assert found("attr.lease_end<2028-01-01") == ["A"]
    assert found("attr.side:left attr.floor:2") == ["A"]


def test_a_deleted_attribute_takes_its_values_along(three, defined):
    set_values(Terminal, [three[0].pk], {defined[0]: "2"})

    delete_attribute(defined[0])

    assert values_of(three[0]) == {}
    assert AuditEntry.objects.get(action="deleted").changes == {"rows": [1, None]}
    assert date(2027, 3, 31) == set_and_read(three[0], defined[1], "2027-03-31")


def set_and_read(terminal: Terminal, attribute: Attribute, text: str) -> object:
    set_values(Terminal, [terminal.pk], {attribute: text})
    return values_of(terminal)[attribute.name]
