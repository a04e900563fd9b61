"""The changes of one transaction, merged and bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms.feed.change import MAX_IDS, NOTHING, Change, FeedMessage, pack, unpack

ids = st.frozensets(st.integers(1, 50), max_size=5)
changes = st.builds(
    Change,
    terminals=ids,
    presence=ids,
    alerts=ids,
    commands=ids,
    sessions=st.frozensets(st.tuples(st.integers(1, 5), st.integers(1, 9)), max_size=4),
    revoked=ids,
    people=ids,
    rules=st.booleans(),
    everything=st.booleans(),
)


def many(first: int = 0, number: int = MAX_IDS + 1) -> frozenset[int]:
    return frozenset(range(first, first + number))


def newest(change: Change) -> dict[int, int]:
    return {terminal: max(n for t, n in change.sessions if t == terminal) for terminal, _ in change.sessions}


@given(changes, changes)
def test_two_merged_changes_contain_all_rows_of_both(one, other):
    merged = one | other

    for name in ("terminals", "presence", "alerts", "commands", "revoked", "people"):
        assert getattr(merged, name) == getattr(one, name) | getattr(other, name)
    assert merged.rules == (one.rules or other.rules)
    assert merged.everything == (one.everything or other.everything)
    every = Change(sessions=one.sessions | other.sessions)
    assert dict(merged.sessions) == newest(every)


@given(changes)
def test_all_but_readings_is_urgent(change):
    others = (change.presence, change.alerts, change.commands, change.sessions, change.revoked, change.people)

    assert change.is_urgent == bool(any(others) or change.rules or change.everything)
    assert Change(terminals=change.terminals, status=frozenset({1})).is_urgent
    assert change.is_more_than_status == change.is_urgent
    assert not Change(terminals=change.terminals, status=frozenset({1})).is_more_than_status


@given(changes)
def test_an_empty_change_adds_nothing(change):
    merged = NOTHING | change

    assert merged | NOTHING == merged
    assert merged.terminals == change.terminals


def test_of_the_sessions_of_a_terminal_only_the_newest_remains_because_older_ones_have_ended():
    merged = Change(sessions=frozenset({(1, 4), (2, 1)})) | Change(sessions=frozenset({(1, 5), (1, 3)}))

    assert merged.sessions == {(1, 5), (2, 1)}


@pytest.mark.parametrize("name", ["terminals", "alerts", "presence"])
def test_more_rows_than_can_be_named_are_everything(name):
    merged = Change(**{name: many(number=MAX_IDS)}) | Change(**{name: many(MAX_IDS, 1)})

    assert merged == Change(everything=True)


def test_revocations_remain_in_a_change_of_everything():
    vital = Change(
        commands=frozenset({1}),
        sessions=frozenset({(2, 3)}),
        revoked=frozenset({4}),
        people=frozenset({5}),
        rules=True,
    )

    merged = Change(terminals=many()) | vital

    assert merged.everything
    assert (merged.commands, merged.sessions, merged.revoked) == (vital.commands, vital.sessions, vital.revoked)
    assert (merged.people, merged.rules) == (vital.people, True)


def test_a_single_change_is_bounded_as_well():
    """A starting node makes all of its terminals silent in one transaction."""
    assert Change(terminals=many(), presence=many()).bounded() == Change(everything=True)
    assert Change(terminals=many(number=MAX_IDS)).bounded().terminals == many(number=MAX_IDS)


@given(changes, st.text(min_size=1, max_size=12), st.integers(1, 2**40), st.floats(0, 2e9))
def test_a_message_is_decoded_as_it_was_encoded(change, publisher, number, sent_at):
    message = FeedMessage(publisher, number, sent_at, change)

    assert unpack(pack(message)) == message


def test_a_message_of_an_older_version_with_fewer_parts_is_decoded():
    assert unpack(b"\x93\xa1a\x01\xcb" + b"\x00" * 8) == FeedMessage("a", 1, 0.0, NOTHING)
