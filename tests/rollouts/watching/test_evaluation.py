"""Rows of the database lead to a verdict: one updated terminal at each site, beside others that wait."""

from datetime import datetime, time, timedelta
from itertools import product
from typing import Any

import pytest

from tests.support.builders import AT, Fleet
from tms.fleet.models import Outage, Site, Terminal, TerminalState
from tms.fleet.models.opening_hours import OpeningHours
from tms.fleet.models.outage import OutageCause
from tms.rollouts import watching
from tms.rollouts.models import (
    EvidencePoint,
    Rollout,
    RolloutItem,
    RolloutItemState,
    TerminalEffect,
    WatchedSite,
    Watching,
    Wave,
    WaveKind,
    WaveState,
)
from tms.rollouts.watching import faults, report
from tms.rollouts.waves import steps
from tms.telemetry.models import Rollup

pytestmark = [pytest.mark.django_db, pytest.mark.both]
SITES, BESIDE = 8, 4
HOUR = timedelta(hours=1)


@pytest.fixture
def rollout(fleet: Fleet) -> Rollout:
    found = Rollout.objects.create(
        name="Kiosk firmware 4.8.3", starts_at=AT, until=AT + timedelta(days=7), created_at=AT, started_at=AT,
        settle_s=0, measures=["restarts", "memory"], state="running",
    )  # fmt: skip
    canary, rest = (
        Wave.objects.create(rollout=found, number=number, kind=kind, watch_hours=6)
        for number, kind in ((1, WaveKind.CANARY), (2, WaveKind.REST))
    )
    Wave.objects.filter(pk=canary.pk).update(started_at=AT)
    for number in range(SITES):
        site = fleet.site(f"S{number:02}")
        for index in range(BESIDE + 1):
            terminal = fleet.terminal(site=site, model="KX-21")
            item = RolloutItem(rollout=found, wave=rest if index else canary, terminal=terminal, not_before=AT)
            if not index:
                item.state, item.state_at, item.ordered_at, item.updated_at = RolloutItemState.DONE, AT, AT, AT
            item.save()
    return found


def updated() -> list[Terminal]:
    return [item.terminal for item in RolloutItem.objects.filter(state=RolloutItemState.DONE).order_by("terminal_id")]


def waiting() -> list[Terminal]:
    return [item.terminal for item in RolloutItem.objects.filter(ordered_at=None).order_by("terminal_id")]


def restart(terminal: Terminal, at: datetime, cause: str = OutageCause.APPLICATION) -> None:
    began_at = at - timedelta(seconds=40)
    Outage.objects.create(
        terminal=terminal, began_at=began_at, ended_at=at, cause=cause, lost_by="connection_lost", has_restarted=True
    )


def evaluate(rollout: Rollout, hours: float) -> watching.Verdict:
    faults.follow(AT + hours * HOUR)
    verdict = watching.evaluate(rollout, at=AT + hours * HOUR)
    rollout.refresh_from_db()
    return verdict


def test_nothing_happened(rollout):
    verdict = evaluate(rollout, 3)

    assert (verdict.action, verdict.evidence) == ("go_on", 1.0)


def test_restarts_of_updated_terminals_stop_it(rollout):
    for terminal in updated():
        restart(terminal, AT + 2 * HOUR)

    verdict = evaluate(rollout, 5)

    shown = report.of(rollout)
    restarts = shown.measures[0]
    assert verdict.action == "stop"
    assert (restarts.terminals, restarts.hits, restarts.sites, restarts.stands_out) == (SITES, SITES, SITES, True)
    assert restarts.expected == pytest.approx(SITES / (BESIDE + 1))
    assert [terminal for terminal, _ in shown.most_hit] == [terminal.pk for terminal in updated()]
    assert shown.evidence == verdict.evidence


def test_a_shock_of_all_sites_is_no_evidence(rollout):
    for terminal in [*updated(), *waiting()]:
        restart(terminal, AT + 2 * HOUR)

    assert evaluate(rollout, 5).evidence == pytest.approx(1)


def test_a_network_outage_is_left_out(rollout):
    for terminal in updated():
        restart(terminal, AT + 2 * HOUR, OutageCause.NETWORK)

    assert evaluate(rollout, 5).evidence == 1
    assert report.of(rollout).left_out == {"cause": 2 * SITES}


def test_a_crash_loop_counts_once(rollout):
    for hour in (2, 3, 4, 5):
        restart(updated()[0], AT + hour * HOUR)

    evaluate(rollout, 8)

    assert report.of(rollout).measures[0].hits == 1


def test_a_crash_loop_that_begins_before_the_settle_time_is_over_counts(rollout):
    Rollout.objects.update(settle_s=600)
    rollout.refresh_from_db()
    for terminal in updated():
        for crash in range(1, 60):
            restart(terminal, AT + crash * timedelta(minutes=5))

    verdict = evaluate(rollout, 5)

    assert verdict.action == "stop"
    assert report.of(rollout).measures[0].hits == SITES


def test_who_had_a_bad_day_before_its_update_is_not_hit_again(rollout):
    for terminal in updated():
        restart(terminal, AT - HOUR)
        restart(terminal, AT + 2 * HOUR)

    assert evaluate(rollout, 5).evidence == 1


def test_a_terminal_is_hit_again_sooner_where_hours_are_shorter(rollout, settings):
    settings.ROLLOUT_HOUR_S = 600
    for hour in (2, 4):
        restart(updated()[0], AT + hour * HOUR)

    evaluate(rollout, 8)

    assert report.of(rollout).measures[0].hits == 2


