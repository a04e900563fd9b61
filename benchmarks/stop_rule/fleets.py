"""Simulated fleets: sites with shocks, busy hours, terminals with bad habits, bursts, faulty networks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import exp
from random import Random

from tms.rollouts.effects.measures import COUNTED
from tms.rollouts.effects.rates import HISTORY_DAYS, expected_rate

HOURS = 120
BUSY = [2.0 if 9 <= hour % 24 < 21 else 0.4 for hour in range(HOURS)]
A_DAY = {
    "restarts": 0.2,
    "outages_application": 0.15,
    "outages_power": 0.05,
    "alerts": 0.25,
    "passing_faults": 0.18,
    "lasting_faults": 0.004,
}
"""Hits a day of an ordinary terminal, shocks not counted."""
PASSING = tuple(name for name in COUNTED if name != "lasting_faults")
NOISE = {"memory": 0.5, "temperature": 1.0, "response_time": 20.0}
"""The standard deviation of a change within three hours."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How rough the life of a fleet is."""

    shape: float = 2.0
    """The gamma distribution of terminals' habits has this shape: the smaller, the more they differ."""
    shocks_a_day: float = 0.05
    """Shocks of each site a day."""
    bursts: float = 0.15
    """The share of hits that are followed by more."""
    lasting_shocks: bool = False
    """Whether faults of a whole site may last, too."""
    drift: float = 0.0
    """How much the memory of terminals differs in its slope, in percent an hour."""


ORDINARY = Kind()
ROUGH = Kind(shape=0.5, shocks_a_day=0.3, bursts=0.4, lasting_shocks=True, drift=0.02)


@dataclass(slots=True)
class Fleet:
    sites: list[list[int]]
    models: list[str]
    rates: dict[str, list[float]]
    """How often each terminal is hit a day, which nobody knows."""
    expected: dict[str, dict[int, float]]
    """What its history makes the rule expect."""
    slopes: list[float]
    hits: dict[str, list[set[int]]] = field(default_factory=dict)
    """The terminals that are hit in each hour, whatever they run."""


def poisson(random: Random, mean: float) -> int:
    if mean > 30:
        return max(0, round(random.gauss(mean, mean**0.5)))
    limit, number, product = exp(-mean), 0, random.random()
    while product > limit:
        number += 1
        product *= random.random()
    return number


def make_fleet(random: Random, kind: Kind, terminals: int, sites: int) -> Fleet:
    places = sorted(range(terminals), key=lambda _: random.random())
    weights = [random.uniform(0.5, 1.5) for _ in range(sites)]
    of_site = random.choices(range(sites), weights, k=terminals)
    grouped: list[list[int]] = [[] for _ in range(sites)]
    for terminal, site in zip(places, of_site, strict=True):
        grouped[site].append(terminal)
    models = ["KX-21" if random.random() < 0.7 else "KX-20" for _ in range(terminals)]
    temper = [random.gammavariate(2 * kind.shape, 0.5 / kind.shape) for _ in range(terminals)]
    habit = {
        name: [mean * random.gammavariate(2 * kind.shape, 0.5 / kind.shape) * calm for calm in temper]
        for name, mean in A_DAY.items()
    }
    fleet = Fleet(grouped, models, habit, {}, [random.gauss(0, kind.drift) for _ in range(terminals)])
    for name, rates in habit.items():
        past = [poisson(random, rate * HISTORY_DAYS) for rate in rates]
        if name != "lasting_faults" or kind.lasting_shocks:
            _remember_shocks(random, kind, grouped, past)
        fleet.expected[name] = {
            terminal: expected_rate(past[terminal], HISTORY_DAYS, mean)
            for site in grouped
            for mean in [sum(past[terminal] for terminal in site) / HISTORY_DAYS / max(1, len(site))]
            for terminal in site
        }
    _live(random, kind, fleet)
    return fleet


def _live(random: Random, kind: Kind, fleet: Fleet) -> None:
    """Everything that happens to it while nothing is wrong with the software."""
    for name in COUNTED:
        hours: list[set[int]] = [set() for _ in range(HOURS)]
        for terminal, hour in draw(random, fleet.rates[name], BUSY):
            hours[hour].add(terminal)
            if random.random() < kind.bursts:
                for later in range(hour + 1, min(HOURS, hour + random.randrange(2, 16))):
                    if random.random() < 0.6:
                        hours[later].add(terminal)
        fleet.hits[name] = hours
    for site in fleet.sites:
        for _ in range(poisson(random, kind.shocks_a_day * HOURS / 24)):
            _shock(random, fleet, site, COUNTED if kind.lasting_shocks else PASSING)


def _remember_shocks(random: Random, kind: Kind, sites: Sequence[Sequence[int]], past: list[int]) -> None:
    """A shock concerns two of six measures on average."""
    for site in sites:
        for _ in range(poisson(random, kind.shocks_a_day * HISTORY_DAYS / 3)):
            among = random.sample(site, random.randint(1, len(site))) if site and random.random() < 0.5 else site
            share = random.uniform(0.2, 0.95)
            for terminal in among:
                past[terminal] += random.random() < share


def _shock(random: Random, fleet: Fleet, site: Sequence[int], measures: Sequence[str]) -> None:
    """A power cut, a server of the shop that fails, a switch that takes some of the terminals with it."""
    among = random.sample(site, random.randint(1, len(site))) if site and random.random() < 0.5 else site
    share, begin = random.uniform(0.2, 0.95), random.randrange(HOURS)
    names = random.sample(measures, random.randint(1, 3))
    for hour in range(begin, min(HOURS, begin + random.choice((1, 1, 1, 2, 4)))):
        for name in names:
            fleet.hits[name][hour].update(terminal for terminal in among if random.random() < share)


def draw(random: Random, rates: Sequence[float], busy: Sequence[float]) -> Iterator[tuple[int, int]]:
    """Hits of terminals at hours, by the rate of each a day and how busy an hour is."""
    weight = list(accumulate(busy))
    number = poisson(random, sum(rates) * weight[-1] / 24)
    if not number:
        return iter(())
    terminals = random.choices(range(len(rates)), cum_weights=list(accumulate(rates)), k=number)
    hours = random.choices(range(len(busy)), cum_weights=weight, k=number)
    return zip(terminals, hours, strict=True)


def changes(random: Random, kind: Kind, name: str, slopes: Sequence[float], extra: float) -> list[float]:
    """How a reading of terminals changed in a window of three hours; `extra`: by the new software, an hour."""
    noise = NOISE[name]
    spread = noise * (random.choice((1, 1, 3)) if kind.drift else 1)
    return [random.gauss(3 * (slope + extra), spread) for slope in slopes]
