"""The previous release works on the new schema during a rollout and after a rollback, and with agents of this one."""

from collections.abc import Iterator

import pytest
from django.db import models

from deploy.compatibility import compare
from tests.support.link.terminal import Terminal
from tests.support.previous_release import exchange, extract
from tests.support.servers.tms import ROOT, RunningTMS

WRITES = """
import django; django.setup()
from tms.alerts.models import Rule
from tms.fleet.credentials import services as credentials
from tms.fleet.models import Site, Terminal
site = Site.objects.create(code="N1", name="Added by the previous release")
Rule.objects.create(name="N1", kind="metric", metric="temperature_c", comparison="above", limit=60, severity="critical")
print(credentials.enrol(Terminal(uid="N1-1", site=site)))
"""
REPORTED = """
SELECT r.seq FROM telemetry_report r JOIN fleet_terminal t ON t.id = r.terminal_id WHERE t.uid = 'N1-1'
"""
ALERTS = "SELECT count(*) FROM alerts_alert a JOIN alerts_rule r ON r.id = a.rule_id WHERE r.name = 'N1'"


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTMS]:
    """The previous release, with a database with this release's schema."""
    code = extract(tmp_path_factory.mktemp("previous"))
    with RunningTMS(tmp_path_factory.mktemp("earlier"), root=code) as running:
        yield running


@pytest.mark.services
async def test_the_previous_release_adds_sites_rules_and_reports_on_the_new_schema(earlier):
    credential = earlier.run_code(WRITES).strip()

    async with await Terminal.connect(earlier.link, credential) as terminal:
        await terminal.boot()
        await terminal.report(1, status="degraded", metrics={"temperature_c": 61.5})
        await terminal.acknowledged(1)

    assert earlier.query(REPORTED) == [(1,)]
    assert earlier.query(ALERTS) == [(1,)]


@pytest.mark.services
def test_an_agent_of_this_release_works_with_the_previous_one(earlier, tmp_path):
    exchange(earlier, earlier.enrol("X-1"), agent=ROOT / "agent/src", folder=tmp_path)


class Registry:
    """Models in the form of `state.apps`."""

    def __init__(self, *each: type[models.Model]) -> None:
        self._models = each

    def get_models(self, **_: object) -> tuple[type[models.Model], ...]:
        return self._models


def table(**fields: models.Field) -> Registry:
    constraints = fields.pop("constraints", [])
    meta = type("Meta", (), {"app_label": "made", "db_table": "made", "apps": _apart(), "constraints": constraints})
    return Registry(type("Made", (models.Model,), {"__module__": __name__, "Meta": meta, **fields}))


def _apart() -> object:
    from django.apps.registry import Apps

    return Apps()


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({}, {"note": models.TextField(default="")}, ["made.note"]),
        ({}, {"note": models.TextField(default="", db_default="")}, []),
        ({}, {"note": models.TextField(null=True)}, []),
        ({"note": models.TextField()}, {}, ["made.note"]),
        ({"note": models.TextField(null=True)}, {"note": models.TextField()}, ["made.note"]),
        ({"note": models.CharField(max_length=9)}, {"note": models.CharField(max_length=8)}, ["made.note"]),
        ({"note": models.TextField()}, {"note": models.IntegerField()}, ["made.note"]),
        (
            {},
            {"constraints": [models.CheckConstraint(condition=models.Q(id__gt=0), name="positive")]},
            ["made:positive"],
        ),
    ],
)
def test_a_migration_that_would_break_the_previous_release_is_found(before, after, found):
    assert [each.subject for each in compare(table(**before), table(**after))] == found


def test_a_deleted_table_is_found():
    assert [each.subject for each in compare(table(), Registry())] == ["made"]
