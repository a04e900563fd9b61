"""Writes one batch in one transaction, set-based, the same on PostgreSQL and SQLite."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from django.conf import settings
from django.db import connection, transaction
from msgspec import UNSET

from tms.alerts import lifecycle
from tms.alerts.rules.cache import rule_cache
from tms.commands import services as commands
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import Terminal, TerminalState
from tms.fleet.presence import outages, store
from tms.fleet.presence.transitions import LinkState
from tms.ingest import takeovers
from tms.ingest.batch_result import BatchResult, BootKey
from tms.ingest.items import Booted, BootOutcome, Item, Noted, Reported
from tms.ingest.rule_evaluation import place_of
from tms.lib.db import rows as db_rows
from tms.lib.db.clock import db_clock
from tms.metrics import instruments
from tms.protocol import frames, limits
from tms.telemetry import boots, reports
from tms.telemetry.models import Event, Report
from tms.telemetry.reports import ReportKey
from tms.telemetry.rollups import hourly

CLOCK_TOLERANCE = timedelta(seconds=limits.CLOCK_TOLERANCE_S)


class ReportRow(msgspec.Struct, frozen=True, gc=False):
    boot_id: int
    seq: int
    terminal_id: int
    at: datetime
    received_at: datetime
    late: bool
    undated: bool
    status: str
    metrics: msgspec.Raw


class IdentityRow(msgspec.Struct, frozen=True, gc=False):
    """What a terminal told of itself at boot; empty strings leave what is known."""

    terminal_id: int
    serial: str
    model: str
    firmware: str
    agent: str
    address: str | None


def write(items: Sequence[Item]) -> BatchResult:
    """Commit `items`. On return everything in the ledger is durable and every `Booted` has its outcome."""
    rules = rule_cache.get()
    links = {item.link.identity.terminal_id: item.link for item in items}
    with transaction.atomic():
        ledger = BatchResult(store.lock(links), store.timing(), settings.NODE)
        ledger.enter(items)
        for takeover in takeovers.count(ledger.takeovers):
            ledger.note(takeover)
        store.save((ledger.link_states[pk] for pk in ledger.changed), ledger.metrics_json())
        store.record(ledger.link_changes)
        outages.follow(ledger.link_changes, ledger.returns, timing=ledger.timing)
        boot_pks = _save_boots(ledger)
        _save_reports(ledger, boot_pks)
        _save_notes(ledger)
        places = {move.terminal_id: place_of(links[move.terminal_id].identity) for move in ledger.link_changes}
        rule_events = lifecycle.follow_presence(ledger.link_changes, rules, places)
        lifecycle.apply_events([*rule_events, *ledger.rule_events])
        if ledger.answers:
            commands.record_answers(ledger.answers, at=items[-1].at)
        _answer_boots(ledger, boot_pks)
        _publish(ledger)
    instruments.INGEST_REPORTS.labels("fenced").inc(sum(isinstance(item, Reported) for item in ledger.fenced))
    return ledger


def _save_boots(ledger: BatchResult) -> dict[BootKey, int]:
    wanted = {boot_key(item) for item in ledger.boots} | {boot_key(item) for item in ledger.reports}
    known = {
        boot_key(item): item.link.boot_pk
        for item in ledger.reports
        if item.report.boot_id is UNSET and item.link.boot_pk
    }
    missing = wanted - known.keys()
    if missing:
        known |= boots.ensure(missing, at=db_clock.now())
    _save_identities(ledger.boots)
    return known


def boot_key(item: Booted | Reported) -> BootKey:
    terminal_id = item.link.identity.terminal_id
    if isinstance(item, Booted):
        return terminal_id, item.boot.boot_id
    named = item.report.boot_id
    return terminal_id, item.link.boot_id if named is UNSET else named


def _save_identities(booted: Sequence[Booted]) -> None:
    rows = [
        IdentityRow(
            item.link.identity.terminal_id,
            item.boot.serial,
            item.boot.model,
            item.boot.firmware,
            item.boot.agent,
            item.address,
        )
        for item in {item.link.identity.terminal_id: item for item in booted}.values()
    ]
    if not rows:
        return
    told = ("serial", "model", "firmware", "agent")
    columns = ", ".join(f"{name} = COALESCE(NULLIF(r.{name}, ''), t.{name})" for name in told)
    address = "CAST(r.address AS inet)" if connection.vendor == "postgresql" else "r.address"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Terminal._meta.db_table} AS t SET {columns}, address = {address} "  # noqa: S608  (names are our own; values are parameters)
            f"FROM {db_rows.source(IdentityRow)} WHERE t.id = r.terminal_id",
            [db_rows.encode(rows)],
        )


def _save_reports(ledger: BatchResult, boot_pks: dict[BootKey, int]) -> None:
    """Insert what is new, and the events that came with it. What was sent again changes nothing.

    The key has the instant in it (partitions by day), so what may be stored already is looked for without it: nobody
    else writes reports of these terminals now, for their standings are locked.
    """
    over = hourly.late_before(db_clock.now())
    items = {(boot_pks[boot_key(item)], item.report.seq): item for item in reversed(ledger.reports)}
    for key in reports.kept({(boot_pks[boot_key(item)], item.report.seq) for item in ledger.doubtful}):
        del items[key]
    rows = [_report_row(item, boot_pk) for (boot_pk, _), item in reversed(items.items())]
    new = _insert_reports(rows)
    hourly.mark_late(
        {(row.terminal_id, hourly.hour_of(row.at)) for row in rows if row.at < over and (row.boot_id, row.seq) in new}
    )
    instruments.INGEST_REPORTS.labels("committed").inc(len(new))
    instruments.INGEST_REPORTS.labels("duplicate").inc(len(ledger.reports) - len(new))
    _save_events(
        (item, event, item.report.late)
        for key, item in reversed(items.items())
        if item.report.events and key in new
        for event in item.report.events
    )


def _insert_reports(rows: Sequence[ReportRow]) -> set[ReportKey]:
    """The keys of those that were inserted, which is all of them but for what an earlier release numbered otherwise."""
    if not rows:
        return set()
    columns = ", ".join(ReportRow.__struct_fields__)
    picked = ", ".join(f"r.{name}" for name in ReportRow.__struct_fields__)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Report._meta.db_table} ({columns}) "  # noqa: S608  (names are our own; values are parameters)
            f"SELECT {picked} FROM {db_rows.source(ReportRow)} "
            "WHERE true ON CONFLICT DO NOTHING RETURNING boot_id, seq",
            [db_rows.encode(rows)],
        )
        return set(cursor.fetchall())


def _report_row(item: Reported, boot_pk: int) -> ReportRow:
    report = item.report
    at = believable(report.at, item.at)
    return ReportRow(
        boot_id=boot_pk,
        seq=report.seq,
        terminal_id=item.link.identity.terminal_id,
        at=at.astimezone(UTC),
        received_at=item.at,
        late=report.late or report.boot_id is not UNSET,
        undated=at is not report.at,
        status="" if report.status is UNSET else report.status,
        metrics=msgspec.Raw(b"{}" if report.metrics is UNSET else msgspec.json.encode(report.metrics)),
    )


def believable(at: datetime | None, arrived_at: datetime) -> datetime:
    """The time of arrival where the terminal knows no better, or is in the future."""
    return arrived_at if at is None or at > arrived_at + CLOCK_TOLERANCE else at


def _save_notes(ledger: BatchResult) -> None:
    _save_events((note, note.event, False) for note in ledger.notes)


def _save_events(events: Iterable[tuple[Reported | Noted, frames.Event, bool]]) -> None:
    Event.objects.bulk_create(
        Event(
            terminal_id=item.link.identity.terminal_id,
            at=(at := believable(event.at, item.at)),
            code=event.code,
            severity=event.severity,
            text=event.text,
            late=late,
            undated=at is not event.at,
        )
        for item, event, late in events
    )


def _answer_boots(ledger: BatchResult, boot_pks: dict[BootKey, int]) -> None:
    booted = ledger.boots
    if not booted:
        return
    terminal_ids = [item.link.identity.terminal_id for item in booted]
    pks = [boot_pks[boot_key(item)] for item in booted]
    acked, held = boots.highest_seqs(pks), lifecycle.active_rules(terminal_ids)
    waiting = commands.waiting_for(terminal_ids, at=booted[-1].at)
    metrics = dict(TerminalState.objects.filter(pk__in=terminal_ids).values_list("pk", "metrics"))
    for item, pk in zip(booted, pks, strict=True):
        terminal_id = item.link.identity.terminal_id
        _resume(ledger.link_states[terminal_id], item.boot.boot_id, acked.get(pk, 0))
        item.outcome = BootOutcome(
            session=item.link.number,
            boot_pk=pk,
            acked_seq=acked.get(pk, 0),
            held=held.get(terminal_id, {}),
            has_commands=terminal_id in waiting,
            metrics=metrics[terminal_id].keys(),
        )


def _resume(link_state: LinkState, boot_id: str, seq: int) -> None:
    """A terminal that comes back to a boot of before the last one goes on where that one ended."""
    if boot_id == link_state.boot_id and seq > link_state.seq:
        link_state.seq = seq
        TerminalState.objects.filter(pk=link_state.terminal_id).update(seq=seq)


def _publish(ledger: BatchResult) -> None:
    if ledger.changed:
        sessions = frozenset((item.link.identity.terminal_id, item.link.number) for item in ledger.boots)
        moved = frozenset(move.terminal_id for move in ledger.link_changes)
        publish(Change(terminals=frozenset(ledger.changed), presence=moved, sessions=sessions))
