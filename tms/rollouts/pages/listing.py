"""The list of rollouts: what needs a decision, what runs, what is planned, and what has ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from django.db.models import Q
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext, pgettext

from tms.accounts.display_names import Name, name_of
from tms.accounts.models import User
from tms.protocol.text import clean
from tms.rollouts.models import Rollout, RolloutArtifact, RolloutState, Wave
from tms.rollouts.models.rollout import RolloutQuerySet
from tms.rollouts.pages.evidence import EvidenceBar
from tms.rollouts.pages.progress import ItemCounts, RolloutProgress, WaveBarPart, progress_of
from tms.rollouts.pages.words import FINISHED, GROUP_OF, ICONS, PAST, NextStep, next_step

A_PAGE = 20
MAX_PAGES, MAX_WORDS = 1_000, 64
SHOWS: Mapping[str, Sequence[str]] = {
    "running": (RolloutState.RUNNING, RolloutState.PAUSED),
    "held": (RolloutState.HELD,),
    "stopped": (RolloutState.STOPPED,),
    "planned": (RolloutState.DRAFT, RolloutState.PLANNED),
    "finished": PAST,
}
"""The states behind each filter."""


class RolloutListQuery(NamedTuple):
    """What the address asks for. Words that mean nothing are ignored."""

    show: str = ""
    words: str = ""
    page: int = 0

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Self:
        show, page = values.get("show", ""), values.get("page", "")
        return cls(
            show if show in SHOWS else "",
            clean(values.get("q", ""))[:MAX_WORDS].strip(),
            min(int(page), MAX_PAGES) if page.isascii() and page.isdigit() and len(page) < 6 else 0,
        )

    def address(self, **other: str | int) -> str:
        values: dict[str, str | int] = {"show": self.show, "q": self.words, "page": self.page, **other}
        return f"?{urlencode({name: value for name, value in values.items() if value})}"

    def apply(self, rollouts: RolloutQuerySet) -> RolloutQuerySet:
        if self.words:
            rollouts = rollouts.filter(_like(self.words)).distinct()
        return rollouts.filter(state__in=SHOWS[self.show]) if self.show else rollouts


@dataclass(frozen=True, slots=True)
class RolloutRow:
    rollout: Rollout
    waves: Sequence[Wave]
    progress: RolloutProgress
    what: str
    by: Name | None

    @property
    def group(self) -> str:
        return GROUP_OF.get(self.rollout.state, FINISHED)

    @property
    def icon(self) -> str:
        return ICONS[self.rollout.state]

    @property
    def counts(self) -> ItemCounts:
        return self.progress.all

    @property
    def bar(self) -> list[WaveBarPart]:
        return self.progress.bar([wave.number for wave in self.waves])

    @property
    def evidence(self) -> EvidenceBar | None:
        return EvidenceBar.of(self.rollout.evidence, is_past=self.rollout.state in PAST)

    @property
    def next(self) -> NextStep:
        return next_step(self.rollout, self.waves, self.counts)


class RolloutList(NamedTuple):
    rows: list[RolloutRow]
    has_next: bool


class RolloutLister:
    """The rows of the list for one person."""

    def __init__(self, person: User, query: RolloutListQuery) -> None:
        self.person, self.query = person, query
        self._rollouts = Rollout.objects.of(person)

    def rows(self) -> RolloutList:
        """Everything that is open, then a page of what has ended. Later pages have only the latter."""
        chosen = self.query.apply(self._rollouts).select_related("started_by", "version")
        begin = self.query.page * A_PAGE
        ended = list(chosen.filter(state__in=PAST).order_by("-ended_at", "-pk")[begin : begin + A_PAGE + 1])
        going = [] if self.query.page else list(chosen.exclude(state__in=PAST).order_by("-state_at", "-pk"))
        going.sort(key=lambda rollout: rollout.state != RolloutState.STOPPED)
        return RolloutList(rows_of([*going, *ended[:A_PAGE]], to=self.person), len(ended) > A_PAGE)

    def chips(self) -> list[tuple[str, str, int]]:
        """Filters: value, label and number. One grouped query."""
        states = list(self._rollouts.order_by().values_list("state", flat=True))
        labels = {
            "running": pgettext("rollouts", "Running"),
            "held": pgettext("rollout", "Held"),
            "stopped": pgettext("rollout", "Stopped"),
            "planned": pgettext("rollouts", "Planned"),
            "finished": pgettext("rollouts", "Finished"),
        }
        return [(show, label, sum(state in SHOWS[show] for state in states)) for show, label in labels.items()]


def rows_of(rollouts: Sequence[Rollout], *, to: User) -> list[RolloutRow]:
    """Rows with their waves, numbers and what they change. A fixed number of queries."""
    pks = [rollout.pk for rollout in rollouts]
    progress = progress_of(pks, to=to)
    waves: dict[int, list[Wave]] = {}
    for wave in Wave.objects.filter(rollout__in=pks):
        waves.setdefault(wave.rollout_id, []).append(wave)
    models = _models_of(pks)
    return [
        RolloutRow(
            rollout,
            waves.get(rollout.pk, []),
            progress[rollout.pk],
            _what(models.get(rollout.pk, []), progress[rollout.pk].all.total),
            name_of(rollout.started_by) if rollout.started_by else None,
        )
        for rollout in rollouts
    ]


def _models_of(pks: Sequence[int]) -> dict[int, list[str]]:
    """The models that the artifacts of each rollout are for."""
    found: dict[int, list[str]] = {}
    for pk, models in RolloutArtifact.objects.filter(rollout__in=pks).values_list("rollout", "artifact__for_models"):
        found[pk] = list(dict.fromkeys([*found.get(pk, []), *models]))
    return found


def _what(models: Sequence[str], number: int) -> str:
    terminals = ngettext("%(n)s terminal", "%(n)s terminals", number) % {"n": f"{number:,}"}
    return gettext(", ").join([*models[:3], terminals])


def _like(text: str) -> Q:
    fields = (
        "name",
        "artifacts__name",
        "artifacts__version",
        "started_by__username",
        "started_by__first_name",
        "started_by__last_name",
    )
    found = Q()
    for field in fields:
        found |= Q(**{f"{field}__icontains": text})
    return found
