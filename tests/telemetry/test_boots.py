"""The boot to which a report belongs."""

import pytest
from django.db import connection

from tests.support.builders import AT, later
from tests.support.threads import run_concurrently
from tms.lib.db import prepared
from tms.telemetry import boots
from tms.telemetry.models import Boot, Report

pytestmark = [pytest.mark.both, pytest.mark.embedded]


@pytest.fixture
def terminal(fleet):
    return fleet.terminal()


def with_reports(boot_pk: int, terminal, *seqs: int) -> None:
    Report.objects.bulk_create(
        Report(boot_id=boot_pk, seq=seq, terminal=terminal, at=AT, received_at=AT) for seq in seqs
    )


def test_boots_are_created_once_and_found_again(fleet, terminal):
    other = fleet.terminal()
    keys = {(terminal.pk, "a"), (terminal.pk, "b"), (other.pk, "a")}

    made, created = boots.ensure(keys, at=AT)
    again, created_later = boots.ensure(keys | {(other.pk, "c")}, at=later(5))

    assert made.keys() == keys
    assert len(set(made.values())) == 3
    assert created == set(made.values())
    assert {key: again[key] for key in keys} == made
    assert created_later == {again[other.pk, "c"]}
    assert Boot.objects.get(boot_id="c").first_seen_at == later(5)


def test_an_unknown_key_returns_nothing(fleet, terminal):
    """Terminal and boot id are looked up separately."""
    other = fleet.terminal()
    boots.ensure({(terminal.pk, "b"), (other.pk, "a")}, at=AT)

    assert boots.ensure({(terminal.pk, "a"), (other.pk, "b")}, at=AT).pks.keys() == {
        (terminal.pk, "a"),
        (other.pk, "b"),
    }
    assert boots.ensure(set(), at=AT).pks == {}


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_concurrent_nodes_agree_on_the_same_boot(terminal):
    found = run_concurrently(8, lambda n: boots.ensure({(terminal.pk, "a")}, at=AT).pks)

    assert found == [{(terminal.pk, "a"): Boot.objects.get().pk}] * 8


def test_the_highest_report_of_each_boot_is_returned_and_nothing_without_reports(terminal):
    pks = boots.ensure({(terminal.pk, name) for name in "abc"}, at=AT).pks
    first, second, empty = (pks[terminal.pk, name] for name in "abc")
    with_reports(first, terminal, 3, 1, 7)
    with_reports(second, terminal, 2)

    assert boots.highest_seqs([first, empty]) == {first: 7}
    assert boots.highest_seqs([first, second, empty]) == {first: 7, second: 2}
    assert boots.highest_seqs([]) == {}


@pytest.mark.services
def test_the_history_of_a_boot_is_not_scanned(terminal):
    """Every terminal needs this on a reconnect, and after a deployment all of them at once."""
    [pk] = boots.ensure({(terminal.pk, "a")}, at=AT).pks.values()
    with_reports(pk, terminal, *range(1, 3_001))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE telemetry_report")

    sql, parameters = boots.newest([pk])
    plan = "\n".join(row[0] for row in prepared.run(f"EXPLAIN ANALYZE {sql}", parameters))

    assert "_pkey" in plan
    assert "actual" in plan
    assert "rows=3000 loops" not in plan
