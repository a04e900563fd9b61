"""Alerts of the demo's week that are not about the link: heat, paper, card readers. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from tms.demo.personality import Personality, personality_of
from tms.demo.week.losses import DAYS
from tms.fleet.models import Terminal


@dataclass(frozen=True, slots=True)
class DeviceFault:
    """One alert: the name of its rule, and the value that triggered it."""

    terminal: Terminal
    rule: str
    opened_at: datetime
    resolved_at: datetime
    value: float | None
    comment: str


class Ailment(NamedTuple):
    """The alerts of a personality: how often a day, for how many minutes, with which values and remedies."""

    rule: str
    a_day: float
    minutes: tuple[float, float]
    values: tuple[float, float] | None
    comments: tuple[str, ...]


AILMENTS = {
    Personality.HOT: Ailment(
        "Overheating", 0.8, (6, 50), (61, 79), ("Fan filter cleaned", "Moved out of the sun", "Technician ordered")
    ),
    Personality.THIRSTY: Ailment("Paper low", 0.7, (10, 90), (3, 9.5), ("Shop staff informed", "Paper replaced")),
    Personality.JAMMED: Ailment(
        "Reader fault", 0.6, (5, 40), None, ("Restarted by shop staff", "Reader cleaned; spare ordered")
    ),
}


def week_of_faults(terminals: Sequence[Terminal], *, at: datetime) -> list[DeviceFault]:
    """Faults in the order of their begin; one at a time for each terminal. All ended an hour before `at`."""
    rng = Random(len(terminals))
    found = [fault for terminal in terminals for fault in _of_one(terminal, at, rng)]
    return sorted(found, key=lambda fault: fault.opened_at)


def _of_one(terminal: Terminal, at: datetime, rng: Random) -> Iterator[DeviceFault]:
    ailment = AILMENTS.get(personality_of(terminal.uid))
    if ailment is None:
        return
    for day in range(1, DAYS):
        if rng.random() < ailment.a_day:
            opened = at - timedelta(days=day, hours=rng.uniform(0, 20))
            resolved = opened + timedelta(minutes=rng.uniform(*ailment.minutes))
            value = round(rng.uniform(*ailment.values), 1) if ailment.values else None
            yield DeviceFault(terminal, ailment.rule, opened, resolved, value, rng.choice(ailment.comments))
