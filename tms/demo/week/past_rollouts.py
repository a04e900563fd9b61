"""Rollouts of the days before: a good one, and one that TMS stopped and a person rolled back."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tms.accounts.models import User
from tms.artifacts.models import Artifact
from tms.fleet.models import Terminal, TerminalKind
from tms.rollouts.models import (
    Rollout,
    RolloutEvent,
    RolloutEventKind,
    RolloutItem,
    RolloutItemState,
    RolloutState,
    Wave,
    WaveState,
)
from tms.rollouts.services import save_draft
from tms.rollouts.values import RolloutValues

LASTED = timedelta(hours=9)
S, K = RolloutState, RolloutEventKind


class PastRollout(NamedTuple):
    version: str
    before: str
    state: RolloutState
    reason: str
    days_ago: int
    evidence: float
    waves: int
    """How many waves were installed."""
    events: Sequence[RolloutEventKind]


PAST = (
    PastRollout("4.8.2", "4.8.1", S.FINISHED, "", 8, 1.3, 5, (K.STARTED, K.WAVE_STARTED, K.WAVE_PASSED, K.ENDED)),
    PastRollout("4.8.3", "4.8.2", S.ROLLED_BACK, "effects", 2, 212, 1, (K.STARTED, K.HELD, K.STOPPED, K.ROLLING_BACK)),
)


def seed_rollouts(terminals: Sequence[Terminal], person: User, *, at: datetime) -> None:
    """Once, in a new demo, after its artifacts."""
    kiosks = [one for one in terminals if one.kind == TerminalKind.KIOSK]
    if kiosks and not Rollout.objects.exists():
        for past in PAST:
            _seed(past, kiosks, person, at - timedelta(days=past.days_ago))


def _seed(past: PastRollout, kiosks: Sequence[Terminal], person: User, at: datetime) -> None:
    artifact = Artifact.objects.get(name="kiosk-firmware", version=past.version)
    query = f"kind:kiosk firmware<{past.version}"
    values = RolloutValues(f"Kiosk firmware {past.version}", at + 2 * LASTED, artifacts=(artifact,), query=query)
    rollout = save_draft(values, by=person, at=at)
    Rollout.objects.filter(pk=rollout.pk).update(
        state=past.state, state_at=at + LASTED, reason=past.reason, evidence=past.evidence, enough_evidence=True,
        started_at=at, ended_at=at + LASTED, first_number=len(kiosks),
    )  # fmt: skip
    state = WaveState.PASSED if past.state == S.FINISHED else WaveState.WATCHED
    waves = rollout.waves.filter(number__lte=past.waves)
    waves.update(state=state, started_at=at, installed_at=at, passed_at=at + LASTED, evidence=past.evidence)
    RolloutItem.objects.bulk_create(_items(past, rollout, kiosks, at))
    for number, kind in enumerate(past.events):
        RolloutEvent.objects.create(
            rollout=rollout, kind=kind, at=at + number * LASTED / 3, dispatched_at=at + LASTED,
            wave=rollout.waves.get(number=1) if kind in (K.WAVE_STARTED, K.WAVE_PASSED) else None,
            by=person if kind in (K.STARTED, K.ROLLING_BACK) else None,
            evidence=past.evidence if kind in (K.STOPPED, K.WAVE_PASSED) else None,
        )  # fmt: skip


def _items(past: PastRollout, rollout: Rollout, kiosks: Sequence[Terminal], at: datetime) -> list[RolloutItem]:
    """One kiosk of each site in each wave."""
    waves: list[Wave] = list(rollout.waves.all())
    before: Counter[int | None] = Counter()
    items = []
    for kiosk in kiosks:
        wave = waves[min(before[kiosk.site_id], len(waves) - 1)]
        before[kiosk.site_id] += 1
        item = RolloutItem(rollout=rollout, wave=wave, terminal=kiosk, site=kiosk.site, not_before=at)
        item.version_before, item.state_at, item.ended_at = past.before, at + LASTED, at + LASTED
        item.state = RolloutItemState.DONE if wave.number <= past.waves else RolloutItemState.CANCELLED
        items.append(item)
    return items
