"""Run inside the database under test: the data of a backup."""

from datetime import UTC, datetime, timedelta

from tms.accounts.models import User
from tms.fleet.credentials import services
from tms.fleet.models import Site, Terminal
from tms.telemetry.models import Boot, Report

TERMINALS, REPORTS = 20, 50


def seed() -> None:
    site = Site.objects.create(code="SJK", name="Shinjuku South", name_ja="新宿南")
    User.objects.create_superuser("tanaka", password="a password for tests")
    now = datetime.now(UTC)
    for number in range(TERMINALS):
        terminal = Terminal(uid=f"T-{number:02}", site=site)
        services.enrol(terminal)
        boot = Boot.objects.create(terminal=terminal, boot_id="boot-1", first_seen_at=now)
        Report.objects.bulk_create(
            Report(
                boot=boot,
                seq=seq,
                terminal=terminal,
                at=now - timedelta(seconds=30 * seq),
                received_at=now - timedelta(seconds=30 * seq),
                metrics={"temperature_c": 20 + seq % 10},
            )
            for seq in range(REPORTS)
        )
