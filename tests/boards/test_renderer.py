"""Elements that are rendered once and shown often."""

import weakref
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from tms.boards.formatting import instants
from tms.boards.pages.base import PagePart
from tms.boards.rendering import renderer
from tms.boards.rendering.renderer import render_part, render_part_for_frame
from tms.boards.rows.alerts import TransitionRow

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)


class Number(float):
    """One whose lifetime can be observed."""


@pytest.fixture
def clock(monkeypatch):
    """Sets the time for relative times."""

    def show(at):
        monkeypatch.setattr(instants.timezone, "now", lambda: at)

    show(AT)
    return show


def test_an_unchanged_element_is_rendered_once(monkeypatch):
    part = PagePart("boards/base.html#count", {"id": "count-once", "number": 7})
    first = render_part("count-once", part)
    monkeypatch.setattr(renderer, "_render", pytest.fail)

    assert render_part("count-once", PagePart("boards/base.html#count", {"id": "count-once", "number": 7})) == first


def test_of_an_element_only_the_last_rendering_is_cached():
    """Rows that change with every report filled a process with tens of megabytes of old renderings."""
    numbers = [Number(at) for at in range(3)]
    references = [weakref.ref(number) for number in numbers]

    while numbers:
        render_part(
            "count-moving", PagePart("boards/base.html#count", {"id": "count-moving", "number": numbers.pop(0)})
        )

    assert [number() is not None for number in references] == [False, False, True]


def test_each_language_has_its_own_rendering(fleet):
    part = PagePart("boards/overview.html#incidents-note", {"number": 0})

    with translation.override("en"):
        english = render_part("incidents-note", part)
    with translation.override("ja"):
        japanese = render_part("incidents-note", part)

    assert english != japanese


def test_values_without_a_hash_are_rendered_each_time():
    people: list[str] = []
    empty = render_part("shift", PagePart("boards/overview.html#shift", {"people": people}))
    people.append("somebody")

    assert render_part("shift", PagePart("boards/overview.html#shift", {"people": people})) != empty


@pytest.mark.parametrize(
    ("element", "later"),
    [
        (
            instants.time_element(AT - timedelta(seconds=50)),
            '<time datetime="2026-11-25T08:59:10Z" data-format="ago">2 min</time>',
        ),
        (
            instants.countdown(AT + timedelta(seconds=90)),
            '<time datetime="2026-11-25T09:01:30Z" data-countdown>00:20</time>',
        ),
        ("<p>no time in it</p>", "<p>no time in it</p>"),
        ('<time datetime="nonsense">?</time>', '<time datetime="nonsense">?</time>'),
    ],
    ids=["ago", "countdown", "without", "foreign"],
)
def test_relative_times_are_those_of_now(clock, element, later):
    clock(AT + timedelta(seconds=70))

    assert instants.updated(element) == later


def test_planned_times_are_shown_to_the_minute_and_past_ones_to_the_second(clock):
    assert ">18:05<" in instants.time_element(AT + timedelta(minutes=5), "time")
    assert ">18:05:01<" in instants.time_element(AT + timedelta(minutes=5, seconds=1), "time")
    assert ">17:55:00<" in instants.time_element(AT - timedelta(minutes=5), "time")


def test_a_time_of_today_is_shown_with_its_date_tomorrow(clock):
    today = instants.time_element(AT, "time")
    clock(AT + timedelta(days=1))

    assert "25 Nov" in instants.updated(today)
    assert "25 Nov" not in today


def test_a_day_of_another_year_is_shown_with_its_year(clock):
    clock(AT)

    assert "25 Nov 2025" in instants.time_element(AT - timedelta(days=365), "datetime")
    assert "25 Nov 2027" in instants.time_element(AT + timedelta(days=365), "time")
    assert "2026" not in instants.time_element(AT - timedelta(days=30), "datetime").partition(">")[2]


def test_in_a_frame_equal_values_have_equal_html_at_any_time(clock):
    part = PagePart(
        "boards/alert-parts.html#transition",
        {"transition": TransitionRow(AT, "opened", None, ""), "id": "transition-1"},
    )
    first = render_part_for_frame("transition-1", part)
    clock(AT + timedelta(days=3))

    assert render_part_for_frame("transition-1", part) == first
    assert '<time datetime="2026-11-25T09:00:00Z" data-format="time"></time>' in first


def test_invisible_whitespace_is_removed():
    row = TransitionRow(AT, "opened", None, "a > b")
    part = PagePart("boards/alert-parts.html#transition", {"transition": row, "id": "transition-1"})

    html = render_part_for_frame("transition-1", part)

    assert html.startswith('<li id="transition-1"><time ')
    assert "<p>Opened <small><bdi>a &gt; b</bdi></small></p>" in html
