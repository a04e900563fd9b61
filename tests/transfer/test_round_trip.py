"""Properties: an export changes nothing when it is imported, and undo restores every row that nobody changed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.support.builders import AT
from tests.support.people import person
from tests.transfer.files import checked, exported, faults, undone
from tms.fleet.devices import placements
from tms.fleet.labels.attributes import set_values, values_of
from tms.fleet.labels.subjects import SUBJECTS
from tms.fleet.labels.tags import change_tags, tags_of
from tms.fleet.lifecycle import CHANGES, Lifecycle
from tms.fleet.models import (
    Attribute,
    AttributeSubject,
    AttributeType,
    Device,
    DeviceState,
    Group,
    OnHolidays,
    OpeningHours,
    Region,
    Site,
    SiteContact,
    SpecialDay,
    Terminal,
    TerminalKind,
    TerminalState,
)
from tms.fleet.models.tag import TAG
from tms.lib.csv_text import csv_text, restored
from tms.protocol.text import clean
from tms.transfer import running
from tms.transfer.kinds.registry import KINDS
from tms.transfer.models import Absence, ImportNotPossible, ImportState
from tms.transfer.reading.files import read_table

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
RISKY = st.text(st.sampled_from("=+-@'\t \n;,\"＝a"), max_size=8)
WORDS = st.one_of(TEXT, RISKY).map(lambda text: clean(text).strip())
NAMES = WORDS.filter(bool)
TAG_LISTS = st.lists(
    st.one_of(TEXT, RISKY).map(lambda text: text.strip().casefold()).filter(TAG.fullmatch).filter(clean),
    max_size=3,
    unique=True,
)
LINES = st.one_of(TEXT, RISKY).map(lambda text: clean(text, keeps_lines=True).strip())


@given(st.lists(st.one_of(TEXT, RISKY), min_size=1, max_size=5))
def test_a_cell_is_neutralised_and_restored(cells):
    rows = read_table(csv_text([["a"] * len(cells), [*cells[:-1], cells[-1] + "."]]).encode())

    read = rows.lines[0].cells
    assert read == [clean(cell, keeps_lines=True) for cell in [*cells[:-1], cells[-1] + "."]]


@pytest.mark.parametrize("text", ["=1", "'=1", "''=1", " =1", "+", "@x", "-1", "\tx", "'x", "x"])
def test_an_apostrophe_is_removed_only_where_it_was_added(text):
    [[written]] = [line.split("\r\n")[:1] for line in [csv_text([[text]])]]

    assert restored(written.strip('"')) == text


class RoundTrips(TestCase):
    @settings(max_examples=40)
    @given(st.data())
    def test_an_export_changes_nothing_when_it_is_imported(self, data):
        fill(data)
        boss = person("boss", of="Manager")

        for kind in KINDS:
            made = checked(kind, exported(kind, to=boss), by=boss)
            assert set(made.counts) <= {"unchanged"}, (kind, made.parts.values_list("rows", flat=True))

    @settings(max_examples=25)
    @given(st.data())
    def test_undo_restores_each_terminal_that_nobody_changed(self, data):
        fill(data)
        boss = person("boss", of="Manager")
        uids = data.draw(st.sets(st.sampled_from([f"T-{number}" for number in range(6)]), min_size=1))
        before = stored()
        lines = [
            [uid, "S0", data.draw(WORDS), data.draw(following(before.get(uid))), " ".join(data.draw(TAG_LISTS)), "7"]
            for uid in sorted(uids)
        ]
        header = ["uid", "site", "label", "lifecycle", "tags", "attr.floor"]
        made = checked("terminals", csv_text([header, *lines]), by=boss)
        assert faults(made) == []
        try:
            running.start_applying(made, by=boss, at=AT, absent_become=data.draw(st.sampled_from(Absence)))
        except ImportNotPossible:  # nothing to change
            return
        made.refresh_from_db()
        assert made.state == ImportState.APPLIED
        touched = data.draw(st.sets(st.sampled_from(sorted(stored()))))
        for uid in touched:
            Terminal.objects.filter(uid=uid).update(label="touched since")

        undone(made, by=boss)

        after = stored()
        assert {uid: row for uid, row in after.items() if uid not in touched} == {
            uid: row for uid, row in before.items() if uid not in touched
        }
        assert all(after[uid][1] == "touched since" for uid in touched)


def stored() -> dict[str, tuple[object, ...]]:
    return {
        terminal.uid: (
            terminal.site.code, terminal.label, terminal.lifecycle, tags_of(terminal), values_of(terminal)
        )
        for terminal in Terminal.objects.select_related("site")
    }  # fmt: skip


def following(row: tuple[object, ...] | None) -> st.SearchStrategy[str]:
    """The states that a file may give to a terminal. What `fill` retired stays so: nothing says since when."""
    state = Lifecycle(row[2]) if row else Lifecycle.PLANNED
    return st.sampled_from(["", state.value, *(() if state == Lifecycle.RETIRED else CHANGES[state])])


def fill(data: st.DataObject) -> None:
    """A small fleet with texts of any kind."""
    draw = data.draw
    regions = [Region.objects.create(name=name, name_ja=draw(WORDS)) for name in draw(st.sets(NAMES, max_size=2))]
    names = st.sampled_from(["", *(region.name for region in regions)])
    sites = [
        Site.objects.create(
            code=f"S{number}",
            name=draw(NAMES),
            name_ja=draw(WORDS),
            region=draw(names),
            address=draw(WORDS),
            on_holidays=draw(st.sampled_from(OnHolidays)),
        )
        for number in range(2)
    ]
    groups = [Group.objects.create(name=name) for name in draw(st.sets(NAMES, max_size=2))]
    terminals: list[Terminal] = []
    for number in range(draw(st.integers(0, 3))):
        terminal = Terminal.objects.create(
            uid=f"T-{number}",
            site=draw(st.sampled_from(sites)),
            kind=draw(st.sampled_from(TerminalKind)),
            label=draw(WORDS),
            parent=draw(st.sampled_from([None, *terminals])),
            lifecycle=draw(st.sampled_from(Lifecycle)),
        )
        TerminalState.objects.create(terminal=terminal)
        terminal.groups.set(draw(st.lists(st.sampled_from(groups), unique=True)) if groups else [])
        terminals.append(terminal)
    for number, serial in enumerate(sorted(draw(st.sets(NAMES, max_size=3)))):
        device = Device.objects.create(
            serial=serial, note=draw(LINES), site=draw(st.sampled_from([None, *sites])), state=DeviceState.SPARE
        )
        if number < len(terminals) and draw(st.booleans()):
            placements.place(device, terminals[number], by=None, at=terminals[number].created_at)
    attributes = [define(subject, kind) for subject in AttributeSubject for kind in AttributeType]
    for row in (*sites, *terminals, *Device.objects.all()):
        change_tags(type(row), [row.pk], add=draw(TAG_LISTS))
        mine = [each for each in attributes if isinstance(row, SUBJECTS[each.subject].rows)]
        for attribute in draw(st.sets(st.sampled_from(mine), max_size=2)):
            set_values(type(row), [row.pk], {attribute: draw(VALUES[attribute.type])})
    for site in sites:
        for position, name in enumerate(draw(st.lists(NAMES, max_size=2))):
            SiteContact.objects.create(site=site, position=position, name=name, note=draw(WORDS))
        for weekday in draw(st.sets(st.integers(0, 7), max_size=3)):
            OpeningHours.objects.create(site=site, weekday=weekday, opens_at=draw(times()), closes_at=draw(times()))
        for note in draw(st.lists(WORDS, max_size=1)):
            SpecialDay.objects.create(site=site, first_on=draw(st.dates()), note=note)


def define(subject: AttributeSubject, kind: AttributeType) -> Attribute:
    name = "floor" if (subject, kind) == (AttributeSubject.TERMINAL, AttributeType.NUMBER) else f"{subject}_{kind}"
    return Attribute.objects.create(name=name, label=name, subject=subject, type=kind, choices=["Left", "=right"])


VALUES: dict[str, st.SearchStrategy[str]] = {
    AttributeType.TEXT: WORDS,
    AttributeType.NUMBER: st.floats(-1e12, 1e12).map(repr),
    AttributeType.DAY: st.dates().map(str),
    AttributeType.CHOICE: st.sampled_from(["Left", "=right"]),
}


def times() -> st.SearchStrategy[str]:
    return st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
