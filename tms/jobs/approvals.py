"""A job with a dangerous command for many terminals, as an action that needs a second person."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import ngettext
from pydantic import ValidationError

from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.consequences import Consequences, of_terminals
from tms.approvals.acts import Act
from tms.approvals.approvers import holds_for_all
from tms.approvals.kinds import ApprovalKind, CannotPerform, Payload, register
from tms.commands import catalogue
from tms.commands.services import CommandRefused
from tms.fleet.models import Terminal
from tms.jobs import services
from tms.jobs.schemas import JobBody
from tms.jobs.services import JobRefused
from tms.lib.db import rows as db_rows
from tms.query.errors import QueryError
from tms.rest_base.problems import ProblemError


class JobPayload(Payload, frozen=True):
    body: dict[str, Any]
    """The job, as it was asked for."""
    terminals: tuple[int, ...]
    """What a run that started now would have."""

    @property
    def command(self) -> str:
        return str(self.body["command"])

    @property
    def rows(self) -> QuerySet[Terminal]:
        return Terminal.objects.filter(pk__in=db_rows.keys_of(self.terminals))


class LargeJob(ApprovalKind[JobPayload, Consequences]):
    """The last lane of a site is no reason to ask: the guards never take it."""

    name = Act.JOB
    permission = Permission.SEND_DANGEROUS_COMMANDS
    payload = JobPayload
    impact = Consequences

    def impact_of(self, payload: JobPayload, *, by: User, at: datetime) -> Consequences:
        return of_terminals(payload.rows, to=by, at=at)

    def is_large(self, payload: JobPayload, impact: Consequences) -> bool:
        return catalogue.is_dangerous(payload.command) and 0 < settings.APPROVAL_TERMINALS < len(payload.terminals)

    def is_permitted(self, payload: JobPayload, person: User) -> bool:
        return all(
            holds_for_all(person, permission, payload.rows, payload.terminals)
            for permission in (Permission.RUN_JOBS, self.permission)
        )

    def is_within(self, payload: JobPayload, larger: JobPayload, *, later: timedelta) -> bool:
        return payload.body == larger.body and set(payload.terminals) <= set(larger.terminals)

    def title(self, payload: JobPayload, impact: Consequences) -> str:
        spec, number = catalogue.find(payload.command), len(payload.terminals)
        text = ngettext("%(command)s on %(n)s terminal", "%(command)s on %(n)s terminals", number)
        return text % {"command": spec.label if spec else payload.command, "n": f"{number:,}"}

    def word(self, payload: JobPayload, impact: Consequences) -> str:
        return str(len(payload.terminals))

    def details(self, payload: JobPayload, impact: Consequences) -> Mapping[str, Any]:
        return {"effect": "command"}

    def perform(self, payload: JobPayload, *, by: User, at: datetime) -> int:
        """A job without a start of its own starts now. Returns how many terminals it was approved for."""
        try:
            values = JobBody(**payload.body).values(by, at=at)
            services.create_job(values, by=by, at=at)
        except (CommandRefused, JobRefused, ProblemError, QueryError, ValidationError) as error:
            raise CannotPerform(str(error)) from None
        return len(payload.terminals)


register(LargeJob())
