"""The way of a version to terminals: what each shall have, the commands that carry it, and what they report.

A command carries a reference to a revision. Its values are computed when it is sent, so that neither they nor secrets
are in the table of commands.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When

from tms.accounts.models import User
from tms.commands import services as commands
from tms.commands.change_frames import CannotSend
from tms.commands.kinds import CHANGES, CONFIGURE
from tms.commands.models import Command, CommandState
from tms.configuration.contents import Content, contents_of
from tms.configuration.models import ConfigurationVersion, TerminalConfiguration
from tms.configuration.undone import note_applied, note_undone
from tms.fleet.lifecycle import states
from tms.fleet.models import Terminal
from tms.lib.db import prepared
from tms.lib.db import rows as db_rows
from tms.protocol import frames
from tms.protocol.limits import CONFIG_BYTES
from tms.protocol.text import clean

CHUNK = 500
"""Terminals whose contents are in memory at a time: 20 MB at most."""
ANSWER_WITHIN_S = 600.0
"""A terminal that must undo a configuration needs six minutes to say so."""
MAX_REFUSED = 100
MAX_REASON = 200
UNDONE = "undone:"
TAKES_WORK = states(lambda treatment: treatment.takes_work)


class BootReport(msgspec.Struct, frozen=True, gc=False):
    """What a boot says of the configuration."""

    terminal_id: int
    config_version: int | None
    """None if the terminal cannot be configured: it does not name the feature `config`, or no version."""
    is_restart: bool = False
    """Whether its software started again, and not only its link."""


class _Desired(msgspec.Struct, frozen=True, gc=False):
    terminal: int
    version: int
    revision: int
    digest: str
    desired_at: datetime


class _Applied(msgspec.Struct, frozen=True, gc=False):
    terminal: int
    revision: int
    refused: msgspec.Raw
    needs_restart: bool


def configurable(terminals: QuerySet[Terminal]) -> QuerySet[Terminal]:
    """The terminals that said that they can be configured."""
    return terminals.filter(configuration__reported__isnull=False, lifecycle__in=TAKES_WORK)


def can_be_configured(terminals: Collection[int]) -> set[int]:
    """The ones of these terminals that can be."""
    among = Terminal.objects.filter(pk__in=db_rows.keys_of(terminals))
    return set(configurable(among).values_list("pk", flat=True))


@transaction.atomic
def desire(terminals: Collection[int], version: ConfigurationVersion, *, at: datetime) -> set[int]:
    """Make this the version that the terminals shall have. Returns those that report another content, to be ordered.

    What was ordered before and not sent yet expires.
    """
    if version.is_draft:
        raise ValueError(f"version {version.number} is a draft; make it ready first")
    queued = Command.objects.filter(terminal__in=db_rows.keys_of(terminals), name=CONFIGURE, state=CommandState.QUEUED)
    commands.withdraw(list(queued.values_list("pk", flat=True)), reason="replaced by another configuration")
    ordered = sorted(terminals)
    return set().union(
        *(
            _desire(dict.fromkeys(ordered[start : start + CHUNK], version), at)
            for start in range(0, len(ordered), CHUNK)
        )
    )


def _desire(versions: Mapping[int, ConfigurationVersion], at: datetime) -> set[int]:
    """Call it in a transaction."""
    TerminalConfiguration.objects.bulk_create(
        (TerminalConfiguration(terminal_id=pk) for pk in versions), ignore_conflicts=True
    )
    contents = contents_of({pk: version.number for pk, version in versions.items()})
    rows = [_desired(row, versions[row.pk], contents[row.pk], at) for row in locked(versions) if row.pk in contents]
    _write(rows)
    differing = TerminalConfiguration.objects.differing().filter(pk__in=db_rows.keys_of(versions))
    return set(differing.values_list("pk", flat=True))


def locked(terminals: Collection[int]) -> QuerySet[TerminalConfiguration]:
    rows = TerminalConfiguration.objects.filter(pk__in=db_rows.keys_of(terminals)).order_by("pk")
    return rows.select_for_update(of=("self",), no_key=True)


def _desired(row: TerminalConfiguration, version: ConfigurationVersion, content: Content, at: datetime) -> _Desired:
    if row.revision and row.digest == content.digest:
        return _Desired(row.pk, version.pk, row.revision, row.digest, row.desired_at or at)
    if row.reported and row.applied_digest == content.digest:  # back to what it has
        return _Desired(row.pk, version.pk, row.reported, content.digest, at)
    # Beyond what it reports, so that an old revision of another installation is not taken for this one.
    return _Desired(row.pk, version.pk, max(row.revision, row.reported or 0) + 1, content.digest, at)


def _write(rows: Sequence[_Desired]) -> None:
    if not rows:
        return
    among, keys = db_rows.among("t.terminal_id", (row.terminal for row in rows))
    sql = (
        f"UPDATE {TerminalConfiguration._meta.db_table} AS t "
        "SET version_id = r.version, revision = r.revision, digest = r.digest, desired_at = r.desired_at, "
        "error = '', is_stale = FALSE, held_at = NULL "
        f"FROM {db_rows.source(_Desired)} WHERE t.terminal_id = r.terminal{among}"
    )
    prepared.run(sql, [db_rows.encode(rows), *keys])


def order(terminals: Collection[int], *, by: User | None, at: datetime, deliver_within_s: float) -> dict[int, Command]:
    """Queue what `desire` set, by terminal, without those that cannot be configured. Call it in its transaction."""
    rows = TerminalConfiguration.objects.exclude(version=None).exclude(reported=None)
    rows = rows.filter(pk__in=db_rows.keys_of(terminals))
    args: dict[int, dict[str, object]] = {
        pk: {"revision": revision, "version": number}
        for pk, revision, number in rows.values_list("pk", "revision", "version__number")
    }
    return commands.queue_each(
        args,
        CHANGES[CONFIGURE],
        by=by,
        at=at,
        answer_within_s=ANSWER_WITHIN_S,
        deliver_within_s=deliver_within_s,
    )


def frame_of(command: Command) -> frames.ConfigFrame:
    """What a command that is being sent says. Raises CannotSend."""
    found = frames_of([command])[command.pk]
    if isinstance(found, CannotSend):
        raise found
    return found


def frames_of(sent: Collection[Command]) -> dict[int, frames.ConfigFrame | CannotSend]:
    """The frames of many commands, by command; their values share what is equal. Call it for `CHUNK` at a time."""
    rows = TerminalConfiguration.objects.filter(pk__in={command.terminal_id for command in sent})
    stored = {row.pk: row for row in rows.select_related("version")}
    contents = contents_of({pk: row.version.number for pk, row in stored.items() if row.version})
    return {
        command.pk: _frame(command, stored.get(command.terminal_id), contents.get(command.terminal_id))
        for command in sent
    }


def _frame(
    command: Command, row: TerminalConfiguration | None, content: Content | None
) -> frames.ConfigFrame | CannotSend:
    if row is None or content is None or row.revision != command.args.get("revision"):
        return CannotSend("another configuration was ordered meanwhile")
    if content.broken:
        return CannotSend(f"the secret of {content.broken[0]} cannot be decrypted; enter it again")
    if content.digest != row.digest:
        return CannotSend("the terminal moved meanwhile, and needs other values; they are ordered again")
    if content.size > CONFIG_BYTES:
        return CannotSend(f"the values have {content.size:,} bytes; at most {CONFIG_BYTES:,} can be sent")
    assert command.due_at is not None
    return frames.ConfigFrame(version=row.revision, values=dict(content.values), deadline=command.due_at)


def note_boots(rows: Sequence[BootReport], *, at: datetime) -> None:
    """Store what boots say of the configuration. Only what changed is written."""
    if rows:
        prepared.run(_note_boots(connection.vendor), [db_rows.instant(at), db_rows.encode(rows)])
    if restarted := [row.terminal_id for row in rows if row.is_restart]:
        waiting = TerminalConfiguration.objects.filter(pk__in=restarted, needs_restart=True)
        waiting.update(needs_restart=False)


def _note_boots(vendor: str) -> str:
    table = TerminalConfiguration._meta.db_table
    empty = "'{}'::jsonb" if vendor == "postgresql" else "'{}'"
    is_desired = "excluded.reported = t.revision"
    is_applied = "excluded.reported = t.reported"
    return f"""
        INSERT INTO {table} AS t (terminal_id, revision, digest, applied_digest, refused, needs_restart, error,
            is_stale, reported, reported_at)
        SELECT r.terminal_id, 0, '', '', {empty}, FALSE, '', TRUE, r.config_version, %s
        FROM {db_rows.source(BootReport)}
        WHERE r.config_version IS NOT NULL
            OR EXISTS (SELECT 1 FROM {table} AS o WHERE o.terminal_id = r.terminal_id AND o.reported IS NOT NULL)
        ON CONFLICT (terminal_id) DO UPDATE SET
            reported = excluded.reported,
            reported_at = excluded.reported_at,
            applied_version_id = CASE WHEN {is_desired} THEN t.version_id
                WHEN {is_applied} THEN t.applied_version_id END,
            applied_digest = CASE WHEN {is_desired} THEN t.digest WHEN {is_applied} THEN t.applied_digest ELSE '' END,
            error = CASE WHEN {is_desired} THEN '' ELSE t.error END,
            refused = {empty},
            needs_restart = FALSE,
            is_stale = t.is_stale OR t.version_id IS NULL OR t.reported = t.revision
        WHERE t.reported IS DISTINCT FROM excluded.reported
    """


def follow_commands(*, commands: Collection[Command], at: datetime, **_: object) -> None:
    """Take the outcome of commands that are over. A receiver of `commands_ended`."""
    ended = [command for command in commands if command.name == CONFIGURE]
    _take_results([command for command in ended if command.state == CommandState.DONE], at)
    for command in ended:
        if command.state == CommandState.FAILED:
            _take_failure(command, at)
    _take_back([command for command in ended if command.state == CommandState.EXPIRED])


def _take_results(done: Collection[Command], at: datetime) -> None:
    if not done:
        return
    rows = [_applied(command) for command in done]
    among, keys = db_rows.among("t.terminal_id", (row.terminal for row in rows))
    sql = (
        f"UPDATE {TerminalConfiguration._meta.db_table} AS t "
        "SET reported = r.revision, reported_at = %s, applied_version_id = version_id, applied_digest = digest, "
        "refused = r.refused, needs_restart = r.needs_restart, error = '' "
        f"FROM {db_rows.source(_Applied)} WHERE t.terminal_id = r.terminal AND t.revision = r.revision{among} "
        "RETURNING terminal_id"
    )
    changed = prepared.run(sql, [db_rows.instant(at), db_rows.encode(rows), *keys])
    note_applied([terminal for (terminal,) in changed], at=at)


def _applied(command: Command) -> _Applied:
    result: Any = command.result if isinstance(command.result, dict) else {}
    refused = msgspec.Raw(msgspec.json.encode(_readable(result.get("refused"))))
    return _Applied(command.terminal_id, command.args["revision"], refused, result.get("needs_restart") is True)


def _readable(refused: object) -> dict[str, str]:
    """Reasons by key, of which a terminal may send any."""
    if not isinstance(refused, dict):
        return {}
    pairs = sorted(refused.items())[:MAX_REFUSED]
    return {clean(str(key))[:64]: clean(str(reason))[:MAX_REASON] for key, reason in pairs}


def _take_failure(command: Command, at: datetime) -> None:
    error = command.error_text
    if _current(command).update(error=error) and error.startswith(UNDONE):
        note_undone(command.terminal_id, error, at=at)


def _take_back(expired: Collection[Command]) -> None:
    """What was never sent shall not come later: these terminals shall have what they have.

    Otherwise one that returns after its rollout was stopped would get the new version all the same.
    """
    by_revision: dict[int, list[int]] = {}
    for command in expired:
        by_revision.setdefault(command.args["revision"], []).append(command.terminal_id)
    for revision, terminals in by_revision.items():
        rows = TerminalConfiguration.objects.filter(pk__in=terminals, revision=revision)
        rows.filter(Q(reported=0) | ~Q(applied_digest="")).exclude(reported=revision).update(
            version=Case(When(reported=0, then=Value(None)), default=F("applied_version")),
            digest=F("applied_digest"),
            revision=F("reported"),
        )


def _current(command: Command) -> QuerySet[TerminalConfiguration]:
    """The row, if the command carried what the terminal shall still have."""
    return TerminalConfiguration.objects.filter(pk=command.terminal_id, revision=command.args["revision"])
