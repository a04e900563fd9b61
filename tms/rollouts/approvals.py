"""Actions on rollouts that need a second person: a large one, a roll back of many, and going on after a stop."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext, ngettext
from pydantic import ValidationError

from tms.accounts.access import Forbidden
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.consequences import Consequences, of_terminals
from tms.approvals.acts import Act
from tms.approvals.approvers import holds_for_all
from tms.approvals.kinds import ApprovalKind, CannotPerform, Payload, register
from tms.fleet.models import Terminal
from tms.lib.db import rows as db_rows
from tms.query.errors import QueryError
from tms.rest_base.problems import ProblemError
from tms.rollouts import services
from tms.rollouts.models import Rollout, RolloutItem
from tms.rollouts.schemas import RolloutBody
from tms.rollouts.services import RolloutOver, RolloutRefused


class RolloutPayload(Payload, frozen=True):
    name: str
    terminals: tuple[int, ...]
    """What it would change now."""
    body: dict[str, Any] | None = None
    """A new rollout, as it was asked for."""
    rollout: int = 0
    """A draft to start, or the rollout to roll back or to continue."""
    leave_out: tuple[str, ...] = ()
    comment: str = ""

    @property
    def rows(self) -> QuerySet[Terminal]:
        return Terminal.objects.filter(pk__in=db_rows.keys_of(self.terminals))


class _OfTerminals(ApprovalKind[RolloutPayload, Consequences]):
    """The last lane of a site is no reason to ask: the guards never take it."""

    permission = Permission.RUN_ROLLOUTS
    payload = RolloutPayload
    impact = Consequences

    def impact_of(self, payload: RolloutPayload, *, by: User, at: datetime) -> Consequences:
        return of_terminals(payload.rows, to=by, at=at)

    def is_large(self, payload: RolloutPayload, impact: Consequences) -> bool:
        return 0 < settings.APPROVAL_TERMINALS < len(payload.terminals)

    def is_permitted(self, payload: RolloutPayload, person: User) -> bool:
        return holds_for_all(person, self.permission, payload.rows, payload.terminals)

    def is_within(self, payload: RolloutPayload, larger: RolloutPayload, *, later: timedelta) -> bool:
        same = (payload.body, payload.rollout, payload.leave_out) == (larger.body, larger.rollout, larger.leave_out)
        return same and set(payload.terminals) <= set(larger.terminals)

    def word(self, payload: RolloutPayload, impact: Consequences) -> str:
        return str(len(payload.terminals))

    def details(self, payload: RolloutPayload, impact: Consequences) -> Mapping[str, Any]:
        return {"effect": "rollout"}

    def perform(self, payload: RolloutPayload, *, by: User, at: datetime) -> int:
        """Returns how many terminals it was approved for."""
        try:
            self._perform(payload, by, at)
        except (Forbidden, RolloutRefused, RolloutOver, ProblemError, QueryError, ValidationError) as error:
            raise CannotPerform(str(error)) from None
        return len(payload.terminals)

    def _perform(self, payload: RolloutPayload, by: User, at: datetime) -> None:
        raise NotImplementedError


class LargeRollout(_OfTerminals):
    name = Act.ROLLOUT

    def title(self, payload: RolloutPayload, impact: Consequences) -> str:
        number = len(payload.terminals)
        text = ngettext("Roll out %(what)s to %(n)s terminal", "Roll out %(what)s to %(n)s terminals", number)
        return text % {"what": payload.name, "n": f"{number:,}"}

    def _perform(self, payload: RolloutPayload, by: User, at: datetime) -> None:
        if payload.body is None:
            services.plan(_found(payload.rollout), by=by, at=at)
            return
        services.create(RolloutBody(**payload.body).values(by, at=at), by=by, at=at)


class LargeRollBack(_OfTerminals):
    name = Act.ROLL_BACK

    def title(self, payload: RolloutPayload, impact: Consequences) -> str:
        number = len(payload.terminals)
        text = ngettext("Roll back %(what)s on %(n)s terminal", "Roll back %(what)s on %(n)s terminals", number)
        return text % {"what": payload.name, "n": f"{number:,}"}

    def _perform(self, payload: RolloutPayload, by: User, at: datetime) -> None:
        found = _found(payload.rollout)
        services.roll_back(found, by=by, at=at, comment=payload.comment)


class ContinueRollout(_OfTerminals):
    """Always: TMS stopped it because of what it saw."""

    name = Act.CONTINUE

    def is_large(self, payload: RolloutPayload, impact: Consequences) -> bool:
        return True

    def title(self, payload: RolloutPayload, impact: Consequences) -> str:
        return gettext("Continue the rollout of %(what)s") % {"what": payload.name}

    def _perform(self, payload: RolloutPayload, by: User, at: datetime) -> None:
        services.continue_stopped(
            _found(payload.rollout), by=by, at=at, comment=payload.comment, leave_out=payload.leave_out
        )


def payload_of_new(body: RolloutBody, terminals: QuerySet[Terminal]) -> RolloutPayload:
    """A new rollout as somebody asked for it."""
    kept = body.model_dump(mode="json", exclude={"confirm"})
    return RolloutPayload(body.name, _keys(terminals), body=kept)


def payload_of_draft(rollout: Rollout, *, by: User, at: datetime) -> RolloutPayload:
    """A draft that shall start."""
    return RolloutPayload(rollout.name, _keys(services.members_of(rollout, by=by, at=at)), rollout=rollout.pk)


def payload_of_roll_back(rollout: Rollout, *, by: User, comment: str) -> RolloutPayload:
    terminals = tuple(services.roll_back_of(rollout, by=by).terminals)
    return RolloutPayload(rollout.name, terminals, rollout=rollout.pk, comment=comment)


def payload_to_continue(rollout: Rollout, *, comment: str, leave_out: Collection[str] = ()) -> RolloutPayload:
    terminals = tuple(
        RolloutItem.objects.filter(rollout=rollout).order_by("terminal").values_list("terminal", flat=True)
    )
    return RolloutPayload(rollout.name, terminals, None, rollout.pk, tuple(sorted(leave_out)), comment)


def _keys(rows: QuerySet[Terminal]) -> tuple[int, ...]:
    return tuple(rows.order_by("pk").distinct().values_list("pk", flat=True))


def _found(pk: int) -> Rollout:
    found = Rollout.objects.filter(pk=pk).first()
    if found is None:
        raise RolloutOver(f"rollout {pk} does not exist any more")
    return found


for kind in (LargeRollout(), LargeRollBack(), ContinueRollout()):
    register(kind)
