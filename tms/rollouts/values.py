"""What a person asks for in a rollout, and what is wrong with it. Pages and REST bodies make it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tms.artifacts.models import Artifact
from tms.configuration.models import ConfigurationVersion, VersionState
from tms.fleet.models import Terminal
from tms.jobs.models import JobHours
from tms.rollouts.effects.decision import FAILED_AFTER, FAILED_PCT
from tms.rollouts.effects.measures import DEFAULT_MEASURES, MEASURES
from tms.rollouts.models import ApprovalRule, LateTerminals, PostponedThen, WaveKind

MAX_CHOSEN = 5_000
MAX_WAVES = 12
MAX_STEPS = 5
MAX_AT_ONCE = 1_000
MAX_LENGTH = timedelta(days=92)
MAX_WATCH_HOURS = 24 * 14
SMALL = 100
"""A fleet below which only large effects are noticed, so that a person approves each wave unless somebody chose."""


class RolloutRefused(ValueError):
    """The rollout cannot be planned; the message says what would be right, and `where` of what."""

    code = "tms:bad-rollout"

    def __init__(self, where: str, text: str) -> None:
        super().__init__(text)
        self.where = where


@dataclass(frozen=True, slots=True)
class WaveValues:
    kind: WaveKind
    size: int = 0
    watch_hours: float | None = None
    """None for one opening day of each site."""
    name: str = ""
    not_before: datetime | None = None


DEFAULT_WAVES = (
    WaveValues(WaveKind.CANARY, 12),
    WaveValues(WaveKind.SHARE, 10),
    WaveValues(WaveKind.SHARE, 40),
    WaveValues(WaveKind.REST),
    WaveValues(WaveKind.HELD_BACK),
)


@dataclass(frozen=True, slots=True)
class Postponing:
    """How often a terminal that is in use may say "not now"."""

    limit: int = 3
    after_s: int = 900
    then: PostponedThen = PostponedThen.CLOSING


@dataclass(frozen=True, slots=True)
class FailureRule:
    above_pct: int = FAILED_PCT
    """0 for never."""
    after: int = FAILED_AFTER
    """How many installations must have ended first."""


@dataclass(frozen=True, slots=True)
class RolloutValues:
    name: str
    until: datetime
    artifacts: Sequence[Artifact] = ()
    """The artifacts in the order in which a terminal installs them."""
    version: ConfigurationVersion | None = None
    """Instead of artifacts."""
    comment: str = ""
    query: str = ""
    terminals: Sequence[Terminal] = ()
    """Instead of a query."""
    waves: Sequence[WaveValues] = DEFAULT_WAVES
    late: LateTerminals = LateTerminals.LAST_WAVE
    hours: JobHours = JobHours.CLOSED
    at_once: int = 40
    per_site: int = 1
    starts_at: datetime | None = None
    """None for now."""
    approval: ApprovalRule | None = None
    """None: each wave of a small rollout, nothing of others."""
    postponing: Postponing = Postponing()
    mobile_mb: int = 0
    install_within_s: int = 7_200
    settle_s: int = 600
    measures: Sequence[str] = DEFAULT_MEASURES
    failures: FailureRule = field(default_factory=FailureRule)


def check(values: RolloutValues, *, at: datetime, is_roll_back: bool = False) -> None:
    """Raises RolloutRefused for the first value that is wrong. Targets and queries are checked elsewhere.

    A roll back has an artifact for each of the former versions.
    """
    names = {one.name for one in values.artifacts}
    starts_at = values.starts_at or at
    unknown = sorted(set(values.measures) - set(MEASURES))
    limits = (
        (1 <= len(values.name) <= 100, "$.name", "1 to 100 characters"),
        (bool(values.artifacts) != (values.version is not None), "$.artifacts", "give artifacts or a version"),
        (is_roll_back or len(values.artifacts) <= MAX_STEPS, "$.artifacts", f"at most {MAX_STEPS} artifacts"),
        (is_roll_back or len(names) == len(values.artifacts), "$.artifacts", "each name once"),
        (1 <= values.at_once <= MAX_AT_ONCE, "$.at_once", f"from 1 to {MAX_AT_ONCE}"),
        (0 <= values.per_site <= MAX_AT_ONCE, "$.per_site", f"from 0 (no limit) to {MAX_AT_ONCE}"),
        (values.until > at, "$.until", "the rollout would be over already; choose a later end"),
        (starts_at < values.until <= starts_at + MAX_LENGTH, "$.until", "within 92 days after the start"),
        (0 <= values.postponing.limit <= 20, "$.postponing.limit", "from 0 to 20"),
        (60 <= values.postponing.after_s <= 86_400, "$.postponing.after_s", "from 60 to 86400"),
        (0 <= values.mobile_mb <= 1_000_000, "$.mobile_mb", "from 0 (no limit) to 1000000"),
        (60 <= values.install_within_s <= 86_400, "$.install_within_s", "from 60 to 86400"),
        (0 <= values.settle_s <= 86_400, "$.settle_s", "from 0 to 86400"),
        (not unknown, "$.measures", f"unknown measure {unknown[:1]}; use {', '.join(MEASURES)}"),
        (0 <= values.failures.above_pct < 100, "$.failures.above_pct", "from 0 (never) to 99"),
        (1 <= values.failures.after <= 10_000, "$.failures.after", "from 1 to 10000"),
        *_of_waves(values.waves),
        *_of_change(values),
    )
    for is_right, where, text in limits:
        if not is_right:
            raise RolloutRefused(where, text)


def _of_waves(waves: Sequence[WaveValues]) -> list[tuple[bool, str, str]]:
    kinds = [wave.kind for wave in waves]
    last = [kind for kind in kinds if kind != WaveKind.HELD_BACK][-1:]
    return [
        (1 <= len(waves) <= MAX_WAVES, "$.waves", f"from 1 to {MAX_WAVES} waves"),
        (last == [WaveKind.REST] and kinds.count(WaveKind.REST) == 1, "$.waves", "end with one wave for the rest"),
        (WaveKind.HELD_BACK not in kinds[:-1], "$.waves", "the terminals that are held back are the last wave"),
        (WaveKind.LATE not in kinds, "$.waves", "choose in `late` what becomes of terminals that match later"),
        (all(_has_size(wave) for wave in waves), "$.waves", "a size of 1 or more; a share below 100 percent"),
        (
            all(wave.watch_hours is None or 0 <= wave.watch_hours <= MAX_WATCH_HOURS for wave in waves),
            "$.waves",
            f"watch each wave for 0 to {MAX_WATCH_HOURS} hours, or an opening day",
        ),
    ]


def _has_size(wave: WaveValues) -> bool:
    if wave.kind in (WaveKind.REST, WaveKind.HELD_BACK):
        return True
    return 1 <= wave.size < (100 if wave.kind == WaveKind.SHARE else 100_000)


def _of_change(values: RolloutValues) -> list[tuple[bool, str, str]]:
    withdrawn = [one for one in values.artifacts if one.withdrawn_at]
    is_draft = values.version is not None and values.version.state != VersionState.READY
    return [
        (not withdrawn, "$.artifacts", f"{withdrawn[0] if withdrawn else ''} was withdrawn; choose another one"),
        (not is_draft, "$.version", "this version is a draft; make it ready first"),
    ]
