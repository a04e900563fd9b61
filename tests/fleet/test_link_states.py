"""Link states of many terminals, read and written in bulk."""

from datetime import datetime, timedelta

import msgspec
import pytest
from django.db import connection, transaction

from tests.support.builders import AT, later
from tests.support.threads import run_concurrently
from tms.fleet.models import Cause, Presence, PresenceChange, TerminalState
from tms.fleet.presence import store
from tms.fleet.presence.state_machine import LinkStateChange
from tms.lib.db import rows as db_rows

pytestmark = [pytest.mark.both, pytest.mark.embedded]


class Row(msgspec.Struct):
    """One of every kind of value in a row."""

    whole: int
    real: float
    text: str
    flag: bool
    at: datetime
    maybe: datetime | None
    document: msgspec.Raw


def selected(*rows: Row) -> list[tuple]:
    columns = ", ".join(Row.__struct_fields__)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {db_rows.source(Row)}", [db_rows.encode(rows)])
        return cursor.fetchall()


TEXTS = ["", "plain", 'it\'s "quoted"', "%s %(x)s", "back\\slash", "日本語", "line\nbreak", "'; DROP TABLE x; --"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_row_is_returned_as_it_was_sent(db, text):
    document = msgspec.Raw(msgspec.json.encode({text: 1.5}))

    [row] = selected(Row(2**53, -0.25, text, True, AT, None, document))

    whole, real, read, flag, _, maybe, stored = row
    assert (whole, real, read, bool(flag), maybe) == (2**53, -0.25, text, True, None)
    assert (msgspec.json.decode(stored) if isinstance(stored, str) else stored) == {text: 1.5}


def test_rows_keep_their_order_and_may_be_empty(db):
    rows = [Row(number, 0.0, "", False, AT, AT, msgspec.Raw(b"{}")) for number in range(50)]

    assert [row[0] for row in selected(*rows)] == list(range(50))
    assert selected() == []


INSTANTS = [
    AT,
    AT.replace(microsecond=1),
    AT.replace(microsecond=120_000),
    datetime(2000, 1, 1, tzinfo=AT.tzinfo),
    datetime(2099, 12, 31, 23, 59, 59, 999_999, tzinfo=AT.tzinfo),
]


@pytest.mark.parametrize("at", INSTANTS)
def test_an_instant_is_stored_as_the_orm_stores_it(fleet, at):
    """SQLite stores instants as text: another spelling would compare wrongly."""
    terminal = fleet.terminal()
    link_state = store.lock([terminal.pk])[terminal.pk]
    link_state.presence_at = link_state.due_at = link_state.lease_at = at

    store.save([link_state])

    state = TerminalState.objects.get(presence_at=at, due_at=at)
    assert (state.presence_at, state.lease_at) == (at, at)
    assert list(TerminalState.objects.due(at)) == [state]
    assert not TerminalState.objects.due(at - timedelta(microseconds=1)).exists()


def test_locked_rows_are_written_back_completely(fleet):
    terminal = fleet.online(boot_id="boot-1", seq=7, status="ok", status_at=later(3), back_at=later(9))
    before = store.lock([terminal.pk])[terminal.pk]

    store.save([before])

    assert store.lock([terminal.pk])[terminal.pk] == before


def test_only_the_given_terminals_are_changed(fleet):
    one, other = fleet.online(), fleet.online()

    link_state = store.lock([one.pk])[one.pk]
    link_state.presence = Presence.OFFLINE.value

    store.save([link_state])

    stored = dict(TerminalState.objects.values_list("pk", "presence"))
    assert stored == {one.pk: Presence.OFFLINE, other.pk: Presence.ONLINE}


def test_metrics_are_merged_over_the_last_values(fleet):
    terminal = fleet.online(metrics={"a": 1.0, "b": 2.0})
    link_state = store.lock([terminal.pk])[terminal.pk]

    store.save([link_state], {terminal.pk: b'{"b": 3.5, "c.d": 4}'})
    store.save([link_state])

    assert TerminalState.objects.get().metrics == {"a": 1.0, "b": 3.5, "c.d": 4}


def test_unknown_terminals_are_not_found_and_an_empty_write_costs_no_query(fleet, django_assert_num_queries):
    assert store.lock([4711]) == {}
    with django_assert_num_queries(0):
        store.save([])


def test_changes_are_recorded_in_the_history(fleet):
    terminal = fleet.terminal()

    store.record([LinkStateChange(terminal.pk, AT, Presence.ONLINE, Presence.REBOOTING, Cause.UPDATE, later(60), 3)])

    change = PresenceChange.objects.get()
    assert (change.before, change.presence, change.cause) == ("online", "rebooting", "update")
    assert (change.at, change.back_at, change.session) == (AT, later(60), 3)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_concurrent_changes_of_the_same_terminals_in_any_order_neither_race_nor_deadlock(fleet):
    pks = [terminal.pk for terminal in fleet.terminals(20)]

    def count_up(n: int) -> None:
        mine = pks if n % 2 else pks[::-1]
        with transaction.atomic():
            locked = store.lock(mine)
            for link_state in locked.values():
                link_state.seq += 1
            store.save(locked.values())

    results = run_concurrently(12, count_up)

    assert results == [None] * 12
    assert set(TerminalState.objects.values_list("seq", flat=True)) == {12}


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_grace_given_during_reports_neither_races_nor_deadlocks(fleet):
    terminals = fleet.terminals(40, presence=Presence.SILENT, due_at=AT)
    for number, terminal in enumerate(terminals):  # so that the index and the keys are in opposite order
        TerminalState.objects.filter(pk=terminal.pk).update(due_at=later(-number))

    def act(n: int) -> object:
        with transaction.atomic():
            if n % 2:
                return store.postpone(later(60 + n))
            return store.save(store.lock([terminal.pk for terminal in terminals]).values())

    results = run_concurrently(8, act)

    assert not [result for result in results if isinstance(result, Exception)]
