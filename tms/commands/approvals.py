"""A dangerous command, as an action that may need a second person: to the last lane of a site, or to delete data."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext

from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.consequences import Consequences, of_terminals
from tms.approvals.acts import Act
from tms.approvals.approvers import holds_for_all
from tms.approvals.kinds import ApprovalKind, CannotPerform, Payload, register
from tms.commands import catalogue, services
from tms.commands.models import Danger
from tms.fleet.models import Terminal


class CommandPayload(Payload, frozen=True):
    terminal: int
    name: str
    answer_within_s: float
    deliver_within_s: float
    reason: str = ""
    args: dict[str, Any] = msgspec.field(default_factory=dict)

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
    name = Act.COMMAND
    permission = Permission.SEND_DANGEROUS_COMMANDS
    payload = CommandPayload
    impact = Consequences

    def impact_of(self, payload: CommandPayload, *, by: User, at: datetime) -> Consequences:
        return of_terminals(payload.rows, to=by, at=at)

    def is_large(self, payload: CommandPayload, impact: Consequences) -> bool:
        spec = catalogue.find(payload.name)
        deletes = spec is not None and spec.danger == Danger.DELETES_DATA
        return deletes or (settings.APPROVAL_LAST_LANE and impact.takes_last_lane)

    def is_permitted(self, payload: CommandPayload, person: User) -> bool:
        return holds_for_all(person, self.permission, payload.rows, (payload.terminal,))

    def is_within(self, payload: CommandPayload, larger: CommandPayload, *, later: timedelta) -> bool:
        return (payload.terminal, payload.name, payload.args) == (larger.terminal, larger.name, larger.args)

    def title(self, payload: CommandPayload, impact: Consequences) -> str:
        terminal = payload.rows.first()
        spec = catalogue.find(payload.name)
        return f"{spec.label if spec else payload.name} {terminal.uid if terminal else ''}".strip()

    def word(self, payload: CommandPayload, impact: Consequences) -> str:
        terminal = payload.rows.select_related("site").first()
        return terminal.short_uid if terminal else ""

    def details(self, payload: CommandPayload, impact: Consequences) -> Mapping[str, Any]:
        return {"effect": "command"}

    def perform(self, payload: CommandPayload, *, by: User, at: datetime) -> int:
        terminal = payload.rows.first()
        if terminal is None:
            raise CannotPerform(gettext("The terminal does not exist any more."))
        try:
            services.queue(terminal, name=payload.name, args=payload.args, by=by, at=at, **payload.options)
        except services.CommandRefused as error:
            raise CannotPerform(str(error)) from None
        return 1


register(DangerousCommand())
