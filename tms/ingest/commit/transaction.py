"""Commits items of any kind in one transaction, set-based, the same on PostgreSQL and SQLite."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from django.conf import settings
from django.db import transaction
from msgspec import UNSET

from tms.alerts import lifecycle
from tms.alerts.rules.cache import rule_cache
from tms.commands import capabilities
from tms.commands import services as commands
from tms.configuration import delivery as configurations
from tms.configuration.delivery import BootReport
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet import installed_versions
from tms.fleet.credentials import services as credentials
from tms.fleet.devices import connected
from tms.fleet.devices.connected import EXPECTED_DEVICE, UNEXPECTED_DEVICE, DeviceNotice
from tms.fleet.identity import boots as identity_boots
from tms.fleet.identity.boots import BootFacts
from tms.fleet.installed_versions import software_row
from tms.fleet.models import TerminalState
from tms.fleet.presence import outages, store
from tms.fleet.presence.state_machine import LinkState
from tms.ingest import takeovers
from tms.ingest.batch_result import BatchResult
from tms.ingest.commit.report_rows import ReportRow, believable, report_row
from tms.ingest.items import Booted, BootOutcome, Item, Link, Noted, Reported
from tms.ingest.rule_evaluation import scope_of
from tms.lib.db import prepared
from tms.lib.db import rows as db_rows
from tms.lib.db.clock import db_clock
from tms.metrics import instruments
from tms.protocol import frames
from tms.protocol.text import clean
from tms.telemetry import boots, reports
from tms.telemetry.boots import BootKey, Ensured
from tms.telemetry.models import Event, Report
from tms.telemetry.reports import ReportKey
from tms.telemetry.rollups import hourly


class EventRow(msgspec.Struct, frozen=True, gc=False):
    terminal_id: int
    at: datetime
    code: str
    severity: str
    text: str
    late: bool
    undated: bool


def write_in_transaction(items: Sequence[Item]) -> BatchResult:
    """Commit `items`. On return everything in the result is durable and every `Booted` has its outcome."""
    rules = rule_cache().get()
    links = {item.link.identity.terminal_id: item.link for item in items}
    with transaction.atomic():
        result = BatchResult(store.lock(links), store.timing(), settings.NODE)
        result.add(items)
        for takeover in takeovers.count(result.takeovers):
            result.note(takeover)
        store.save((result.link_states[pk] for pk in result.changed), result.metrics_json())
        store.record(result.link_changes)
        outages.follow(result.link_changes, result.returns, timing=result.timing)
        boot_pks, created = _save_boots(result)
        _save_reports(result, boot_pks)
        _save_notes(result)
        scopes = {change.terminal_id: scope_of(links[change.terminal_id].identity) for change in result.link_changes}
        rule_events = lifecycle.follow_presence(result.link_changes, rules, scopes)
        lifecycle.apply_events([*rule_events, *result.rule_events])
        if result.progress:
            commands.record_progress(result.progress)
        if result.answers:
            commands.record_answers([item.answer for item in result.answers], at=items[-1].at)
        _answer_boots(result, boot_pks, _highest_seqs(result, boot_pks, created))
        _publish(result)
    instruments.INGEST_REPORTS.labels("fenced").inc(sum(isinstance(item, Reported) for item in result.fenced))
    return result


def _save_boots(result: BatchResult) -> Ensured:
    wanted = {boot_key(item) for item in result.boots} | {boot_key(item) for item in result.reports}
    known = {
        boot_key(item): item.link.boot_pk
        for item in result.reports
        if item.report.boot_id is UNSET and item.link.boot_pk
    }
    missing = wanted - known.keys()
    ensured = boots.ensure(missing, at=db_clock().now()) if missing else Ensured({}, frozenset())
    saved = Ensured(known | ensured.pks, ensured.created)
    _save_identities(result, saved)
    return saved


def boot_key(item: Booted | Reported) -> BootKey:
    terminal_id = item.link.identity.terminal_id
    if isinstance(item, Booted):
        return terminal_id, item.boot.boot_id
    named = item.report.boot_id
    return terminal_id, item.link.boot_id if named is UNSET else named


def _save_identities(result: BatchResult, saved: Ensured) -> None:
    """Store what the boots reported, and note unexpected devices."""
    booted = {item.link.identity.terminal_id: item for item in result.boots}
    if not booted:
        return
    at = result.boots[-1].at
    facts = [
        BootFacts(pk, item.boot.serial, item.boot.model, item.boot.firmware, item.boot.agent, item.address)
        for pk, item in booted.items()
    ]
    changed = identity_boots.record(facts, at=at)
    capabilities.record({pk: item.boot.capabilities for pk, item in booted.items()})
    installed_versions.record([software_row(pk, item.boot.features, item.boot.software) for pk, item in booted.items()])
    configurations.note_boots([_configuration(pk, item, saved) for pk, item in booted.items()], at=at)
    credentials.mark_used([item.link.credential_id for item in booted.values()], at=at)
    keys = {pk: item.link.credential_id for pk, item in booted.items() if item.link.credential_id}
    for notice in connected.follow(changed, keys=keys, at=at):
        _note_device(result, booted[notice.terminal_id].link, notice, at)


def _configuration(terminal: int, item: Booted, saved: Ensured) -> BootReport:
    boot = item.boot
    version = None if boot.config_version is UNSET or "config" not in boot.features else boot.config_version
    return BootReport(terminal, version, saved.pks[boot_key(item)] in saved.created)


def _note_device(result: BatchResult, link: Link, notice: DeviceNotice, at: datetime) -> None:
    """An event of the terminal, for its timeline and for rules."""
    expected, scope = notice.is_expected, scope_of(link.identity)
    code = EXPECTED_DEVICE if expected else UNEXPECTED_DEVICE
    event = frames.TerminalEvent(at=at, code=code, severity="info" if expected else "critical", text=notice.text)
    result.note(Noted(link, at, event, lifecycle.follow_event(code, scope, rule_cache().get(), at=at)))


def _save_reports(result: BatchResult, boot_pks: dict[BootKey, int]) -> None:
    """Insert new reports with their events. Repeated reports change nothing.

    The key includes the instant (partitions by day), so doubtful reports are searched without it. Nothing else writes
    reports of these terminals meanwhile, because their link states are locked.
    """
    over = hourly.late_before(db_clock().now())
    items = {(boot_pks[boot_key(item)], item.report.seq): item for item in reversed(result.reports)}
    for key in reports.stored({(boot_pks[boot_key(item)], item.report.seq) for item in result.doubtful}):
        del items[key]
    rows = [report_row(ReportRow, item, boot_pk) for (boot_pk, _), item in reversed(items.items())]
    new = _insert_reports(rows)
    hourly.mark_late(
        {(row.terminal_id, hourly.hour_of(row.at)) for row in rows if row.at < over and (row.boot_id, row.seq) in new}
    )
    instruments.INGEST_REPORTS.labels("committed").inc(len(new))
    instruments.INGEST_REPORTS.labels("duplicate").inc(len(result.reports) - len(new))
    _save_events(
        (item, event, item.report.late)
        for key, item in reversed(items.items())
        if item.report.events and key in new
        for event in item.report.events
    )


def _insert_reports(rows: Sequence[ReportRow]) -> set[ReportKey]:
    """The keys of the inserted reports: all of them, unless another flush stored one of them meanwhile."""
    if not rows:
        return set()
    columns = ", ".join(ReportRow.__struct_fields__)
    picked = ", ".join(f"r.{name}" for name in ReportRow.__struct_fields__)
    inserted = prepared.run(
        f"INSERT INTO {Report._meta.db_table} ({columns}) "
        f"SELECT {picked} FROM {db_rows.source(ReportRow)} "
        "WHERE true ON CONFLICT DO NOTHING RETURNING boot_id, seq",
        [db_rows.encode(rows)],
    )
    return {(boot_id, seq) for boot_id, seq in inserted}


def _save_notes(result: BatchResult) -> None:
    _save_events((note, note.event, False) for note in result.notes)


def _save_events(events: Iterable[tuple[Reported | Noted, frames.TerminalEvent, bool]]) -> None:
    rows = [
        EventRow(
            item.link.identity.terminal_id,
            (at := believable(event.at, item.at)).astimezone(UTC),
            event.code,
            event.severity,
            clean(event.text),
            late,
            at is not event.at,
        )
        for item, event, late in events
    ]
    if rows:
        columns = ", ".join(EventRow.__struct_fields__)
        prepared.run(
            f"INSERT INTO {Event._meta.db_table} ({columns}) SELECT {columns} FROM {db_rows.source(EventRow)}",
            [db_rows.encode(rows)],
        )


def _highest_seqs(result: BatchResult, boot_pks: dict[BootKey, int], created: Collection[int]) -> dict[int, int]:
    """The highest stored `seq` of each boot that has reports. A search in every partition: not for new boots."""
    reported = {boot_pks[boot_key(item)] for item in result.reports}
    booted = {boot_pks[boot_key(item)] for item in result.boots}
    return boots.highest_seqs(booted.difference(created) | booted & reported)


def _answer_boots(result: BatchResult, boot_pks: dict[BootKey, int], acked: dict[int, int]) -> None:
    booted = result.boots
    if not booted:
        return
    terminal_ids = [item.link.identity.terminal_id for item in booted]
    pks = [boot_pks[boot_key(item)] for item in booted]
    active = lifecycle.active_rules(terminal_ids)
    waiting = commands.waiting_for(terminal_ids, at=booted[-1].at)
    metrics = store.metric_names(terminal_ids)
    for item, pk in zip(booted, pks, strict=True):
        terminal_id = item.link.identity.terminal_id
        _resume(result.link_states[terminal_id], item.boot.boot_id, acked.get(pk, 0))
        item.outcome = BootOutcome(
            session=item.link.number,
            boot_pk=pk,
            acked_seq=acked.get(pk, 0),
            active_rules=active.get(terminal_id, {}),
            has_commands=terminal_id in waiting,
            metrics=metrics[terminal_id],
        )


def _resume(link_state: LinkState, boot_id: str, seq: int) -> None:
    """A terminal that returns to an earlier boot continues at that boot's last `seq`."""
    if boot_id == link_state.boot_id and seq > link_state.seq:
        link_state.seq = seq
        TerminalState.objects.filter(pk=link_state.terminal_id).update(seq=seq)


def _publish(result: BatchResult) -> None:
    if result.changed:
        sessions = frozenset((item.link.identity.terminal_id, item.link.number) for item in result.boots)
        moved = frozenset(change.terminal_id for change in result.link_changes)
        terminals, status = frozenset(result.changed), frozenset(result.other_status)
        publish(Change(terminals=terminals, presence=moved, sessions=sessions, status=status))
