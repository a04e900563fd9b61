"""The way of a terminal from its order to its end: what follows from what it said, and from what it runs. Pure.

What it *said* is the progress and the answer of its command. What it *runs* is what its boots report, whatever it said.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from tms.commands.models import Command, CommandState
from tms.protocol.errors import ErrorType
from tms.rollouts.models.item import RolloutItemState as ItemState

BACK_WITHIN = timedelta(minutes=15)
"""How long a terminal may be away after an update, unless it said how long."""
MAX_BACK = timedelta(hours=2)
TMS_AWAY = "tms_away"
"""The reason of items that were at work while TMS itself was away."""
IN_USE = frozenset({"in_use", "postponed", "not_now"})
"""Codes with which a terminal says "not now"."""
KNOWN = frozenset(
    {"no_space", "hash_mismatch", "signature", "expired", "download", "unfit", "undone", "refused", "storage"}
)
"""Codes of failures that become reasons. Every other one is `failed`."""


class ItemPhase(StrEnum):
    """What a terminal said last of its order."""

    ORDERED = "ordered"
    """Nothing yet."""
    DOWNLOADING = "downloading"
    INSTALLING = "installing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    POSTPONED = "postponed"
    """The terminal is in use: "not now"."""
    SILENT = "silent"
    """It did not answer in time."""
    UNDELIVERED = "undelivered"
    """It was offline when the order was to be sent."""


class Said(NamedTuple):
    phase: ItemPhase
    reason: str = ""
    text: str = ""
    back_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """An item, what its terminal said, and what it runs."""

    state: ItemState
    said: Said
    wanted: str
    before: str
    """What it ran when it was ordered."""
    installed: str
    """What its last boot reported."""
    has_booted: bool = False
    """Whether it booted since it was ordered or, later, since it answered."""
    is_online: bool = True
    back_at: datetime | None = None
    """It said goodbye for a restart until then; None if it did not."""
    back_by: datetime | None = None
    updated_at: datetime | None = None
    settle_s: int = 600
    was_tms_away: bool = False
    """TMS itself was away since it was ordered. A terminal that cannot reach TMS undoes what is on trial."""

    @property
    def runs_wanted(self) -> bool:
        return self.installed == self.wanted and self.before != self.wanted


class Next(NamedTuple):
    """The state that follows."""

    state: ItemState
    reason: str = ""
    error: str = ""
    back_by: datetime | None = None
    updated_at: datetime | None = None


WORKS: Mapping[ItemPhase, ItemState] = {
    ItemPhase.DOWNLOADING: ItemState.DOWNLOADING,
    ItemPhase.INSTALLING: ItemState.INSTALLING,
}


def follow(facts: ItemFacts, at: datetime) -> Next | None:
    """None if nothing follows yet."""
    if facts.runs_wanted:
        return _updated(facts, at)
    ended = {
        ItemState.SETTLING: Next(ItemState.OLD_VERSION, "reverted"),
        ItemState.NOT_BACK: Next(ItemState.OLD_VERSION) if facts.is_online else None,
        ItemState.FAILED: None,
        ItemState.OLD_VERSION: None,
    }
    if facts.state in ended:
        return ended[facts.state]
    if facts.was_tms_away and _has_undone(facts):
        return Next(ItemState.WAITING, TMS_AWAY)
    if found := REFUSED.get(facts.said.phase):
        return found(facts.said)
    if facts.state == ItemState.RESTARTING:
        return _restarting(facts, at)
    return _ordered(facts, at)


def _has_undone(facts: ItemFacts) -> bool:
    """Whether it installed the new version, and went back to the old one."""
    if facts.said.phase == ItemPhase.FAILED:
        return facts.said.reason == "undone"
    is_installed = facts.state == ItemState.RESTARTING or facts.said.phase == ItemPhase.SUCCEEDED
    return is_installed and facts.has_booted and facts.is_online


REFUSED: Mapping[ItemPhase, Callable[[Said], Next]] = {
    ItemPhase.UNDELIVERED: lambda said: Next(ItemState.WAITING, "offline"),
    ItemPhase.POSTPONED: lambda said: Next(ItemState.POSTPONED, "in_use"),
    ItemPhase.FAILED: lambda said: Next(ItemState.FAILED, said.reason or "failed", said.text),
}
"""What follows when a terminal did not take the order, wherever it is."""


def _ordered(facts: ItemFacts, at: datetime) -> Next | None:
    """It has not restarted yet."""
    if facts.said.phase == ItemPhase.SUCCEEDED or facts.back_at is not None:
        return Next(ItemState.RESTARTING, back_by=_back_by(facts, at))
    if facts.said.phase == ItemPhase.SILENT:
        return Next(ItemState.FAILED, "no_answer", facts.said.text)
    state = WORKS.get(facts.said.phase)
    return Next(state) if state and state != facts.state else None


def _updated(facts: ItemFacts, at: datetime) -> Next | None:
    """It runs the wanted version."""
    if facts.state == ItemState.FAILED or facts.said.phase == ItemPhase.FAILED:
        return Next(ItemState.NEW_VERSION, facts.said.reason, facts.said.text, updated_at=facts.updated_at or at)
    if facts.updated_at is None or facts.state != ItemState.SETTLING:
        return Next(ItemState.SETTLING, updated_at=facts.updated_at or at)
    settled_at = facts.updated_at + timedelta(seconds=facts.settle_s)
    if at < settled_at:
        return None
    if facts.is_online:
        return Next(ItemState.DONE, updated_at=facts.updated_at)
    lost_at = max(settled_at + BACK_WITHIN, facts.back_by or settled_at)
    return Next(ItemState.NOT_BACK, "settling", updated_at=facts.updated_at) if at >= lost_at else None


def _restarting(facts: ItemFacts, at: datetime) -> Next | None:
    """It should restart, or has, and does not run the wanted version."""
    if facts.has_booted and facts.is_online:
        return Next(ItemState.OLD_VERSION)
    if facts.back_by is None or at < facts.back_by:
        return None
    if facts.is_online:
        return Next(ItemState.OLD_VERSION, "no_restart")
    return Next(ItemState.NOT_BACK, back_by=facts.back_by)


def _back_by(facts: ItemFacts, at: datetime) -> datetime:
    said = facts.said.back_at or facts.back_at
    return min(said, at + MAX_BACK) + timedelta(minutes=1) if said and said > at else at + BACK_WITHIN


def said_by(command: Command) -> Said:
    """What the terminal said over its link."""
    match command.state:
        case CommandState.QUEUED:
            return Said(ItemPhase.ORDERED)
        case CommandState.SENT:
            return Said(_phase_of(command.progress_text))
        case CommandState.DONE:
            return Said(ItemPhase.SUCCEEDED, back_at=_back_at(command.result))
        case CommandState.EXPIRED:
            return Said(ItemPhase.UNDELIVERED)
    if command.answered_at is None:
        return Said(ItemPhase.SILENT, "no_answer", command.error)
    code, text = code_of(command.error_text), command.error_text
    if code in IN_USE or command.error_kind == ErrorType.NOT_NOW:
        return Said(ItemPhase.POSTPONED, code, text)
    return Said(ItemPhase.FAILED, code if code in KNOWN else "failed", text)


def code_of(error: str) -> str:
    """The code with which the text of an error begins: `no_space` of `no_space: needs 412 MB`."""
    return error.partition(":")[0].strip().replace("-", "_").lower()[:32]


def _phase_of(progress: str) -> ItemPhase:
    if not progress:
        return ItemPhase.ORDERED
    return ItemPhase.INSTALLING if progress.lower().startswith("install") else ItemPhase.DOWNLOADING


def _back_at(result: Any) -> datetime | None:
    """A terminal may send anything."""
    given = result.get("back_at") if isinstance(result, dict) else None
    try:
        found = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None
