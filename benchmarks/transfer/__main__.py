"""`python -m benchmarks.transfer`: the cost of 50,000 new terminals that are imported, changed, exported and tagged.

It has a durable PostgreSQL of its own. The work is done in this process, whose memory is that of TMS with one import.
"""

import argparse
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import django

from benchmarks.output.report import number, table
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL as SYSTEM_PLAN
from benchmarks.systems.system import python
from benchmarks.systems.tms import Tms

SITES = 500
TERMINALS = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transfer", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="whether it works, not what it measures")
    terminals = 500 if parser.parse_args().tiny else TERMINALS
    with (
        Environment.set_up(SYSTEM_PLAN, machine.all_cores()) as environment,
        environment.system(Tms) as system,
    ):
        system.prepare_with(python("-m", "benchmarks.fixture_fleet", "1", "--sites", str(SITES), "--alerts", "0"))
        os.environ |= system.env | {"DJANGO_SETTINGS_MODULE": "tms.config.settings"}
        django.setup()
        measure(terminals)
    print(table(("step", "seconds", "peak MB"), FIGURES))


FIGURES: list[tuple[str, str, str]] = []


@contextmanager
def step(name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    FIGURES.append((name, number(time.perf_counter() - began), number(memory)))


def measure(terminals: int) -> None:
    """A step each to check and to apply, of new rows and of changed ones."""
    from tms.accounts.models import User
    from tms.fleet.models import Attribute, Site
    from tms.transfer import exporting
    from tms.transfer.kinds.registry import KINDS

    person = User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("boss")
    Attribute.objects.get_or_create(name="floor", defaults={"label": "Floor", "type": "number"})
    codes = list(Site.objects.order_by("pk").values_list("code", flat=True))
    with step("start"):
        pass
    made = [
        (what, _import(what, _text(terminals, codes, label), person))
        for what, label in (("new", "Lane"), ("changed", "Counter"))
    ]
    with step("export"):
        sum(len(piece) for piece in exporting.pieces(KINDS["terminals"], to=person, at=datetime.now(UTC)))
    _edit(person)
    for what, pk in reversed(made):
        with step(f"{what}: undo"):
            _undo(pk, person)


def _text(terminals: int, codes: list[str], label: str) -> bytes:
    """One in fifty is the router of the others."""
    lines = (
        f"B-{n},{codes[n // 50 % len(codes)]},{label} {n},{f'B-{n - n % 50}' if n % 50 else ''},"
        f"{label} row-{n % 20},{len(label) + n % 9}"
        for n in range(terminals)
    )
    return "\n".join(("uid,site,label,parent,tags,attr.floor", *lines)).encode()


def _import(what: str, data: bytes, person: object) -> int:
    from tms.transfer import running
    from tms.transfer.kinds.registry import KINDS
    from tms.transfer.planning import check_file

    at = datetime.now(UTC)
    with step(f"{what}: check"):
        made = check_file(KINDS["terminals"], name="fleet.csv", data=data, by=person, at=at)  # type: ignore[arg-type]
    assert not made.counts.get("refused"), made.counts
    with step(f"{what}: apply"):
        running.start_applying(made, by=person, at=at)  # type: ignore[arg-type]
        running.advance(at)
    made.refresh_from_db()
    assert made.applied_at, made.problem
    return made.pk


def _edit(person: object) -> None:
    """Tag all of them, and undo it."""
    from tms.transfer import running
    from tms.transfer.edits import planning
    from tms.transfer.kinds.edits import Edit, EditKind

    at = datetime.now(UTC)
    edit, target = Edit(EditKind.TAG, tags=("bulk",)), planning.EditTarget("uid:B-* state:planned")
    with step("tag: preview"):
        plan = planning.plan(edit, target, by=person, at=at)  # type: ignore[arg-type]
    with step("tag: apply"):
        made = planning.store(plan, by=person, at=at)  # type: ignore[arg-type]
        running.start_applying(made, by=person, at=at)  # type: ignore[arg-type]
        running.advance(at)
    with step("tag: undo"):
        _undo(made.pk, person)


def _undo(pk: int, person: object) -> None:
    from tms.transfer import running
    from tms.transfer.models import Import

    at = datetime.now(UTC)
    running.start_undoing(Import.objects.get(pk=pk), by=person, at=at)  # type: ignore[arg-type]
    running.advance(at)
    made = Import.objects.get(pk=pk)
    assert made.counts.get("kept") == 0, (made.counts, made.problem)


if __name__ == "__main__":
    main()
