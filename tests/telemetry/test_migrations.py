"""Reports from before partitions are kept, and the migration can be reversed."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tests.support.builders import AT

pytestmark = [pytest.mark.both, pytest.mark.embedded, pytest.mark.django_db(transaction=True)]

UNPARTITIONED, SET_ASIDE, CARRIED_OVER = "0001_initial", "0002_reports_by_day", "0003_carry_reports_over"
COLUMNS = ("boot_id", "seq", "terminal_id", "at", "received_at", "late", "status", "metrics")


@pytest.fixture
def migrate(fleet) -> Iterator[Any]:
    """Migrates telemetry and returns its models at that migration."""

    def to(name: str) -> Any:
        executor = MigrationExecutor(connection)
        return executor.migrate([("telemetry", name)]).apps

    yield to
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("telemetry"))


def add(apps: Any, fleet: Any, seqs: range) -> Any:
    boot, _ = apps.get_model("telemetry", "Boot").objects.get_or_create(
        terminal_id=fleet.terminal().pk, boot_id="b", defaults={"first_seen_at": AT}
    )
    report = apps.get_model("telemetry", "Report")
    report.objects.bulk_create(
        report(
            boot=boot,
            seq=seq,
            terminal_id=boot.terminal_id,
            at=at,
            received_at=AT,
            status="ok",
            metrics={"temperature_c": seq + 0.5},
        )
        for seq, at in zip(seqs, (AT, timezone.now(), AT.replace(year=1970)), strict=False)
    )
    return boot


def rows(apps: Any) -> list[tuple[Any, ...]]:
    return list(apps.get_model("telemetry", "Report").objects.order_by("boot_id", "seq").values_list(*COLUMNS))


def test_reports_are_migrated_in_both_directions(fleet, migrate):
    apps = migrate(UNPARTITIONED)
    add(apps, fleet, range(1, 4))
    before = rows(apps)

    after = rows(migrate(CARRIED_OVER))
    back = rows(migrate(UNPARTITIONED))

    assert len(before) == 3
    assert after == before == back


def test_reports_sent_again_during_the_migration_are_stored_once(fleet, migrate):
    apps = migrate(UNPARTITIONED)
    boot = add(apps, fleet, range(1, 3))
    before = rows(apps)
    apps = migrate(SET_ASIDE)
    assert rows(apps) == []
    report = apps.get_model("telemetry", "Report")
    report.objects.create(**dict(zip(COLUMNS, before[0], strict=True)))
    report.objects.create(boot_id=boot.pk, seq=3, terminal_id=boot.terminal_id, at=AT, received_at=AT, metrics={})

    after = rows(migrate(CARRIED_OVER))

    assert [row[1] for row in after] == [1, 2, 3]
    assert after[:2] == before
