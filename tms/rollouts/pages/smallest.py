"""The smallest effect that each wave of a new rollout can notice, in words."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from tms.accounts.models import User
from tms.rollouts import services
from tms.rollouts.pages.forms import WaveRow
from tms.rollouts.values import RolloutValues
from tms.rollouts.watching.preview import smallest_effects
from tms.rollouts.waves.drawing import WaveDraw, WaveTarget, draw

MAX_LOOKED_AT = 20_000
"""Terminals of a rollout that are drawn again for this."""


class SmallestRow(NamedTuple):
    wave: str
    restarts: str
    lasting_faults: str
    memory: str


def smallest_of(
    values: RolloutValues, rows: Sequence[WaveRow], numbers: Sequence[int], *, to: User, at: datetime
) -> list[SmallestRow]:
    """A row for each wave that is not empty; none if there are too many terminals. Raises the same as `draft`."""
    if not 0 < sum(numbers) <= MAX_LOOKED_AT:
        return []
    _made, members = services.draft(values, by=to, at=at)
    targets = [WaveTarget(*row) for row in members.order_by("pk").values_list("pk", "site", "model").distinct()]
    drawn = draw(targets, [WaveDraw(wave.kind, wave.size) for wave in values.waves], seed=0)
    found = smallest_effects(
        targets, drawn, [wave.watch_hours for wave in values.waves], measures=len(values.measures), at=at
    )
    return [
        SmallestRow(row.title, _times(one.restarts), _times(one.lasting_faults), _slope(one.memory))
        for row, wave, one in zip(rows, drawn, found, strict=True)
        if wave
    ]


def _times(ratio: float | None) -> str:
    return "–" if ratio is None else f"× {ratio:.1f}" if ratio < 10 else f"× {ratio:.0f}"


def _slope(slope: float | None) -> str:
    return "–" if slope is None else f"{slope:.1f}%/h"
