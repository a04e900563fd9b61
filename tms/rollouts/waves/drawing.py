"""Draws the waves of a rollout from its terminals. Pure: the same seed draws the same waves.

Terminals are drawn at random within their site and model, so that those updated and those that wait are alike.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from random import Random
from typing import NamedTuple

from tms.rollouts.models.wave import WaveKind


class WaveTarget(NamedTuple):
    terminal: int
    site: int
    model: str


class WaveDraw(NamedTuple):
    kind: WaveKind
    size: int = 0
    """The same as `Wave.size`."""


def draw(targets: Iterable[WaveTarget], waves: Sequence[WaveDraw], *, seed: int) -> list[list[int]]:
    """The terminals of each wave. Each is in exactly one; what no wave asks for is in the last one of those that are
    neither held back nor for terminals that match later.
    """
    return _Drawing(targets, seed).of(waves)


class _Drawing:
    def __init__(self, targets: Iterable[WaveTarget], seed: int) -> None:
        self._random = Random(seed)  # a sample, not a secret
        self._left = sorted(targets)
        self._total = len(self._left)
        self._random.shuffle(self._left)
        self._compared: set[int] = set()
        """Sites where one is held back."""

    def of(self, waves: Sequence[WaveDraw]) -> list[list[int]]:
        drawn: dict[int, list[WaveTarget]] = {number: [] for number in range(len(waves))}
        for number, wave in enumerate(waves):
            if wave.kind is WaveKind.HELD_BACK:
                drawn[number] = self._take(self._held_back())
                self._compared |= {target.site for target in drawn[number]}
        self._left = self._in_even_order(self._left)
        ordinary = [n for n, wave in enumerate(waves) if wave.kind not in (WaveKind.HELD_BACK, WaveKind.LATE)]
        for number in ordinary:
            drawn[number] = self._take(self._chosen(waves[number]))
        if self._left:
            rest = next((n for n in ordinary if waves[n].kind is WaveKind.REST), (ordinary or [0])[-1])
            drawn[rest] += self._take(self._left)
        return [[target.terminal for target in drawn[number]] for number in range(len(waves))]

    def _take(self, chosen: Sequence[WaveTarget]) -> list[WaveTarget]:
        taken = set(chosen)
        self._left = [target for target in self._left if target not in taken]
        return list(chosen)

    def _chosen(self, wave: WaveDraw) -> Sequence[WaveTarget]:
        match wave.kind:
            case WaveKind.CANARY:
                return self._canary(wave.size)
            case WaveKind.SHARE:
                return self._left[: round(self._total * wave.size / 100)]
            case WaveKind.NUMBER:
                return self._left[: wave.size]
            case WaveKind.SITES:
                sites = set(list(dict.fromkeys(target.site for target in self._left))[: wave.size])
                return [target for target in self._left if target.site in sites]
        return ()  # the rest is what the others leave

    def _held_back(self) -> list[WaveTarget]:
        """One at each site with several: of the most frequent model, which most of the others can be compared with."""
        found = []
        for of_site in _by_site(self._left).values():
            if len(of_site) > 1:
                model, _ = Counter(target.model for target in of_site).most_common(1)[0]
                found.append(next(target for target in of_site if target.model == model))
        return found

    def _canary(self, size: int) -> list[WaveTarget]:
        """One at each of `size` sites, of the model that is behind its share of all."""
        by_site = _by_site(self._left)
        share = Counter(target.model for target in self._left)
        sites = list(by_site)
        self._random.shuffle(sites)
        sites.sort(key=lambda site: site not in self._compared)
        found: list[WaveTarget] = []
        taken: Counter[str] = Counter()
        for site in sites[:size]:
            one = max(by_site[site], key=lambda target: share[target.model] / (taken[target.model] + 1))
            taken[one.model] += 1
            found.append(one)
        return found

    def _in_even_order(self, targets: Sequence[WaveTarget]) -> list[WaveTarget]:
        """Put them into an order of which each part has its share of each site and model: a systematic sample."""
        strata: defaultdict[tuple[int, str], list[WaveTarget]] = defaultdict(list)
        for target in targets:
            strata[target.site, target.model].append(target)
        ranked = []
        for stratum in strata.values():
            begin = self._random.random()
            ranked += [((begin + place) / len(stratum), target) for place, target in enumerate(stratum)]
        return [target for _rank, target in sorted(ranked)]


def _by_site(targets: Iterable[WaveTarget]) -> dict[int, list[WaveTarget]]:
    found: defaultdict[int, list[WaveTarget]] = defaultdict(list)
    for target in targets:
        found[target.site].append(target)
    return found
