"""Commands to terminals, their states, and the queries that move them from one state to the next."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Self

import msgspec
from django.conf import settings
from django.db import connection, models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import ByTerminal
from tms.commands.models.definition import CommandDefinition
from tms.fleet.models import Terminal
from tms.lib.db import prepared
from tms.lib.db import rows as db_rows
from tms.lib.text_fields import LineField, LinesField


class CommandState(models.TextChoices):
    QUEUED = "queued", pgettext_lazy("command", "Queued")
    SENT = "sent", pgettext_lazy("command", "Sent")
    DONE = "done", pgettext_lazy("command", "Done")
    FAILED = "failed", pgettext_lazy("command", "Failed")
    EXPIRED = "expired", pgettext_lazy("command", "Expired")


TOO_LONG = "'the result has ' || length(r.answer) || ' bytes; at most ' || c.max_result_bytes || ' are allowed'"
"""SQL. The JSON of a result is ASCII."""


class SentRow(msgspec.Struct, frozen=True, gc=False):
    id: int
    session: int
    sent_at: datetime
    due_at: datetime


class AnswerRow(msgspec.Struct, frozen=True, gc=False):
    command: int
    terminal: int
    outcome: str
    answer: str | None
    """JSON."""
    problem: str


class ProgressRow(msgspec.Struct, frozen=True, gc=False):
    command: int
    terminal: int
    progress_pct: float | None
    progress_text: str


class Settled(NamedTuple):
    """A command that is over."""

    command: int
    terminal: int
    state: str
    name: str


class CommandQuerySet(models.QuerySet["Command"]):
    def with_labels(self) -> Self:
        """Adds `label` and `label_ja` of commands that customers defined; None for others."""
        named = CommandDefinition.objects.filter(name=models.OuterRef("name"))
        labels = {name: models.Subquery(named.values(name)[:1]) for name in ("label", "label_ja")}
        return self.annotate(**labels)

    def newest_of(self, name: str) -> Self:
        """The commands of this name, the newest first (index: command_name, read by the catalogue)."""
        return self.filter(name=name).order_by("-created_at")

    def last_uses(self, names: Collection[str]) -> dict[str, datetime]:
        """When each of these commands was queued last: one statement, and a look into the index for each of them."""
        newest = [models.Subquery(self.newest_of(name).values("pk")[:1]) for name in names]
        rows = self.filter(pk__in=newest)  # type: ignore[misc]  # the stubs do not know expressions in the list
        return dict(rows.values_list("name", "created_at"))

    def deliverable(self, at: datetime) -> Self:
        return self.filter(state=CommandState.QUEUED, deliver_before__gt=at)

    def overdue(self, at: datetime) -> Self:
        """Queued too long, or sent and not answered in time (index: command_due, read by clock)."""
        return self.filter(state__in=(CommandState.QUEUED, CommandState.SENT), due_at__lte=at)

    def mark_sent(self, commands: "Collection[Command]") -> None:
        """Record the sending of all these commands in one statement: a whole fleet's may be sent at once."""
        rows = [SentRow(c.pk, c.session, c.sent_at, c.due_at) for c in commands if c.sent_at and c.due_at]
        columns = ", ".join(f"{name} = r.{name}" for name in SentRow.__struct_fields__ if name != "id")
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {self.model._meta.db_table} AS c SET state = %s, {columns} "
                f"FROM {db_rows.source(SentRow)} WHERE c.id = r.id",
                [CommandState.SENT.value, db_rows.encode(rows)],
            )

    def follow(self, progress: Sequence[ProgressRow]) -> set[int]:
        """Record the progress of those that are not over, in one statement. Returns their terminals."""
        among, keys = db_rows.among("c.id", (row.command for row in progress))
        sql = (
            f"UPDATE {self.model._meta.db_table} AS c "
            "SET progress_pct = r.progress_pct, progress_text = r.progress_text "
            f"FROM {db_rows.source(ProgressRow)} "
            f"WHERE c.id = r.command AND c.terminal_id = r.terminal AND c.state = %s{among} RETURNING terminal_id"
        )
        rows = prepared.run(sql, [db_rows.encode(progress), CommandState.SENT.value, *keys])
        return {terminal for (terminal,) in rows}

    def settle(self, answers: Sequence[AnswerRow], *, at: datetime) -> list[Settled]:
        """Record the awaited ones of these answers in one statement."""
        among, keys = db_rows.among("c.id", (row.command for row in answers))
        too_long = "length(r.answer) > c.max_result_bytes"
        json = "r.answer::jsonb" if connection.vendor == "postgresql" else "r.answer"
        sql = (
            f"UPDATE {self.model._meta.db_table} AS c "
            f"SET state = CASE WHEN {too_long} THEN '{CommandState.FAILED}' ELSE r.outcome END, "
            f"result = CASE WHEN {too_long} THEN NULL ELSE {json} END, "
            f"error = CASE WHEN {too_long} THEN {TOO_LONG} ELSE r.problem END, answered_at = %s, due_at = NULL "
            f"FROM {db_rows.source(AnswerRow)} "
            f"WHERE c.id = r.command AND c.terminal_id = r.terminal AND c.state = %s{among} "
            "RETURNING id, terminal_id, state, name"
        )
        parameters = [db_rows.instant(at), db_rows.encode(answers), CommandState.SENT.value, *keys]
        return [Settled(*row) for row in prepared.run(sql, parameters)]