def test_memory_that_only_updated_terminals_gain(rollout):
    for number, terminal in enumerate([*updated(), *waiting()]):
        gains = 0.9 if terminal in updated() else 0.0
        for hour in range(-1, 12):
            Rollup.objects.create(
                terminal=terminal, hour=_floor(AT) + hour * HOUR, metric="memory_pct", count=1,
                total=50 + gains * hour + number / 1e5 * hour, lowest=0, highest=0, last=0,
            )  # fmt: skip

    verdict = evaluate(rollout, 11)

    memory = report.of(rollout).measures[1]
    assert verdict.measures["memory"] > 100
    assert (memory.updated, memory.waiting) == (pytest.approx(2.7, abs=0.01), pytest.approx(0, abs=0.01))


def test_a_wave_is_not_enough_until_it_was_watched(rollout):
    assert not evaluate(rollout, 3).is_enough


def test_a_wave_is_watched_enough_when_its_time_by_the_opening_hours_is_over(rollout):
    for site, day in product(Site.objects.all(), (AT.weekday(), AT.weekday() + 2)):
        OpeningHours.objects.create(site=site, weekday=day, opens_at=time(9), closes_at=time(16))
    Site.objects.update(time_zone="UTC")
    past = product([*updated(), *waiting()], (AT - days * timedelta(days=1) for days in range(1, 14, 2)))
    Outage.objects.bulk_create(
        Outage(terminal=terminal, began_at=at, ended_at=at, lost_by="connection_lost", has_restarted=True)
        for terminal, at in past
    )
    canary = rollout.waves.get(number=1)
    canary.watch_hours, canary.state, canary.installed_at = None, WaveState.WATCHED, AT
    canary.watched_until = steps.watched_until(canary, AT)
    canary.save()

    before, after = evaluate(rollout, 47.9), evaluate(rollout, 48)

    assert canary.watched_until == AT + 48 * HOUR
    assert (before.is_enough, after.is_enough) == (False, True)


def test_one_evaluation_gives_what_many_give(rollout):
    for number, terminal in enumerate([*updated(), *waiting()]):
        restart(terminal, AT + (1 + number * 7 % 11) * HOUR + number * timedelta(minutes=3))
    minutes = range(1, 14 * 60, 7)
    for minute in minutes:
        evaluate(rollout, minute / 60)
    gradual = _counted()
    for model in (Watching, WatchedSite, TerminalEffect, EvidencePoint):
        model.objects.all().delete()

    evaluate(rollout, minutes[-1] / 60)

    assert _counted() == gradual


def _counted() -> object:
    effects = TerminalEffect.objects.order_by("measure", "terminal_id")
    watched = Watching.objects.get()
    tallies = {name: _rounded(tally) for name, tally in watched.tallies.items()}
    hits = list(effects.values_list("measure", "terminal_id", "hits", "lean"))
    return tallies, watched.left_out, _rounded(watched.compared_days), hits


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    """Sums in another order differ in their last digits."""
    return {
        key: [round(one, 6) for one in (found if isinstance(found, list) else [found])] for key, found in values.items()
    }


def _floor(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def test_a_fault_that_lasts_and_one_that_passes(fleet, rollout):
    Rollout.objects.update(measures=["passing_faults", "lasting_faults"])
    rollout.refresh_from_db()
    passing, lasting = updated()[:2]
    for terminal in (passing, lasting):
        TerminalState.objects.filter(terminal=terminal).update(status="fault", status_at=AT + HOUR)
    evaluate(rollout, 1.1)
    TerminalState.objects.filter(terminal=passing).update(status="ok", status_at=AT + 2 * HOUR)

    for hours in (2.1, 5.5, 8):
        evaluate(rollout, hours)

    assert [(one.name, one.hits) for one in report.of(rollout).measures] == [
        ("passing_faults", 1),
        ("lasting_faults", 1),
    ]


def test_a_continued_rollout_begins_again(rollout):
    for terminal in updated():
        restart(terminal, AT + 2 * HOUR)
    evaluate(rollout, 5)
    Rollout.objects.update(watched_from=AT + 5 * HOUR)
    rollout.refresh_from_db()

    verdict = evaluate(rollout, 8)

    assert (verdict.evidence, verdict.action) == (1, "go_on")
    assert [point.evidence > 100 for point in report.of(rollout).history] == [True, False]


def give(terminals: list[Terminal], at: datetime) -> None:
    """Another rollout updates these terminals."""
    other = Rollout.objects.create(
        name="Payment app 2.15.0", starts_at=AT, until=AT + timedelta(days=7), created_at=AT, started_at=AT
    )
    wave = Wave.objects.create(rollout=other, number=1, kind=WaveKind.REST)
    RolloutItem.objects.bulk_create(
        RolloutItem(rollout=other, wave=wave, terminal=one, ordered_at=at, updated_at=at, not_before=at, state="done")
        for one in terminals
    )


def test_what_another_rollout_does_to_terminals_is_no_evidence(rollout):
    some, others = updated()[:4], updated()[4:]
    give(some, AT + HOUR)
    for terminal in some:
        restart(terminal, AT + 3 * HOUR)

    assert evaluate(rollout, 5).evidence == 1
    for terminal in others:
        restart(terminal, AT + 6 * HOUR)
    assert evaluate(rollout, 9).evidence > 10


def test_terminals_that_another_rollout_reached_are_compared_with_each_other(rollout):
    new = updated()
    give([*new, *waiting()], AT + HOUR)
    for terminal in new:
        restart(terminal, AT + 2 * HOUR)

    assert evaluate(rollout, 5).action == "stop"
