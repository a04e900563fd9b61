"""The release before: its code, and a TMS that runs it."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.migration.plan import MigrationPlan
from benchmarks.systems.system import ROOT, python
from benchmarks.systems.tms import Tms
from deploy.compatibility import previous

FILL = """
import sys
from datetime import UTC, datetime
import django
django.setup()
from benchmarks.replay import year
from benchmarks.replay.plan import ReplayPlan
from tms.accounts.models import User
terminals, sites, unresolved, days, losses, alerts, incidents = sys.argv[1:]
plan = ReplayPlan(int(terminals), int(sites), int(unresolved), int(days), float(losses), int(alerts), int(incidents))
year.write(plan, at=datetime.now(UTC), person=User.objects.get().pk)
"""
ODD_TERMINALS = """
UPDATE fleet_terminal SET serial = CASE WHEN id % 100 = 0 THEN '' ELSE 'TWICE-' || id / 1000 END
WHERE id % 100 = 0 OR id % 50 = 1;
UPDATE fleet_credential SET revoked_at = now() - interval '3 days' WHERE terminal_id % 30 = 7
"""
"""Some without a serial number, some with that of another, some without a valid key."""


@contextmanager
def checked_out(folder: Path | None) -> Iterator[Path]:
    """The code of `folder`, or of the commit that `deploy/previous_release.json` names."""
    if folder:
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="tms-previous-") as made:
        archive = subprocess.run(["git", "archive", previous().commit], cwd=ROOT, capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", made], input=archive.stdout, check=True)
        if not (Path(made) / "build").exists():  # scripts and styles, which the pages name
            (Path(made) / "build").symlink_to(ROOT / "build")
        yield Path(made)


class PreviousTms(Tms):
    """The release before, in one process with its clock."""

    name = "tms-previous"

    def fill(self, plan: MigrationPlan) -> None:
        """A fleet after a year, written by that release."""
        sizes = ("--sites", str(plan.sites), "--alerts", str(plan.unresolved))
        self.prepare_with(python("-m", "benchmarks.fixture_fleet", str(plan.terminals), *sizes))
        history = (plan.days, plan.losses_per_day, plan.alerts_per_day, plan.incidents_per_day)
        values = (plan.terminals, plan.sites, plan.unresolved, *history)
        self.run(python("-c", FILL, *map(str, values)))
        self.execute(ODD_TERMINALS)

    @property
    def env(self) -> dict[str, str]:
        paths = f"{self.root}:{self.root / 'agent' / 'src'}"
        return {**super().env, "PYTHONPATH": paths, "DJANGO_SETTINGS_MODULE": "tms.config.settings"}

    @property
    def environment_of_this_release(self) -> dict[str, str]:
        return os.environ | super().env | self.settings
