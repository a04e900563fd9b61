"""REST schemas of rollouts."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Self

from pydantic import Field

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.alerts.maintenance.schemas import CONFIRM
from tms.alerts.schemas import username
from tms.artifacts.models import Artifact
from tms.configuration.models import ConfigurationVersion
from tms.fleet.models import Terminal
from tms.jobs.models import JobHours
from tms.rest_base.body_values import BodyValues
from tms.rest_base.pagination import Page
from tms.rest_base.schemas import Id, Instant, RequestSchema, ResponseSchema
from tms.rollouts.effects.decision import FAILED_AFTER, FAILED_PCT
from tms.rollouts.effects.measures import DEFAULT_MEASURES, MEASURES
from tms.rollouts.models import (
    ApprovalRule,
    LateTerminals,
    PostponedThen,
    Rollout,
    RolloutItem,
    RolloutItemState,
    RolloutKind,
    RolloutState,
    Wave,
    WaveKind,
    WaveState,
)
from tms.rollouts.preview import RolloutPreview
from tms.rollouts.values import (
    DEFAULT_WAVES,
    MAX_AT_ONCE,
    MAX_CHOSEN,
    MAX_STEPS,
    MAX_WAVES,
    FailureRule,
    Postponing,
    RolloutValues,
    WaveValues,
)

LASTS = timedelta(days=14)


class WaveBody(RequestSchema):
    kind: WaveKind
    size: int = Field(0, ge=0, le=100_000, description="Sites, percent or terminals, as its kind says.")
    watch_hours: float | None = Field(None, ge=0, le=336, description="Null for one opening day of each site.")
    name: str = Field("", max_length=100)
    not_before: Instant | None = None


class PostponingBody(RequestSchema):
    limit: int = Field(3, ge=0, le=20, description='How often a terminal in use may say "not now".')
    after_s: int = Field(900, ge=60, le=86_400)
    then: PostponedThen = PostponedThen.CLOSING


class FailureBody(RequestSchema):
    above_pct: int = Field(FAILED_PCT, ge=0, lt=100, description="Share of failed installations; 0 for never.")
    after: int = Field(FAILED_AFTER, ge=1, le=10_000, description="How many must have ended first.")


def _default_waves() -> list[WaveBody]:
    return [
        WaveBody(kind=wave.kind, size=wave.size, watch_hours=None, name="", not_before=None) for wave in DEFAULT_WAVES
    ]


class RolloutBody(RequestSchema):
    name: str = Field(min_length=1, max_length=100, examples=["Kiosk firmware 4.8.3"])
    comment: str = Field("", max_length=500)
    artifacts: list[Id] = Field([], max_length=MAX_STEPS, description="In the order in which they are installed.")
    version: int | None = Field(None, ge=1, description="Number of a configuration version, instead of artifacts.")
    query: str = Field("", max_length=2_000, examples=["kind:kiosk site:SJK"])
    terminals: list[str] = Field([], max_length=MAX_CHOSEN, description="UIDs, instead of a query.")
    waves: list[WaveBody] = Field(default_factory=_default_waves, min_length=1, max_length=MAX_WAVES)
    late: LateTerminals = LateTerminals.LAST_WAVE
    hours: JobHours = JobHours.CLOSED
    at_once: int = Field(40, ge=1, le=MAX_AT_ONCE)
    per_site: int = Field(1, ge=0, le=MAX_AT_ONCE, description="At once at a site; 0 for no limit.")
    starts_at: Instant | None = Field(None, description="Null to start now.")
    until: Instant | None = Field(None, description="When it ends if unfinished; by default after 14 days.")
    approval: ApprovalRule | None = Field(None, description="By default each wave below 100 terminals, else nothing.")
    postponing: PostponingBody = PostponingBody(limit=3, after_s=900, then=PostponedThen.CLOSING)
    mobile_mb: int = Field(0, ge=0, le=1_000_000, description="Megabytes a month over a mobile link; 0 for no limit.")
    install_within_s: int = Field(7_200, ge=60, le=86_400)
    settle_s: int = Field(600, ge=0, le=86_400)
    measures: list[str] = Field(default_factory=lambda: list(DEFAULT_MEASURES), max_length=len(MEASURES))
    failures: FailureBody = FailureBody(above_pct=FAILED_PCT, after=FAILED_AFTER)

    confirm: int | None = CONFIRM

    def values(self, person: User, *, at: datetime) -> RolloutValues:
        """Raises ProblemError."""
        body = BodyValues()
        seen = visible(Terminal.objects.all(), to=person)
        terminals = body.rows(seen, "uid", self.terminals, "$.terminals")
        artifacts = body.rows(Artifact.objects.all(), "pk", self.artifacts, "$.artifacts")
        numbers = [] if self.version is None else [self.version]
        versions = body.rows(ConfigurationVersion.objects.all(), "number", numbers, "$.version")
        with body.reported():
            pass
        kept = ("name", "comment", "query", "late", "hours", "at_once", "per_site", "starts_at", "approval")
        more = ("mobile_mb", "install_within_s", "settle_s")
        return RolloutValues(
            **{name: getattr(self, name) for name in (*kept, *more)},
            until=self.until or (self.starts_at or at) + LASTS,
            artifacts=artifacts,
            version=next(iter(versions), None),
            terminals=terminals,
            waves=[WaveValues(**wave.model_dump()) for wave in self.waves],
            postponing=Postponing(self.postponing.limit, self.postponing.after_s, self.postponing.then),
            measures=self.measures,
            failures=FailureRule(self.failures.above_pct, self.failures.after),
        )

    @classmethod
    def of(cls, values: RolloutValues) -> Self:
        """The same as somebody asked for on a page, for a request for approval."""
        kept = ("name", "comment", "query", "late", "hours", "at_once", "per_site", "starts_at", "until", "approval")
        more = ("mobile_mb", "install_within_s", "settle_s")
        return cls(
            **{name: getattr(values, name) for name in (*kept, *more)},
            artifacts=[one.pk for one in values.artifacts],
            version=values.version.number if values.version else None,
            terminals=[terminal.uid for terminal in values.terminals],
            waves=[
                WaveBody(
                    kind=one.kind,
                    size=one.size,
                    watch_hours=one.watch_hours,
                    name=one.name,
                    not_before=one.not_before,
                )
                for one in values.waves
            ],
            postponing=PostponingBody(
                limit=values.postponing.limit, after_s=values.postponing.after_s, then=values.postponing.then
            ),
            measures=list(values.measures),
            failures=FailureBody(above_pct=values.failures.above_pct, after=values.failures.after),
            confirm=None,
        )


class ReasonBody(RequestSchema):
    reason: str = Field("", max_length=500)


class ContinueBody(RequestSchema):
    reason: str = Field(min_length=1, max_length=500)
    leave_out: list[str] = Field(
        [], max_length=len(MEASURES), description="Measures that stop it no more. Without any, evidence begins again."
    )
    confirm: int | None = CONFIRM


class RollBackBody(RequestSchema):
    reason: str = Field("", max_length=500)
    confirm: int | None = CONFIRM


class RetryBody(RequestSchema):
    reason: str = Field("", max_length=32, description="Only items that failed for this reason.")
    state: RolloutItemState | None = Field(None, description="Only items in this state.")


class WaveSchema(ResponseSchema):
    number: int
    kind: WaveKind
    size: int
    name: str
    state: WaveState
    watch_hours: float | None
    not_before: datetime | None
    started_at: datetime | None
    installed_at: datetime | None
    watched_until: datetime | None
    passed_at: datetime | None
    asked_at: datetime | None = Field(description="When a second person was asked to approve it.")
    approved_at: datetime | None
    evidence: float | None

    @classmethod
    def of(cls, wave: Wave) -> Self:
        return cls(**{name: getattr(wave, name) for name in cls.model_fields})


class RolloutSchema(ResponseSchema):
    id: int
    name: str
    comment: str
    kind: RolloutKind
    artifacts: list[int]
    version: int | None
    rolls_back: int | None = Field(description="The rollout that this one takes back.")
    query: str
    late: LateTerminals
    hours: JobHours
    at_once: int
    per_site: int
    starts_at: datetime
    until: datetime
    approval: ApprovalRule
    measures: list[str]
    failed_pct: int
    failed_after: int
    settle_s: int
    state: RolloutState
    state_at: datetime | None
    reason: str = Field(description="Why: `effects`, `failures`, `withdrawn`, `undone`, `permission`, `grown`, …")
    evidence: float | None
    enough_evidence: bool
    incident: int | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    started_by: str | None
    waves: list[WaveSchema]
    counts: dict[RolloutItemState, int] = Field(description="Items in each state, of the terminals that you see.")

    @classmethod
    def of(cls, rollout: Rollout, counts: Mapping[str, int]) -> Self:
        own = {"artifacts", "version", "rolls_back", "started_by", "waves", "counts"}
        copied = {name: getattr(rollout, name) for name in cls.model_fields if name not in own}
        return cls(
            **copied,
            artifacts=[step.artifact_id for step in rollout.steps.all()],
            version=rollout.version.number if rollout.version else None,
            rolls_back=rollout.rolls_back_id,
            started_by=username(rollout.started_by),
            waves=[WaveSchema.of(wave) for wave in rollout.waves.all()],
            counts={RolloutItemState(state): number for state, number in counts.items()},
        )


class RolloutPageSchema(Page[RolloutSchema]): ...


class RolloutItemSchema(ResponseSchema):
    id: int
    terminal: str
    wave: int
    state: RolloutItemState
    state_at: datetime | None
    reason: str = Field(description="Why it waits, was left out or failed, such as `last_lane` or `no_space`.")
    step: int
    version_before: str
    attempts: int
    postponed: int
    command: int | None
    back_by: datetime | None
    updated_at: datetime | None
    ended_at: datetime | None
    error: str

    @classmethod
    def of(cls, item: RolloutItem) -> Self:
        own = {"terminal", "wave", "command"}
        copied = {name: getattr(item, name) for name in cls.model_fields if name not in own}
        return cls(**copied, terminal=item.terminal.uid, wave=item.wave.number, command=item.command_id)


class RolloutItemPageSchema(Page[RolloutItemSchema]): ...


class RolloutCountSchema(ResponseSchema):
    number: int


class RolloutPreviewSchema(ResponseSchema):
    terminals: int
    sites: int
    unfit: dict[str, int] = Field(description="How many cannot be changed, by reason.")
    offline: int
    in_maintenance: int
    last_lanes: int
    always_open: list[str] = Field(description="Codes of sites that never close, while it waits for closed ones.")
    download_bytes: int
    waves: list[int] = Field(description="How many terminals each wave would have.")
    needs_second: bool
    ends_at: datetime | None = Field(description="About when it would be over; null if that is not known.")

    @classmethod
    def of(cls, preview: RolloutPreview) -> Self:
        return cls(**{name: getattr(preview, name) for name in cls.model_fields})
