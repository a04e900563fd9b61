"""`python -m benchmarks.configuration`: what TMS does so that many terminals reach a version with large values.

It has a durable PostgreSQL of its own, and one process does everything: it checks the draft, orders, makes and encodes
the frames, and takes the answers. With `--links` TMS serves, and simulated terminals reach the version by a rollout.
Half of the values are of the fleet, the other half of each terminal, so that no two terminals have equal contents.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import batched
from typing import Any

import django

from benchmarks.configuration import links
from benchmarks.output.report import number, table
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL as SYSTEM_PLAN
from benchmarks.running.progress import say
from benchmarks.systems.system import python
from benchmarks.systems.tms import Unattended

TERMINALS, SITES = 5_000, 200
KEYS, VALUE_BYTES = 20, 1_950
"""Together nearly 40,000 bytes as JSON."""
ANSWERS_AT_ONCE = 100


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.configuration", description=__doc__)
    parser.add_argument("--terminals", type=int, default=TERMINALS)
    parser.add_argument("--links", action="store_true", help="with TMS and simulated terminals")
    options = parser.parse_args(arguments)
    with Environment.set_up(SYSTEM_PLAN, machine.all_cores()) as environment:
        if options.links:
            links.measure(environment, options.terminals)
            return
        prepare_and_measure(environment, options.terminals)


def prepare_and_measure(environment: Environment, terminals: int) -> None:
    with environment.system(Unattended) as system:
        say(f"a fleet of {terminals:,} terminals")
        system.prepare_with(python("-m", "benchmarks.fixture_fleet", str(terminals), "--sites", str(SITES)))
        os.environ |= system.env | {"DJANGO_SETTINGS_MODULE": "tms.config.settings"}
        django.setup()
        measure()


def measure() -> None:
    from tms.configuration import delivery, versions
    from tms.fleet.models import Terminal

    at = datetime.now(UTC)
    pks = list(Terminal.objects.order_by("pk").values_list("pk", flat=True))
    delivery.note_boots([delivery.BootReport(pk, 0) for pk in pks], at=at)
    steps = Steps()
    draft = steps.take("edit the draft", lambda: versions.edit(edits(pks), by=None, at=at))
    version = steps.take("make it ready", lambda: versions.fix(draft, by=None, at=at))
    steps.take("order", lambda: order(pks, version, at))
    sent, size = steps.take("make and encode the frames", lambda: send(pks, at))
    steps.take("take the answers", lambda: take_answers(sent, at))
    print(table(("step", "s"), steps.rows))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"\n{len(pks):,} terminals, {size / len(pks):,.0f} bytes each; at most {peak / 1024:,.0f} MB of memory")


class Steps:
    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []

    def take[Result](self, title: str, work: Callable[[], Result]) -> Result:
        began = time.perf_counter()
        result = work()
        self.rows.append((title, number(time.perf_counter() - began)))
        return result


def order(terminals: Sequence[int], version: Any, at: datetime) -> None:
    from django.db import transaction

    from tms.configuration import delivery

    with transaction.atomic():
        differing = delivery.desire(terminals, version, at=at)
        delivery.order(differing, by=None, at=at, deliver_within_s=600)


def send(terminals: Sequence[int], at: datetime) -> tuple[list[Any], int]:
    """The commands that were sent, and the bytes of their frames."""
    from tms.commands import change_frames
    from tms.commands import services as commands

    sent, size = commands.dequeue(dict.fromkeys(terminals, 1), at=at), 0
    for part in change_frames.chunks(sent):
        for one in change_frames.encode(part):
            assert one.text, one.error
            size += len(one.text)
    return sent, size


def take_answers(sent: Sequence[Any], at: datetime) -> None:
    from django.db import transaction

    from tms.commands import services as commands

    for some in batched(sent, ANSWERS_AT_ONCE):
        answers = [commands.Answered(one.pk, one.terminal_id, {"version": 1, "applied": []}, "") for one in some]
        with transaction.atomic():
            commands.record_answers(answers, at=at)


def edits(terminals: Sequence[int]) -> list[Any]:
    from tms.configuration.models import ConfigurationKey, Layer
    from tms.configuration.places import Place
    from tms.configuration.versions import ValueEdit

    keys = [ConfigurationKey.objects.create(name=f"bench.key_{n}", schema={"type": "string"}) for n in range(KEYS)]
    text = "x" * VALUE_BYTES
    own = keys[: KEYS // 2]
    return [
        *(ValueEdit(key, Place(Layer.FLEET), text) for key in keys),
        *(ValueEdit(key, Place(Layer.TERMINAL, pk), f"{pk:08}{text[8:]}") for pk in terminals for key in own),
    ]


if __name__ == "__main__":
    main()
