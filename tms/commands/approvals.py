"""A dangerous command to the last working lane of a site, as an action that may need a second person."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext

from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.consequences import Consequences, of_terminals
from tms.approvals.approvers import holds_for_all
from tms.approvals.kinds import ApprovalKind, CannotPerform, Payload, register
from tms.commands import services
from tms.commands.kinds import CATALOG
from tms.fleet.models import Terminal

COMMAND = "command"


class CommandPayload(Payload, frozen=True):
    terminal: int
    name: str
    answer_within_s: float
    deliver_within_s: float
    reason: str = ""

    @property
    def rows(self) -> QuerySet[Terminal]:
        return Terminal.objects.filter(pk=self.terminal)

    @property
    def options(self) -> dict[str, Any]:
        return {
            "answer_within_s": self.answer_within_s,
            "deliver_within_s": self.deliver_within_s,
            "reason": self.reason,
        }


class DangerousCommand(ApprovalKind[CommandPayload, Consequences]):
    name = COMMAND
    permission = Permission.SEND_DANGEROUS_COMMANDS
    payload = CommandPayload
    impact = Consequences

    def impact_of(self, payload: CommandPayload, *, by: User, at: datetime) -> Consequences:
        return of_terminals(payload.rows, to=by, at=at)

    def is_large(self, payload: CommandPayload, impact: Consequences) -> bool:
        return settings.APPROVAL_LAST_LANE and impact.takes_last_lane

    def is_permitted(self, payload: CommandPayload, person: User) -> bool:
        return holds_for_all(person, self.permission, payload.rows, (payload.terminal,))

    def is_within(self, payload: CommandPayload, larger: CommandPayload, *, later: timedelta) -> bool:
        return (payload.terminal, payload.name) == (larger.terminal, larger.name)

    def title(self, payload: CommandPayload, impact: Consequences) -> str:
        terminal = payload.rows.first()
        return f"{CATALOG[payload.name].label} {terminal.uid if terminal else ''}".strip()

    def word(self, payload: CommandPayload, impact: Consequences) -> str:
        terminal = payload.rows.select_related("site").first()
        return terminal.short_uid if terminal else ""

    def details(self, payload: CommandPayload, impact: Consequences) -> Mapping[str, Any]:
        return {"effect": "command"}

    def perform(self, payload: CommandPayload, *, by: User, at: datetime) -> int:
        terminal = payload.rows.first()
        if terminal is None:
            raise CannotPerform(gettext("The terminal does not exist any more."))
        services.queue(terminal, name=payload.name, args={}, by=by, at=at, **payload.options)
        return 1


register(DangerousCommand())
