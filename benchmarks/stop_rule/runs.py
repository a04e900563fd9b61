"""One simulated rollout: its waves, what it does to terminals, and when each rule would have stopped it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from random import Random
from typing import NamedTuple

from benchmarks.stop_rule.fleets import HOURS, ORDINARY, Fleet, Kind, changes, make_fleet
from tms.rollouts.effects import decision, strata
from tms.rollouts.effects.betting import mean_leans
from tms.rollouts.effects.decision import Action, Standing
from tms.rollouts.effects.measures import COUNTED, READINGS
from tms.rollouts.effects.measures import DEFAULT_MEASURES as MEASURED
from tms.rollouts.effects.strata import Exposure, StratumMember
from tms.rollouts.effects.tally import EvidenceTally

HITS = tuple(name for name in MEASURED if name in COUNTED)
LEVELS = tuple(name for name in MEASURED if name in READINGS)
"""What a rollout compares that chooses nothing."""
INSTALL_HOURS = 2
NOT_BACK = 0.005


class Case(NamedTuple):
    name: str
    kind: Kind = ORDINARY
    restarts: float = 0.0
    """More restarts a day."""
    faults: float = 0.0
    """The share of the hours in which the card reader fails besides, for a while."""
    broken: float = 0.0
    """The share of terminals whose card reader fails for good."""
    leak: float = 0.0
    """Percent of memory an hour."""
    install_failures: float = 0.006
    terminals: int = 500
    sites: int = 40
    waves: tuple[int, ...] = (12, 50, 200)


class Outcome(NamedTuple):
    """What became of it by our own rule, and by the others."""

    stopped_at: int | None
    """The hour, for our own rule."""
    updated: int
    held: bool
    others: "Others"
    twice: int | None
    """The hour at which twice as much was counted as before."""


class Place(NamedTuple):
    """A site at which something can be compared."""

    members: Sequence[StratumMember]
    terminals: set[int]
    updated: set[int]
    expected: dict[str, float]
    """Hits a day of the updated ones, by measure."""
    updated_days: float


@dataclass(slots=True)
class Rollout:
    random: Random
    case: Case
    fleet: Fleet
    waves: list[list[int]]
    updated_at: dict[int, int] = field(default_factory=dict)
    """The hour from which a terminal counts as updated."""
    places: list[Place] = field(default_factory=list)
    changes_until: int = 0
    """The hour from which `places` remain."""
    touched: set[int] = field(default_factory=set)
    """Being updated, or failed: neither updated nor waiting."""
    tallies: dict[str, EvidenceTally] = field(default_factory=lambda: {name: EvidenceTally() for name in MEASURED})
    hit: dict[str, set[int]] = field(default_factory=lambda: {name: set() for name in MEASURED})
    leans: dict[str, dict[int, float]] = field(default_factory=lambda: {name: {} for name in LEVELS})
    last: dict[str, dict[int, int]] = field(default_factory=lambda: {name: {} for name in HITS})
    installed: list[bool] = field(default_factory=list)
    failed_by_wave: list[list[bool]] = field(default_factory=list)
    back: dict[int, list[tuple[int, bool]]] = field(default_factory=dict)
    before: dict[str, float] = field(default_factory=lambda: dict.fromkeys(HITS, 0.0))
    after: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HITS, 0))


def draw_waves(random: Random, fleet: Fleet, sizes: Sequence[int]) -> list[list[int]]:
    """A canary at as many sites as possible, shares drawn at random, and one terminal a site held back."""
    rest = [random.sample(site, len(site)) for site in fleet.sites if site]
    for site in rest:
        if len(site) > 1:
            site.pop()  # held back until the end, which these runs do not reach
    random.shuffle(rest)
    canary = [site.pop() for site in rest[: sizes[0]] if site]
    others = [terminal for site in rest for terminal in site]
    random.shuffle(others)
    waves, begin = [canary], 0
    for size in sizes[1:]:
        waves.append(others[begin : begin + size])
        begin += size
    return [*waves, others[begin:]]


def run(case: Case, seed: int) -> Outcome:
    random = Random(seed)
    fleet = make_fleet(random, case.kind, case.terminals, case.sites)
    rollout = Rollout(random, case, fleet, draw_waves(random, fleet, case.waves))
    harm = _harm(random, case, fleet)
    pending, next_wave = list(rollout.waves), 0
    stopped, held, twice = None, False, None
    for hour in range(HOURS):
        if pending and hour >= next_wave and _decide(rollout) is Action.GO_ON:
            _install(rollout, pending.pop(0), hour)
            next_wave = hour + 24
        _compare(rollout, hour, harm)
        if twice is None and _is_twice(rollout):
            twice = hour
        action = _decide(rollout)
        held = held or action is not Action.GO_ON
        if action is Action.STOP:
            stopped = hour + 1
            break
    updated = sum(at <= hour + 1 for at in rollout.updated_at.values())
    while pending:  # what the rules that look at installations would have seen
        _install(rollout, pending.pop(0), HOURS)
    return Outcome(stopped, updated, held, _others(rollout), twice)


def _harm(random: Random, case: Case, fleet: Fleet) -> dict[str, list[set[int]]]:
    """What would happen to each terminal in each hour if it were updated."""
    number = case.terminals
    harm: dict[str, list[set[int]]] = {name: [set() for _ in range(HOURS)] for name in HITS}
    if case.restarts or case.faults:
        for hour in range(HOURS):
            for terminal in range(number):
                if random.random() < case.restarts / 24:
                    harm["restarts"][hour].add(terminal)
                if random.random() < case.faults:
                    harm["passing_faults"][hour].add(terminal)
    return harm


def _install(rollout: Rollout, wave: Sequence[int], hour: int) -> None:
    random, case = rollout.random, rollout.case
    failed = [random.random() < case.install_failures for _ in wave]
    rollout.failed_by_wave.append(failed)
    rollout.installed += failed
    rollout.touched.update(wave)
    rollout.changes_until = hour + INSTALL_HOURS + 1
    for terminal, has_failed in zip(wave, failed, strict=True):
        if has_failed:
            continue
        at = hour + 1 + random.randrange(INSTALL_HOURS)
        missing = random.random() < NOT_BACK
        rollout.back.setdefault(at, []).append((terminal, missing))
        rollout.updated_at[terminal] = at
        if random.random() < case.broken:
            fails_at = at + random.randrange(24) + 4
            if fails_at < HOURS:
                rollout.fleet.hits["lasting_faults"][fails_at].add(terminal)


def _compare(rollout: Rollout, hour: int, harm: dict[str, list[set[int]]]) -> None:
    if hour <= rollout.changes_until:
        rollout.places = list(_places(rollout, hour))
    exposure = sum(place.updated_days for place in rollout.places)
    updated = {terminal for place in rollout.places for terminal in place.updated}
    for name in HITS:
        rollout.tallies[name].expose(Exposure(exposure))
        rollout.before[name] += sum(place.expected[name] for place in rollout.places) / 24
        hit = rollout.fleet.hits[name][hour] | (harm[name][hour] & updated)
        if hit:
            _count_hits(rollout, name, hit, hour)
    if (hour + 1) % strata.WINDOW_HOURS == 0:
        for site in rollout.fleet.sites:
            _compare_readings(rollout, site, hour)
    _count_returns(rollout, hour)


def _places(rollout: Rollout, hour: int) -> Iterator[Place]:
    """Sites with updated and waiting terminals in this hour."""
    for site in rollout.fleet.sites:
        members = _members(rollout, site, hour)
        exposures = strata.exposures(members)
        if exposures:
            updated = {member.terminal for member in members if member.is_updated}
            rates = rollout.fleet.expected
            expected = {name: sum(rates[name][terminal] for terminal in updated) for name in HITS}
            days = sum(exposure.updated_days for exposure in exposures)
            yield Place(members, {member.terminal for member in members}, updated, expected, days)


def _members(rollout: Rollout, site: Sequence[int], hour: int) -> list[StratumMember]:
    models, updated_at, touched = rollout.fleet.models, rollout.updated_at, rollout.touched
    return [
        StratumMember(terminal, models[terminal], terminal in updated_at)
        for terminal in site
        if terminal not in touched or updated_at.get(terminal, HOURS) <= hour
    ]


def _count_hits(rollout: Rollout, name: str, hit: set[int], hour: int) -> None:
    tally, last = rollout.tallies[name], rollout.last[name]
    for place in rollout.places:
        if hit.isdisjoint(place.terminals):
            continue
        quiet = {one for one in place.terminals if last.get(one, -99) >= hour - strata.EPISODE_HOURS}
        rollout.after[name] += len((hit & place.updated) - quiet)
        for counts in strata.count(place.members, hit, quiet, rollout.fleet.expected[name]):
            tally.add(counts)
            rollout.hit[name].update(counts.updated_hit)
    last.update(dict.fromkeys(hit, hour))


def _count_returns(rollout: Rollout, hour: int) -> None:
    due = rollout.back.get(hour, [])
    if due:
        missing = [terminal for terminal, is_missing in due if is_missing]
        rollout.tallies["not_back"].add(strata.count_returns(len(due) - len(missing), missing))
        rollout.hit["not_back"].update(missing)


def _compare_readings(rollout: Rollout, site: Sequence[int], hour: int) -> None:
    by_model: dict[str, tuple[list[int], list[int]]] = {}
    for member in _members(rollout, site, hour - strata.WINDOW_HOURS + 1):
        by_model.setdefault(member.stratum, ([], []))[not member.is_updated].append(member.terminal)
    for updated, waiting in by_model.values():
        if updated and waiting:
            for name in LEVELS:
                _compare_changes(rollout, name, updated, waiting)


def _compare_changes(rollout: Rollout, name: str, updated: Sequence[int], waiting: Sequence[int]) -> None:
    leak = rollout.case.leak if name == "memory" else 0.0
    slopes = [rollout.fleet.slopes[one] if name == "memory" else 0.0 for one in (*updated, *waiting)]
    random, kind = rollout.random, rollout.case.kind
    new = changes(random, kind, name, slopes[: len(updated)], leak)
    old = changes(random, kind, name, slopes[len(updated) :], 0.0)
    leans = mean_leans(new, old)
    rollout.tallies[name].add_changes(leans, new, old)
    for terminal, lean in zip(updated, leans, strict=True):
        rollout.leans[name][terminal] = rollout.leans[name].get(terminal, 0.0) + lean


def standings(rollout: Rollout) -> list[Standing]:
    found = []
    for name, tally in rollout.tallies.items():
        if name in LEVELS:
            leans = rollout.leans[name].values()
            higher = sum(lean > 0 for lean in leans)
            found.append(Standing(tally.evidence, higher, higher, len(leans) / 2))
        else:
            found.append(Standing(tally.evidence, len(rollout.hit[name]), tally.updated_hits, tally.expected))
    return found


def _decide(rollout: Rollout) -> Action:
    return decision.decide(standings(rollout))


def _is_twice(rollout: Rollout) -> bool:
    return any(hits >= 3 and hits >= 2 * rollout.before[name] for name, hits in rollout.after.items())


class Others(NamedTuple):
    """How many installations had ended when a rule about failed installations stopped; None if it did not."""

    failures: int | None
    hawkbit: int | None
    aws: int | None
    nerves_percent: int | None
    nerves_devices: int | None


def _others(rollout: Rollout) -> Others:
    """A failed installation fails again, so that NervesHub counts the device after its third attempt. Its last step
    has no tolerance."""
    waves = rollout.failed_by_wave
    return Others(
        failures=_first([rollout.installed], _is_plainly_over),
        hawkbit=_first(waves, lambda size, ended, failed: failed > 0.02 * size),
        aws=_first([rollout.installed], lambda size, ended, failed: ended >= 50 and failed > 0.05 * ended),
        nerves_percent=_first(waves[:-1], lambda size, ended, failed: failed >= max(1, ceil(size * 0.02))),
        nerves_devices=_first(waves[:-1], lambda size, ended, failed: failed >= 3),
    )


def _is_plainly_over(size: int, ended: int, failed: int) -> bool:
    return decision.has_failed(ended=ended, failed=failed, percent=decision.FAILED_PCT, at_least=decision.FAILED_AFTER)


def _first(waves: Sequence[Sequence[bool]], is_over: Callable[[int, int, int], bool]) -> int | None:
    before = 0
    for wave in waves:
        failed = 0
        for ended, has_failed in enumerate(wave, 1):
            failed += has_failed
            if is_over(len(wave), ended, failed):
                return before + ended
        before += len(wave)
    return None
