"""The waves of a rollout as cells: one a terminal, in large waves one for ten, in very large ones a bar a site."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Count, QuerySet

from tms.rollouts.models import RolloutItem, RolloutItemState, Wave, WaveKind
from tms.rollouts.pages.progress import ItemCounts, RolloutProgress, WaveBarPart, segment
from tms.rollouts.pages.words import wave_name

ONE_EACH, TEN_EACH = 300, 2_000
"""Up to how many terminals of a wave a cell is one of them, and up to how many ten."""
MAX_BARS = 60
PART_OF: Mapping[str, str] = {
    RolloutItemState.FAILED: "failed",
    RolloutItemState.OLD_VERSION: "odd",
    RolloutItemState.NEW_VERSION: "odd",
    RolloutItemState.NOT_BACK: "failed",
    RolloutItemState.ORDERED: "running",
    RolloutItemState.DOWNLOADING: "running",
    RolloutItemState.INSTALLING: "running",
    RolloutItemState.RESTARTING: "running",
    RolloutItemState.SETTLING: "settling",
    RolloutItemState.POSTPONED: "postponed",
    RolloutItemState.DONE: "done",
}
"""The look of a cell by the state of its terminal; the others are ground."""
FIRST_SHOWN = ("failed", "odd", "running", "settling", "postponed")
"""What a cell of ten shows if one of them is so."""


class WaveCell(NamedTuple):
    part: str
    code: str = ""
    """The site, where cells have codes."""
    name: str = ""


class SiteBar(NamedTuple):
    code: str
    parts: list[WaveBarPart]
    counts: ItemCounts


@dataclass(frozen=True, slots=True)
class WaveView:
    wave: Wave
    counts: ItemCounts
    sites: int
    cells: Sequence[WaveCell] = ()
    bars: Sequence[SiteBar] = ()
    is_by_ten: bool = False
    is_current: bool = False

    @property
    def name(self) -> str:
        return wave_name(self.wave)

    @property
    def is_one_each(self) -> bool:
        return self.wave.kind in (WaveKind.CANARY, WaveKind.HELD_BACK)

    @property
    def has_codes(self) -> bool:
        return self.wave.kind == WaveKind.CANARY and not self.is_by_ten

    @property
    def others(self) -> int:
        """Sites that have no bar here."""
        return self.sites - len(self.bars)


def wave_views(waves: Sequence[Wave], progress: RolloutProgress, items: QuerySet[RolloutItem]) -> list[WaveView]:
    """Read them with at most three queries: items of waves that show cells, and sites of the others."""
    totals = {wave.pk: progress.wave(wave.number) for wave in waves}
    small = [pk for pk, counts in totals.items() if counts.total <= TEN_EACH]
    cells = _cells_of(items.filter(wave__in=small))
    bars = _bars_of(items.filter(wave__in=[pk for pk in totals if pk not in small]))
    sites = dict(
        items.order_by().values_list("wave").annotate(n=Count("terminal__site", distinct=True)).values_list("wave", "n")
    )
    return [
        WaveView(
            wave,
            totals[wave.pk],
            sites.get(wave.pk, 0),
            _grouped(cells.get(wave.pk, ())) if totals[wave.pk].total > ONE_EACH else cells.get(wave.pk, ()),
            bars.get(wave.pk, ())[:MAX_BARS],
            is_by_ten=totals[wave.pk].total > ONE_EACH,
            is_current=wave.state in ("installing", "watched"),
        )
        for wave in waves
    ]


def _cells_of(items: QuerySet[RolloutItem]) -> dict[int, list[WaveCell]]:
    """Cells in the order of the items: a cell never moves."""
    found: dict[int, list[WaveCell]] = {}
    columns = ("wave", "state", "terminal__site__code", "terminal__site__name")
    for wave, state, code, name in items.order_by("pk").values_list(*columns):
        found.setdefault(wave, []).append(WaveCell(PART_OF.get(state, ""), code, name))
    return found


def _grouped(cells: Sequence[WaveCell]) -> list[WaveCell]:
    return [WaveCell(_part_of_ten([cell.part for cell in cells[at : at + 10]])) for at in range(0, len(cells), 10)]


def _part_of_ten(parts: Iterable[str]) -> str:
    counted = Counter(parts)
    first = next((part for part in FIRST_SHOWN if counted[part]), "")
    return first or ("done" if counted["done"] > counted[""] else "")


def _bars_of(items: QuerySet[RolloutItem]) -> dict[int, list[SiteBar]]:
    counted: dict[int, dict[str, dict[str, int]]] = {}
    rows = items.order_by().values_list("wave", "terminal__site__code", "state").annotate(n=Count("pk"))
    for wave, code, state, number in rows:
        counted.setdefault(wave, {}).setdefault(code, {})[state] = number
    return {
        wave: [SiteBar(code, segment(counts, 0, 100), counts) for code, counts in _worst_first(sites)]
        for wave, sites in counted.items()
    }


def _worst_first(sites: Mapping[str, Mapping[str, int]]) -> list[tuple[str, ItemCounts]]:
    counts = [(code, ItemCounts(states)) for code, states in sites.items()]
    return sorted(counts, key=lambda each: (-each[1].attention, -each[1].total, each[0]))