class Command(models.Model):
    """A request to a terminal. `due_at` is when it expires in its present state."""

    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="commands")
    name = models.CharField(_("command"), max_length=64)
    args = models.JSONField(default=dict, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=CommandState, default=CommandState.QUEUED)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(_("created at"))
    answer_within_s = models.FloatField(_("answer within (seconds)"), default=30)
    deliver_before = models.DateTimeField(_("deliver by"))
    due_at = models.DateTimeField(null=True)
    session = models.BigIntegerField(default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    progress_pct = models.FloatField(_("progress (%)"), null=True)
    progress_text = LineField(_("progress"), max_length=500, blank=True, db_default="")
    """How far it is, as its terminal says."""
    max_result_bytes = models.PositiveIntegerField(default=65_536, db_default=65_536)
    result = models.JSONField(_("result"), null=True)
    error = LinesField(_("error"), max_length=500, blank=True)

    objects = CommandQuerySet.as_manager()
    scope_path = ByTerminal("terminal")

    class Meta:
        verbose_name = _("command")
        verbose_name_plural = _("commands")
        indexes = (
            models.Index(
                fields=("due_at",),
                name="command_due",
                condition=models.Q(state__in=(CommandState.QUEUED, CommandState.SENT)),
            ),
            models.Index(fields=("terminal", "-created_at"), name="command_terminal"),
            models.Index(fields=("name", "-created_at"), name="command_name"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.terminal_id}"

    @property
    def error_kind(self) -> str:
        """What the terminal called its error, such as `tms:refused`; empty if TMS says it."""
        kind = self.error.partition(" ")[0]
        return kind if kind.startswith("tms:") else ""

    @property
    def error_text(self) -> str:
        return self.error.removeprefix(self.error_kind).lstrip()

    def rewind(self, at: datetime) -> None:
        """Set what changed later to what it was at a past instant. Not to be saved."""
        if self.answered_at and self.answered_at <= at:
            return
        sent_at = self.sent_at if self.sent_at and self.sent_at <= at else None
        expires_at = sent_at + timedelta(seconds=self.answer_within_s) if sent_at else self.deliver_before
        if self.state != CommandState.EXPIRED or at < expires_at:
            self.state = CommandState.SENT if sent_at else CommandState.QUEUED
            self.due_at = expires_at
        self.answered_at, self.result, self.error = None, None, ""
        self.progress_pct, self.progress_text = None, ""  # of then, it is not stored
