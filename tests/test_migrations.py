"""Squashed migrations: they create what the migrations that they replace have led to, and stand in for them."""

from collections.abc import Iterator, Set
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter

from deploy.backup import release
from deploy.compatibility import previous

type Name = tuple[str, str]

PARTS = ("indexes", "constraints")


def loader(*, squashed: bool = True) -> MigrationLoader:
    return MigrationLoader(None, replace_migrations=squashed)


def replaced() -> dict[Name, list[Name]]:
    return {name: migration.replaces for name, migration in loader().replacements.items()}


def described(model: ModelState) -> dict[str, Any]:
    """Without the order of fields, indexes and constraints."""
    return {
        "name": model.name,
        "bases": model.bases,
        "options": {name: value for name, value in model.options.items() if name not in PARTS},
        "fields": {name: written(field) for name, field in model.fields.items()},
        **{part: {one.name: written(one) for one in model.options.get(part, ())} for part in PARTS},
    }


def written(part: Any) -> str:
    """As in a migration: some parts are never equal."""
    return MigrationWriter.serialize(part)[0]


def models(state: ProjectState, apps: Set[str]) -> dict[Name, dict[str, Any]]:
    return {name: described(model) for name, model in state.models.items() if name[0] in apps}


def test_squashed_migrations_create_the_models_of_those_that_they_replace():
    apps = {app for app, _ in replaced()}

    new = models(loader().project_state(list(replaced())), apps)
    old = models(loader(squashed=False).project_state([names[-1] for names in replaced().values()]), apps)

    assert len(new) > 30
    assert new == old


def test_squashed_migrations_replace_all_up_to_their_last():
    for (app, name), names in replaced().items():
        earlier = sorted(one for one in loader().disk_migrations if one[0] == app and one[1] <= names[-1][1])

        assert names == [one for one in earlier if one != (app, name)]
        assert name == f"0001_squashed_{names[-1][1]}"


def planned(applied: Set[Name]) -> set[Name]:
    """What `migrate` runs for a database with these migrations."""
    MigrationRecorder(connection).migration_qs.all().delete()
    MigrationRecorder(connection).migration_qs.bulk_create(
        MigrationRecorder.Migration(app=app, name=name) for app, name in applied
    )
    executor = MigrationExecutor(connection)
    executor.loader.check_consistent_history(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return {(migration.app_label, migration.name) for migration, _ in plan}


def up_to(*ends: Name) -> set[Name]:
    """The original migrations up to these."""
    graph = loader(squashed=False).graph
    return {name for end in ends for name in graph.forwards_plan(end)}


def originals() -> set[Name]:
    return loader().disk_migrations.keys() - replaced().keys()


def installations() -> Iterator[Any]:
    yield pytest.param(lambda: up_to(*previous().migrations.items()), id="previous release")
    for end in (("fleet", "0005_terminal_words"), ("telemetry", "0002_reports_by_day"), ("alerts", "0009_incidents")):
        yield pytest.param(lambda end=end: up_to(end), id=".".join(end))


@pytest.mark.django_db
def test_an_empty_database_gets_squashed_migrations_instead_of_those_that_they_replace():
    assert planned(set()) == originals() - {one for names in replaced().values() for one in names} | replaced().keys()


@pytest.mark.django_db
@pytest.mark.parametrize("applied", list(installations()))
def test_an_older_installation_goes_on_with_the_migrations_that_it_has_begun(applied):
    done = applied()

    for name, names in replaced().items():
        rest = set(names) - done
        expected = rest if len(rest) < len(names) else {name}
        assert planned(done) & {name, *names} == expected


@pytest.mark.django_db
def test_an_installation_with_all_migrations_has_nothing_to_do():
    assert planned(originals()) == set()
    assert planned(originals() | replaced().keys()) == set()


def test_squashed_migrations_are_not_pending_for_a_backup_of_an_older_release():
    assert release.pending_migrations(originals()) == 0
    assert release.pending_migrations(originals() | replaced().keys()) == 0
    assert release.pending_migrations(originals() - {("ops", "0004_names")}) == 1


@pytest.mark.both
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "table"),
    [
        (("fleet", "0011_presencechange_index"), "fleet_presencechange"),
        (("telemetry", "0006_boot_index"), "telemetry_boot"),
    ],
)
def test_an_index_that_a_longer_one_covers_is_dropped_and_can_be_created_again(name, table):
    """On PostgreSQL outside of a transaction."""
    migration, before = loader().disk_migrations[name], loader().project_state(name, at_end=False)
    first = indexes_of_terminal(table)

    with connection.schema_editor(atomic=False) as editor:
        migration.unapply(before.clone(), editor)
    undone = indexes_of_terminal(table)
    with connection.schema_editor(atomic=False) as editor:
        migration.apply(before.clone(), editor)

    assert (first, len(undone), indexes_of_terminal(table)) == ([], 1, [])


def indexes_of_terminal(table: str) -> list[str]:
    """Of the terminal alone."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    return [name for name, one in found.items() if one["index"] and one["columns"] == ["terminal_id"]]
