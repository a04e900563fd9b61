"""`python -m benchmarks.configuration`: what TMS does so that many terminals reach a version with large values.

It has a durable PostgreSQL of its own, and one process does everything: it checks the draft, orders, makes and encodes
the frames, and takes the answers. Links and agents are not measured. Half of the values are of the fleet, the other
half of each terminal, so that no two terminals have equal contents.
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
FRAMES_AT_ONCE = 100


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.configuration", description=__doc__)
    parser.add_argument("--terminals", type=int, default=TERMINALS)
    options = parser.parse_args(arguments)
    with (
        Environment.set_up(SYSTEM_PLAN, machine.all_cores()) as environment,
        environment.system(Unattended) as system,
    ):
        say(f"a fleet of {options.terminals:,} terminals")
        system.prepare_with(python("-m", "benchmarks.fixture_fleet", str(options.terminals), "--sites", str(SITES)))
        os.environ |= system.env | {"DJANGO_SETTINGS_MODULE": "tms.config.settings"}
        django.setup()
        measure()


def measure() -> None:
    from django.db import transaction

    from tms.commands import services as commands
    from tms.configuration import delivery, versions
    from tms.fleet.models import Terminal
    from tms.protocol import downlink

    at = datetime.now(UTC)
    pks = list(Terminal.objects.order_by("pk").values_list("pk", flat=True))
    delivery.note_boots([delivery.BootReport(pk, 0) for pk in pks], at=at)
    rows: list[tuple[str, str]] = []
    made: dict[str, Any] = {}

    def step(title: str, work: Callable[[], object]) -> None:
        began = time.perf_counter()
        made[title] = work()
        rows.append((title, number(time.perf_counter() - began)))

    def order() -> object:
        with transaction.atomic():
            differing = delivery.desire(pks, made["make it ready"], at=at)
            return delivery.order(differing, by=None, at=at, deliver_within_s=600)

    def send() -> int:
        sent = commands.dequeue(dict.fromkeys(pks, 1), at=at)
        size = 0
        for some in batched(sent, FRAMES_AT_ONCE):
            for pk, frame in delivery.frames_of(some).items():
                assert not isinstance(frame, Exception), frame
                size += len(downlink.encode(downlink.ConfigCall(f"c{pk}", frame)))
        made["sent"] = sent
        return size

    def take() -> None:
        for some in batched(made["sent"], FRAMES_AT_ONCE):
            answers = [commands.Answered(one.pk, one.terminal_id, {"version": 1, "applied": []}, "") for one in some]
            with transaction.atomic():
                commands.record_answers(answers, at=at)

    step("edit the draft", lambda: versions.edit(edits(pks), by=None, at=at))
    step("make it ready", lambda: versions.fix(made["edit the draft"], by=None, at=at))
    step("order", order)
    step("make and encode the frames", send)
    step("take the answers", take)
    print(table(("step", "s"), rows))
    size, peak = made["make and encode the frames"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"\n{len(pks):,} terminals, {size / len(pks):,.0f} bytes each; at most {peak / 1024:,.0f} MB of memory")


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
