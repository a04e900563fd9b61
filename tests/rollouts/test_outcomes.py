"""What follows from what a terminal said, and from what it runs: a table."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.builders import AT, later
from tms.commands.models import Command
from tms.rollouts.models import RolloutItemState as S
from tms.rollouts.outcomes import BACK_WITHIN, ItemFacts, ItemPhase, Said, follow, said_by

OLD, NEW = "4.8.1", "4.8.3"
ORDERED = ItemFacts(S.ORDERED, Said(ItemPhase.ORDERED), NEW, OLD, OLD)
SUCCEEDED, FAILED = Said(ItemPhase.SUCCEEDED), Said(ItemPhase.FAILED, "no_space", "no_space: 232 MB short")
AWAY = replace(ORDERED, state=S.RESTARTING, said=SUCCEEDED, is_online=False, back_by=later(60))
SETTLING = replace(ORDERED, state=S.SETTLING, said=SUCCEEDED, installed=NEW, updated_at=later(-599))

CASES = {
    "nothing yet": (ORDERED, None),
    "downloads": (replace(ORDERED, said=Said(ItemPhase.DOWNLOADING)), S.DOWNLOADING),
    "still downloads": (replace(ORDERED, state=S.DOWNLOADING, said=Said(ItemPhase.DOWNLOADING)), None),
    "installs": (replace(ORDERED, state=S.DOWNLOADING, said=Said(ItemPhase.INSTALLING)), S.INSTALLING),
    "not delivered": (replace(ORDERED, said=Said(ItemPhase.UNDELIVERED)), S.WAITING),
    "not now": (replace(ORDERED, said=Said(ItemPhase.POSTPONED)), S.POSTPONED),
    "failed": (replace(ORDERED, state=S.INSTALLING, said=FAILED), S.FAILED),
    "silent": (replace(ORDERED, state=S.INSTALLING, said=Said(ItemPhase.SILENT)), S.FAILED),
    "goodbye before the answer": (replace(ORDERED, state=S.INSTALLING, back_at=later(90)), S.RESTARTING),
    "goodbye, and no answer": (replace(ORDERED, said=Said(ItemPhase.SILENT), back_at=later(90)), S.RESTARTING),
    "succeeded": (replace(ORDERED, state=S.INSTALLING, said=SUCCEEDED), S.RESTARTING),
    "away": (AWAY, None),
    "back with the old one": (replace(AWAY, is_online=True, has_booted=True), S.OLD_VERSION),
    "undid it, as TMS was away": (replace(AWAY, is_online=True, has_booted=True, was_tms_away=True), S.WAITING),
    "undid it before TMS was back": (
        replace(ORDERED, state=S.INSTALLING, said=SUCCEEDED, has_booted=True, was_tms_away=True),
        S.WAITING,
    ),
    "restarts after TMS was away": (replace(ORDERED, said=SUCCEEDED, was_tms_away=True), S.RESTARTING),
    "undid its configuration, as TMS was away": (
        replace(ORDERED, said=Said(ItemPhase.FAILED, "undone"), was_tms_away=True),
        S.WAITING,
    ),
    "failed, and TMS was away": (replace(ORDERED, said=FAILED, was_tms_away=True), S.FAILED),
    "did not restart yet": (replace(AWAY, is_online=True), None),
    "did not restart": (replace(AWAY, is_online=True, back_by=AT), S.OLD_VERSION),
    "not back": (replace(AWAY, back_by=AT), S.NOT_BACK),
    "still not back": (replace(AWAY, state=S.NOT_BACK), None),
    "back too late, updated": (replace(AWAY, state=S.NOT_BACK, is_online=True, installed=NEW), S.SETTLING),
    "back too late, old": (replace(AWAY, state=S.NOT_BACK, is_online=True), S.OLD_VERSION),
    "restarted late, updated": (replace(AWAY, state=S.OLD_VERSION, is_online=True, installed=NEW), S.SETTLING),
    "restarted late, old": (replace(AWAY, state=S.OLD_VERSION, is_online=True, has_booted=True), None),
    "updated": (replace(AWAY, installed=NEW, is_online=True), S.SETTLING),
    "updated without an answer": (replace(ORDERED, installed=NEW), S.SETTLING),
    "settling": (SETTLING, None),
    "settled": (replace(SETTLING, updated_at=later(-600)), S.DONE),
    "settled, and away": (replace(SETTLING, updated_at=later(-600), is_online=False), None),
    "lost while it settled": (replace(SETTLING, updated_at=AT - BACK_WITHIN * 2, is_online=False), S.NOT_BACK),
    "went back to the old one": (replace(SETTLING, installed=OLD), S.OLD_VERSION),
    "says failure, runs the new one": (replace(ORDERED, said=FAILED, installed=NEW), S.NEW_VERSION),
    "failed, and boots the new one later": (
        replace(ORDERED, state=S.FAILED, said=FAILED, installed=NEW),
        S.NEW_VERSION,
    ),
    "failed, and nothing else": (replace(ORDERED, state=S.FAILED, said=FAILED), None),
}


@pytest.mark.parametrize("case", CASES)
def test_what_follows(case):
    facts, expected = CASES[case]

    found = follow(facts, AT)

    assert (found.state if found else None) == expected


SAID = [
    ({"state": "queued"}, Said(ItemPhase.ORDERED)),
    ({"state": "sent", "progress_text": "downloading, 177 of 412 MB"}, Said(ItemPhase.DOWNLOADING)),
    ({"state": "sent", "progress_text": "installing"}, Said(ItemPhase.INSTALLING)),
    (
        {"state": "done", "result": {"back_at": "2026-11-25T09:05:00+00:00"}},
        Said(ItemPhase.SUCCEEDED, back_at=later(300)),
    ),
    ({"state": "done", "result": {"back_at": ["x"]}}, Said(ItemPhase.SUCCEEDED)),
    ({"state": "done", "result": {"back_at": "2026-11-25T09:05:00"}}, Said(ItemPhase.SUCCEEDED)),
    ({"state": "expired"}, Said(ItemPhase.UNDELIVERED)),
    ({"state": "failed", "error": "no answer in time"}, Said(ItemPhase.SILENT, "no_answer", "no answer in time")),
    (
        {"state": "failed", "error": "in-use: x", "answered_at": AT},
        Said(ItemPhase.POSTPONED, "in_use", "in-use: x"),
    ),
    ({"state": "failed", "error": "no_space: x", "answered_at": AT}, Said(ItemPhase.FAILED, "no_space", "no_space: x")),
    (
        {"state": "failed", "error": "tms:refused no_space: x", "answered_at": AT},
        Said(ItemPhase.FAILED, "no_space", "no_space: x"),
    ),
    (
        {"state": "failed", "error": "tms:not-now paying", "answered_at": AT},
        Said(ItemPhase.POSTPONED, "paying", "paying"),
    ),
    ({"state": "failed", "error": "oops", "answered_at": AT}, Said(ItemPhase.FAILED, "failed", "oops")),
]


@pytest.mark.parametrize(("command", "expected"), SAID)
def test_what_a_command_says(command, expected):
    assert said_by(Command(**command)) == expected


def test_a_terminal_cannot_stay_away_as_long_as_it_likes():
    found = follow(replace(ORDERED, said=Said(ItemPhase.SUCCEEDED, back_at=AT + timedelta(days=9))), AT)

    assert found is not None
    assert found.back_by is not None
    assert found.back_by <= AT + timedelta(hours=3)
