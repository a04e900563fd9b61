"""Checks that the previous release works with this release's schema, as it must during a rollout and after a rollback.

`deploy/previous_release.json` names the previous release: its commit, the last migration of each app, and the findings
that were accepted, each with its reason. `python -m deploy.compatibility` prints what would break;
`python -m deploy.compatibility --record COMMIT` names the checked-out tree as the previous release.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    # Django is set up before anything of it is imported.
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import StateApps
    from django.db.models import Model

RECORD = Path(__file__).with_name("previous_release.json")
ROOT = Path(__file__).resolve().parent.parent


class Previous(NamedTuple):
    commit: str
    migrations: Mapping[str, str]
    """App label → its last migration."""
    accepted: Mapping[str, str]
    """Finding → why it breaks nothing."""


class Finding(NamedTuple):
    subject: str
    """`table`, `table.column` or `table:constraint`."""
    problem: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.problem}"


def previous() -> Previous:
    return Previous(**json.loads(RECORD.read_text()))


def compare(before: StateApps, after: StateApps) -> Iterator[Finding]:
    """What breaks for code written for the registry `before` on the schema of `after` (both `state.apps`)."""
    now = _tables(after)
    for table, model in _tables(before).items():
        if table not in now:
            yield Finding(table, "the table is gone, and the previous release uses it")
            continue
        yield from _columns(table, model, now[table])
        yield from _constraints(table, model, now[table])


def _tables(apps: StateApps) -> dict[str, type[Model]]:
    return {model._meta.db_table: model for model in apps.get_models(include_auto_created=True) if model._meta.managed}


def _columns(table: str, before: type[Model], after: type[Model]) -> Iterator[Finding]:
    was, now = _fields(before), _fields(after)
    for column in was.keys() - now.keys():
        yield Finding(f"{table}.{column}", "the column is gone, and the previous release uses it")
    for column in now.keys() - was.keys():
        if _must_be_named(now[column]):
            yield Finding(
                f"{table}.{column}", "new and NOT NULL without db_default: the previous release cannot insert"
            )
    for column in was.keys() & now.keys():
        if problem := _narrowing(was[column], now[column]):
            yield Finding(f"{table}.{column}", problem)


def _fields(model: type[Model]) -> dict[str, Any]:
    return {str(field.column): field for field in model._meta.local_concrete_fields}


def _must_be_named(field: Any) -> bool:
    """Django drops a Python default once the column is added; only `db_default` stays."""
    return not (field.null or field.has_db_default() or field.generated or field.primary_key)


def _narrowing(was: Any, now: Any) -> str:
    if was.null and not now.null:
        return "NULL is rejected now, and the previous release may write it"
    if _kind(was) != _kind(now):
        return f"{_kind(was)} became {_kind(now)}"
    if (was.max_length or 0) > (now.max_length or 0) > 0:
        return f"shorter: {was.max_length} characters became {now.max_length}"
    return ""


def _kind(field: Any) -> str:
    """The type of a field; of a foreign key, that of the column it refers to."""
    return str(field.target_field.get_internal_type() if field.remote_field else field.get_internal_type())


def _constraints(table: str, before: type[Model], after: type[Model]) -> Iterator[Finding]:
    was = {each.name: each for each in before._meta.constraints}
    for each in after._meta.constraints:
        if each != was.get(each.name):
            yield Finding(f"{table}:{each.name}", "the constraint is new or changed: the previous release may break it")


def findings(since: Mapping[str, str] | None = None) -> list[Finding]:
    """What the migrations of this tree break for a release whose last ones are `since`, without accepted findings.

    By default that is the previous release.
    """
    loader, known = _loader(), previous()
    ends = known.migrations if since is None else since
    before = loader.project_state([node for node in ends.items() if node in loader.graph.nodes])
    found = compare(before.apps, loader.project_state().apps)
    return [each for each in found if each.subject not in known.accepted]


def migrations() -> Mapping[str, str]:
    """The last migration of each app in this tree."""
    return dict(_loader().graph.leaf_nodes())


def _loader() -> MigrationLoader:
    """The migrations of this tree, read without a database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tms.config.settings")
    import django
    from django.db.migrations.loader import MigrationLoader

    django.setup()
    return MigrationLoader(None)


def record(commit: str) -> None:
    text = json.dumps(Previous(commit, migrations(), {})._asdict(), indent=2)
    RECORD.write_text(text + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", metavar="COMMIT", help="name this tree as the previous release")
    options = parser.parse_args()
    if options.record:
        record(options.record)
        return 0
    found = findings()
    for each in found:
        print(each)
    if found:
        print(
            f"The previous release ({previous().commit[:10]}) would break. Change the migration in two steps, or accept"
        )
        print(f"a finding with its reason in {RECORD.relative_to(ROOT)}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
