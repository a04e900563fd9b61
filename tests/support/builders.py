"""Builders for a fleet in tests: terminals in any state, links as seen by the store, and a controllable clock."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from msgspec import UNSET

from tests.support import people
from tms.accounts.models import User
from tms.alerts.models import Rule, RuleSource
from tms.alerts.rule_editing import services as rule_editing_services
from tms.clock import jobs
from tms.commands import services as commands
from tms.commands.models import Command
from tms.commands.services import Answered
from tms.files.models import FileState, TerminalFile
from tms.fleet.credentials import services
from tms.fleet.credentials.services import CredentialKey, TerminalIdentity
from tms.fleet.models import Cause, Group, Presence, Region, Site, Terminal, TerminalState
from tms.ingest.items import Alive, Booted, BootOutcome, CommandAnswered, Lost, Noted, Parted, Reported, TakenOver
from tms.ingest.rule_evaluation import LinkEvaluator
from tms.protocol import frames

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


class Fleet:
    """Sites, terminals, rules and people; a fleet has no default rules."""

    def __init__(self) -> None:
        self._numbers = count(1)
        with connection.cursor() as cursor:  # the ORM would look for their alerts and policies, of which there are none
            cursor.execute("DELETE FROM alerts_rule")

    def site(self, code: str = "SJK", **fields: Any) -> Site:
        if region := fields.get("region"):
            Region.objects.get_or_create(name=region)
        return Site.objects.get_or_create(code=code, defaults={"name": f"Site {code}"} | fields)[0]

    def terminal(self, *, site: Site | None = None, **fields: Any) -> Terminal:
        """A terminal that was never seen."""
        fields.setdefault("uid", f"T-{next(self._numbers)}")
        terminal = Terminal(site=site or self.site(), **fields)
        services.enrol(terminal)
        return terminal

    def terminals(
        self, number: int, *, presence: str = Presence.NEVER, site: Site | None = None, **fields: Any
    ) -> list[Terminal]:
        """Many at once, without credentials."""
        state, site = _take_state(fields), site or self.site()
        made = Terminal.objects.bulk_create(
            Terminal(uid=f"T-{next(self._numbers)}", site=site, **fields) for _ in range(number)
        )
        TerminalState.objects.bulk_create(
            TerminalState(terminal=terminal, presence=presence, **state) for terminal in made
        )
        return made

    def terminals_online(self, number: int, *, lease_s: float = 45, **fields: Any) -> list[Terminal]:
        """Many at once, online since `AT`, without credentials."""
        return self.terminals(number, presence=Presence.ONLINE, presence_at=AT, **_lease(AT, lease_s), **fields)

    def online(self, *, at: datetime = AT, node: str = "here", lease_s: float = 45, **fields: Any) -> Terminal:
        return self.with_presence(Presence.ONLINE, at=at, **_lease(at, lease_s) | {"node": node}, **fields)

    def with_presence(self, presence: str, *, at: datetime = AT, **fields: Any) -> Terminal:
        """A terminal with `presence` since `at`."""
        state = _take_state(fields)
        terminal = self.terminal(**fields)
        TerminalState.objects.filter(pk=terminal.pk).update(presence=presence, presence_at=at, **state)
        terminal.state.refresh_from_db()
        return terminal

    def presence_rule(self, presence: str = Presence.OFFLINE, **fields: Any) -> Rule:
        return self._rule(RuleSource.PRESENCE, presence=presence, **fields)

    def metric_rule(
        self, metric: str = "temperature_c", comparison: str = "above", limit: float = 75, **fields: Any
    ) -> Rule:
        return self._rule(RuleSource.METRIC, metric=metric, comparison=comparison, limit=limit, **fields)

    def event_rule(self, event_code: str = "reader_fault", clear_code: str = "", **fields: Any) -> Rule:
        return self._rule(RuleSource.EVENT, event_code=event_code, clear_code=clear_code, **fields)

    def clock_rule(self, limit: float = 60, **fields: Any) -> Rule:
        return self._rule(RuleSource.CLOCK, limit=limit, **fields)

    def firmware_rule(self, firmware: str = "", **fields: Any) -> Rule:
        return self._rule(RuleSource.FIRMWARE, firmware=firmware, **fields)

    def configuration_rule(self, **fields: Any) -> Rule:
        return self._rule(RuleSource.CONFIGURATION, **fields)

    def group(self, name: str, *terminals: Terminal) -> Group:
        group = Group.objects.create(name=name)
        group.terminals.set(terminals)
        return group

    def person(self, name: str = "aiko") -> User:
        """A viewer, once for each name."""
        return User.objects.filter(username=name).first() or people.person(name)

    def command(self, terminal: Terminal, *, at: datetime = AT, name: str = "ping", **options: Any) -> Command:
        return commands.queue(terminal, name=name, args={}, by=None, at=at, **options)

    def file(self, command: Command, *, name: str = "app.log", content: bytes = b"", at: datetime = AT) -> TerminalFile:
        """A complete file that the terminal uploaded for the command."""
        folder = f"terminal-files/{secrets.token_hex(8)}"
        return TerminalFile.objects.create(
            terminal=command.terminal,
            command=command,
            number=1,
            digest=secrets.token_hex(32),
            state=FileState.COMPLETE,
            expires_at=at,
            max_bytes=1_000,
            name=name,
            media_type="text/plain",
            length=len(content),
            offset=len(content),
            folder=folder,
            content=default_storage.save(f"{folder}/1", ContentFile(content)),
            begun_at=at,
            completed_at=at,
        )

    def _rule(self, kind: RuleSource, **fields: Any) -> Rule:
        fields.setdefault("name", f"Rule {next(self._numbers)}")
        rule = Rule(kind=kind, **fields)
        rule_editing_services.change_rule(rule, at=AT)
        return rule


def _take_state(fields: dict[str, Any]) -> dict[str, Any]:
    """Remove the columns of the state from `fields`."""
    columns = {name.name for name in TerminalState._meta.get_fields()}
    return {name: fields.pop(name) for name in list(fields) if name in columns}


def _lease(at: datetime, seconds: float) -> dict[str, Any]:
    lease_at = at + timedelta(seconds=seconds)
    return {"node": "here", "lease_at": lease_at, "due_at": lease_at, "session": 1}


@dataclass(eq=False)
class Link:
    """A link as seen by the batch and the store. Creates its items, and records callbacks."""

    terminal: Terminal
    number: int = 0
    credential_id: int = 0
    boot_id: str = "boot-1"
    boot_pk: int = 0
    outcome: BootOutcome | None = None
    committed_seqs: list[int] = field(default_factory=list)
    rejected_seqs: list[int] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    acknowledgements: int = 0
    refused_boots: int = 0
    times_fenced: int = 0

    def __post_init__(self) -> None:
        self.identity = identity_of(self.terminal)
        self.judge = LinkEvaluator(self.identity)

    # Items

    def boot(self, boot_id: str = "boot-1", *, at: datetime = AT, address: str | None = None, **params: Any) -> Booted:
        self.boot_id = boot_id
        return Booted(self, at, frames.BootFrame(boot_id, **params), address)

    def report(self, seq: int, *, at: datetime = AT, taken_at: datetime | None = None, **params: Any) -> Reported:
        """A report as a session evaluates it. `at` is the time of arrival, `taken_at` the timestamp."""
        report = frames.ReportFrame(seq, taken_at or at, **params)
        return Reported(self, at, report, self.judge.report(report, at=at), 0.0)

    def undated(self, seq: int, *, at: datetime = AT, **params: Any) -> Reported:
        """A late report of a terminal that does not know its time."""
        return Reported(self, at, frames.ReportFrame(seq, None, late=True, **params), (), 0.0)

    def heartbeat(self, *, at: datetime = AT) -> Alive:
        return Alive(self, at)

    def goodbye(self, reason: Any, *, at: datetime = AT, back_at: datetime | None = None) -> Parted:
        return Parted(self, at, frames.GoodbyeFrame(reason, UNSET if back_at is None else back_at))

    def lost(self, cause: Cause = Cause.CONNECTION_LOST, *, at: datetime = AT, since: datetime | None = None) -> Lost:
        return Lost(self, at, cause, since)

    def answer(self, command: Command, result: Any = None, *, error: str = "", at: datetime = AT) -> CommandAnswered:
        return CommandAnswered(self, at, Answered(command.pk, self.terminal.pk, result, error))

    def note(self, code: str, *, at: datetime = AT) -> Noted:
        return Noted(self, at, frames.TerminalEvent(at, code), self.judge.event(code, at=at))

    def taken_over(self, *, at: datetime = AT) -> TakenOver:
        return TakenOver(self, at, frames.TerminalEvent(at, "tms.duplicate_credential"), ())

    # Callbacks

    def on_booted(self, outcome: BootOutcome | None) -> None:
        self.outcome = outcome
        if outcome is None:
            self.refused_boots += 1
            return
        self.boot_pk = outcome.boot_pk
        self.judge = LinkEvaluator(self.identity, outcome.active_rules)

    def on_committed(self, report: frames.ReportFrame) -> None:
        self.committed_seqs.append(report.seq)

    def on_rejected(self, report: frames.ReportFrame) -> None:
        self.rejected_seqs.append(report.seq)

    def on_answered(self, answer: Answered) -> None:
        self.answered.append(answer.command_id)

    def acknowledge(self) -> None:
        self.acknowledgements += 1

    def on_fenced(self) -> None:
        self.times_fenced += 1


def identity_of(terminal: Terminal) -> TerminalIdentity:
    return TerminalIdentity(terminal.pk, terminal.uid, terminal.site_id, terminal.kind, terminal.model)


def key_of(terminal: Terminal) -> CredentialKey:
    credential = terminal.credentials.latest("pk")
    return CredentialKey(credential.pk, identity_of(terminal))


class FakeScheduler:
    """A clock that advances on demand: at each step the clock's jobs do what is due, like in the leading process."""

    LOOPS: Sequence[jobs.Loop] = tuple(
        loop for loop in jobs.LOOPS if loop.lane is jobs.Lane.PROMPT and loop.name != "heartbeat"
    )

    def __init__(self) -> None:
        self.at = AT

    def advance(self, *, seconds: float, step_s: float = 1) -> datetime:
        end = self.at + timedelta(seconds=seconds)
        while self.at < end:
            self.at = min(end, self.at + timedelta(seconds=step_s))
            for loop in self.LOOPS:
                loop.work(self.at)
        return self.at


def now() -> datetime:
    return datetime.now(UTC)
