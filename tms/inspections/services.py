"""Services of inspections: start a round, record what was found at a device, close the round."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.devices import placements
from tms.fleet.models import Terminal
from tms.fleet.presence import store
from tms.inspections import members
from tms.inspections.findings import follow_result
from tms.inspections.models import (
    DUE_EVERY_DAYS,
    DeviceSeal,
    Inspection,
    InspectionResult,
    MemberLeft,
    Round,
    RoundMember,
    Surrounding,
)
from tms.inspections.photos import Photo

MAX_MEMBERS = 50_000
MAX_SEALS = 12
LABEL_END = 4
"""The last characters of a serial number identify a device that a person stands in front of."""


class NothingToInspect(Exception):
    """No terminal in service has a device there."""


class NotOnRound(Exception):
    """The terminal is not part of the round, or left it."""

    code = "tms:not-on-round"


class RoundClosed(Exception):
    code = "tms:round-closed"


class AlreadyInspected(Exception):
    """Somebody inspected it on this round; a correction has to name that inspection."""

    code = "tms:already-inspected"

    def __init__(self, inspection: Inspection) -> None:
        super().__init__(f"it was inspected on this round; correct inspection {inspection.pk} instead")
        self.inspection = inspection


@dataclass(frozen=True, slots=True)
class RoundValues:
    name: str
    due_on: date
    where: GrantScope
    kinds: tuple[str, ...] = ()
    every_days: int = DUE_EVERY_DAYS


@dataclass(frozen=True, slots=True)
class Findings:
    """What a person saw."""

    result: InspectionResult
    seen_serial: str = ""
    seals: tuple[DeviceSeal, ...] = ()
    surroundings: frozenset[Surrounding] = field(default_factory=frozenset)
    note: str = ""
    photo: Photo | None = None


@transaction.atomic
def start_round(values: RoundValues, *, by: User | None, at: datetime) -> Round:
    """Freeze the terminals that it has. Raises NothingToInspect."""
    terminals = members.inspected_terminals(values.where.value, values.kinds)
    number = terminals.count()
    if not 0 < number <= MAX_MEMBERS:
        raise NothingToInspect(
            f"{number} terminals are in service there with a device; 1 to {MAX_MEMBERS} are possible"
        )
    started = Round(
        name=values.name,
        due_on=values.due_on,
        kinds=list(values.kinds),
        every_days=values.every_days,
        owner_region=values.where.region,
        owner_site=values.where.site,  # type: ignore[misc]  # accounts knows sites by their names only
        owner_group=values.where.group,
        started_by=by,
        started_at=at,
    )
    started.save(force_insert=True)
    members.add_members(started, terminals)
    recorder.record("round-started", started, {"terminals": (None, number), "due_on": (None, str(values.due_on))})
    return started


@transaction.atomic
def close_round(chosen: Round, *, by: User | None, at: datetime, comment: str = "") -> None:
    """What was not inspected stays so. Raises RoundClosed."""
    if not Round.objects.open().filter(pk=chosen.pk).update(closed_at=at, closed_by=by):
        raise RoundClosed("the round is closed")
    waiting = chosen.members.counted().filter(current=None).count()
    recorder.record("round-closed", chosen, {"not inspected": (None, waiting)}, comment=comment)


def record(
    chosen: Round,
    terminal: Terminal,
    found: Findings,
    *,
    key: UUID,
    by: User | None,
    at: datetime,
    done_at: datetime | None = None,
    corrects: int | None = None,
) -> Inspection:
    """Store an inspection. Once for each key: a repetition returns the stored one.

    `done_at`: when the person did it, if it arrives later. `corrects`: the inspection on this round that it replaces.
    Raises ValidationError for contradictions, NotOnRound, RoundClosed and AlreadyInspected.
    """
    with transaction.atomic():
        store.lock([terminal.pk])  # alerts may open; it also serialises people at the same device
        if (stored := Inspection.objects.filter(key=key, round=chosen, terminal=terminal).first()) is not None:
            return stored
        done_at = min(max(done_at or at, chosen.started_at), at)
        member = _member(chosen, terminal, done_at, corrects)
        device = placements.device_of(terminal)
        expected = device.serial if device else ""
        check(found, expected=expected)
        made = Inspection(
            round=chosen,
            terminal=terminal,
            device=device,
            expected_serial=expected,
            seen_serial=found.seen_serial,
            seals=[seal._asdict() for seal in found.seals],
            surroundings=sorted(found.surroundings),
            note=found.note,
            result=found.result,
            by=by,
            at=done_at,
            received_at=at,
            key=key,
        )
        with _stored_photo(made, found.photo):
            _save(made, member, at=at)
    return made


def check(found: Findings, *, expected: str) -> None:
    """Raises ValidationError, by the name of the field, if the result contradicts what was seen."""
    faults = dict(_faults(found, expected))
    if faults:
        raise ValidationError(faults)


def _faults(found: Findings, expected: str) -> Iterator[tuple[str, str]]:
    if len(found.seals) > MAX_SEALS:
        yield "seals", _("At most 12 seals are possible.")
    match found.result:
        case InspectionResult.IN_ORDER:
            yield from _faults_of_order(found, expected)
        case InspectionResult.SERIAL_DIFFERS if not found.seen_serial:
            yield "seen_serial", _("Enter the serial number on the label.")
        case InspectionResult.SERIAL_DIFFERS if found.seen_serial == expected:
            yield "seen_serial", _("This is the expected serial number.")
        case InspectionResult.SERIAL_DIFFERS if expected and len(found.seen_serial) <= LABEL_END < len(expected):
            yield "seen_serial", _("Enter the whole serial number: it identifies the other device.")


def _faults_of_order(found: Findings, expected: str) -> Iterator[tuple[str, str]]:
    if not is_end_of(found.seen_serial, expected):
        text = _("It does not match the expected serial number. If the label differs, choose Serial differs.")
        yield "seen_serial", text if found.seen_serial else _("Enter the last 4 characters of the serial number.")
    if not all(seal.intact for seal in found.seals):
        yield "seals", _("A seal is broken: choose Looks tampered.")
    if found.surroundings != frozenset(Surrounding):
        yield "surroundings", _("Confirm each line, or choose Looks tampered.")


def is_end_of(seen: str, expected: str) -> bool:
    """Whether these are the last characters of the expected number, or all of it; any if none is known."""
    if not expected:
        return bool(seen)
    return len(seen) >= min(LABEL_END, len(expected)) and expected.casefold().endswith(seen.casefold())


def _member(chosen: Round, terminal: Terminal, done_at: datetime, corrects: int | None) -> RoundMember:
    closed_at = Round.objects.values_list("closed_at", flat=True).get(pk=chosen.pk)
    if closed_at is not None and closed_at < done_at:
        raise RoundClosed("the round was closed before this inspection was made")
    rows = RoundMember.objects.filter(round=chosen, terminal=terminal).select_related("current")
    member = rows.select_for_update(of=("self",)).first()
    if member is None or member.left != MemberLeft.NOT:
        raise NotOnRound("the terminal is not part of this round, or left it")
    if member.current is not None and member.current_id != corrects:
        raise AlreadyInspected(member.current)
    return member


def _save(made: Inspection, member: RoundMember, *, at: datetime) -> None:
    corrected = member.current
    Inspection.objects.valid().filter(round=made.round_id, terminal=made.terminal_id).update(superseded_at=at)
    made.save(force_insert=True)
    member.current, member.due_on = made, members.due_again(made.at, made.round.every_days)
    member.save(update_fields=("current", "due_on"))
    if alert := follow_result(made.terminal, made, corrected=corrected, at=at):
        made.alert = alert
        made.save(update_fields=("alert",))
    before = corrected.result if corrected else None
    recorder.record("inspected", made.terminal, {"result": (before, made.result), "round": (None, str(made.round))})
    publish(Change(terminals=frozenset({made.terminal_id})))


@contextmanager
def _stored_photo(made: Inspection, photo: Photo | None) -> Iterator[None]:
    """A photo whose inspection is not stored is deleted again."""
    if photo is None:
        yield
        return
    made.photo.save(f"photo.{photo.kind}", ContentFile(photo.data), save=False)
    try:
        yield
    except BaseException:
        made.photo.delete(save=False)
        raise
